"""What people are told of the files they sent: what was read, cut or left out, and why, in one line. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.core.catalogue import ModelInfo
from bot.core.files import FileKind, FileNote
from bot.core.formatting import excerpt
from bot.core.showing import FileKey, Shown, file_name
from bot.core.turn_record import Item

_HEARD_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """`text` is the line, empty where no files were sent. `is_all`: the message has no words besides its files.

    `nothing_read`: the model gets nothing of any file. `seeing` is a model that sees pictures which this one does not,
    None: it sees all, or nobody does.
    """

    text: str
    is_all: bool
    nothing_read: bool
    seeing: ModelInfo | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str
    words: str
    is_read: bool
    unseen: bool = False


def receipt_of(
    items: Sequence[Item],
    shown: Shown,
    model: ModelInfo,
    *,
    gone: Collection[FileKey],
    seeing: ModelInfo | None,
) -> Receipt:
    """The receipt for a question's files. `gone` are those whose bytes expired.

    `seeing` is the nearest model that sees pictures, None: there is none.
    """
    entries = [
        _entry(note, model, seeing, is_shown=key in shown, is_gone=key in gone)
        for item in items
        for key, note in ((FileKey(item.uid, number), note) for number, note in enumerate(item.files))
    ]
    read = [_line(entry) for entry in entries if entry.is_read]
    left = [_line(entry) for entry in entries if not entry.is_read]
    lines = [f"Read: {' · '.join(read)}."] if read else []
    lines += [f"Not read: {' · '.join(left)}."] if left else []
    said = any(item.text.strip() or item.quoted or item.starter for item in items)
    return Receipt(
        text=" ".join(lines),
        is_all=bool(entries) and not said,
        nothing_read=not read,
        seeing=seeing if any(entry.unseen for entry in entries) else None,
    )


def _entry(note: FileNote, model: ModelInfo, seeing: ModelInfo | None, *, is_shown: bool, is_gone: bool) -> _Entry:
    name, remark = file_name(note.name), note.remark.rstrip(".")
    if note.kind is FileKind.NOTHING:
        return _Entry(name=name, words=remark, is_read=False)
    if note.spoken and note.excerpt:
        return _Entry(name="voice message", words=f"“{excerpt(note.excerpt, _HEARD_CHARS)}”", is_read=True)
    if is_shown or note.excerpt:
        return _Entry(name=name, words=remark, is_read=True)
    if is_gone:
        return _Entry(name=name, words="it is not kept any more: send it again", is_read=False)
    if note.picture_sha256s and model.vision is not True:
        return _Entry(name=name, words=_blind(model, seeing), is_read=False, unseen=True)
    if note.kind in (FileKind.PDF, FileKind.IMAGE):
        words = f"{remark}; it is too much to show at once: send fewer files, or a part of it"
        return _Entry(name=name, words=words.removeprefix("; "), is_read=False)
    return _Entry(name=name, words=remark or f"`{model.ref}` cannot take it", is_read=False)


def _line(entry: _Entry) -> str:
    if not entry.words:
        return entry.name
    return f"{entry.name} ({entry.words})" if entry.is_read else f"{entry.name}: {entry.words}"


def _blind(model: ModelInfo, seeing: ModelInfo | None) -> str:
    blind = f"`{model.ref}` cannot see pictures"
    return blind if seeing is None else f"{blind}, `{seeing.ref}` can"
