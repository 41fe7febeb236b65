"""Whatever text and entities come in, the checked result is in bounds and stable."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.telegram.entities import fix, utf16_length
from tests.fakes.telegram.errors import ApiError
from tests.fakes.telegram.markdown_v2 import parse_markdown_v2
from tests.fakes.telegram.model import Entity

KINDS = ("bold", "italic", "code", "pre", "blockquote", "spoiler")
TEXTS = st.text(alphabet=st.sampled_from("ab @/#_😀\n\t.:`*>[]()\\é!-"), max_size=60)
SPANS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 60), st.integers(0, 20)), max_size=6)


@settings(max_examples=200, deadline=None)
@given(TEXTS, SPANS)
def test_entities_stay_in_bounds_and_a_second_pass_changes_nothing(
    text: str, spans: list[tuple[str, int, int]]
) -> None:
    boundaries = [utf16_length(text[:at]) for at in range(len(text) + 1)]
    given_entities = []
    for kind, start, length in spans:
        first = min(start, len(text))
        last = min(first + length, len(text))
        span = boundaries[last] - boundaries[first]
        given_entities.append(Entity(type=kind, offset=boundaries[first], length=span))

    fixed = fix(text, given_entities)

    assert all(0 <= entity.offset < entity.end <= utf16_length(fixed.text) for entity in fixed.entities)
    assert fix(fixed.text, [entity for entity in fixed.entities if entity.type in KINDS]) == fixed


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_markdown_is_refused_or_gives_entities_that_fit(source: str) -> None:
    refusal = ""
    try:
        fix(*parse_markdown_v2(source))
    except ApiError as error:
        refusal = error.description

    assert not refusal or refusal.startswith("Bad Request: can't parse entities: ")
