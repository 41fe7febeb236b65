"""How many tokens a prompt has at most: never fewer than its hard parts have bytes, and more for more of anything."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalogue import ModelInfo
from bot.core.message import Audio, Document, Image, Message, Part, Role, Text, ToolCall, ToolResult
from bot.core.ports import ChatRequest
from bot.core.prompt_bound import prompt_bound
from bot.core.tokens import estimate_tokens
from bot.core.tools import ToolSpec
from tests.bot.core.spending import PRICED, asks

CLAUDE = replace(PRICED, tokens_factor=1.6)
TOOL = ToolSpec(name="find", description="Finds things.", parameters={"type": "object", "properties": {}})
#: Characters beyond ASCII outside of the blocks that estimates are made for: two-byte Latin, Greek and Cyrillic
#: letters, Vietnamese ones, and U+3000 to U+DFFF but for the scripts before Hangul.
RARE = st.one_of(
    st.characters(min_codepoint=0x80, max_codepoint=0xBF),
    st.characters(min_codepoint=0x280, max_codepoint=0x37F),
    st.characters(min_codepoint=0x500, max_codepoint=0x1DFF),
    st.characters(min_codepoint=0x1F00, max_codepoint=0x2FFF),
    st.characters(min_codepoint=0xA000, max_codepoint=0xABFF),
    st.characters(min_codepoint=0xE000),
)


def saying(*parts: Part, model: ModelInfo = PRICED, role: Role = Role.USER) -> ChatRequest:
    return replace(asks(model), system="", messages=(Message(role=role, parts=parts),))


def bound(text: str, model: ModelInfo = PRICED) -> int:
    return prompt_bound(saying(Text(text=text), model=model), estimate_tokens(text))


@pytest.mark.parametrize(
    "text",
    ["𓀀𓁐𓂀", "አማርኛ", "தமிழ்", "हिन्दी", "ქართული", "ខ្មែរ", "עברית", "العربية", "ᏣᎳᎩ", "ꆈꌠ", "😀👍🏽", "∮⊗→", "𠀀"],
    ids=lambda text: unicodedata.name(text[0]),
)
def test_a_rare_script_counts_a_token_for_each_byte(text: str) -> None:
    assert bound(text * 200) >= len((text * 200).encode())


@given(st.text(RARE))
def test_any_rare_character_counts_its_bytes(text: str) -> None:
    assert bound(text) >= len(text.encode())


@given(st.text(), st.sampled_from([PRICED, CLAUDE]))
def test_it_is_never_below_what_a_model_may_count_more(text: str, model: ModelInfo) -> None:
    assert bound(text, model) >= (model.tokens_factor or 1.3) * estimate_tokens(text)
    assert bound(text, CLAUDE) >= 1.55 * estimate_tokens(text)


@given(st.text(), st.text(), st.integers(0, 10**6), st.integers(0, 10**4))
def test_more_is_never_bounded_by_less(text: str, more: str, tokens: int, further: int) -> None:
    one, both = saying(Text(text=text)), saying(Text(text=text), Text(text=more))

    assert prompt_bound(one, tokens) <= prompt_bound(both, tokens) <= prompt_bound(both, tokens + further)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("deadbeef0123" * 100, 600), ("QmFzZTY0IGlzIGRlbnNl" * 50, 600), ("1234567890" * 100, 1_000)],
    ids=["hexadecimal", "base64", "digits"],
)
def test_what_is_no_prose_is_not_counted_as_prose(text: str, tokens: int) -> None:
    assert bound(text) >= tokens


def test_prose_is_not_held_at_many_times_its_estimate() -> None:
    prose = "The quick brown fox jumps over the lazy dog, and nobody minds. " * 200

    assert bound(prose) < 1.7 * estimate_tokens(prose)


@pytest.mark.parametrize(
    ("part", "role"),
    [
        (ToolCall(id="1", name="find", arguments='{"q": "A1"}', replay="x" * 1_000), Role.ASSISTANT),
        (ToolResult(call_id="1", text="A1-B2"), Role.TOOL),
        (Image(content=b"png", media_type="image/png"), Role.USER),
        (Document(content=b"x" * 90_000, media_type="application/pdf", name="a.pdf"), Role.USER),
        (Audio(content=b"x" * 90_000, media_type="audio/ogg"), Role.USER),
    ],
    ids=lambda value: type(value).__name__,
)
def test_parts_that_an_estimate_leaves_out_count(part: Part, role: Role) -> None:
    nothing = prompt_bound(saying(role=role), 10)

    assert prompt_bound(saying(part, role=role), 10) > nothing


def test_tools_and_the_form_of_the_answer_count() -> None:
    plain = saying(Text(text="Why?"))
    long = replace(TOOL, description="x" * 10_000)

    bare, one, two, big = (
        prompt_bound(replace(plain, tools=tools), 10) for tools in ((), (TOOL,), (TOOL, TOOL), (TOOL, long))
    )
    assert bare < one < two < big - 5_000
    assert prompt_bound(replace(plain, response_schema={"type": "object"}), 10) > bare


def test_it_is_never_more_than_the_window() -> None:
    small = replace(PRICED, window_tokens=8_192)

    assert prompt_bound(saying(Text(text="𓀀" * 10_000), model=small), 100) == 8_192


def test_a_file_whose_pages_are_known_is_not_taken_for_a_library() -> None:
    scan = Document(content=b"x" * 9_000_000, media_type="application/pdf", name="a.pdf")

    counted, guessed = prompt_bound(saying(replace(scan, pages=3)), 10), prompt_bound(saying(scan), 10)

    assert 3 * 4_600 < counted < 50_000 < guessed
