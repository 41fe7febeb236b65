"""The file of MCP servers: what others' files mean here, and what is wrong where."""

import json
import logging
from pathlib import Path

import pytest

from bot.core.errors import SettingsError
from bot.mcp.server_settings import Address, Program, ServerSettings
from bot.mcp.servers_file import read_servers

ENVIRONMENT = {
    "PATH": "/bin",
    "HOME": "/home/x",
    "LC_ALL": "C.UTF-8",
    "OPENAI_API_KEY": "sk-ours",
    "TOKEN": "gh-1234567",
}


def read(folder: Path, content: object) -> tuple[ServerSettings, ...]:
    file = folder / "servers.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_servers(file, ENVIRONMENT)


def read_one(folder: Path, **entry: object) -> ServerSettings:
    (server,) = read(folder, {"mcpServers": {"github": entry}})
    return server


def wrong(folder: Path, content: object) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, content)
    assert all("\n" not in line and line.startswith("MCP_SERVERS_FILE: ") for line in caught.value.lines)
    return "\n".join(caught.value.lines)


def test_a_program_gets_a_bare_environment_and_what_the_file_gives_it(tmp_path: Path) -> None:
    server = read_one(
        tmp_path, command="npx", args=["-y", "x", "--key=${TOKEN}"], env={"GH": "${TOKEN}"}, cwd="/srv", type="stdio"
    )

    assert isinstance(server.reached, Program)
    assert (server.reached.command, server.reached.args, server.reached.cwd) == (
        "npx",
        ("-y", "x", "--key=gh-1234567"),
        "/srv",
    )
    assert server.reached.env == {"PATH": "/bin", "HOME": "/home/x", "LC_ALL": "C.UTF-8", "GH": "gh-1234567"}


def test_an_address_has_headers_from_the_environment(tmp_path: Path) -> None:
    server = read_one(
        tmp_path, url="https://${HOST:-mcp.example}/mcp", headers={"Authorization": "Bearer ${env:TOKEN}"}, type="http"
    )

    assert server.reached == Address(url="https://mcp.example/mcp", headers={"Authorization": "Bearer gh-1234567"})


def test_whatever_is_not_said_is_closed(tmp_path: Path) -> None:
    server = read_one(tmp_path, command="x")

    assert (frozenset(), frozenset(), True, 30.0) == (
        server.tools,
        server.read_only,
        server.owners_only,
        server.timeout_s,
    )


@pytest.mark.parametrize("everything", ["*", ["*"]])
def test_the_owner_opens_what_they_name(tmp_path: Path, everything: object) -> None:
    server = read_one(tmp_path, command="x", tools=everything, who="everyone", read_only=True, timeout_s=5)

    assert (server.tools, server.read_only, server.owners_only, server.timeout_s) == (None, None, False, 5.0)

    server = read_one(tmp_path, command="x", tools=["a", "b"], read_only=["a"])

    assert (frozenset({"a", "b"}), frozenset({"a"})) == (server.tools, server.read_only)


def test_a_disabled_server_is_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, {"mcpServers": {"x": {"command": "x", "disabled": True}}}) == ()


def test_an_unknown_key_is_told_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read_one(tmp_path, command="x", tool=["a"], autoApprove=["a"])

    assert [message.partition("'github': ")[2] for message in caplog.messages] == [
        "`tool` is not a key that I know, and is left out"
    ]


def test_secrets_are_known_and_not_shown(tmp_path: Path) -> None:
    program = read_one(
        tmp_path, command="x", args=["${TOKEN}", "${HOME}"], env={"MODE": "careful", "API_KEY": "written-down"}
    )
    headers = {"Authorization": "Bearer in-header", "Accept": "application/json"}
    address = read_one(tmp_path, url="http://u:pass-word@h/?q=in-query", headers=headers)

    assert set(program.tokens) == {"gh-1234567", "written-down"}
    assert set(program.secrets) == {"gh-1234567", "written-down", "careful"}
    assert set(address.tokens) == {"pass-word", "Bearer in-header", "in-header"}
    assert set(address.secrets) == {*address.tokens, "in-query", "application/json"}
    for secret in (*program.secrets, *address.secrets):
        assert secret not in repr(program) + repr(address)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({}, 'it needs either "command" or "url"'),
        ({"command": "x", "url": "http://h"}, 'it needs either "command" or "url"'),
        ("npx", 'it should be an object with "command" or "url"'),
        ({"command": ["x"]}, "command: Input should be a valid string"),
        ({"command": "x", "args": [1]}, "args.0: Input should be a valid string"),
        ({"command": "x", "env": {"A": 3}}, "env.A: Input should be a valid string"),
        ({"command": "x", "env": {"A": "${MISSING}"}}, "the environment variable MISSING is not set"),
        ({"command": "x", "env": {"A": "${input:token}"}}, "begins something that I cannot fill in"),
        ({"command": "x\0"}, "a value holds a null character"),
        ({"command": "x", "timeout_s": 0}, "timeout_s: Input should be greater than or equal to 1"),
        ({"command": "x", "who": "me"}, "who: Input should be 'owners' or 'everyone'"),
        ({"url": "ftp://h"}, "url: it should be an address like"),
        ({"url": "http://h:99999"}, "url: it should be an address like"),
        ({"url": "http://h", "headers": {"A": "x\ny"}}, "headers.A: it holds a line break"),
        ({"url": "http://h", "type": "sse"}, "the old transport over SSE is not spoken here"),
    ],
)
def test_a_wrong_server_is_told_in_one_line_without_its_values(tmp_path: Path, entry: object, problem: str) -> None:
    text = wrong(tmp_path, {"mcpServers": {"github": entry}})

    assert f"{tmp_path / 'servers.json'}: 'github': " in text
    assert problem in text


def test_every_wrong_server_is_told_at_once(tmp_path: Path) -> None:
    text = wrong(tmp_path, {"mcpServers": {"a": {}, "b": {"command": "x"}, "c": {"command": "${MISSING}"}}})

    assert [line.split(": ")[2] for line in text.splitlines()] == ["'a'", "'c'"]


def test_names_that_models_could_not_tell_apart_are_refused(tmp_path: Path) -> None:
    text = wrong(tmp_path, {"mcpServers": {"my server": {"command": "x"}, "My__server": {"command": "x"}}})

    assert "'My__server': its name is too much like that of 'my server'" in text


@pytest.mark.parametrize("name", ["", "_", "ü", "x" * 33, "a\nb"])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "a server's name has at most 32" in wrong(tmp_path, {"mcpServers": {name: {"command": "x"}}})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "servers.json:1: this is not JSON"),
        ("\n[}", "servers.json:2: this is not JSON"),
        ("[" * 100_000, "this is not JSON"),
        ("[]", 'I expect {"mcpServers": '),
        ('{"servers": {}}', 'I expect {"mcpServers": '),
        ('{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}', "'a' stands there twice"),
    ],
)
def test_a_file_that_is_no_list_of_servers_says_so(tmp_path: Path, content: str, problem: str) -> None:
    assert problem in wrong(tmp_path, content)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_servers(tmp_path / "none.json", ENVIRONMENT)
