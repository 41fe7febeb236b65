"""The command table as slash commands, and what is compared before they are sent."""

from adapters.discord.commands import differ, focused_option, options_of, to_payloads
from adapters.discord.composing import compose, in_rows, line_of, nonce_of
from bot.core.ports import Button
from tests.adapters.discord.door import COMMANDS


def test_options_become_choices_completion_and_required_first() -> None:
    model, stop, pair = to_payloads(COMMANDS)

    assert model["contexts"] == [0, 1]
    assert model["options"] == [
        {"type": 3, "name": "name", "description": "provider/model", "required": False, "autocomplete": True},
        {
            "type": 3,
            "name": "scope",
            "description": "For whom",
            "required": False,
            "choices": [{"name": n, "value": n} for n in ("thread", "channel", "server", "me")],
        },
    ]
    assert stop["options"] == []
    assert pair["options"] == [{"type": 3, "name": "code", "description": "From the log", "required": True}]


def test_what_discord_adds_is_no_difference_and_what_we_change_is() -> None:
    wanted = to_payloads(COMMANDS)
    stored = [
        {**command, "id": "1", "version": "2", "default_member_permissions": None, "nsfw": False}
        for command in reversed(wanted)
    ]
    stored[0]["options"] = [
        {key: value for key, value in option.items() if value is not False}
        for option in stored[0]["options"]  # type: ignore[attr-defined]  # a list of options
    ]

    assert not differ(stored, wanted)
    assert differ(stored[1:], wanted)
    assert differ(stored, [{**wanted[0], "description": "Another"}, *wanted[1:]])
    assert differ(stored, [{**wanted[0], "options": []}, *wanted[1:]])
    assert differ([{**stored[0], "contexts": [0]}, *stored[1:]], wanted)


def test_given_and_focused_options_are_read() -> None:
    data = {
        "name": "model",
        "options": [
            {"name": "scope", "type": 3, "value": "me"},
            {"name": "name", "type": 3, "value": "gp", "focused": True},
        ],
    }
    found = focused_option(COMMANDS, data)

    assert options_of(data) == {"scope": "me", "name": "gp"}
    assert found == (COMMANDS[0].options[0], "gp")
    assert focused_option(COMMANDS, {**data, "name": "gone"}) is None
    assert options_of({"name": "stop"}) == {}


def test_a_button_carries_its_line_there_and_back() -> None:
    line = "retry " + "x" * 58
    body = compose("text", [[Button(label="Retry", line=line)], [], [Button(label="Stop", line="stop")]])
    rows = body["components"]
    assert isinstance(rows, list)
    ids = [button["custom_id"] for row in rows for button in row["components"]]

    assert [line_of(custom_id) for custom_id in ids] == [line, "stop"]
    assert all(len(custom_id) <= 100 for custom_id in ids)
    assert line_of("somebody else's") is None


def test_many_buttons_fill_rows() -> None:
    buttons = [Button(label=str(number), line=f"n {number}") for number in range(7)]
    rows = compose("text", [buttons])["components"]

    assert isinstance(rows, list)
    assert [len(row) for row in in_rows(buttons)] == [5, 2]
    assert [len(row["components"]) for row in rows] == [5, 2]


def test_a_nonce_is_short_and_follows_the_key() -> None:
    assert nonce_of("turn~0") == nonce_of("turn~0") != nonce_of("turn~1")
    assert len(nonce_of("x" * 200)) <= 25
