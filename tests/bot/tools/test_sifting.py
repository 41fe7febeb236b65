"""What services and models write for dates, domains and addresses is read, or harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tools._citing import host_of, one_line, source_line
from bot.tools._search_arguments import bare_domain
from bot.tools._sifting import day_of


@pytest.mark.parametrize(
    ("date", "day"),
    [
        ("2026-10-31", "2026-10-31"),
        ("2026-10-31T08:00:00Z", "2026-10-31"),
        ("2026-10-31T08:00:00.123456+02:00", "2026-10-31"),
        ("Sat, 31 Oct 2026 08:00:00 GMT", "2026-10-31"),
        ("3 days\nago", "3 days ago"),
        ("x" * 50, "x" * 29 + "…"),
    ],
)
def test_dates_are_days_where_they_can_be_read(date: str, day: str) -> None:
    assert day_of(date) == day


@given(st.text(max_size=60))
def test_any_date_is_one_short_line(date: str) -> None:
    assert len(day_of(date)) <= 30
    assert len(day_of(date).splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("example.org", "example.org"),
        ("WWW.Example.org.", "example.org"),
        ("https://www.example.org:8443/page?x=1", "example.org"),
        ("example.org/page", "example.org"),
        ("*.example.org", "example.org"),
        ("news.example.co.uk", "news.example.co.uk"),
        ("münchen.example", "xn--mnchen-3ya.example"),
    ],
)
def test_domains_are_understood_as_models_write_them(text: str, domain: str) -> None:
    assert bare_domain(text) == domain


@pytest.mark.parametrize("text", ["", "org", "not a domain", "a..b", "-a.org", "a.org OR b.org", "[::1]", "x" * 300])
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no domain"):
        bare_domain(text)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.org/a?b=c#d", "example.org"),
        ("http://example.org:8080", "example.org"),
        ("https://[2001:db8::1]/", "2001:db8::1"),
        ("https://example.org/a(b)", "example.org"),
        ("https://user@example.org/", None),
        ("https://example.org/a b", None),
        ("https://example.org/<b>", None),
        ("https://example.org:99999/", None),
        ("https:///path", None),
        ("file:///etc/passwd", None),
        ("data:text/html,x", None),
        ("https://[::1", None),
    ],
)
def test_only_plain_web_addresses_have_a_host(url: str, host: str | None) -> None:
    assert host_of(url) == host


@given(st.text(max_size=80))
def test_any_address_and_any_title_make_one_line(text: str) -> None:
    host = host_of(f"https://{text}")
    title = one_line(text, 20)

    assert host is None or " " not in host
    assert len(title) <= 20
    assert len(source_line(1, title, "https://example.org/").splitlines()) == 1
