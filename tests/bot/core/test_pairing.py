"""The code that makes the first owner."""

from collections.abc import Callable
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.pairing import ALPHABET, CODE_LENGTH, TRIES, VALID_S, Pairing
from tests.fakes.clock import ManualClock


def in_order() -> Callable[[str], str]:
    """Instead of chance: the letters one after another, so that every code differs from the one before."""
    letters = cycle(ALPHABET)
    return lambda _: next(letters)


FIRST, SECOND = "23456789", "ABCDEFGH"


def pairing_with(announced: list[str], clock: ManualClock | None = None) -> Pairing:
    return Pairing(clock=clock or ManualClock(), announce=announced.append, choose=in_order())


def test_a_code_is_announced_once() -> None:
    announced: list[str] = []
    pairing = pairing_with(announced)

    assert (pairing.code(), pairing.code()) == (FIRST, FIRST)
    assert announced == [FIRST]


def test_real_codes_are_random_and_easy_to_read() -> None:
    codes = {Pairing(clock=ManualClock(), announce=lambda code: None).code() for _ in range(50)}

    assert len(codes) == 50
    assert all(len(code) == CODE_LENGTH and not set(code) & set("01OIL") for code in codes)


@pytest.mark.parametrize("typed", ["ABCDEFGH", "abcdefgh", " ABCD-efgh ", "a b c d e f g h", "`ABCDEFGH`:"])
def test_the_code_is_taken_however_it_is_typed(typed: str) -> None:
    pairing = pairing_with([])
    for _ in range(TRIES):
        pairing.attempt("wrong")

    assert pairing.code() == SECOND
    assert pairing.attempt(typed)


def test_a_right_code_works_once() -> None:
    pairing = pairing_with([])
    code = pairing.code()

    assert pairing.attempt(code)
    assert not pairing.attempt(code)


def test_five_wrong_tries_make_a_new_code() -> None:
    announced: list[str] = []
    pairing = pairing_with(announced)
    pairing.code()
    for _ in range(TRIES - 1):
        assert not pairing.attempt("wrong")

    assert announced == [FIRST]
    assert not pairing.attempt("wrong")
    assert announced == [FIRST, SECOND]
    assert not pairing.attempt(FIRST)


async def test_an_hour_makes_a_new_code() -> None:
    announced: list[str] = []
    clock = ManualClock()
    pairing = pairing_with(announced, clock)
    pairing.code()
    await clock.advance(VALID_S - 1)

    assert pairing.code() == FIRST

    await clock.advance(1)

    assert not pairing.attempt(FIRST)
    assert announced == [FIRST, SECOND]


@given(st.text())
def test_no_other_text_is_the_code(text: str) -> None:
    pairing = pairing_with([])
    expected = "".join(text.upper().replace("-", "").split()) == FIRST

    assert pairing.attempt(text) is expected
