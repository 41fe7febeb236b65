"""The names under which models know the tools of MCP servers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mcp.tool import tool_name

PREFIXES = st.from_regex(r"[A-Za-z0-9-]{1,5}(_[A-Za-z0-9-]{1,5}){0,4}", fullmatch=True)


def test_a_name_that_fits_stays_as_it_is() -> None:
    assert tool_name("github", "create_issue") == "github__create_issue"


@pytest.mark.parametrize("own_name", ["create issue", "create.issue", "créer", "x" * 60])
def test_a_name_that_had_to_change_bears_a_mark(own_name: str) -> None:
    assert re.fullmatch(r"github__[A-Za-z0-9_-]*_[0-9a-f]{8}", tool_name("github", own_name))


@given(PREFIXES, st.text(max_size=90))
def test_every_provider_takes_a_name_and_it_is_always_the_same(prefix: str, own_name: str) -> None:
    name = tool_name(prefix, own_name)

    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
    assert name == tool_name(prefix, own_name)
    assert name.partition("__")[0] == prefix


@given(PREFIXES, PREFIXES, st.text(max_size=90), st.text(max_size=90))
def test_two_tools_never_share_a_name(first: str, second: str, one: str, other: str) -> None:
    if (first, one) != (second, other):
        assert tool_name(first, one) != tool_name(second, other)
