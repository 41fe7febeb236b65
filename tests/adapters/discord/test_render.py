"""Rendering: whatever a model writes comes out in pages that Discord takes, with nothing lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.render import render
from bot.core.ports import PageStart

LIMIT = 2_000
PIECES = st.sampled_from(
    [
        "word ",
        "a longer sentence, with a comma. ",
        "\n",
        "\n\n",
        "```python\n",
        "```\n",
        "~~~\n",
        "> ",
        "- item\n",
        "    indented\n",
        "# heading\n",
        "**bold** ",
        "`code` ",
        "| a | b |\n|---|--:|\n",
        "| 1 | two words |\n",
        "| 漢字 | 👩‍👩‍👧 |\n",
        "👍🏽",
        "שלום ",
        "e\u0301",
        "<@123> @everyone ",
        "x" * 120,
        "\ud83d",
    ]
)
MARKDOWN = st.lists(PIECES, max_size=220).map("".join)


@given(MARKDOWN)
@settings(deadline=None, max_examples=60)
def test_every_page_fits_and_is_not_blank(markdown: str) -> None:
    pages = render(markdown)

    assert bool(pages) == bool(markdown.strip())
    for page in pages:
        assert page.content.strip()
        assert len(page.content) <= LIMIT
        assert len(page.plain) <= LIMIT
        page.content.encode()


@given(MARKDOWN, MARKDOWN)
@settings(deadline=None, max_examples=60)
def test_a_full_page_stays_when_text_is_added(markdown: str, more: str) -> None:
    full = render(markdown)[:-1]

    assert render(markdown + more)[: len(full)] == full


@given(MARKDOWN)
@settings(deadline=None, max_examples=40)
def test_a_page_can_be_rendered_from_where_the_one_before_ended(markdown: str) -> None:
    pages = render(markdown)
    if len(pages) > 1:
        assert render(markdown, pages[0].end) == pages[1:]


@given(st.text(min_size=0, max_size=6_000))
@settings(deadline=None, max_examples=60)
def test_any_text_is_taken(text: str) -> None:
    for page in render(text):
        assert 0 < len(page.content) <= LIMIT


def test_what_fits_is_one_page_as_it_was_written() -> None:
    text = "# Title\n\n**bold** <@1> @everyone [link](https://example.com)\n```py\nprint('|')\n```"
    (page,) = render(text)

    assert page.content == page.plain == text
    assert render(" \n ") == ()
    assert len(render("x" * LIMIT)) == 1


def test_a_table_is_an_aligned_code_block() -> None:
    (page,) = render("Prices:\n\n| item | price |\n|---|--:|\n| **tea** | 2 |\n| coffee | 10 |\n\nEnjoy.")

    assert page.content == ("Prices:\n\n```\nitem    price\n──────  ─────\ntea         2\ncoffee     10\n```\n\nEnjoy.")
    assert "|" in page.plain


def test_a_long_code_block_is_closed_and_reopened_with_its_language() -> None:
    code = "\n".join(f"value_{number} = {number}" for number in range(300))
    pages = render(f"```python\n{code}\n```")

    assert len(pages) > 2
    for page in pages:
        assert page.content.startswith("```python\n")
        assert page.content.rstrip().endswith("```")
        assert page.content.count("```") == 2
    inner = "\n".join(page.content.strip().removeprefix("```python\n").removesuffix("\n```") for page in pages)
    assert inner == code
    assert pages[0].end != PageStart()
