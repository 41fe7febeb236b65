"""Suggestions while a command is typed."""

import pytest

from bot.commands import COMMANDS
from bot.core.command import Complete
from bot.core.completion import LIMIT, Completion
from tests.fakes.desk import ANN, PRIVATE, STRANGER, Counter, model


def completion_of(counter: Counter) -> Completion:
    desk = counter.desk
    return Completion(gate=desk.gate, directory=desk.directory, commands=desk.commands)


@pytest.mark.parametrize(
    ("complete", "typed", "suggested"),
    [
        (Complete.MODEL, "two", ("alpha/two", "beta/two-large")),
        (Complete.MODEL, "nothing like it", ()),
        (Complete.MODEL, "", ("auto", "big", "alpha/one", "alpha/two", "beta/two-large")),
        (Complete.MODEL, "A", ("auto", "alpha/one", "alpha/two", "beta/two-large")),
        (Complete.MODEL, "BIG", ("big", "beta/two-large")),
        (Complete.COMMAND, "/mod", ("model", "models")),
        (Complete.COMMAND, "TOP", ("stop",)),
        (Complete.SETTING, "th", ("threads",)),
        (Complete.SETTING, "put", ("max_output",)),
    ],
)
async def test_what_fits_is_suggested(complete: Complete, typed: str, suggested: tuple[str, ...]) -> None:
    completion = completion_of(Counter(commands=COMMANDS))

    assert suggested == await completion(complete, typed, PRIVATE, ANN)


async def test_suggestions_are_few_and_short() -> None:
    models = tuple(model(f"alpha/{'long-' * 30}{number}") for number in range(40))
    suggested = await completion_of(Counter(commands=COMMANDS, models=models))(Complete.MODEL, "", PRIVATE, ANN)

    assert len(suggested) == LIMIT
    assert all(len(name) <= 100 for name in suggested)


async def test_strangers_are_told_nothing() -> None:
    completion = completion_of(Counter(commands=COMMANDS))

    assert await completion(Complete.MODEL, "", PRIVATE, STRANGER) == ()
