"""Pages as Telegram takes them: limits, entities, what is shown, and what no text can break."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.telegram.markdown import Entity, utf16_length
from adapters.telegram.render import MAX_ENTITIES, PAGE_UNITS, render
from bot.core.ports import Page, PageStart
from tests.fakes.telegram.entities import FormattedText, fix
from tests.fakes.telegram.model import Entity as SentEntity

_BITS = (
    *(
        "word ",
        "two words\n",
        "\n\n",
        "# Head\n",
        "**",
        "*",
        "_",
        "`",
        "```py\n",
        "\n```\n",
        "~~",
        "> ",
        "- ",
        "1. ",
    ),
    *(
        "| a | b |\n|---|---|\n| 1 | 日本 |\n",
        "[x](http://a.io)",
        "[y](tg://user?id=1)",
        "@ann_lee ",
        "||",
        "<b>",
    ),
    *(
        "😀",
        "👨‍👩‍👧",
        "שלום ",
        "\ud83d",
        "\x00",
        "\r\n",
        "\u2028",
        "$x^2$",
        "$5 ",
        "    ",
        "\t",
        "[1]: http://a.io\n",
    ),
)
markdowns = st.one_of(
    st.lists(st.sampled_from(_BITS), max_size=400).map("".join),
    st.lists(st.sampled_from(_BITS), min_size=1, max_size=6).flatmap(
        lambda bits: st.integers(1, 1500).map(lambda times: "".join(bits) * times)
    ),
    st.text(max_size=500),
)


def entities_of(page: Page) -> tuple[Entity, ...]:
    assert isinstance(page.markup, tuple)
    return page.markup


def as_sent(page: Page) -> FormattedText:
    """What the strict server makes of a page; it raises for entities that it would refuse."""
    sent = [
        SentEntity(type=each.type, offset=each.offset, length=each.length, url=each.url, language=each.language)
        for each in entities_of(page)
    ]
    return fix(page.content, sent)


@given(markdowns)
@example("@*00`0`*")
@example("@**`00`0**")
@example("*`@00`0*")
@settings(max_examples=150, deadline=None)
def test_every_page_is_within_the_limits_and_taken_by_the_server(markdown: str) -> None:
    for page in render(markdown):
        sent = as_sent(page)

        assert utf16_length(page.content) <= PAGE_UNITS
        assert utf16_length(page.plain) <= PAGE_UNITS
        assert len(entities_of(page)) <= MAX_ENTITIES
        assert not any(each.type in ("mention", "text_mention") for each in sent.entities)


@given(markdowns)
@settings(max_examples=100, deadline=None)
def test_pages_follow_each_other_to_the_end(markdown: str) -> None:
    pages = render(markdown)

    assert all(one.end.offset < other.end.offset for one, other in pairwise(pages))
    assert bool(pages) == bool(markdown.strip())
    if pages:
        assert not markdown[pages[-1].end.offset :].strip()


@given(markdowns, st.integers(0, 4_000))
@settings(max_examples=100, deadline=None)
def test_a_full_page_stays_when_more_text_comes(markdown: str, cut: int) -> None:
    earlier, later = render(markdown[:cut]), render(markdown)

    assert later[: max(0, len(earlier) - 1)] == earlier[:-1]


@given(st.lists(st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True), min_size=1, max_size=2_000))
@settings(max_examples=50, deadline=None)
def test_no_word_is_lost(words: list[str]) -> None:
    marks = (
        "{}",
        "**{}**",
        "`{}`",
        "\n\n{}",
        "\n- {}",
        "<{}>",
        "| {}",
        "[{}](https://a.io)",
        "\n\n# {}\n\n",
        "~{}~",
    )
    markdown = " ".join(marks[number % len(marks)].format(word) for number, word in enumerate(words))
    shown = "".join(page.content for page in render(markdown))

    at = 0
    for word in words:
        at = shown.find(word, at)
        assert at >= 0
        at += len(word)


def test_one_page_of_a_later_start_is_the_page_of_the_whole() -> None:
    markdown = "\n\n".join(f"Paragraph {number} with **bold** words." for number in range(400))
    first, second = render(markdown)[:2]

    assert render(markdown, first.end)[0] == second


@dataclass(frozen=True)
class Shown:
    markdown: str
    text: str
    kinds: tuple[str, ...] = ()


@pytest.mark.parametrize(
    "case",
    [
        Shown("Hello, **bold** and `code`.", "Hello, bold and code.", ("bold", "code")),
        Shown("# Title\n\ntext", "Title\n\ntext", ("bold", "underline")),
        Shown("a || b || c", "a || b || c"),
        Shown("List<String> and <div>", "List<String> and <div>"),
        Shown("<div>\nhi\n</div>", "<div>\nhi\n</div>"),
        Shown("from $5 to $10, or 6$", "from $5 to $10, or 6$"),
        Shown("about ~5~ and ~~gone~~", "about ~5~ and gone", ("strikethrough",)),
        Shown("[site](https://a.io/x)", "site", ("text_link",)),
        Shown("[Ann](tg://user?id=5)", "Ann (tg://user?id=5)"),
        Shown("[mail](mailto:a@b.io)", "mail (mailto:a@b.io)"),
        Shown("![](https://a.io/x.png)", "https://a.io/x.png", ("text_link",)),
        Shown("see [1]\n\n[1]: https://a.io", "see [1]\n\n[1]: https://a.io"),
        Shown("| a | b |\n|---|---|\n| 日本 | 2 |", "a     b\n────  ─\n日本  2", ("pre",)),
        Shown("- [x] done\n- [ ] todo\n- item", "☑ done\n☐ todo\n• item"),
        Shown("snake_case and 2*3*4", "snake_case and 2*3*4"),
        Shown("```py\nx = 1\n```", "x = 1", ("pre",)),
        Shown("ask @ann_lee", "ask @ann_lee", ("text_link",)),
        Shown("`@ann_lee` and\n```\n@bob\n```", "@ann_lee and\n@bob", ("code", "pre")),
        Shown("mail ann@b.io, see https://a.io/@ann_lee", "mail ann@b.io, see https://a.io/@ann_lee"),
        Shown("😀 @ann", "😀 @ann", ("text_link",)),
    ],
    ids=lambda case: case.markdown[:24],
)
def test_what_is_shown(case: Shown) -> None:
    (page,) = render(case.markdown)

    assert page.content == case.text
    assert tuple(sorted(each.type for each in entities_of(page))) == tuple(sorted(case.kinds))
    assert page.plain == case.markdown


def test_a_name_is_covered_by_a_link_to_its_page() -> None:
    (page,) = render("😀 hi @ann_lee!")

    assert entities_of(page) == (Entity(type="text_link", offset=6, length=8, url="https://t.me/ann_lee"),)


def test_a_code_block_over_two_pages_is_one_on_each() -> None:
    pages = render("```py\n" + "x = 1\n" * 1_000 + "```\n")

    assert len(pages) == 2
    assert [(each.type, each.language) for page in pages for each in entities_of(page)] == [("pre", "py")] * 2


def test_more_entities_than_the_server_takes_make_another_page() -> None:
    pages = render("**a** " * 150)

    assert len(pages) == 2
    assert sum(len(entities_of(page)) for page in pages) == 150


def test_a_long_table_stays_a_table_on_each_of_its_pages() -> None:
    rows = "".join(f"| {number} | x |\n" for number in range(400))
    pages = render(f"| number | b |\n|---|---|\n{rows}")

    assert len(pages) > 1
    assert all(page.content.startswith("number  b\n──────  ─\n") for page in pages)
    assert [(each.type, each.length) for page in pages for each in entities_of(page)] == [
        ("pre", utf16_length(page.content)) for page in pages
    ]


def test_what_would_be_longer_than_a_page_is_shown_as_it_was_written() -> None:
    (page,) = render("- " * 1_000 + "x")

    assert (page.content, page.markup) == ("- " * 1_000 + "x", ())


def test_blank_text_has_no_page() -> None:
    assert render(" \n\t\n") == ()


def test_a_hundred_thousand_characters_are_cut_in_little_time() -> None:
    markdown = "Some **words** here, `code` there.\n\n" * 3_000

    assert render(markdown, PageStart())[-1].end.offset == len(markdown)
