"""Checks message components, both the classic rows and components v2.

https://discord.com/developers/docs/components/reference
"""

from tests.fakes.discord.errors import Problems
from tests.fakes.discord.records import Json

ROW, BUTTON, STRING_SELECT, SECTION, TEXT_DISPLAY, THUMBNAIL = 1, 2, 3, 9, 10, 11
GALLERY, FILE, SEPARATOR, CONTAINER = 12, 13, 14, 17
SELECTS = frozenset({3, 5, 6, 7, 8})
TOP_LEVEL_V2 = frozenset({ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR, CONTAINER})
LINK, PREMIUM = 5, 6

Path = tuple[str | int, ...]


def walk(components: object) -> list[Json]:
    """List all components, nested ones after their parent."""
    found: list[Json] = []
    for component in components if isinstance(components, list | tuple) else ():
        found.append(component)
        found += walk(component.get("components"))
        if isinstance(component.get("accessory"), dict):
            found += walk([component["accessory"]])
    return found


def check_components(components: object, problems: Problems, *, v2: bool) -> None:
    path: Path = ("components",)
    if not isinstance(components, list) or not all(isinstance(c, dict) for c in components):
        problems.add(path, "BASE_TYPE_LIST", "Only iterables may be used in a ListType")
        return
    everything = walk(components)
    if v2:
        problems.size(path, len(everything), 1, 40)
        text = sum(len(str(c.get("content", ""))) for c in everything if c.get("type") == TEXT_DISPLAY)
        if text > 4000:
            problems.add(path, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "Displayable text exceeds 4000")
    else:
        problems.size(path, len(components), 0, 5)
    allowed = TOP_LEVEL_V2 if v2 else frozenset({ROW})
    for index, component in enumerate(components):
        if component.get("type") not in allowed:
            problems.choice((*path, index, "type"), component.get("type"))
        else:
            _check(component, (*path, index), problems)
    _check_unique([c["custom_id"] for c in everything if "custom_id" in c], path, problems)


def _check_unique(custom_ids: list[str], path: Path, problems: Problems) -> None:
    if len(set(custom_ids)) != len(custom_ids):
        problems.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")


def _check(component: Json, path: Path, problems: Problems) -> None:
    match component.get("type"):
        case 1:
            _check_row(component, path, problems)
        case 2:
            _check_button(component, path, problems)
        case 9:
            texts = component.get("components") or []
            problems.size((*path, "components"), len(texts), 1, 3)
            accessory = component.get("accessory")
            if not isinstance(accessory, dict) or accessory.get("type") not in (BUTTON, THUMBNAIL):
                problems.required((*path, "accessory"))
            elif accessory["type"] == BUTTON:
                _check_button(accessory, (*path, "accessory"), problems)
        case 10:
            problems.length((*path, "content"), component.get("content"), 1, 4000)
        case 12:
            problems.size((*path, "items"), len(component.get("items") or []), 1, 10)
        case 17:
            for index, child in enumerate(component.get("components") or []):
                if child.get("type") not in TOP_LEVEL_V2 - {CONTAINER}:
                    problems.choice((*path, "components", index, "type"), child.get("type"))
                else:
                    _check(child, (*path, "components", index), problems)
        case select if select in SELECTS:
            _check_select(component, path, problems)
        case _:
            pass


def _check_row(row: Json, path: Path, problems: Problems) -> None:
    children = row.get("components") or []
    problems.size((*path, "components"), len(children), 1, 5)
    selects = [child for child in children if child.get("type") in SELECTS]
    if selects and len(children) > 1:
        problems.add((*path, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The row has no space left")
    for index, child in enumerate(children):
        if child.get("type") not in SELECTS | {BUTTON}:
            problems.choice((*path, "components", index, "type"), child.get("type"))
        else:
            _check(child, (*path, "components", index), problems)


def _check_button(button: Json, path: Path, problems: Problems) -> None:
    style = button.get("style")
    if style not in range(1, 7):
        problems.choice((*path, "style"), style)
    if style == LINK:
        problems.length((*path, "url"), button.get("url"), 1, 512)
        if "custom_id" in button:
            problems.add((*path, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A url or an id")
    elif style != PREMIUM:
        problems.length((*path, "custom_id"), button.get("custom_id"), 1, 100)
        if not button.get("label") and not button.get("emoji"):
            problems.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A label or an emoji is required")
    if button.get("label") is not None:
        problems.length((*path, "label"), button["label"], 0, 80)


def _check_select(select: Json, path: Path, problems: Problems) -> None:
    problems.length((*path, "custom_id"), select.get("custom_id"), 1, 100)
    if select.get("placeholder") is not None:
        problems.length((*path, "placeholder"), select["placeholder"], 0, 150)
    low, high = select.get("min_values", 1), select.get("max_values", 1)
    if not 0 <= low <= 25 or not 1 <= high <= 25 or low > high:
        problems.add((*path, "max_values"), "NUMBER_TYPE_MAX", "min_values and max_values must be within 25")
    if select["type"] != STRING_SELECT:
        return
    options = select.get("options") or []
    problems.size((*path, "options"), len(options), 1, 25)
    for index, option in enumerate(options):
        problems.length((*path, "options", index, "label"), option.get("label"), 1, 100)
        problems.length((*path, "options", index, "value"), option.get("value"), 1, 100)
        if option.get("description") is not None:
            problems.length((*path, "options", index, "description"), option["description"], 0, 100)
    values = [option.get("value") for option in options]
    if len(set(values)) != len(values):
        problems.add((*path, "options"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Option values must be unique")
    if high > len(options):
        problems.add((*path, "max_values"), "NUMBER_TYPE_MAX", "max_values exceeds the number of options")
