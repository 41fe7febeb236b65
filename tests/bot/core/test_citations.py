"""Numbers of sources, and the short list under an answer, as source text and as both platforms show it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.discord.render import render as discord
from adapters.telegram.markdown import convert
from bot.core.citations import Citations
from bot.core.tools import Source


def source(number: int) -> Source:
    return Source(title=f"Page {number}", url=f"https://example.org/{number}")


def line(number: int) -> str:
    return f"[{number}] [Page {number}](<https://example.org/{number}>)"


def with_sources(count: int) -> Citations:
    citations = Citations()
    for number in range(1, count + 1):
        citations.number_of(source(number))
    return citations


def test_sources_are_numbered_in_their_order_and_once() -> None:
    citations = Citations()
    urls = [
        "https://example.org/a",
        "https://example.org/b",
        "HTTPS://Example.org:443/a/#top",
        "https://example.org/a?b",
    ]

    assert [citations.number_of(Source(title="t", url=url)) for url in urls] == [1, 2, 1, 3]


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("It rains [2].", [2]),
        ("It rains [2][1], and snows [2].", [2, 1]),
        ("It rains [1, 3].", [1, 3]),
        ("It rains [2-4] [1–2].", [2, 3, 4, 1]),
        ("It rains [1](https://example.org/1).", [1]),
        ("It rains [9][2][0].", [2]),
        ("`a[1]` is [2], not\n```py\nb[3]\n```\n", [2]),
        ("[1][2][3][4][5]", [1, 2, 3, 4, 5]),
    ],
)
def test_what_an_answer_cites_is_listed_in_its_order(answer: str, numbers: list[int]) -> None:
    assert "\n\n" + "\n".join(map(line, numbers)) == with_sources(5).closing(answer)


def test_no_more_than_eight_are_listed() -> None:
    closing = with_sources(20).closing("".join(f"[{number}]" for number in range(1, 21)))

    assert "\n\n" + "\n".join(map(line, range(1, 9))) == closing


@pytest.mark.parametrize("answer", ["It rains.", "It rains [12].", "`[1]`"])
def test_where_nothing_is_cited_the_first_three_are_named(answer: str) -> None:
    assert "\n\nSources:\n" + "\n".join(map(line, (1, 2, 3))) == with_sources(5).closing(answer)


def test_there_is_no_list_without_sources_or_answer() -> None:
    assert Citations().closing("It rains [1].") == ""
    assert with_sources(1).closing(" \n") == ""


def test_a_code_block_that_is_open_does_not_swallow_the_list() -> None:
    assert f"\n```\n\nSources:\n{line(1)}" == with_sources(1).closing("```py\na[1]")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("A [b](https://evil.example/x) `c`\nd", "example.org"),
        ("Rain] (or) [snow <b>", "Rain) (or) (snow ‹b›"),
        ("snake_case and *stars* | ~x~ # \\", "snake\\_case and \\*stars\\* \\| \\~x\\~ \\# \\\\"),
        ("a\u200b\u202e\n\tb", "a b"),
        ("", "example.org"),
        ("www.evil.example", "example.org"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_a_title_is_one_line_that_formats_nothing(title: str, shown: str) -> None:
    citations = Citations()
    citations.number_of(Source(title=title, url="https://example.org/a?b"))

    assert f"\n\n[1] [{shown}](<https://example.org/a?b>)" == citations.closing("[1]")


def test_an_address_that_is_not_of_the_web_is_not_linked() -> None:
    citations = Citations()
    citations.number_of(Source(title="Odd", url="javascript:alert(1)"))

    assert citations.closing("[1]") == "\n\n[1] Odd"


@given(st.text(max_size=60), st.text(max_size=60))
@example("$", "$")  # a formula, to Telegram's converter
def test_no_source_breaks_out_of_its_link(title: str, rest: str) -> None:
    citations = Citations()
    citations.number_of(Source(title=title, url=f"https://example.org/{rest}"))
    text, entities = convert(f"Rain [1].{citations.closing('[1]')}")
    links = [entity for entity in entities if entity.type == "text_link"]

    assert len(text.split("\n")) == 3
    assert len(links) == 1
    assert (links[0].url or "").startswith("https://example.org/")


def test_both_platforms_show_a_line_for_each_and_no_preview() -> None:
    answer = "Rain [1][2]."
    shown = answer + with_sources(2).closing(answer)
    text, entities = convert(shown)

    assert text == "Rain [1][2].\n\n[1] Page 1\n[2] Page 2"
    assert [entity.url for entity in entities] == ["https://example.org/1", "https://example.org/2"]
    # Discord shows no preview of an address in angle brackets
    assert discord(shown)[0].content == f"Rain [1][2].\n\n{line(1)}\n{line(2)}"
