"""What a kind of file consists of. Knows no kind."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from bot.core.files import ReadFile

#: From content and name (a hint at most) to the media type; None: it is not of this kind. Cheap, imports no library.
Recognise = Callable[[bytes, str], str | None]
#: From content and media type to what was read. Raises UnreadableFile; any other exception is a broken file as well.
Read = Callable[[bytes, str], ReadFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the registry.

    `called` is what people call such files, in the plural. `read` is `module:function`, imported in the worker process
    only.
    """

    name: str
    called: str
    read: str
    recognise: Recognise

    def load(self) -> Read:
        """Import the function that reads it."""
        module, _, name = self.read.partition(":")
        read: Read = getattr(import_module(module), name)
        return read
