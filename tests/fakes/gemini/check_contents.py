"""What `contents` may be: roles, parts, pairs of function calls and responses, thought signatures."""

import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.gemini.faults import Refused, bad_request
from tests.fakes.gemini.models import FakeModel
from tests.fakes.gemini.prompt import decoded

#: What Google lets stand for the signature of a call that another model made.
DUMMY_SIGNATURES = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
MIME_TYPES = frozenset(
    {
        "application/pdf",
        *(f"image/{kind}" for kind in ("png", "jpeg", "webp", "heic", "heif")),
        *(f"audio/{kind}" for kind in ("wav", "mp3", "aiff", "aac", "ogg", "flac")),
    }
)
_PART_KINDS = ("text", "inlineData", "functionCall", "functionResponse")
_PART_FIELDS = {*_PART_KINDS, "thought", "thoughtSignature"}

Content = Mapping[str, Any]


def check_known(value: object, known: set[str], where: str) -> Mapping[str, Any]:
    """An object that has no other fields. The real API takes names in snake_case too; Parley writes none."""
    if not isinstance(value, dict):
        raise Refused(f"Invalid value at '{where}'", bad_request("Proto field is not repeating, cannot start list."))
    for name in value:
        if name not in known:
            text = f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
            raise Refused(text, bad_request(text))
    return value


def check_contents(contents: object, model: FakeModel, signatures: Mapping[str, str]) -> None:
    """Raises `Refused`. `signatures` are those that were given out, each with the model that it is of."""
    if not isinstance(contents, list) or not contents:
        raise Refused("* GenerateContentRequest.contents: contents is not specified\n")
    for at, content in enumerate(contents):
        _check_content(content, f"contents[{at}]")
    _check_turns(contents)
    if model.signs:
        _check_signatures(contents, model, signatures)


def _check_content(content: object, where: str) -> None:
    known = check_known(content, {"role", "parts"}, where)
    if known.get("role") not in ("user", "model"):
        raise Refused("Please use a valid role: user, model.")
    parts = known.get("parts")
    if not isinstance(parts, list) or not parts:
        raise Refused(f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.\n")
    for at, part in enumerate(parts):
        check_part(part, f"{where}.parts[{at}]")


def check_part(part: object, where: str) -> None:
    """One part has exactly one kind of data."""
    known = check_known(part, _PART_FIELDS, where)
    kinds = [kind for kind in _PART_KINDS if known.get(kind) not in (None, "")]
    if len(kinds) != 1:
        text = "required oneof field 'data' must have one initialized field"
        raise Refused(f"* GenerateContentRequest.{where}.data: {text}\n")
    match kinds[0]:
        case "text" if not isinstance(known["text"], str):
            raise Refused(f"Invalid value at '{where}.text' (TYPE_STRING), {known['text']}")
        case "inlineData":
            _check_blob(check_known(known["inlineData"], {"mimeType", "data"}, f"{where}.inline_data"), where)
        case "functionCall":
            call = check_known(known["functionCall"], {"id", "name", "args"}, f"{where}.function_call")
            _check_struct(call, "args", f"{where}.function_call")
        case "functionResponse":
            where = f"{where}.function_response"
            _check_struct(check_known(known["functionResponse"], {"id", "name", "response"}, where), "response", where)
        case _:
            pass


def _check_blob(blob: Mapping[str, Any], where: str) -> None:
    if blob.get("mimeType") not in MIME_TYPES:
        raise Refused(f"Unsupported MIME type: {blob.get('mimeType')}")
    try:
        empty = not decoded(str(blob.get("data", "")))
    except binascii.Error:
        raise Refused(f"Invalid value at '{where}.inline_data.data' (TYPE_BYTES), Base64 decoding failed") from None
    if empty:
        raise Refused("Unable to process input image. Please retry or report in the forum.")


def _check_struct(holder: Mapping[str, Any], name: str, where: str) -> None:
    if not isinstance(holder.get("name"), str) or not holder["name"]:
        raise Refused(f"* GenerateContentRequest.{where}.name: Name cannot be empty.\n")
    if not isinstance(holder.get(name), dict):
        raise Refused(f"Invalid value at '{where}.{name}' (type.googleapis.com/google.protobuf.Struct)")


def _check_turns(contents: Sequence[Content]) -> None:
    for at, content in enumerate(contents):
        calls, responses = _all(content, "functionCall"), _all(content, "functionResponse")
        if (calls and content["role"] != "model") or (responses and content["role"] != "user"):
            raise Refused("Please ensure that function calls are of the model and function responses of the user.")
        if calls and (at == 0 or contents[at - 1]["role"] == "model"):
            text = "comes immediately after a user turn or after a function response turn."
            raise Refused(f"Please ensure that function call turn {text}")
        asked = _all(contents[at - 1], "functionCall") if at else []
        if responses and not asked:
            raise Refused("Please ensure that function response turn comes immediately after a function call turn.")
        if asked or responses:
            _check_pairs(asked, responses, content)
    if _all(contents[-1], "functionCall"):
        _check_pairs(_all(contents[-1], "functionCall"), [], contents[-1])


def _check_pairs(asked: list[Mapping[str, Any]], answered: list[Mapping[str, Any]], content: Content) -> None:
    if len(asked) != len(answered) or len(answered) != len(content["parts"]):
        text = "is equal to the number of function call parts of the function call turn."
        raise Refused(f"Please ensure that the number of function response parts {text}")
    pairs = zip(asked, answered, strict=True)
    if any((call["name"], call.get("id")) != (response["name"], response.get("id")) for call, response in pairs):
        raise Refused("Please ensure that each function response matches the function call in its place.")


def _check_signatures(contents: Sequence[Content], model: FakeModel, signatures: Mapping[str, str]) -> None:
    """In the current turn the first call of each step needs the signature with which it came, of this very model."""
    said = [at for at, content in enumerate(contents) if content["role"] == "user" and _all(content, "text")]
    for at, content in enumerate(contents):
        calls = [part for part in content["parts"] if "functionCall" in part]
        signed = [part["thoughtSignature"] for part in content["parts"] if part.get("thoughtSignature")]
        for signature in signed:
            if signature not in DUMMY_SIGNATURES and signatures.get(_normal(signature)) != model.id:
                raise Refused("Corrupted thought signature.")
        if calls and at > max(said, default=-1) and not calls[0].get("thoughtSignature"):
            name = calls[0]["functionCall"]["name"]
            raise Refused(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work"
                f" correctly. Additional data, function call `default_api:{name}` , position {at + 1}."
            )


def _normal(signature: str) -> str:
    return signature.replace("-", "+").replace("_", "/")


def _all(content: Content, kind: str) -> list[Any]:
    return [part[kind] for part in content["parts"] if kind in part]
