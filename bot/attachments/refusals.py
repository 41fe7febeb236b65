"""What to say of files that no kind recognised: what they are, and what to send instead. Reads first bytes only."""

from collections.abc import Iterable

from bot.attachments.boxes import brands, zip_members

_ARCHIVE = "is an archive: send the files in it one by one"
_PROGRAM = "is a program, which I do not read"
_VIDEO = "is a video, which I cannot watch: send pictures of it, or its sound as a recording"
_PICTURE = "is a picture of a kind that I cannot read: send it as JPEG or PNG"
_RECORDING = "is a recording of a kind that I cannot read: send it as MP3, M4A, Ogg or WAV"
_OPEN_DOCUMENT = "is an OpenDocument file: save it as .docx, .xlsx, .pptx or PDF"
_APPLE = "is a file of Pages, Numbers or Keynote: export it as PDF"

_STARTS = (
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ\0", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (b"PK\x05\x06", _ARCHIVE),
    (b"MSCF", _ARCHIVE),
    (b"!<arch>\n", _ARCHIVE),
    (b"MZ", _PROGRAM),
    (b"\x7fELF", _PROGRAM),
    (b"\xfe\xed\xfa\xce", _PROGRAM),
    (b"\xfe\xed\xfa\xcf", _PROGRAM),
    (b"\xce\xfa\xed\xfe", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", _PROGRAM),
    (b"\xca\xfe\xba\xbe", _PROGRAM),
    (b"dex\n", _PROGRAM),
    (b"\0asm", _PROGRAM),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"OggS", _VIDEO),
    (b"FLV\x01", _VIDEO),
    (b"\0\0\x01\xba", _VIDEO),
    (b"\0\0\x01\xb3", _VIDEO),
    (b"0&\xb2u\x8ef\xcf\x11", "is a Windows Media file: send a recording as MP3, or pictures of a video"),
    (b"FORM", _RECORDING),
    (b"MThd", _RECORDING),
    (b"8BPS", _PICTURE),
    (b"\0\0\x01\0", _PICTURE),
    (b"\xff\x0a", _PICTURE),
    (b"\0\0\0\x0cJXL ", _PICTURE),
    (b"\0\0\0\x0cjP  ", _PICTURE),
    (b"\xff\x4f\xff\x51", _PICTURE),
    (b"{\\rtf", "is an RTF file: save it as .docx or PDF"),
    (b"SQLite format 3\0", "is a database: export what matters as CSV"),
)
#: The old Office container keeps the names of its streams in UTF-16.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("EncryptedPackage", "is locked with a password: save it without one"),
    ("WordDocument", "is an old Word file: save it as .docx or PDF"),
    ("PowerPoint Document", "is an old PowerPoint file: save it as .pptx or PDF"),
    ("Workbook", "is an old Excel file: save it as .xlsx or CSV"),
    ("__substg1.0_", "is a saved Outlook message: copy its text into the chat"),
)
_OLD_OFFICE = "is an old Office file: save it in a newer format or as PDF"


def refusal(content: bytes, readable: Iterable[str]) -> str:
    """Words that follow the file's name and a colon; `readable` is what can be read instead, as people call it."""
    return _known(content) or f"is of a kind that I cannot read: I read {_listed(tuple(readable))}"


def _known(content: bytes) -> str | None:
    if content.startswith(_OLE):
        return next((words for name, words in _OLE_STREAMS if name.encode("utf-16-le") in content), _OLD_OFFICE)
    if content.startswith(b"PK\x03\x04"):
        return _zip_words(content)
    for start, words in _STARTS:
        if content.startswith(start):
            return words
    is_avi = content.startswith(b"RIFF") and content[8:12] == b"AVI "
    if is_avi or brands(content) or _is_transport_stream(content):
        return _VIDEO
    return _ARCHIVE if content[257:262] == b"ustar" else None


def _zip_words(content: bytes) -> str:
    if b"mimetypeapplication/vnd.oasis.opendocument" in content[:128]:
        return _OPEN_DOCUMENT
    return _APPLE if "Index/Document.iwa" in zip_members(content) else _ARCHIVE


def _is_transport_stream(content: bytes) -> bool:
    """MPEG-TS: the same byte at the start of each packet of 188."""
    return len(content) > 2 * 188 and content[0] == content[188] == content[376] == 0x47


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
