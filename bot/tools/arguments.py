"""The arguments of a tool: one pydantic model is both the schema that models see and the check of what they send.

What is wrong comes out as one line that the model can act on. Knows no tool.

    class _Arguments(Arguments):
        query: str = Field(min_length=1, max_length=400, description="What to look for")

    spec = ToolSpec(name="find", description="...", parameters=schema_of(_Arguments))
    wanted = parsed(_Arguments, arguments)  # BadArguments -> ToolOutput(text=str(error), is_error=True)
"""

import re
from collections.abc import Mapping
from typing import Annotated, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

_LINE_CHARS = 400
_NAME_CHARS = 60
_INPUT_CHARS = 60
#: How pydantic begins its messages about a value of the wrong kind; the name of the argument takes the place of that.
_ABOUT_VALUE = re.compile(r"(?:Input|String|Tuple|List|Number) (should .+)", re.DOTALL)


class Arguments(BaseModel):
    """Base of all argument models: frozen, closed, without space around words.

    A null for an argument that may be left out counts as left out, because some models name every argument.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class BadArguments(ValueError):
    """Arguments do not fit; the message is one line for the model: what is wrong with which of them."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


#: Several words; one alone may come without its list, as some models send it.
Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]

_Model = TypeVar("_Model", bound=BaseModel)


def schema_of(model: type[BaseModel]) -> Mapping[str, object]:
    """The JSON schema of type object for `ToolSpec.parameters`.

    In the words that every provider takes: references are put in place, titles and nulls (as type or default) are gone.
    A model that contains itself has no such schema (ValueError).
    """
    schema = model.model_json_schema()
    definitions = cast("Mapping[str, object]", schema.get("$defs", {}))
    plain = cast("dict[str, object]", _plain(schema, definitions, ()))
    plain.pop("description", None)  # the docstring of a class is for those who read the code
    return {"properties": {}, **plain}


def parsed(model: type[_Model], arguments: Mapping[str, object]) -> _Model:
    """The arguments as a value of `model`.

    Raises:
        BadArguments: they do not fit.
    """
    optional = {name for name, field in model.model_fields.items() if not field.is_required()}
    given = {name: value for name, value in arguments.items() if value is not None or name not in optional}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise BadArguments(_line(model, error)) from None


def _plain(schema: object, definitions: Mapping[str, object], within: tuple[str, ...]) -> object:
    """The schema without references and noise; `within` are the references that led here."""
    match schema:
        case list(items):
            return [_plain(item, definitions, within) for item in items]
        case {"$ref": str(reference), **beside}:
            if reference in within:
                raise ValueError(f"{reference} contains itself")
            target = cast("dict[str, object]", definitions[reference.rpartition("/")[2]])
            # What stands beside a reference says more of this argument than the class does.
            return _plain(target | beside, definitions, (*within, reference))
        case {"anyOf": list(choices), **rest} if {"type": "null"} in choices:
            kept = [choice for choice in choices if choice != {"type": "null"}]
            return _plain(kept[0] | rest if len(kept) == 1 else rest | {"anyOf": kept}, definitions, within)
        case dict():
            told = {key: value for key, value in schema.items() if key not in ("title", "$defs")}
            if told.get("default", ...) is None:
                del told["default"]
            return {key: _plain_value(key, value, definitions, within) for key, value in told.items()}
        case _:
            return schema


def _plain_value(key: str, value: object, definitions: Mapping[str, object], within: tuple[str, ...]) -> object:
    match value:
        case dict() if key == "properties":  # its keys are names of arguments, `title` among them perhaps
            return {name: _plain(child, definitions, within) for name, child in value.items()}
        case _ if key in ("default", "enum", "const", "examples"):
            return value
        case _:
            return _plain(value, definitions, within)


def _line(model: type[BaseModel], error: ValidationError) -> str:
    problems: list[str] = []
    for problem in error.errors(include_url=False, include_context=False):
        name = ".".join(str(step) for step in problem["loc"])[:_NAME_CHARS]
        match problem["type"]:
            case "missing":
                problems.append(f"`{name}` is missing")
            case "extra_forbidden":
                problems.append(f"there is no argument `{name}` (there are: {', '.join(model.model_fields)})")
            case _:
                problems.append(_in_words(name, problem["msg"], problem["input"]))
    line = " ".join(f"Wrong arguments: {'; '.join(problems)}".split())
    return line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}…"


def _in_words(name: str, message: str, value: object) -> str:
    """Pydantic's message with the argument's name, and what was sent where that is short enough to help."""
    message = message.replace("a valid tuple", "a list")
    if not (about := _ABOUT_VALUE.fullmatch(message)):
        message = message.removeprefix("Value error, ")
        return f"`{name}`: {message}" if name else message
    shown = repr(value) if isinstance(value, str | int | float) and message.startswith("Input") else ""
    return f"`{name}` {about[1]}" + (f", not {shown}" if shown and len(shown) <= _INPUT_CHARS else "")
