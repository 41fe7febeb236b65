"""How hard a message looks."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.difficulty import Difficulty, difficulty_of
from bot.core.difficulty_words import CODE, REASONING, TASK

LANGUAGES = {"en", "de", "es", "fr", "ru", "zh", "ja"}

HARD = {
    "fence": "what is wrong here\n```\nx = 1\n```",
    "pasted code": "hi\nconst a = 1;\nlet b = a + 2;\nok?",
    "pasted Python": "def area(r):\n    return 3 * r\nprint(area(2))",
    "Python trace": 'Traceback (most recent call last):\n  File "a.py", line 3, in <module>',
    "Java trace": "it says\n    at com.example.Main.run(Main.java:17)",
    "Rust error": "error[E0502]: cannot borrow",
    "error line": "TypeError: x is not a function",
    "LaTeX": r"what is \frac{1}{2} of it",
    "mathematical signs": "is ∫ sin x dx = -cos x",
    "powers": "roots of x^2 - 4",
    "English code": "Please refactor it",
    "English reasoning": "Prove that there are infinitely many primes",
    "German code": "Schreibe mir ein Programm, das Primzahlen sucht",
    "German reasoning": "Beweise, dass Wurzel 2 irrational ist",
    "Spanish code": "Escribe una función que ordene nombres",
    "Spanish reasoning": "Resuelve esto paso a paso",
    "French code": "Écris une fonction qui trie des noms",
    "French reasoning": "Démontre le théorème de Pythagore",
    "Russian code": "Напиши функцию для сортировки",
    "Russian reasoning": "Докажи теорему Пифагора",
    "Chinese code": "帮我写一个函数排序",
    "Chinese reasoning": "请证明勾股定理",
    "Japanese code": "並べ替えのコードをください",
    "Japanese reasoning": "三平方の定理を証明してください",
}
MIDDLING = {
    "English": "Explain the French Revolution",
    "German": "Erkläre die Französische Revolution",
    "Spanish": "Explica la Revolución francesa",
    "French": "Pourquoi le ciel est bleu",
    "Russian": "Переведи это на английский",
    "Chinese": "请翻译这句话",
    "Japanese": "この文を要約してください",
    "programming": "which version of Python is current",
    "a word beside Chinese": "用python可以吗",
    "long": "We went to the lake and then to the hills. " * 30,
}
CHAT = {
    "greeting": "hi there!",
    "German": "Na, wie geht's dir heute?",
    "Spanish": "¿Qué tal?",
    "French": "Merci beaucoup, bonne nuit",
    "Russian": "Привет, как дела?",
    "Chinese": "你好，今天天气怎么样？",
    "Japanese": "おはよう、元気？",
    "a question": "what's the capital of Peru?",
    "not code": "my dress code for tonight; any ideas",
    "not an encoder": "the decoder ring was improved",
    "nothing": "",
}


def table(rows: dict[str, str]) -> list[object]:
    return [pytest.param(text, id=name) for name, text in rows.items()]


@pytest.mark.parametrize("text", table(HARD))
def test_code_traces_formulas_and_proofs_are_hard(text: str) -> None:
    assert difficulty_of([text])[0] is Difficulty.HARD


@pytest.mark.parametrize("text", table(MIDDLING))
def test_tasks_and_long_texts_are_middling(text: str) -> None:
    assert difficulty_of([text])[0] is Difficulty.MIDDLING


@pytest.mark.parametrize("text", table(CHAT))
def test_small_talk_is_chat_and_bears_no_sign(text: str) -> None:
    assert difficulty_of([text]) == (Difficulty.CHAT, ())


def test_only_the_signs_of_the_hardest_kind_are_told_each_once() -> None:
    hardest, signs = difficulty_of(["Explain this code", "```\nconst a = 1;\nlet b = a;\n```"])

    assert hardest is Difficulty.HARD
    assert signs == ("It has code in it", "It asks about code")


@pytest.mark.parametrize("text", ["Prove it. " + "la " * 10_000, "la " * 10_000 + "Prove it."], ids=["first", "last"])
def test_what_is_asked_is_found_before_and_after_a_long_text(text: str) -> None:
    assert difficulty_of([text])[0] is Difficulty.HARD


def test_every_table_of_words_speaks_all_languages() -> None:
    for words in (CODE, REASONING, TASK):
        assert set(words) == LANGUAGES


def test_every_word_of_the_tables_is_found_by_itself() -> None:
    for words, at_least in ((CODE, Difficulty.HARD), (REASONING, Difficulty.HARD), (TASK, Difficulty.MIDDLING)):
        for word in (word for listed in words.values() for word in listed.split(", ")):
            assert difficulty_of([word.replace("*", "")])[0] >= at_least, word


@given(st.lists(st.text(alphabet=st.characters(codec=None), max_size=200), max_size=4))
def test_any_text_has_a_difficulty_always_the_same_and_signs_only_above_chat(texts: list[str]) -> None:
    hardest, signs = difficulty_of(texts)

    assert (hardest, signs) == difficulty_of(texts)
    assert bool(signs) == (hardest is not Difficulty.CHAT)


@pytest.mark.parametrize("piece", [" ", "a", "a(", "x\n", " at ", "{", "$", "class a", "\t", "a.", "代"])
def test_no_text_takes_long(piece: str) -> None:
    began = time.perf_counter()
    difficulty_of([piece * 200_000])

    assert time.perf_counter() - began < 1.0
