"""The fetcher over the wire: what it asks for, whom it connects to, and what it has had enough of."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from bot.tools.fetching import Fetched, Fetcher, FetchRefused, Patience
from tests.bot.tools.internet import OTHER, PUBLIC, Internet, answer, opened, redirect, self_signed

MAX_BYTES = 100_000
PAGE = "http://page.example/a"


@pytest_asyncio.fixture
async def internet() -> AsyncIterator[Internet]:
    async with opened() as net:
        yield net


async def fetch(
    internet: Internet,
    url: str = PAGE,
    *,
    private_hosts: frozenset[str] = frozenset(),
    max_bytes: int = MAX_BYTES,
    timeout_s: float = 5.0,
    patience: Patience = Patience(),  # noqa: B008  # frozen
    ticks_s: float = 0.0,
) -> Fetched:
    """Fetch in this internet; the fetcher's clock goes on by `ticks_s` each time it is looked at."""
    ticks = count()
    fetcher = Fetcher(
        private_hosts=private_hosts,
        resolver=internet.resolve,
        open_socket=internet.open_socket,
        patience=patience,
        monotonic=lambda: next(ticks) * ticks_s,
    )
    try:
        return await fetcher.fetch(url, max_bytes=max_bytes, timeout_s=timeout_s)
    finally:
        await fetcher.aclose()


async def refusal(internet: Internet, url: str = PAGE, **options: object) -> str:
    """Why a page is not fetched."""
    with pytest.raises(FetchRefused) as caught:
        await fetch(internet, url, **options)  # type: ignore[arg-type]  # handed on as they are
    return str(caught.value)


async def test_a_page_comes_with_where_it_was_and_what_it_is(internet: Internet) -> None:
    internet.pages["page.example/a"] = answer(b"<p>Hi", Content_Type='Text/HTML; charset="utf-8"')

    page = Fetched(url=PAGE, media_type="text/html", content=b"<p>Hi", charset="utf-8")
    assert page == await fetch(internet, f"{PAGE}#part")
    assert internet.connected == [(PUBLIC, 80)]


async def test_the_request_tells_nothing_of_anybody(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    internet.pages["page.example/a"] = answer(status="302 Found", Location="/b", Set_Cookie="a=b")
    internet.pages["page.example/b"] = answer(b"ok")

    await fetch(internet)

    assert internet.asked == ["page.example/a", "page.example/b"]
    for headers in internet.requests:
        assert headers["accept-encoding"] == "gzip"
        assert "Parley" in headers["user-agent"]
        assert not {"cookie", "referer", "authorization", "proxy-authorization", "range"} & headers.keys()


@pytest.mark.parametrize("given", ["", "nonsense", "text/ht ml", "text/<b>", "a/" + "b" * 100])
async def test_a_type_that_is_none_is_unknown_bytes(internet: Internet, given: str) -> None:
    internet.pages["page.example/a"] = answer(b"x", Content_Type=given)

    assert (await fetch(internet)).media_type == "application/octet-stream"


# --- where to ---


async def test_a_name_in_a_private_network_is_not_connected_to(internet: Internet) -> None:
    internet.names["page.example"] = [["10.0.0.7"]]

    assert await refusal(internet) == "the host lies in a private network"
    assert internet.connected == []


async def test_one_private_address_among_public_ones_is_enough(internet: Internet) -> None:
    internet.names["page.example"] = [[PUBLIC, OTHER, "::ffff:127.0.0.1"]]

    assert await refusal(internet) == "the host lies in a private network"
    assert internet.connected == []


async def test_a_name_that_changes_its_mind_changes_nothing(internet: Internet) -> None:
    internet.names["page.example"] = [[PUBLIC], ["127.0.0.1"]]
    internet.pages["page.example/a"] = answer(b"public")

    assert (await fetch(internet)).content == b"public"
    assert internet.looked_up == ["page.example"]
    assert internet.connected == [(PUBLIC, 80)]


async def test_a_name_that_changes_its_mind_on_the_way_is_left_there(internet: Internet) -> None:
    internet.names["page.example"] = [[PUBLIC], ["169.254.169.254"]]
    internet.pages["page.example/a"] = redirect("/b")

    assert await refusal(internet) == "the host lies in a private network"
    assert internet.connected == [(PUBLIC, 80)]


async def test_both_kinds_of_addresses_are_tried(internet: Internet) -> None:
    internet.names["page.example"] = [[OTHER]]
    internet.pages["page.example/a"] = answer(b"six")

    assert (await fetch(internet)).content == b"six"
    assert internet.connected == [(OTHER, 80)]


async def test_a_name_that_nobody_has(internet: Internet) -> None:
    internet.names["page.example"] = [[]]

    assert await refusal(internet) == "there is no such host"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "//192.168.1.1/router",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://localhost:8080/",
        "http://metadata.google.internal/",
        "http://inside.example/",
        "file:///etc/passwd",
        "ftp://page.example/a",
        "http://user:word@page.example/b",
        "http://page.example:6379/",
        "http://page.example\\@127.0.0.1/",
        "",
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(internet: Internet, location: str) -> None:
    internet.names["inside.example"] = [["10.1.2.3"]]
    internet.pages["page.example/a"] = redirect(location)

    assert await refusal(internet)
    assert {(PUBLIC, 80)} == set(internet.connected)


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
async def test_redirects_are_followed_by_hand(internet: Internet, status: str) -> None:
    internet.pages["page.example/a"] = redirect("http://other.example:8080/b?c=d", status)
    internet.pages["other.example:8080/b?c=d"] = answer(b"there")

    assert (await fetch(internet)).url == "http://other.example:8080/b?c=d"
    assert internet.connected == [(PUBLIC, 80), (PUBLIC, 8080)]


async def test_five_redirects_are_followed_and_no_more(internet: Internet) -> None:
    for number in range(6):
        internet.pages[f"page.example/{number}"] = redirect(f"/{number + 1}")
    internet.pages["page.example/6"] = answer(b"end")

    assert (await fetch(internet, "http://page.example/1")).content == b"end"
    assert await refusal(internet, "http://page.example/0") == "the page redirects more than 5 times"


# --- the operator's own hosts ---


async def test_a_host_of_the_operators_own_may_be_private(internet: Internet) -> None:
    internet.names["wiki.lan"] = [["10.0.0.9"]]
    internet.pages["wiki.lan/a"] = internet.pages["wiki.lan:9000/a"] = answer(b"ours")
    own = frozenset({"wiki.lan", "wiki.lan:9000", "127.0.0.1:9001"})
    internet.pages["127.0.0.1:9001/a"] = answer(b"ours")

    for url in ("http://wiki.lan/a", "http://wiki.lan:9000/a", "http://127.0.0.1:9001/a"):
        assert (await fetch(internet, url, private_hosts=own)).content == b"ours"
    assert internet.connected == [("10.0.0.9", 80), ("10.0.0.9", 9000), ("127.0.0.1", 9001)]


@pytest.mark.parametrize(
    "url", ["http://wiki.lan:9001/", "http://x.wiki.lan/", "http://127.0.0.1/", "http://10.0.0.9/"]
)
async def test_only_what_the_operator_named_is_exempt(internet: Internet, url: str) -> None:
    internet.names["wiki.lan"] = [["10.0.0.9"]]

    assert await refusal(internet, url, private_hosts=frozenset({"wiki.lan", "wiki.lan:9000", "127.0.0.1:9001"}))
    assert internet.connected == []


async def test_a_page_elsewhere_cannot_lead_to_the_operators_own(internet: Internet) -> None:
    internet.names["wiki.lan"] = [["10.0.0.9"]]
    internet.pages["page.example/a"] = redirect("http://wiki.lan/a")

    assert await refusal(internet, private_hosts=frozenset({"wiki.lan"})) == "the page redirects into a private network"
    assert internet.connected == [(PUBLIC, 80)]


# --- how much ---


async def test_a_body_that_says_it_is_too_large_is_not_read(internet: Internet) -> None:
    internet.pages["page.example/a"] = (answer(Content_Length="100001"),)

    assert await refusal(internet) == "the page is larger than 100,000 bytes"


async def test_a_body_without_an_end_is_read_up_to_the_limit(internet: Internet) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    internet.pages["page.example/a"] = (head, b"x" * 99_999, b"xx")

    assert await refusal(internet) == "the page is larger than 100,000 bytes"


async def test_a_body_as_large_as_allowed_is_taken(internet: Internet) -> None:
    internet.pages["page.example/a"] = answer(b"x" * MAX_BYTES)

    assert len((await fetch(internet)).content) == MAX_BYTES


async def test_what_is_packed_counts_unpacked(internet: Internet) -> None:
    internet.pages["page.example/a"] = answer(gzip.compress(b"x" * (MAX_BYTES + 1)), Content_Encoding="gzip")

    assert await refusal(internet) == "the page is larger than 100,000 bytes"


@pytest.mark.parametrize("extra", [b"", gzip.compress(b" more"), b"\0rubbish"])
async def test_a_packed_page_is_unpacked(internet: Internet, extra: bytes) -> None:
    packed = gzip.compress(b"words " * 1_000) + extra
    internet.pages["page.example/a"] = answer(packed, Content_Encoding="GZIP")
    rest = b" more" if extra.startswith(b"\x1f") else b""

    assert b"words " * 1_000 + rest == (await fetch(internet)).content


async def test_a_bomb_is_left_before_it_is_large(internet: Internet) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    internet.pages["page.example/a"] = answer(bomb, Content_Encoding="gzip")

    assert await refusal(internet, max_bytes=100_000_000) == "the page unpacks to something absurdly large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    id: str
    body: bytes
    encoding: str = "gzip"


@pytest.mark.parametrize(
    "case",
    [
        Packing(id="cut off", body=gzip.compress(b"words" * 100)[:-9]),
        Packing(id="no gzip", body=b"words"),
        Packing(id="many tiny ones", body=gzip.compress(b"") * 200),
        Packing(id="deflate", body=zlib.compress(b"words"), encoding="deflate"),
        Packing(id="brotli", body=b"words", encoding="br"),
        Packing(id="twice", body=gzip.compress(gzip.compress(b"words")), encoding="gzip, gzip"),
    ],
    ids=lambda case: case.id,
)
async def test_packing_that_is_broken_or_was_not_asked_for(internet: Internet, case: Packing) -> None:
    internet.pages["page.example/a"] = answer(case.body, Content_Encoding=case.encoding)

    assert "pack" in await refusal(internet)


async def test_headers_have_an_end(internet: Internet) -> None:
    internet.pages["page.example/a"] = answer(b"x", X_Long="y" * 20_000)

    assert await refusal(internet) == "the server's answer is broken"


async def test_headers_are_not_too_many(internet: Internet) -> None:
    internet.pages["page.example/a"] = answer(b"x", **{f"X_{number}": "y" for number in range(500)})

    assert await refusal(internet) == "the server's answer is broken"


# --- how long ---


async def test_a_server_that_says_nothing_ends_with_the_time(internet: Internet) -> None:
    internet.pages["page.example/a"] = ()

    assert await refusal(internet, timeout_s=0.1) == "the page took longer than 0 s"


async def test_a_pause_in_the_middle_is_too_slow(internet: Internet) -> None:
    internet.pages["page.example/a"] = (answer(b"half", Content_Length="8"),)

    assert await refusal(internet, patience=Patience(silence_s=0.1)) == "the server is too slow"


async def test_a_body_that_drips_is_too_slow(internet: Internet) -> None:
    internet.pages["page.example/a"] = (b"HTTP/1.1 200 OK\r\n\r\n", b"drip")

    assert await refusal(internet, ticks_s=10.0) == "the server is too slow"


async def test_a_name_server_that_is_silent_ends_with_the_time(internet: Internet) -> None:
    async def silent(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    fetcher = Fetcher(resolver=silent)
    with pytest.raises(FetchRefused, match="the page took longer"):
        await fetcher.fetch(PAGE, max_bytes=1, timeout_s=0.05)
    await fetcher.aclose()


# --- answers that are none ---


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "304 Not Modified", "401 Who"])
async def test_an_error_comes_with_its_status(internet: Internet, status: str) -> None:
    internet.pages["page.example/a"] = answer(b"", status=status)

    assert f"the server answered with status {status[:3]}" == await refusal(internet)


@pytest.mark.parametrize(
    "page",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    ],
)
async def test_an_answer_that_is_no_answer(internet: Internet, page: bytes) -> None:
    internet.pages["page.example/a"] = page

    assert await refusal(internet) == "the server's answer is broken"


async def test_nobody_at_the_address(internet: Internet, unused_tcp_port: int) -> None:
    internet.port = unused_tcp_port

    assert await refusal(internet) == "the server cannot be reached"


async def test_a_certificate_that_nobody_vouches_for(internet: Internet, tmp_path: Path) -> None:
    server = await asyncio.start_server(internet.serve, "127.0.0.1", 0, ssl=self_signed("page.example", tmp_path))
    internet.port = server.sockets[0].getsockname()[1]

    assert await refusal(internet, "https://page.example/a") == "the server's certificate is not valid for this address"
    assert internet.connected == [(PUBLIC, 443)]
    assert internet.asked == []
    server.close()


async def test_the_machines_own_resolver_and_sockets_are_used(internet: Internet) -> None:
    host = f"localhost:{internet.port}"
    internet.pages[f"{host}/a"] = answer(b"for real")
    fetcher = Fetcher(private_hosts=frozenset({host}))

    assert (await fetcher.fetch(f"http://{host}/a", max_bytes=100, timeout_s=5)).content == b"for real"
    await fetcher.aclose()
