"""What was typed becomes a message, a command or nothing."""

from itertools import count

import pytest

from adapters.terminal.inbound import Translator
from bot.core.inbound import Inbound, Invoked, Pressed, Said
from bot.core.place import Addressed, ChatKind
from tests.fakes.clock import ManualClock


@pytest.fixture
def translator() -> Translator:
    numbers = count(1)
    return Translator("main", clock=ManualClock(), new_id=lambda: f"{next(numbers):016x}")


def typed(translator: Translator, text: str) -> Inbound:
    inbound = translator.translate(text)
    assert inbound is not None
    return inbound


def test_a_line_is_a_private_message_of_the_owner(translator: Translator) -> None:
    inbound = typed(translator, "  hello there \r")

    assert inbound.uid == "terminal:main:0000000000000001"
    assert inbound.author.key == "terminal:me"
    assert inbound.place.thread_key == "terminal:main:me"
    assert inbound.place.kind is ChatKind.PRIVATE
    assert inbound.event == Said(text="hello there", message_id="0000000000000001", addressed=Addressed.PRIVATE)


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [("/help", "help", ""), ("/Model  openai/gpt-6 me", "model", "openai/gpt-6 me"), ("/new ", "new", "")],
)
def test_a_slash_and_a_word_is_a_command(translator: Translator, line: str, name: str, text: str) -> None:
    event = typed(translator, line).event

    assert event == Invoked(name=name, text=text, message_id="0000000000000001")


@pytest.mark.parametrize("line", ["/etc/passwd is what?", "/ hello", "//help", "1/2"])
def test_other_slashes_are_part_of_a_message(translator: Translator, line: str) -> None:
    assert isinstance(typed(translator, line).event, Said)


@pytest.mark.parametrize("line", ["", "   ", "\t\r"])
def test_a_blank_line_is_nothing(translator: Translator, line: str) -> None:
    assert translator.translate(line) is None


def test_the_order_grows_within_one_millisecond_and_over_restarts() -> None:
    clock = ManualClock()
    first = Translator("main", clock=clock, new_id=lambda: "a")
    orders = [typed(first, "x").order for _ in range(3)]
    assert orders == sorted(set(orders))

    later = Translator("main", clock=ManualClockLater(), new_id=lambda: "b")

    assert typed(later, "x").order > orders[-1]


class ManualClockLater(ManualClock):
    """A clock whose time of day is a second after `START`."""

    def __init__(self) -> None:
        super().__init__()
        self._elapsed_s = 1.0


def test_stop_is_the_button_under_the_answer(translator: Translator) -> None:
    assert translator.stop().event == Pressed(line="stop", message_id="0000000000000001")
