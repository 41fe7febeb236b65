"""The recipe in docs/adding-a-file-kind.md works as it is written."""

import re
import textwrap
from pathlib import Path

import pytest

from bot.attachments.reader import SubprocessReader
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind

_DOCUMENT = Path(__file__).parents[3] / "docs" / "adding-a-file-kind.md"
_HEAD = "from bot.attachments.kind import Kind\nfrom bot.attachments.signs import starts_with\n\n"
_EVENT = "BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20261124T090000\r\nSUMMARY:Stand-up\r\nEND:VEVENT\r\n"


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SubprocessReader:
    """A reader with the kind of the document, from files where a stranger's would stand."""
    blocks = re.findall(r"```python\n(.*?)```", _DOCUMENT.read_text(), re.DOTALL)
    module, row = (textwrap.dedent(block) for block in blocks)
    (tmp_path / "recipe_calendar.py").write_text(module)
    row = row.replace("bot.attachments.calendar:", "recipe_calendar:")
    (tmp_path / "recipe_registry.py").write_text(f"{_HEAD}KINDS = (\n{row},\n)\n")
    monkeypatch.syspath_prepend(tmp_path)
    return SubprocessReader(kinds="recipe_registry:KINDS")


async def test_a_file_of_the_new_kind_is_read(reader: SubprocessReader) -> None:
    file = await reader.read("team.ics", None, f"BEGIN:VCALENDAR\r\n{_EVENT * 2}END:VCALENDAR".encode())

    assert (file.kind, file.media_type) == (FileKind.TEXT, "text/calendar")
    assert file.pages == ("20261124T090000 Stand-up\n20261124T090000 Stand-up",)
    assert file.remarks == ("2 events",)


async def test_a_bad_file_of_the_new_kind_is_refused_in_its_words(reader: SubprocessReader) -> None:
    with pytest.raises(UnreadableFile, match="is a calendar with events that lack a time or a title"):
        await reader.read("team.ics", None, b"BEGIN:VCALENDAR\nSUMMARY:Some day")


async def test_the_new_kind_is_told_of_where_a_file_is_of_none(reader: SubprocessReader) -> None:
    with pytest.raises(UnreadableFile, match=r"I read calendars$"):
        await reader.read("a.bin", None, b"\0\x01\x02")
