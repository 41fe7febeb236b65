"""The conversation of the money bench: the same 200 questions and answers for everyone, by a seed.

Questions have some 60 tokens, answers some 250, at four characters a token; one question in twenty brings a paste of
2,000. German and English alternate by chance.
"""

import random
from dataclasses import dataclass

CHARACTERS_PER_TOKEN = 4
TURNS = 200
QUESTION_TOKENS, ANSWER_TOKENS, PASTE_TOKENS, SUMMARY_TOKENS = 60, 250, 2_000, 500
PASTE_EVERY = 20
_SPREAD = 0.3
_WORDS = tuple(
    sentence.split()
    for sentence in (
        "the invoice says that our server was down since Tuesday and nobody restarted it because every backup failed "
        "before so please compare both plans with their prices and tell me which of them fits a small team better",
        "die Rechnung vom Server stimmt nicht weil am Dienstag niemand die Sicherung geprüft hat und deshalb brauchen "
        "wir bis Freitag einen neuen Plan mit Preisen für drei Leute oder einen günstigeren Vertrag ohne Grundgebühr",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question and its answer."""

    question: str
    answer: str


def conversation(seed: int = 2026, exchanges: int = TURNS) -> tuple[Exchange, ...]:
    """The exchanges in their order; the same for the same seed."""
    chance = random.Random(seed)
    return tuple(_exchange(chance, number) for number in range(exchanges))


def summary_text(number: int) -> str:
    """What the model that writes summaries says the n-th time, in short lines."""
    chance = random.Random(number)
    return "\n".join(_text(chance, SUMMARY_TOKENS // 10) for _ in range(10))


def _exchange(chance: random.Random, number: int) -> Exchange:
    question = f"{number}. {_text(chance, _about(chance, QUESTION_TOKENS))}"
    if number % PASTE_EVERY == PASTE_EVERY // 2:
        question += f"\n\n{_text(chance, PASTE_TOKENS)}"
    return Exchange(question=question, answer=_text(chance, _about(chance, ANSWER_TOKENS)))


def _about(chance: random.Random, tokens: int) -> int:
    return round(tokens * chance.uniform(1 - _SPREAD, 1 + _SPREAD))


def _text(chance: random.Random, tokens: int) -> str:
    """Words of one language, about so many tokens."""
    vocabulary, left = chance.choice(_WORDS), tokens * CHARACTERS_PER_TOKEN
    words: list[str] = []
    while left > 0:
        words.append(chance.choice(vocabulary))
        left -= len(words[-1]) + 1
    return " ".join(words)
