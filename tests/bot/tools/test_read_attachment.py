"""`read_attachment`: parts of the words that are kept of a file, with where they stand and how to go on."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.files import PAGE_BREAK, FileKind, FileNote
from bot.core.tools import ToolOutput
from bot.tools.read_attachment import ReadAttachment
from tests.fakes.files import MemoryFiles
from tests.fakes.tools import CONTEXT

PAGES = tuple(f"This is page {number}. " + "word " * 100 for number in range(1, 35))


class Chat:
    """A conversation with files."""

    def __init__(self) -> None:
        self.store = MemoryFiles()
        self.notes: list[FileNote] = []
        self.tool = ReadAttachment(self.store)

    async def send(self, name: str, *pages: str, unit: str = "page", total: int | None = None) -> FileNote:
        """A file with these words arrives; without a unit it has no pages."""
        text = PAGE_BREAK.join(pages)
        note = FileNote(
            name=name,
            kind=FileKind.TEXT,
            text_sha256=await self.store.save(text.encode(), "text/plain"),
            chars=len(text),
            pages=(total or len(pages)) if unit else None,
            unit=unit,
        )
        self.notes.append(note)
        return note

    async def read(self, **arguments: object) -> ToolOutput:
        return await self.tool.run(arguments, replace(CONTEXT, files=tuple(self.notes)))


@pytest.fixture
def chat() -> Chat:
    return Chat()


async def test_pages_are_read_with_where_they_stand_and_how_it_goes_on(chat: Chat) -> None:
    await chat.send("report.pdf", *PAGES)

    output = await chat.read(name="report.pdf", page=3, to_page=5)
    head, _, body = output.text.partition("\n\n")

    assert head.startswith("`report.pdf`, pages 3-5 of 34, characters 1,034-2,584 of 17,602. It goes on with page=6.")
    assert body.startswith("[page 3]\nThis is page 3. ")
    assert "[page 5]\nThis is page 5. " in body
    assert "page 6" not in body
    assert (output.untrusted, output.is_error) == (True, False)


async def test_the_only_file_needs_no_name_and_is_read_from_its_beginning(chat: Chat) -> None:
    await chat.send("notes.txt", "hello there", unit="")

    output = await chat.read()

    assert output.text == "`notes.txt`, characters 0-11 of 11. This is the end.\n\nhello there"


async def test_a_long_text_is_read_piece_by_piece_until_its_end(chat: Chat) -> None:
    text = "".join(f"{number:06d} " for number in range(4_000))
    await chat.send("log.txt", text, unit="")
    pieces, offset = [], 0
    while True:
        head, _, body = (await chat.read(offset=offset)).text.partition("\n\n")
        pieces.append(body)
        if head.endswith("This is the end."):
            break
        offset = int(head.rpartition("offset=")[2].rstrip("."))

    assert "".join(pieces) == text
    assert max(len(piece) for piece in pieces) <= 12_000


async def test_pages_that_are_too_long_for_one_result_say_where_to_go_on(chat: Chat) -> None:
    await chat.send("book.epub", "x" * 20_000, "y" * 5_000, unit="chapter")

    first = await chat.read(page=1, to_page=2)
    second = await chat.read(offset=12_000)

    assert "chapter 1 of 2, characters 0-12,000 of 25,001. It goes on with offset=12000." in first.text
    assert "chapters 1-2 of 2, characters 12,000-24,000 of 25,001. It goes on with offset=24000." in second.text


async def test_pages_that_were_never_read_are_told(chat: Chat) -> None:
    await chat.send("huge.pdf", "one", "two", total=10_000)

    last = await chat.read(page=2)
    behind = await chat.read(page=3)

    assert "page 2 of 10,000, characters 4-7 of 7. This is the end of what was read; 9,998 more were not." in last.text
    assert behind.is_error
    assert behind.text == "`huge.pdf` has 10,000 pages, of which 2 were read; there is no page 3."


async def test_a_text_is_found_in_any_case_and_across_lines(chat: Chat) -> None:
    await chat.send("report.pdf", "Nothing.", "The total\n  COST is 5.", "And (again) the Total cost.")

    output = await chat.read(find="total cost")

    assert output.text == (
        "`report.pdf`: 2 places with `total cost`.\n\n"
        "[page 2, character 13] …Nothing. The total COST is 5. And (again) the Total cost.…\n\n"
        "[page 3, character 48] …Nothing. The total COST is 5. And (again) the Total cost.…"
    )
    assert "2 places" not in (await chat.read(find="(again) .*")).text


async def test_many_places_are_told_ten_at_a_time(chat: Chat) -> None:
    await chat.send("log.txt", "error! " * 25, unit="")

    first = await chat.read(find="error")
    offset = int(first.text.partition("offset=")[2].partition(".")[0])
    second = await chat.read(find="error", offset=offset)

    assert first.text.startswith("`log.txt`: 10 places with `error`. There are more: go on with offset=")
    assert "[character 70]" in second.text
    assert "[character 63]" not in second.text


async def test_a_text_is_found_far_into_a_large_file_and_over_the_edge_of_a_window(chat: Chat) -> None:
    await chat.send("big.txt", "a" * 99_997 + "needle" + "b" * 300_000 + "needle", unit="")

    output = await chat.read(find="NEEDLE")

    assert "[character 99,997]" in output.text
    assert "[character 400,003]" in output.text


async def test_the_newest_of_several_files_with_one_name_is_meant_and_names_may_be_short(chat: Chat) -> None:
    for name, text in (("a.txt", "old"), ("a.txt", "new"), ("Quarterly Report.pdf", "figures")):
        await chat.send(name, text, unit="")

    assert (await chat.read(name="a.txt")).text.endswith("\n\nnew")
    assert (await chat.read(name="A.TXT")).text.endswith("\n\nnew")
    assert (await chat.read(name="quarterly")).text.endswith("\n\nfigures")


async def test_only_files_of_this_conversation_can_be_read(chat: Chat) -> None:
    secret = await chat.store.save(b"of somebody else", "text/plain")
    await chat.send("a.txt", "mine", unit="")
    await chat.send("b.txt", "mine", unit="")

    for name in ("c.txt", secret, f"../{secret}"):
        output = await chat.read(name=name)
        assert output.is_error
        assert output.text.startswith("There is no file ")
        assert output.text.endswith(" in this conversation, but `b.txt`, `a.txt`.")
    assert (await chat.read()).text == "Say which file: `b.txt`, `a.txt`."


async def test_without_files_nothing_can_be_read(chat: Chat) -> None:
    output = await chat.read(name="a.txt")

    assert (output.text, output.is_error) == ("No files were sent in this conversation.", True)


async def test_words_that_expired_are_told(chat: Chat) -> None:
    await chat.send("a.txt", "words", unit="")
    chat.store.blobs.clear()

    output = await chat.read()

    assert output.is_error
    assert output.text == "The words of `a.txt` are not kept any more; ask for the file to be sent again."


async def test_a_file_without_words_says_why(chat: Chat) -> None:
    chat.notes.append(FileNote(name="cat.jpg", kind=FileKind.IMAGE, remark="a picture of 640 x 480"))

    output = await chat.read()

    assert output.text == "`cat.jpg` has no words that could be read (a picture of 640 x 480)."


async def test_a_transcript_is_read_where_all_of_it_is_in_the_note(chat: Chat) -> None:
    chat.notes.append(FileNote(name="voice.ogg", kind=FileKind.AUDIO, excerpt="call me back"))

    assert (await chat.read()).text.endswith("\n\ncall me back")


@pytest.mark.parametrize(
    "arguments",
    [{"page": 0}, {"page": 1, "offset": 5}, {"to_page": 2}, {"page": 3, "to_page": 2}, {"find": ""}, {"path": "/etc"}],
)
async def test_wrong_arguments_are_an_error_of_one_line(chat: Chat, arguments: dict[str, object]) -> None:
    await chat.send("a.txt", "words")

    output = await chat.read(**arguments)

    assert output.is_error
    assert output.text.startswith("Wrong arguments: ")


@pytest.mark.parametrize("arguments", [{"offset": 500}, {"page": 1}], ids=["behind", "no pages"])
async def test_places_that_are_not_there_are_an_error(chat: Chat, arguments: dict[str, object]) -> None:
    await chat.send("a.txt", "words", unit="")

    assert (await chat.read(**arguments)).is_error


@given(pages=st.lists(st.text(st.characters(exclude_characters=PAGE_BREAK, exclude_categories=["Cs"])), min_size=1))
async def test_every_page_comes_back_as_it_was(pages: list[str]) -> None:
    chat = Chat()
    await chat.send("a.pdf", *pages)

    for number, page in enumerate(pages, 1):
        output = await chat.read(page=number)
        assert not output.is_error
        assert output.text.endswith(f"[page {number}]\n{page}\n")


def test_people_see_what_is_read() -> None:
    tool = ReadAttachment(MemoryFiles())

    assert tool.status({"name": "report.pdf"}) == "reading: report.pdf"
    assert tool.status({}) == "reading: the attachment"
    assert tool.worst_nano_usd({}) == 0
    assert (tool.reads_only, tool.owners_only) == (True, False)
