"""Formatted text as tdlib/td's MessageEntity.cpp treats it: cleaned, checked, nested, trimmed, detected.

Pure. Stricter than the server in one point: entities that are no JSON array are an error. Less exact in one:
partly overlapping bold, italic, ... are kept as they are, while TDLib splits them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.model import Entity

MAX_ENTITIES = 100
MAX_TEXT_BYTES = 1 << 15

_SPLITTABLE = frozenset(("bold", "italic", "underline", "strikethrough", "spoiler"))
_CODE = frozenset(("pre", "code"))
_QUOTES = frozenset(("blockquote", "expandable_blockquote"))
_CONTINUOUS = frozenset(("text_link", "text_mention", "custom_emoji", "date_time"))
_DETECTED = frozenset(
    ("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number")
)
_PRIORITY = {
    "blockquote": 0,
    "expandable_blockquote": 0,
    "pre": 11,
    "code": 20,
    "text_link": 49,
    "text_mention": 49,
}
# Removed by clean_input_string: line and direction marks, three combining vertical lines, carriage return.
_REMOVED = frozenset("\r\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u0333\u033f\u030a")
_CLEANED = {code: " " for code in range(32) if code != 10} | {ord(char): None for char in _REMOVED}
_USER_LINK = re.compile(r"tg://user\?id=(\d+)")
_PATTERNS = (
    ("url", re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]'*_~`]")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)),
    (
        "url",
        re.compile(r"(?<![\w@./-])(?:[\w-]+\.)+(?:com|org|net|io|dev|me|ai)(?![\w.-])(?:/\S*)?", re.ASCII),
    ),
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>])")),
    ("mention", re.compile(r"(?<!\w)@[A-Za-z0-9_]{3,32}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormattedText:
    """A text with its entities, sorted by offset."""

    text: str
    entities: tuple[Entity, ...]


def utf16_length(text: str) -> int:
    """Return the length of `text` in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def entity_text(text: str, entity: Entity) -> str:
    """Return the part of `text` that `entity` covers."""
    raw = text.encode("utf-16-le")
    return raw[2 * entity.offset : 2 * entity.end].decode("utf-16-le", "replace")


def parse_entities(value: object) -> list[Entity]:
    """Translate decoded JSON into entities, without those that the server detects itself.

    Raises:
        ApiError: a field is missing or wrong, or the type is unknown.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    return [entity for item in value if (entity := _parse_entity(item)) is not None]


def _parse_entity(item: object) -> Entity | None:
    if not isinstance(item, dict):
        raise _broken("expected an Object")
    kind = item.get("type")
    if not isinstance(kind, str) or not kind:
        raise _broken("Type is not specified")
    offset, length = (_whole_number(item, name) for name in ("offset", "length"))
    if kind in _DETECTED:
        return None
    entity = Entity(type=kind, offset=offset, length=length)
    match kind:
        case "text_link":
            return _link(entity, _required_text(item, "url"))
        case "text_mention":
            user = item.get("user")
            if not isinstance(user, dict):
                raise _broken('Can\'t find field "user"')
            return replace(entity, user_id=_whole_number(user, "id"))
        case "custom_emoji":
            return replace(entity, custom_emoji_id=_required_text(item, "custom_emoji_id"))
        case "pre":
            return replace(entity, language=str(item.get("language") or "") or None)
        case "date_time":
            _whole_number(item, "unix_time")
            return entity
        case _:
            pass
    if kind not in _SPLITTABLE | _CODE | _QUOTES:
        raise _broken("Unsupported type specified")
    return entity


def _link(entity: Entity, url: str) -> Entity | None:
    if found := _USER_LINK.fullmatch(url):
        return replace(entity, type="text_mention", user_id=int(found[1]))
    if not re.match(r"(?:(?:https?|tg|ton|tonsite)://)?[^\s/]+", url):
        raise bad_request(f"entity URL '{url}' is invalid")
    return replace(entity, url=url)


def _whole_number(item: dict[str, object], name: str) -> int:
    value = item.get(name)
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _broken(f'Field "{name}" must be of type Number')
    return value


def _required_text(item: dict[str, object], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise _broken(f'Can\'t find field "{name}"')
    return value


def _broken(reason: str) -> Exception:
    return bad_request(f"can't parse MessageEntity: {reason}")


def fix(text: str, entities: Iterable[Entity]) -> FormattedText:
    """Clean, check, trim and detect, as fix_formatted_text does; the text may come out empty.

    Control characters (tabs too) become spaces. Leading space is cut only before the first entity.

    Raises:
        ApiError: an entity lies outside of the text or splits a surrogate pair.
    """
    given = list(entities)
    for entity in given:
        if not 0 <= entity.offset <= 1_000_000:
            raise bad_request(f"receive an entity with incorrect offset {entity.offset}")
        if not 0 <= entity.length <= 1_000_000:
            raise bad_request(f"receive an entity with incorrect length {entity.length}")
    cleaned, moved = _clean(text, [entity for entity in given if entity.length])
    solid = [entity for entity in moved if entity.length and entity_text(cleaned, entity).strip(" \n")]
    trimmed = _trim(cleaned, _nest(solid))
    found = _detect(trimmed.text, trimmed.entities)
    merged = sorted((*trimmed.entities, *found), key=_order)
    return FormattedText(text=trimmed.text, entities=tuple(merged[:MAX_ENTITIES]))


def _clean(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    if not entities:
        return text.translate(_CLEANED), []
    kept: list[str] = []
    moved_to: dict[int, int] = {}
    before = after = 0
    for char in text:
        moved_to[before] = after
        width = 1 + (char > "\uffff")
        before += width
        if char not in _REMOVED:
            kept.append(" " if char < " " and char != "\n" else char)
            after += width
    moved_to[before] = after
    moved = []
    for entity in sorted(entities, key=_order):
        _check_bounds(text, entity, moved_to, before)
        start = moved_to[entity.offset]
        moved.append(replace(entity, offset=start, length=moved_to[entity.end] - start))
    return "".join(kept), moved


def _check_bounds(text: str, entity: Entity, boundaries: dict[int, int], length: int) -> None:
    if entity.offset > length:
        raise bad_request(f"entity begins after the end of the text at UTF-16 offset {entity.offset}")
    if entity.end > length:
        raise bad_request(
            f"entity beginning at UTF-16 offset {entity.offset} ends after the end of the text"
            f" at UTF-16 offset {entity.end}"
        )
    if entity.offset not in boundaries:
        at = _byte_offset(text, entity.offset)
        raise bad_request(f"entity begins in a middle of a UTF-16 symbol at byte offset {at}")
    if entity.end not in boundaries:
        raise bad_request(
            f"entity beginning at UTF-16 offset {entity.offset} ends in a middle of a UTF-16 symbol"
            f" at byte offset {_byte_offset(text, entity.end)}"
        )


def _byte_offset(text: str, utf16_offset: int) -> int:
    head = text.encode("utf-16-le", "surrogatepass")[: 2 * (utf16_offset + 1)]
    return len(head.decode("utf-16-le", "ignore").encode())


def _order(entity: Entity) -> tuple[int, int, int]:
    return entity.offset, -entity.length, _PRIORITY.get(entity.type, 90)


def _nest(entities: list[Entity]) -> list[Entity]:
    """Drop what may not be nested (in code, link in link, quote in quote); merge equals that overlap."""
    kept: list[Entity] = []
    for entity in sorted(entities, key=_order):
        rivals = [other for other in kept if other.end > entity.offset]
        same = next((other for other in rivals if other.type == entity.type), None)
        if same is not None and entity.type in _SPLITTABLE:
            kept[kept.index(same)] = replace(same, length=max(same.end, entity.end) - same.offset)
        elif not any(_excludes(other, entity) for other in rivals):
            kept.append(entity)
    return kept


def _excludes(outer: Entity, inner: Entity) -> bool:
    if outer.type in _CODE:
        return True
    if inner.type in _CODE:
        return outer.type not in _QUOTES
    groups = (_CONTINUOUS, _QUOTES)
    return any(outer.type in group and inner.type in group for group in groups)


def _trim(text: str, entities: list[Entity]) -> FormattedText:
    text = text.rstrip(" \n")
    end = utf16_length(text)
    fitted = [
        replace(entity, length=min(entity.end, end) - entity.offset) for entity in entities if entity.offset < end
    ]
    first = min((entity.offset for entity in fitted), default=len(text))
    cut = min(len(text) - len(text.lstrip(" \n")), first)
    shifted = tuple(replace(entity, offset=entity.offset - cut) for entity in fitted)
    return FormattedText(text=text[cut:], entities=shifted)


def _detect(text: str, given: tuple[Entity, ...]) -> list[Entity]:
    taken = [entity for entity in given if entity.type in _CODE | _CONTINUOUS]
    found: list[Entity] = []
    for kind, pattern in _PATTERNS:
        for hit in pattern.finditer(text):
            offset = utf16_length(text[: hit.start()])
            entity = Entity(type=kind, offset=offset, length=utf16_length(hit[0]))
            if not any(other.offset < entity.end and entity.offset < other.end for other in (*taken, *found)):
                found.append(entity)
    return found
