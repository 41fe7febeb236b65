"""Slash commands, autocomplete, clicks and selects of a person. A mixin of `FakeDiscord`.

Like Discord's client, it refuses (AssertionError) what the bot has not registered or not shown.
"""

from collections.abc import Mapping, Sequence

from tests.fakes.discord import wire
from tests.fakes.discord.actions import Actions
from tests.fakes.discord.components import BUTTON, LINK, SELECTS, walk
from tests.fakes.discord.interactions import Interaction, Interactions, InteractionType
from tests.fakes.discord.records import DM, Channel, Json, Upload
from tests.fakes.discord.sessions import ALWAYS, Sessions
from tests.fakes.discord.world import ALL_PERMISSIONS, World

USER_OPTION, ATTACHMENT_OPTION = 6, 11
KINDS: dict[int, type | tuple[type, ...]] = {
    3: str,
    4: int,
    5: bool,
    6: int,
    7: int,
    8: int,
    10: (int, float),
}

OptionValue = str | int | float | bool | Upload


class Interacting:
    world: World
    _actions: Actions
    _sessions: Sessions
    _interactions: Interactions

    def slash(
        self, channel_id: int, user_id: int, name: str, options: Mapping[str, OptionValue] | None = None
    ) -> Interaction:
        """Use a registered command; a subcommand is named with spaces ("model set")."""
        command, path, declared = self._find_command(channel_id, name)
        given = dict(options or {})
        missing = [o["name"] for o in declared if o.get("required") and o["name"] not in given]
        assert not missing, f"/{name} requires {missing}"
        resolved: Json = {}
        values = [
            self._option(channel_id, _declared(declared, key, name), value, resolved) for key, value in given.items()
        ]
        data = _nest(command, path, values)
        if resolved:
            data["resolved"] = resolved
        return self._interact(InteractionType.COMMAND, channel_id, user_id, data)

    def autocomplete(
        self,
        channel_id: int,
        user_id: int,
        name: str,
        focused: str,
        typed: str,
        options: Mapping[str, OptionValue] | None = None,
    ) -> Interaction:
        """Type into an option that offers autocomplete; the answer is in `interaction.choices`."""
        command, path, declared = self._find_command(channel_id, name)
        option = _declared(declared, focused, name)
        assert option.get("autocomplete"), f"{focused} of /{name} has no autocomplete"
        values = [
            self._option(channel_id, _declared(declared, key, name), value, {})
            for key, value in (options or {}).items()
        ]
        values.append({"name": focused, "type": option["type"], "value": typed, "focused": True})
        data = _nest(command, path, values)
        return self._interact(InteractionType.AUTOCOMPLETE, channel_id, user_id, data)

    def click(self, message_id: int, label_or_custom_id: str, user_id: int) -> Interaction:
        """Press a button that the message shows now."""
        message = self.world.messages[message_id]
        assert message.alive, "the message was deleted"
        for component in walk(message.components):
            names = (component.get("label"), component.get("custom_id"))
            if component.get("type") == BUTTON and component.get("style") != LINK and label_or_custom_id in names:
                assert not component.get("disabled"), f"{label_or_custom_id!r} is disabled"
                return self._use(message_id, component, user_id)
        shown = [c.get("label") for c in walk(message.components) if c.get("type") == BUTTON]
        raise AssertionError(f"no button {label_or_custom_id!r} among {shown}")

    def select(self, message_id: int, custom_id: str, values: Sequence[str], user_id: int) -> Interaction:
        """Choose values in a select menu that the message shows now."""
        message = self.world.messages[message_id]
        for component in walk(message.components):
            if component.get("type") in SELECTS and component.get("custom_id") == custom_id:
                assert not component.get("disabled"), f"{custom_id!r} is disabled"
                offered = [option["value"] for option in component.get("options") or ()]
                assert not offered or set(values) <= set(offered), f"{values} are not all in {offered}"
                return self._use(message_id, component, user_id, values=list(values))
        raise AssertionError(f"no select {custom_id!r}")

    def submit_modal(self, opened_by: Interaction, values: Mapping[str, str]) -> Interaction:
        """Send the modal that answered an interaction, with a value for each text input's custom_id."""
        assert opened_by.modal is not None, "the interaction opened no modal"
        rows: list[Json] = []
        for number, row in enumerate(opened_by.modal["components"], start=1):
            field = row.get("component") or row["components"][0]
            value = {"type": field["type"], "custom_id": field["custom_id"], "id": 100 + number}
            value["value"] = values.get(field["custom_id"], field.get("value", ""))
            inner = {"component": value} if "component" in row else {"components": [value]}
            rows.append({"type": row["type"], "id": number} | inner)
        data: Json = {"custom_id": opened_by.modal["custom_id"], "components": rows}
        return self._interact(
            InteractionType.MODAL_SUBMIT,
            opened_by.channel_id,
            opened_by.user_id,
            data,
            source_id=opened_by.source_id,
        )

    def _use(self, message_id: int, component: Json, user_id: int, **extra: object) -> Interaction:
        message = self.world.messages[message_id]
        assert message.ephemeral_for in (None, user_id), "somebody else's ephemeral message"
        data: Json = {
            "component_type": component["type"],
            "custom_id": component["custom_id"],
            "id": component.get("id", 1),
            **extra,
        }
        return self._interact(InteractionType.COMPONENT, message.channel_id, user_id, data, source_id=message_id)

    def _find_command(self, channel_id: int, name: str) -> tuple[Json, list[Json], list[Json]]:
        """Find a registered command: (command, its subcommand path, the declared options)."""
        words = name.split()
        guild_id = self.world.channel(channel_id).guild_id
        offered = [*self.world.commands.get(guild_id or -1, ()), *self.world.commands.get(0, ())]
        command = next((c for c in offered if c["name"] == words[0] and c["type"] == 1), None)
        assert command is not None, f"/{words[0]} is not registered: {[c['name'] for c in offered]}"
        options, path = command.get("options") or [], []
        for word in words[1:]:
            step = next((o for o in options if o["name"] == word and o["type"] in (1, 2)), None)
            assert step is not None, f"/{name}: no subcommand {word}"
            path.append(step)
            options = step.get("options") or []
        return command, path, [option for option in options if option["type"] > 2]

    def _option(self, channel_id: int, declared: Json, value: OptionValue, resolved: Json) -> Json:
        kind = declared["type"]
        if isinstance(value, Upload):
            assert kind == ATTACHMENT_OPTION, f"{declared['name']} takes no file"
            (attachment,) = self._actions.store_files(channel_id, (value,))
            self.world.attachments[attachment.id] = attachment
            body = wire.attachment_json(self.world, attachment)
            resolved.setdefault("attachments", {})[str(attachment.id)] = body
            return {"name": declared["name"], "type": kind, "value": str(attachment.id)}
        assert isinstance(value, KINDS[kind]), f"{declared['name']} is of type {kind}, not {value!r}"
        choices = [choice["value"] for choice in declared.get("choices") or ()]
        assert not choices or value in choices, f"{value!r} is not one of {choices}"
        if kind == USER_OPTION:
            user = wire.user_json(self.world.user(int(value)))
            resolved.setdefault("users", {})[str(value)] = user
        if kind in (6, 7, 8):
            value = str(value)
        return {"name": declared["name"], "type": kind, "value": value}

    def _interact(
        self,
        kind: InteractionType,
        channel_id: int,
        user_id: int,
        data: Json,
        *,
        source_id: int | None = None,
    ) -> Interaction:
        channel = self.world.channel(channel_id)
        user = wire.user_json(self.world.user(user_id))
        interaction = self._interactions.open(kind, channel_id, user_id, source_id=source_id)
        interaction.command = {
            "id": str(interaction.id),
            "type": int(kind),
            "user": user,
            "authorizing_integration_owners": {"0": str(channel.guild_id or 0)},
        }
        body = self._event(interaction, channel, user) | {"data": data}
        if source_id is not None:
            body["message"] = wire.message_json(self.world, self.world.messages[source_id], content=True)
        self._sessions.dispatch("INTERACTION_CREATE", channel.guild_id, ALWAYS, lambda _content: body)
        return interaction

    def _event(self, interaction: Interaction, channel: Channel, user: Json) -> Json:
        world = self.world
        body: Json = {
            "id": str(interaction.id),
            "application_id": str(world.application_id),
            "type": int(interaction.type),
            "token": interaction.token,
            "version": 1,
            "channel_id": str(channel.id),
            "channel": wire.channel_json(world, channel) | {"permissions": str(ALL_PERMISSIONS)},
            "app_permissions": str(world.bot_permissions(channel)),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(channel.guild_id or 0)},
            "context": 1 if channel.kind == DM else 0,
            "attachment_size_limit": 10 * 1024 * 1024,
        }
        if channel.guild_id is None:
            return body | {"user": user}
        guild_id = channel.guild_id
        member = wire.member_json(world, guild_id, interaction.user_id, with_user=True)
        return body | {
            "guild_id": str(guild_id),
            "guild": {"id": str(guild_id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": member | {"permissions": str(ALL_PERMISSIONS)},
        }


def _declared(options: list[Json], key: str, name: str) -> Json:
    found = next((option for option in options if option["name"] == key), None)
    assert found is not None, f"/{name} has no option {key}"
    return found


def _nest(command: Json, path: list[Json], values: list[Json]) -> Json:
    for step in reversed(path):
        values = [{"name": step["name"], "type": step["type"], "options": values}]
    data: Json = {"id": command["id"], "name": command["name"], "type": 1, "options": values}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    return data
