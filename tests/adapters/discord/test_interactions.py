"""Slash commands, completion and buttons: acknowledged at once, answered in private, restart or not."""

import pytest

from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Invoked, Pressed
from bot.core.place import Author
from bot.core.ports import Answer, Button, File
from tests.adapters.discord.door import COMMANDS, Door, SkippingClock, open_door, page
from tests.fakes.discord.components import walk
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.faults import Drop, Gate, Respond, rate_limited

RETRY = Button(label="Retry", line="retry discord:123")


@pytest.fixture
async def door_with_commands(fake: FakeDiscord, door: Door) -> Door:
    await fake.wait_for(lambda: fake.commands)
    return door


def labels(components: object) -> list[str]:
    return [c["label"] for c in walk(components) if c["type"] == 2]


async def test_a_command_is_acknowledged_in_private_before_it_is_accepted(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door, ada = door_with_commands, fake.add_user("ada")
    interaction = fake.slash(channel, ada.id, "model", {"name": "demo/parrot", "scope": "channel"})
    (inbound,) = await door.core.wait_for()

    assert interaction.callback_type == 5
    assert interaction.ephemeral
    assert inbound.uid == f"discord:{interaction.id}"
    assert inbound.author.key == f"discord:{ada.id}"
    assert inbound.place == door.place(channel)
    assert inbound.event == Invoked(name="model", options={"name": "demo/parrot", "scope": "channel"})

    await door.messenger.answer(inbound, Answer(text="`demo/parrot` it is.", rows=((RETRY,),)))
    shown = await interaction.answered()

    assert shown.content == "`demo/parrot` it is."
    assert shown.ephemeral_for == ada.id
    assert labels(shown.components) == ["Retry"]
    assert interaction.refusals == []


async def test_a_long_answer_to_a_command_is_paged_in_private(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door, ada = door_with_commands, fake.add_user()
    interaction = fake.slash(channel, ada.id, "model")
    (inbound,) = await door.core.wait_for()
    text = "\n".join(f"line {number} of the answer" for number in range(200))
    await door.messenger.answer(inbound, Answer(text=text, rows=((RETRY,),)))
    shown = interaction.messages

    assert len(shown) == 3
    assert [m.ephemeral_for for m in shown] == [ada.id] * 3
    assert "\n".join(m.content for m in shown) == text
    assert [labels(m.components) for m in shown] == [[], [], ["Retry"]]


async def test_an_answer_of_many_pages_comes_as_a_file(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door = door_with_commands
    interaction = fake.slash(channel, fake.add_user().id, "model")
    (inbound,) = await door.core.wait_for()
    text = "\n".join(f"line {number} of the answer" for number in range(1_000))
    await door.messenger.answer(inbound, Answer(text=text))
    (shown,) = interaction.messages

    assert text.startswith(shown.content)
    assert [(a.filename, a.content) for a in shown.attachments] == [("answer.md", text.encode())]


async def test_an_answer_may_be_public_and_an_empty_one_leaves_nothing(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door, ada = door_with_commands, fake.add_user()
    public = fake.slash(channel, ada.id, "model")
    silent = fake.slash(channel, ada.id, "stop")
    first, second = await door.core.wait_for(2)
    await door.messenger.answer(first, Answer(text="for all", private=False))
    await door.messenger.answer(second, Answer(text=""))

    assert [(m.content, m.ephemeral_for) for m in public.messages] == [("for all", None)]
    assert silent.messages == ()
    assert silent.original is None


async def test_a_command_in_a_private_chat_and_in_a_thread_has_its_place(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door, ada = door_with_commands, fake.add_user()
    dm, thread = fake.add_dm(ada.id), fake.add_thread(channel)
    fake.slash(dm.id, ada.id, "stop")
    fake.slash(thread.id, ada.id, "stop")
    accepted = await door.core.wait_for(2)

    assert {inbound.place for inbound in accepted} == {door.place(dm.id), door.place(thread.id)}


async def test_an_answer_to_a_command_of_another_life_is_not_found(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door = door_with_commands
    fake.slash(channel, fake.add_user().id, "stop")
    (inbound,) = await door.core.wait_for()
    await door.messenger.answer(inbound, Answer(text="Stopped."))
    with pytest.raises(DeliveryError) as refused:
        await door.messenger.answer(inbound, Answer(text="Stopped."))

    assert refused.value.kind is DeliveryKind.NOT_FOUND


async def test_a_token_that_ran_out_is_not_found(fake: FakeDiscord, door_with_commands: Door, channel: int) -> None:
    door = door_with_commands
    fake.slash(channel, fake.add_user().id, "stop")
    (inbound,) = await door.core.wait_for()
    fake.advance(901)
    with pytest.raises(DeliveryError) as refused:
        await door.messenger.answer(inbound, Answer(text="Stopped."))

    assert refused.value.kind is DeliveryKind.NOT_FOUND


async def test_an_acknowledgement_whose_answer_is_lost_counts(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door = door_with_commands
    fake.faults.add("POST", "/callback", Drop(after=True))
    interaction = fake.slash(channel, fake.add_user().id, "stop")
    (inbound,) = await door.core.wait_for()
    await door.messenger.answer(inbound, Answer(text="Stopped."))

    assert (await interaction.answered()).content == "Stopped."


async def test_a_command_that_discord_gave_up_on_is_not_run(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door, ada = door_with_commands, fake.add_user()
    late = Gate()
    fake.faults.add("POST", "/callback", late)
    lost = fake.slash(channel, ada.id, "stop")
    await late.reached()
    fake.advance(4)
    late.release()
    await fake.wait_for(lambda: lost.refusals)
    fake.slash(channel, ada.id, "model")
    (inbound,) = await door.core.wait_for()

    assert lost.refusals == [10062]
    assert inbound.event == Invoked(name="model")


async def test_an_option_is_completed_while_it_is_typed(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    interaction = fake.autocomplete(channel, fake.add_user().id, "model", "name", "gpt-5")
    await interaction.acknowledged()

    assert interaction.choices == (
        {"name": "openai/gpt-5", "value": "openai/gpt-5"},
        {"name": "openai/gpt-5-mini", "value": "openai/gpt-5-mini"},
    )


async def test_a_button_works_after_a_restart_and_edits_its_message(fake: FakeDiscord, channel: int) -> None:
    ada = fake.add_user()
    async with open_door(fake) as first:
        sent = await first.messenger.send(first.place(channel), page("old"), key="k", buttons=[RETRY])
    async with open_door(fake) as second:
        interaction = fake.click(int(sent), "Retry", ada.id)
        (inbound,) = await second.core.wait_for()
        await second.messenger.answer(inbound, Answer(text="new", replace=True))

        assert inbound.event == Pressed(line="retry discord:123", message_id=sent)
        assert inbound.place == second.place(channel)
        assert interaction.callback_type == 6
        assert fake.message(int(sent)).content == "new"
        assert fake.message(int(sent)).components == ()


async def test_a_button_can_be_refused_in_private_or_just_acknowledged(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user()
    sent = await door.messenger.send(door.place(channel), page("old"), key="k", buttons=[RETRY])
    refused = fake.click(int(sent), "Retry", ada.id)
    quiet = fake.click(int(sent), "Retry", ada.id)
    first, second = await door.core.wait_for(2)
    await door.messenger.answer(first, Answer(text="You may not."))
    await door.messenger.answer(second, Answer(text=""))

    assert [(m.content, m.ephemeral_for) for m in refused.followups] == [("You may not.", ada.id)]
    assert quiet.followups == ()
    assert fake.message(int(sent)).content == "old"


async def test_a_message_that_is_answered_as_a_command_is_answered_in_the_chat_once(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    asked = fake.say(channel, fake.add_user().id, "hello", mentions=[fake.bot_user_id])
    (inbound,) = await door.core.wait_for()
    note = File(name="note.txt", content=b"abc", media_type="text/plain")
    for _ in range(2):
        await door.messenger.answer(inbound, Answer(text="I only talk to friends.", file=note))
    (shown,) = fake.bot_messages(channel)

    assert shown.content == "I only talk to friends."
    assert shown.reference == (channel, asked.id)
    assert [a.filename for a in shown.attachments] == ["note.txt"]


async def test_permissions_that_came_with_an_interaction_are_not_asked_for(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    door, ada = door_with_commands, fake.add_user()
    fake.slash(channel, ada.id, "model")
    (inbound,) = await door.core.wait_for()
    asked = len(fake.requests)

    assert await door.messenger.may_manage(inbound.place, inbound.author)
    assert len(fake.requests) == asked
    stranger = Author(platform="discord", id="1", name="nobody")
    assert not await door.messenger.may_manage(inbound.place, stranger)


async def test_permissions_of_a_minute_ago_are_asked_for_again(fake: FakeDiscord, channel: int) -> None:
    clock, ada = SkippingClock(), fake.add_user()
    async with open_door(fake, clock=clock) as door:
        await fake.wait_for(lambda: fake.commands)
        fake.add_member(next(iter(fake.world.guilds)), ada.id)
        fake.slash(channel, ada.id, "model")
        (inbound,) = await door.core.wait_for()

        assert await door.messenger.may_manage(inbound.place, inbound.author)
        clock.ahead_s = 61
        assert not await door.messenger.may_manage(inbound.place, inbound.author)


async def test_commands_that_could_not_be_registered_are_tried_again(fake: FakeDiscord, channel: int) -> None:
    fake.faults.add("PUT", "/commands$", rate_limited(0.2))
    async with open_door(fake):
        await fake.wait_for(lambda: fake.commands)

    assert len(fake.commands) == len(COMMANDS)


async def test_an_acknowledgement_is_repeated_once_when_the_api_stumbles(
    fake: FakeDiscord, door_with_commands: Door, channel: int
) -> None:
    fake.faults.add("POST", "/callback", Respond(status=503))
    interaction = fake.slash(channel, fake.add_user().id, "stop")
    await door_with_commands.core.wait_for()

    assert interaction.callback_type == 5


async def test_commands_are_registered_once_and_again_when_they_change(fake: FakeDiscord, channel: int) -> None:
    for commands, syncs in ((COMMANDS, 1), (COMMANDS, 1), (COMMANDS[:2], 2)):
        async with open_door(fake, commands=commands):
            await fake.wait_for(lambda: len(fake.commands) == len(commands))  # noqa: B023  # waited for here
            await fake.wait_for(lambda: fake.count_requests("GET", "/commands") >= 1)
        assert fake.command_syncs == syncs

    assert [c["name"] for c in fake.commands] == ["model", "stop"]
