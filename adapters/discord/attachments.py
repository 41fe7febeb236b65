"""The files of a message's payload: what the core is told of them, and where they are to be had. Pure.

Files of a forwarded message stand in its snapshot, which has no id of its own; here they count as the message's.
https://discord.com/developers/docs/resources/message#attachment-object
"""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.discord.markup import Payload
from bot.core.message import AttachmentRef

#: The message is a voice message, recorded in the client.
IS_VOICE_MESSAGE = 1 << 13
_SPOILER = "SPOILER_"


@dataclass(frozen=True, slots=True)
class Announced:
    """A file and the signed address under which it is to be had for about a day."""

    ref: AttachmentRef
    url: str


@dataclass(frozen=True, slots=True)
class FileId:
    """What the id of an AttachmentRef holds: addresses expire, and a new one is had from the message alone."""

    channel: str
    message: str
    attachment: str

    @classmethod
    def parse(cls, ref_id: str) -> "FileId | None":
        """Read what `str` made; None for anything else."""
        parts = ref_id.split("/")
        return cls(*parts) if len(parts) == 3 else None

    def __str__(self) -> str:
        return f"{self.channel}/{self.message}/{self.attachment}"


def announced(message: Payload) -> Iterator[Announced]:
    """The files of a message in their order, then those of what it forwards."""
    for attachment in message.get("attachments") or ():
        spoken = bool(int(message.get("flags") or 0) & IS_VOICE_MESSAGE)
        yield Announced(_ref(message, attachment, spoken=spoken), attachment["url"])
    for snapshot in message.get("message_snapshots") or ():
        for attachment in snapshot["message"].get("attachments") or ():
            yield Announced(_ref(message, attachment, spoken=False), attachment["url"])


def attachments(message: Payload) -> tuple[AttachmentRef, ...]:
    """What the core is told of a message's files."""
    return tuple(file.ref for file in announced(message))


def _ref(message: Payload, attachment: Payload, *, spoken: bool) -> AttachmentRef:
    file_id = FileId(message["channel_id"], message["id"], attachment["id"])
    return AttachmentRef(
        id=str(file_id),
        name=attachment["filename"].removeprefix(_SPOILER) or attachment["filename"],
        media_type=attachment.get("content_type"),
        size_bytes=attachment.get("size"),
        duration_s=attachment.get("duration_secs"),
        spoken=spoken,
    )
