"""parse_mode=MarkdownV2, ported from tdlib/td MessageEntity.cpp (parse_markdown_v2).

Pure. Other parse modes are refused: Parley sends entities, and a fake that half parses HTML proves nothing.
"""

import re
from dataclasses import dataclass, field

from tests.fakes.telegram.entities import utf16_length
from tests.fakes.telegram.errors import ApiError, bad_request
from tests.fakes.telegram.model import Entity

_RESERVED = "_*[]()~`>#+-=|{}.!\n"
_NAMES = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "text_link": "TextUrl",
    "custom_emoji": "CustomEmoji",
    "blockquote": "BlockQuote",
}
_OPENING = (("__", "underline"), ("||", "spoiler"), ("```", "pre"), ("![", "custom_emoji"))
_OPENING_SHORT = (("_", "italic"), ("*", "bold"), ("~", "strikethrough"), ("[", "text_link"), ("`", "code"))
_CLOSING = {
    "bold": "*",
    "italic": "_",
    "underline": "__",
    "strikethrough": "~",
    "spoiler": "||",
    "code": "`",
    "pre": "```",
    "text_link": "]",
    "custom_emoji": "]",
}


def parse_markdown_v2(source: str) -> tuple[str, list[Entity]]:
    """Return the text and the entities of `source`.

    Raises:
        ApiError: "can't parse entities: ..." with the text of the real server.
    """
    return _Parser(source).run()


@dataclass(slots=True)
class _Open:
    type: str
    at: int
    source_at: int
    language: str | None = None


@dataclass(slots=True)
class _Parser:
    source: str
    at: int = 0
    text: str = ""
    stack: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    line_start: bool = True

    def run(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.source):
            char = self.source[self.at]
            following = self.source[self.at + 1 : self.at + 2]
            if char == "\\" and following and ord(following) <= 126:
                self._emit(following, 2)
            elif char not in ("`" if self._inside() in ("code", "pre") else _RESERVED):
                self._emit(char, 1)
            elif char == "\n" and self._inside("blockquote"):
                self._newline_in_quote()
            elif self._closes():
                self._close()
            else:
                self._open(char)
        if self.stack and self.stack[-1].type == "blockquote":
            self._finish(self.stack.pop())
        if self.stack:
            raise self._unclosed()
        return self.text, self.entities

    def _inside(self, kind: str | None = None) -> str | None:
        if kind is not None:
            return kind if any(item.type == kind for item in self.stack) else None
        return self.stack[-1].type if self.stack else None

    def _emit(self, char: str, consumed: int) -> None:
        self.text += char
        self.at += consumed
        self.line_start = char == "\n"

    def _newline_in_quote(self) -> None:
        if self.source[self.at + 1 : self.at + 2] != ">":
            if self.stack[-1].type != "blockquote":
                raise self._unclosed()
            self._finish(self.stack.pop())
        self._emit("\n", 1)

    def _closes(self) -> bool:
        kind = self._inside()
        if kind is None or kind not in _CLOSING or not self.source.startswith(_CLOSING[kind], self.at):
            return False
        return kind != "italic" or self.source[self.at + 1 : self.at + 2] != "_"

    def _open(self, char: str) -> None:
        if char == "\n":
            self._emit(char, 1)
        elif char == ">" and self.line_start:
            if not self._inside("blockquote"):
                self.stack.append(_Open("blockquote", utf16_length(self.text), self.at))
            self.at += 1
            self.line_start = False
        else:
            self._open_inline(char)

    def _open_inline(self, char: str) -> None:
        pairs = (*_OPENING, *_OPENING_SHORT)
        found = next((pair for pair in pairs if self.source.startswith(pair[0], self.at)), None)
        if found is None:
            raise _unparsable(f"Character '{char}' is reserved and must be escaped with the preceding '\\'")
        mark, kind = found
        opened = _Open(kind, utf16_length(self.text), self.at)
        self.stack.append(opened)
        self.at += len(mark)
        self.line_start = False
        if kind == "pre":
            header = re.compile(r"([^\s`]+)(?=\s)").match(self.source, self.at)
            if header:
                opened.language = header[1]
                self.at = header.end()
            newline = re.compile(r"\r\n|\n\r|\n|\r").match(self.source, self.at)
            self.at = newline.end() if newline else self.at

    def _close(self) -> None:
        opened = self.stack.pop()
        self.at += len(_CLOSING[opened.type])
        self.line_start = False
        if opened.type in ("text_link", "custom_emoji"):
            self._finish(opened, self._url(opened))
        else:
            self._finish(opened)

    def _url(self, opened: _Open) -> str:
        if self.source[self.at : self.at + 1] != "(":
            if opened.type == "custom_emoji":
                raise _unparsable("The entity must contain a tg://emoji or tg://time URL")
            return self.text.encode("utf-16-le")[2 * opened.at :].decode("utf-16-le")
        found = re.compile(r"\(((?:\\.|[^)\\])*)\)", re.DOTALL).match(self.source, self.at)
        if not found:
            raise _unparsable(f"Can't find end of a URL at byte offset {self._bytes(self.at + 1)}")
        self.at = found.end()
        return re.sub(r"\\(.)", r"\1", found[1])

    def _finish(self, opened: _Open, url: str | None = None) -> None:
        length = utf16_length(self.text) - opened.at
        if not length:
            return
        kind, user_id, emoji = opened.type, None, None
        if url and (found := re.fullmatch(r"tg://user\?id=(\d+)", url)):
            kind, user_id, url = "text_mention", int(found[1]), None
        elif kind == "custom_emoji":
            emoji, url = (url or "").removeprefix("tg://emoji?id="), None
            if not emoji.isdigit():
                raise _unparsable("Invalid tg://emoji or tg://time URL specified")
        entity = Entity(
            type=kind,
            offset=opened.at,
            length=length,
            url=url,
            user_id=user_id,
            language=opened.language,
            custom_emoji_id=emoji,
        )
        self.entities.append(entity)

    def _unclosed(self) -> ApiError:
        opened = self.stack[-1]
        name = "PreCode" if opened.language else _NAMES[opened.type]
        return _unparsable(f"Can't find end of {name} entity at byte offset {self._bytes(opened.source_at)}")

    def _bytes(self, at: int) -> int:
        return len(self.source[:at].encode())


def _unparsable(reason: str) -> ApiError:
    return bad_request(f"can't parse entities: {reason}")
