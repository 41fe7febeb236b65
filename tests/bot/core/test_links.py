"""Links of answers that text from outside may have spoken in: what is known stays, all else is no link any more."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.links import LinkGate, is_known, normalised, urls_in

KNOWN = frozenset(
    map(normalised, ("https://good.example/page", "https://good.example/wiki/a_(b)", "http://plain.example"))
)
OUT = "(unknown link left out)"
SECRET = "?q=s3cret"


def gated(pieces: Iterable[str]) -> str:
    gate = LinkGate(KNOWN)
    return "".join([*map(gate.feed, pieces), gate.flush()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    text: str
    shown: str


@pytest.mark.parametrize(
    "case",
    [
        # Markdown
        Case(text="[text](https://evil.example/?q=s)", shown="text"),
        Case(text='[text]( <https://evil.example/a b> "title" )', shown="text"),
        Case(text="![alt](https://evil.example/x.png)", shown="alt"),
        Case(text="Look![alt](https://evil.example/x.png)", shown="Lookalt"),
        Case(text="[](https://evil.example/x)", shown=f"`evil.example` {OUT}"),
        Case(text="[![a](https://evil.example/p)](https://good.example/page)", shown="[a](https://good.example/page)"),
        Case(text="[a](&#104;ttps://evil.example/a)", shown="a"),
        Case(text="[a](https:\\/\\/evil.example/a)", shown="a"),
        Case(text="[a](/b) [c](tg://user?id=1) [d](javascript:e(f))", shown="a c d"),
        Case(text="[Ada](mailto:ada@good.example?body=s3cret)", shown="Ada (ada@good.example)"),
        Case(text="[x]: https://evil.example/a", shown=f"[x]: `evil.example` {OUT}"),
        Case(text="<https://evil.example/a>", shown=f"evil[.]example {OUT}"),
        Case(text='<a href="https://evil.example/?q">', shown=f'<a href="evil[.]example {OUT}">'),
        Case(text="[a\nb](https://evil.example/x)", shown=f"[a\nb](`evil.example` {OUT})"),
        Case(text="[a](https://good.example/page 'title')", shown="[a](https://good.example/page)"),
        Case(text="[a [b]](<https://good.example/page#x>)", shown="[a [b]](<https://good.example/page>)"),
        Case(
            text="[https://bank.example/](https://good.example/page)",
            shown=f"[`bank.example` {OUT}](https://good.example/page)",
        ),
        Case(text="[1] [2], [1](http://plain.example) [x] (y)", shown="[1] [2], [1](http://plain.example) [x] (y)"),
        Case(text="[a](mailto:https://evil.example/x)", shown="a"),
        Case(text="mailto:https://evil.example/x", shown=f"mailto:`evil.example` {OUT}"),
        # in the open
        Case(text="see https://evil.example/a?b=c, ok", shown=f"see `evil.example` {OUT}, ok"),
        Case(text="(https://good.example/page).", shown="(https://good.example/page)."),
        Case(text="https://good.example/wiki/a_(b)", shown="https://good.example/wiki/a_(b)"),
        Case(text="https://good.example/page#s3cret", shown="https://good.example/page"),
        Case(text="https://good.example/page?q=s", shown=f"`good.example` {OUT}"),
        Case(text="https://good.example/page/s", shown=f"`good.example` {OUT}"),
        Case(text="https://good.example/page|s", shown="https://good.example/page |s"),
        Case(text="https://good.example/page—s", shown="https://good.example/page —s"),
        Case(text="https://good.example/page>s", shown="https://good.example/page >s"),
        Case(text="good.example/page—s", shown="good.example/page —s"),
        Case(text="https://good.example/page[s]", shown="https://good.example/page [s]"),
        Case(
            text="看https://good.example/page。看https://evil.example/密。",
            shown=f"看https://good.example/page 。看`evil.example` {OUT}。",
        ),
        Case(text="https://good.example@evil.example/page", shown=f"`evil.example` {OUT}"),
        Case(text="https://gооd.example/page", shown=f"`xn--gd-fmca.example` {OUT}"),
        Case(text="https://ev**il**.example/a", shown=OUT),
        Case(text="ftp://evil.example/a tg://user?id=1", shown=f"`evil.example` {OUT} `user` {OUT}"),
        Case(text="http://1.2.3.4/a and 1.2.3.4/a?b", shown=f"`1.2.3.4` {OUT} and `1.2.3.4` {OUT}"),
        # without a scheme
        Case(text="www.evil.example/a, evil.example/a", shown=f"`www.evil.example` {OUT}, `evil.example` {OUT}"),
        Case(text="t.me/evil discord.gg/evil", shown=f"`t.me` {OUT} `discord.gg` {OUT}"),
        Case(text="evil.example:8080/a evil.example?q", shown=f"`evil.example` {OUT} `evil.example` {OUT}"),
        Case(text="me@evil.example/?q=s", shown=f"`evil.example` {OUT}"),
        Case(text="ev**il**.example/?q", shown=f"`evil.example` {OUT}"),
        Case(text="evil&period;example/?q", shown=f"`evil.example` {OUT}"),
        Case(text="plain.example, good.example/page", shown="plain.example, good.example/page"),
        Case(text="evil.example", shown="`evil.example`"),
        # what is no address
        *(
            Case(text=plain, shown=plain)
            for plain in (
                "Node.js, 3.14, e.g. this: a/b, end.Then, U.S. 10.0.0.0/8",
                "ada@example.org at 12:30, std::vector, x = a[i] (b)",
            )
        ),
        # code
        Case(text="`curl https://evil.example/a` ok", shown="`curl https://evil.example/a` ok"),
        Case(text="```sh\ncurl https://evil.example/a\n```\n", shown="```sh\ncurl https://evil.example/a\n```\n"),
        Case(text="- a\n  ```\n  https://evil.example/a\n  ```", shown="- a\n  ```\n  https://evil.example/a\n  ```"),
        Case(text="`f(x_y)` and `https://evil.example/a`", shown="`f(x_y)` and `https://evil.example/a`"),
    ],
    ids=lambda case: case.text,
)  # fmt: skip
def test_what_becomes_of_an_address(case: Case) -> None:
    assert case.shown == gated([case.text])


@pytest.mark.parametrize(
    "text",
    [
        "a ` b https://evil.example/?q=s3cret\nc",  # never closed
        "\\`a `https://evil.example/?q=s3cret`",  # an escape
        "$`$ https://evil.example/?q=s3cret `x`",  # a formula
        "<a b='`'> https://evil.example/?q=s3cret `",  # a tag
        "**a `b** https://evil.example/?q=s3cret `",  # emphasis, to Discord
        "| ` | https://evil.example/?q=s3cret ` |",  # cells
        "[a `b](https://good.example/page) https://evil.example/?q=s3cret `",
        "`a\nb` https://evil.example/?q=s3cret `c`",  # over a line's end
        "**a\n```\nb** https://evil.example/?q=s3cret\n```",
        "<div>\n```\nhttps://evil.example/?q=s3cret\n```",  # no fence in a block of HTML
        "text ```\nhttps://evil.example/?q=s3cret",  # no fence in a line
        "text\n    ```\n    https://evil.example/?q=s3cret",  # nor in a paragraph's indentation
        "```\n    ```\n```\nhttps://evil.example/?q=s3cret",  # a last line to some
        "```\na ```\nhttps://evil.example/?q=s3cret",
        "- a\n  ```\nhttps://evil.example/?q=s3cret\n  ```",  # the list is over
        "~~~\nhttps://evil.example/?q=s3cret\n~~~",  # Discord knows backticks only
        "> ```\nhttps://evil.example/?q=s3cret",
        "```` a\n```\nhttps://evil.example/?q=s3cret",
    ],
)
def test_what_is_not_code_to_every_platform_is_gated(text: str) -> None:
    assert "s3cret" not in gated([text])


def test_addresses_that_become_known_on_the_way_count() -> None:
    known: set[str] = set()
    gate = LinkGate(known)
    before = gate.feed("https://late.example/a ")
    known.add(normalised("https://late.example/a"))

    assert f"`late.example` {OUT} https://late.example/a" == before + gate.feed("https://late.example/a") + gate.flush()


def test_words_are_not_held_back() -> None:
    gate = LinkGate(KNOWN)

    assert gate.feed("It rains in ") == "It rains in "
    assert gate.feed("Oslo. See https://ev") == "Oslo. See "
    assert gate.feed("il.example/") == ""
    assert gate.feed(" and") == f"`evil.example` {OUT} "


@pytest.mark.parametrize("text", ["a.b/" * 2_250, "[" + "a " * 5_000, "`" + "a " * 5_000, "[a](" + "b" * 9_000])
def test_no_more_than_a_little_is_held_back(text: str) -> None:
    gate = LinkGate(KNOWN)
    shown = gate.feed(text)

    assert len(text) - len(shown) < 2_100


PIECES = st.sampled_from(
    [
        "https://evil.example/?q=s3cret", "https://good.example/page", "http://", "evil.example", "/?q=s3cret", "www.",
        "t.me/x", "[", "]", "(", ")", "](", "![", "<", ">", "`", "``", "```", "```\n", "\n", "\n\n", " ", "   ", "    ",
        "*", "**", "_", "~", "|", "\\", "$", "&#46;", "&", ";", ".", ",", ":", "!", "?q=", "#", "@", "a", "B",
        "1", "中", "。", "é", "\u200b", "- ", "> ", "mailto:", "tg:", '"', "'", "\ud800", "😀",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@given(st.one_of(TEXTS, st.text(max_size=40)), st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=12))
@example("[a](https://evil.example/x)", [1])
@example("```\nhttps://evil.example/x\n```\nb", [1])
def test_how_the_stream_was_cut_makes_no_difference(text: str, sizes: list[int]) -> None:
    pieces, at, number = [], 0, 0
    while at < len(text):
        pieces.append(text[at : at + sizes[number % len(sizes)]])
        at, number = at + sizes[number % len(sizes)], number + 1

    assert gated([text]) == gated(pieces)


@given(TEXTS.map(lambda text: text.replace("`", "'")))
@example('https://good.example/page"https://good.example/page。')
@example("<1evil.examplehttps://evil.example/?q=s3cret")
@example("https://good.example/page[](https://evil.example/?q=s3cret)")
def test_outside_of_code_nothing_unknown_is_left(text: str) -> None:
    found = re.findall(r"https?://[^\s<>]*", gated([text]), re.IGNORECASE)

    for url in found:
        # `[https://…](https://…)` is one match: the first is only a link's text
        core = url.rstrip(".,;:!?'\")]}*_~|")
        assert is_known(core, KNOWN) or is_known(core.partition("](")[2], KNOWN) or core in ("http:/", "http:"), url


@given(st.text(st.sampled_from("ab 中.,;-()'\n\t!?5é"), max_size=80))
def test_text_without_addresses_stays_as_it_is(text: str) -> None:
    spaced = re.sub(r"[.]", ". ", text)

    assert spaced == gated([spaced])


@pytest.mark.parametrize(
    "unit", ["[", "![", "`a", "[a](", "a.", "*a`b`", "https://", "<a", "&a.b;", "a ", "`", "(", "\\"]
)
def test_nothing_takes_more_than_time_in_proportion(unit: str) -> None:
    text = unit * 10_000
    began = time.perf_counter()
    gated(text[at : at + 50] for at in range(0, len(text), 50))

    assert time.perf_counter() - began < 3  # measured: below 0.3 s


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("HTTPS://Good.Example:443/Page/", "https://good.example/Page"),
        ("http://good.example:80", "http://good.example"),
        ("http://good.example:8080/", "http://good.example:8080"),
        ("https://good.example./a#b", "https://good.example/a"),
        ("https://good.example/%7ea%2f%e4?", "https://good.example/~a%2F%E4"),
        ("https://good.example/ä b?ö", "https://good.example/%C3%A4%20b?%C3%B6"),
        ("https://Bücher.example/", "https://xn--bcher-kva.example"),
        ("https://a:b@good.example/", "https://a:b@good.example"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("", ""),
    ],
)
def test_addresses_are_compared_in_one_form(url: str, form: str) -> None:
    assert form == normalised(url)
    assert form == normalised(form)


@given(st.text(max_size=60), st.sampled_from(["", "https://", "http://a.example/"]))
@example("\r/", "https://")
def test_the_form_is_final(text: str, before: str) -> None:
    assert normalised(before + text) == normalised(normalised(before + text))


@pytest.mark.parametrize(
    "url",
    [
        "https://good.example/page?", "http://good.example/page", "https://good.example/page#top", "https://GOOD.example/page/",
    ],
)  # fmt: skip
def test_another_spelling_of_a_known_address_is_known(url: str) -> None:
    assert is_known(url, KNOWN)


@pytest.mark.parametrize(
    "url",
    [
        "https://good.example/page?a", "https://good.example/", "https://good.example/Page", "https://good.example:8443/page",
        "https://good.example.evil.example/page", "https://x@good.example/page", "https://evil.example/https://good.example/page",
        "https://good.example/page https://evil.example", "ftp://good.example/page", "good.example/page", "https://good.example\\page",
    ],
)  # fmt: skip
def test_an_address_is_known_as_a_whole_or_not_at_all(url: str) -> None:
    assert not is_known(url, KNOWN)


def test_the_addresses_of_a_text_are_found_where_platforms_find_them() -> None:
    text = (
        "a [t](https://a.example/c_(d)) https://A.example:443/x/#f, (http://q.example/?a=%7e) <https://b.example/1>\n"
        "b.example/2 and https://例え.example/あ。next http://[::1]:80/x x@y.example `https://c.example` https://b.example/1."
    )

    assert urls_in(text) == (
        "https://a.example/c_(d)",
        "https://a.example/x",
        "http://q.example?a=~",
        "https://b.example/1",
        "https://b.example/2",
        "https://xn--r8jz45g.example/%E3%81%82",
        "http://[::1]/x",
        "https://c.example",
    )


@given(st.text(max_size=80))
def test_addresses_of_any_text_are_in_their_form(text: str) -> None:
    assert all(url == normalised(url) for url in urls_in(text))
