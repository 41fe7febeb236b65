"""Messages on a screen can only grow; through a pipe each is written once."""

import io
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.terminal.attaching import parse
from adapters.terminal.inbound import Translator
from adapters.terminal.messenger import TerminalMessenger
from adapters.terminal.screen import LiveScreen, PipeScreen
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.place import ChatKind, Place
from bot.core.ports import Answer, Button, File, Page, PageStart
from bot.core.sound import Voice
from tests.fakes.clock import ManualClock

PLACE = Place(platform="terminal", account="main", chat="me", kind=ChatKind.PRIVATE)
STOP = Button(label="Stop", line="stop terminal:main:1")
RETRY = Button(label="Retry", line="retry terminal:main:1")


def page(text: str) -> Page:
    return Page(content=text, plain=text, end=PageStart(offset=len(text)))


class Terminal:
    """A messenger with what it wrote. `own` is the uid of what this run asked."""

    def __init__(self, folder: Path = Path("never-made"), *, streams: bool) -> None:  # a value
        numbers = count(1)
        self.out, self.err = io.StringIO(), io.StringIO()
        self.live = LiveScreen(self.out, interrupt=lambda: None)
        self.live.free.set()
        screen = self.live if streams else PipeScreen(self.out, self.err)
        self.messenger = TerminalMessenger(screen, streams=streams, new_id=lambda: str(next(numbers)), folder=folder)
        self.messenger.own.add("own")

    @property
    def text(self) -> str:
        return self.out.getvalue()


@pytest.fixture
def screen(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "files", streams=True)


@pytest.fixture
def pipe(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "files", streams=False)


async def test_edits_write_what_was_added_and_the_end_tells_what_can_be_done(screen: Terminal) -> None:
    message_id = await screen.messenger.send(PLACE, page("Hel"), key="own~0", buttons=[STOP])
    await screen.messenger.edit(PLACE, message_id, page("Hello"), buttons=[STOP])
    assert screen.text == "Hello"

    await screen.messenger.edit(PLACE, message_id, page("Hello\n\nIt broke."), buttons=[RETRY])
    screen.messenger.end_message()

    assert screen.text == "Hello\n\nIt broke.\n(Retry: /retry)\n"


async def test_a_text_that_changed_is_written_anew_on_its_own_line(screen: Terminal) -> None:
    message_id = await screen.messenger.send(PLACE, page("searching …"), key="own~0")
    await screen.messenger.edit(PLACE, message_id, page("Found it."))

    assert screen.text == "searching …\nFound it."


async def test_a_second_message_begins_on_a_line_of_its_own(screen: Terminal) -> None:
    await screen.messenger.send(PLACE, page("one"), key="own~0", buttons=[STOP])
    await screen.messenger.send(PLACE, page("two"), key="own~1")

    assert screen.text == "one\ntwo"


async def test_the_indicator_leaves_no_trace_before_the_first_words(screen: Terminal) -> None:
    screen.live.indicate(True)
    await screen.messenger.send(PLACE, page("Hi"), key="own~0")

    assert screen.text == "…\r \rHi"


async def test_a_model_cannot_control_the_screen(screen: Terminal) -> None:
    await screen.messenger.send(PLACE, page("a\x1b[2Jb\x9b31mc\rd\te\nf"), key="own~0")

    assert screen.text == "a[2Jb31mcd\te\nf"


async def test_through_a_pipe_an_answer_is_its_markdown_and_one_newline(pipe: Terminal) -> None:
    source = "# Title\n\n```py\nx = 1\n```\n\x1b"
    (whole,) = pipe.messenger.render(PLACE, source)
    await pipe.messenger.send(PLACE, whole, key="own~0", buttons=[RETRY])

    assert pipe.text == source + "\n"
    assert pipe.err.getvalue() == "Retry: /retry\n"
    assert not pipe.messenger.capabilities(PLACE).edits


async def test_an_answer_to_something_older_gets_a_note(pipe: Terminal) -> None:
    await pipe.messenger.send(PLACE, page("late"), key="terminal:main:old~0")

    assert pipe.text == "late\n"
    assert "unanswered last time" in pipe.err.getvalue()


async def test_a_notice_is_a_note_and_no_answer(pipe: Terminal) -> None:
    await pipe.messenger.send(PLACE, page("Storage is away."), key="own:notice")

    assert (pipe.text, pipe.err.getvalue()) == ("", "Storage is away.\n")
    assert pipe.messenger.written == 0


async def test_what_stood_whole_in_an_earlier_run_is_not_written_again(pipe: Terminal) -> None:
    message_id = await pipe.messenger.send(PLACE, page("answer"), key="own~0")
    later = Terminal(streams=False)

    await later.messenger.edit(PLACE, message_id, page("answer"))

    assert later.text == ""
    assert later.messenger.written == 1


@pytest.mark.parametrize(("streams", "text"), [(False, "another"), (True, "answer")])
async def test_what_did_not_stand_whole_in_an_earlier_run_counts_as_gone(streams: bool, text: str) -> None:
    message_id = await Terminal(streams=streams).messenger.send(PLACE, page("answer"), key="own~0")

    with pytest.raises(DeliveryError) as caught:
        await Terminal(streams=streams).messenger.edit(PLACE, message_id, page(text))

    assert caught.value.kind is DeliveryKind.NOT_FOUND


async def test_the_answer_of_a_command_ends_its_line_and_names_what_can_be_typed(pipe: Terminal) -> None:
    inbound = Translator("main", clock=ManualClock(), new_id=lambda: "1").stop()
    models = (Button(label="openai/x", line="model openai/x"), Button(label="More", line="models 2"))

    await pipe.messenger.answer(inbound, Answer(text="Two models.", rows=(models,)))

    assert pipe.text == "Two models.\n"
    assert pipe.err.getvalue() == "/model openai/x · More: /models 2\n"


async def test_a_file_is_saved_and_its_place_is_told(pipe: Terminal, tmp_path: Path) -> None:
    inbound = Translator("main", clock=ManualClock(), new_id=lambda: "1").stop()
    file = File(name="../costs.csv", content=b"a,b", media_type="text/csv")

    await pipe.messenger.answer(inbound, Answer(text="Here.", file=file))

    assert (tmp_path / "files" / "costs.csv").read_bytes() == b"a,b"
    assert f"saved as {tmp_path / 'files' / 'costs.csv'}" in pipe.err.getvalue()


async def test_a_file_that_cannot_be_saved_says_so(pipe: Terminal, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    inbound = Translator("main", clock=ManualClock(), new_id=lambda: "1").stop()

    await pipe.messenger.answer(inbound, Answer(text="Here.", file=File(name="a", content=b"", media_type="x/y")))

    assert "a could not be saved in" in pipe.err.getvalue()


async def test_recordings_are_saved_each_under_a_name_of_its_own(pipe: Terminal, tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        voice = Voice(content=content, media_type="audio/ogg", name="answer.ogg", duration_s=1.0)
        await pipe.messenger.send_voice(PLACE, voice, key="own~voice")
    folder = tmp_path / "files"

    assert (folder / "answer.ogg").read_bytes() == b"one"
    assert (folder / "answer-2.ogg").read_bytes() == b"two"
    assert pipe.err.getvalue() == f"saved as {folder / 'answer.ogg'}\nsaved as {folder / 'answer-2.ogg'}\n"
    assert pipe.messenger.written == 2
    assert not pipe.messenger.capabilities(PLACE).voice


async def test_an_attached_file_is_fetched_up_to_a_size(pipe: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    attached = parse(f"/attach {tmp_path / 'a.txt'}")
    assert attached is not None
    (ref,) = attached.files

    assert await pipe.messenger.fetch(PLACE, ref, max_bytes=3) == b"abc"
    with pytest.raises(DeliveryError) as caught:
        await pipe.messenger.fetch(PLACE, ref, max_bytes=2)
    assert caught.value.kind is DeliveryKind.INVALID


async def test_a_closed_stream_is_the_end_of_the_chat(pipe: Terminal) -> None:
    pipe.out.close()

    with pytest.raises(DeliveryError) as caught:
        await pipe.messenger.send(PLACE, page("x"), key="own~0")

    assert caught.value.kind is DeliveryKind.FORBIDDEN
    assert pipe.messenger.gone
    await pipe.messenger.more_than(0)


@given(st.text(max_size=300), st.integers(min_value=0, max_value=300))
def test_any_text_is_one_page_and_nothing_of_it_is_lost(text: str, offset: int) -> None:
    pages = Terminal(streams=True).messenger.render(PLACE, text, PageStart(offset=min(offset, len(text))))

    assert "".join(each.content for each in pages).strip() == text[offset:].strip()
    assert len(pages) == bool(text[offset:].strip())
