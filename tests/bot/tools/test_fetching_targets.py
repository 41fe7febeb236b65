"""Which addresses may be fetched at all: as numbers, as they are written, and where a redirect may lead."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tools._addresses import is_public
from bot.tools._targets import FetchRefused, followed, target_of

NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",  # carriers' NAT
        "100.100.100.200",  # Alibaba's metadata
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # Azure
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.9",  # public to some versions of Python
        "192.0.0.192",  # Oracle's metadata
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible 127.0.0.1
        "::808:808",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",  # translated
        "64:ff9b::10.0.0.1",  # NAT64 of a private one
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",  # a network's own NAT64
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",  # Teredo
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",  # benchmarks
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4 of 127.0.0.1
        "2002:a00:1::",  # 6to4 of 10.0.0.1
        "2002:c0a8:101::1",
        "2a00:1450::5efe:10.0.0.1",  # ISATAP of a private one
        "2a00:1450::200:5efe:192.168.0.1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",  # Amazon's metadata
        "fd20:ce::254",  # Google's
        "fe80::1",
        "fe80::1%eth0",
        "2a00:1450::1%1",
        "fec0::1",
        "ff02::1",
        "4000::1",
        "",
        "localhost",
        "1.2.3",
        "01.2.3.4",
        "8.8.8.8%1",
    ],
)
def test_what_is_not_the_same_machine_for_everybody(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.20.0.1",
        "223.255.255.255",
        "2606:2800:220:1::1",
        "2a00:1450:4001::200e",
        "2001:4860:4860::8888",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2a00:1450::5efe:8.8.8.8",
    ],
)
def test_what_is(address: str) -> None:
    assert is_public(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    url: str
    host: str
    port: int


@pytest.mark.parametrize(
    "case",
    [
        Written(url="http://example.org", host="example.org", port=80),
        Written(url="HTTPS://Example.ORG./a", host="example.org", port=443),
        Written(url="https://example.org:8443/", host="example.org", port=8443),
        Written(url="https://münchen.example/ü", host="xn--mnchen-3ya.example", port=443),
        Written(url="http://8.8.8.8/", host="8.8.8.8", port=80),
        Written(url="http://[2606:2800:220:1::1]:8080/", host="2606:2800:220:1::1", port=8080),
        Written(url="http://a_b.example/", host="a_b.example", port=80),
    ],
    ids=lambda case: case.url,
)
def test_an_address_is_read_once(case: Written) -> None:
    target = target_of(case.url, NOBODY)

    assert (case.host, case.port) == (target.host, target.port)
    assert case.host == target.url.raw_host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/a",
        "//example.org/a",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://example.org:80/",
        "http://",
        "http:///a",
        "http://user@example.org/",
        "http://user:word@example.org/",
        "http://:@example.org/",
        "http://example.org:22/",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http://example.org:a/",
        "http://2130706433/",
        "http://134744072/",  # 8.8.8.8, but readers disagree about it
        "http://0177.0.0.1/",
        "http://0x7f.0.0.1/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://127.0.1/",
        "http://127.0.0.1./",
        "http://008.8.8.8/",
        "http://8.8.8.08/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://１２７.0.0.1/",
        "http://%31%32%37.0.0.1/",
        "http://127。0。0。1/",
        "http://127.0.0.1/",
        "http://10.0.0.1:8080/",
        "http://[::1]/",
        "http://[::ffff:8.8.8.8]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[1.2.3.4]/",
        "http://localhost/",
        "http://localhost./",
        "http://LOCALHOST:8080/",
        "http://a.localhost/",
        "http://router/",
        "http://printer.local/",
        "http://metadata.google.internal/",
        "http://nas.home.arpa/",
        "http://example..org/",
        "http://-example.org/",
        "http://exa mple.org/",
        "http://example.org\\@127.0.0.1/",
        "http://example.org/a b",
        "http://example.org/\r\nX: y",
        "http://ex\u200bample.org/",
        "http://ex\xadample.org/",
        "http://example.org/\ud800",
        "http://example.org/" + "a" * 4_000,
        "http://" + "a." * 130 + "org/",
        "http://" + "a" * 64 + ".org/",
    ],
)
def test_what_is_not_fetched_whatever_it_leads_to(url: str) -> None:
    with pytest.raises(FetchRefused) as caught:
        target_of(url, NOBODY)

    assert not str(caught.value).endswith(".")


@given(st.integers(min_value=0, max_value=2**32 - 1), st.sampled_from(["{0}", "0x{0:x}", "0{0:o}", "{1}.{2}"]))
def test_no_number_in_another_spelling_is_a_host(number: int, spelling: str) -> None:
    with pytest.raises(FetchRefused):
        target_of(f"http://{spelling.format(number, number >> 24, number & 0xFFFFFF)}/", NOBODY)


@given(
    st.text(max_size=40),
    st.sampled_from(["", "http://", "https://", "http://8.8.8.8", "http://[", "http://a.example:"]),
)
def test_any_text_is_an_address_or_refused(text: str, before: str) -> None:
    try:
        target = target_of(before + text, NOBODY)
    except FetchRefused:
        return
    assert target.url.scheme in ("http", "https")
    assert not target.is_literal or is_public(target.host)


def test_a_redirect_from_https_to_http_is_not_followed() -> None:
    start = target_of("https://example.org/a/b", NOBODY)

    assert str(followed(start, "../c?d", NOBODY).url) == "https://example.org/c?d"
    with pytest.raises(FetchRefused, match="from https to http"):
        followed(start, "http://example.org/c", NOBODY)


def test_an_operators_host_leads_to_others_of_theirs() -> None:
    own = frozenset({"wiki.lan", "[fd00::1]:9000"})

    assert followed(target_of("http://wiki.lan/", own), "http://[fd00::1]:9000/", own).is_private
    with pytest.raises(FetchRefused, match="into a private network"):
        followed(target_of("http://example.org/", own), "http://wiki.lan/", own)
