"""/speak: which answer is read out, where it appears, and what people are told when it is not."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.commands.speak import COMMAND
from bot.core.events import Outcome
from bot.core.ledger import CallKind, Whose
from bot.core.ports import Answer
from bot.core.rate_limits import Pace
from bot.core.speaking import NO_SPEAKER
from bot.core.turn_record import Item, ItemKind, TurnRecord
from tests.bot.core.spending import limit
from tests.fakes.desk import ANN, PRIVATE, THREAD, Counter
from tests.fakes.messenger import Call, RecordingMessenger
from tests.fakes.sound import ScriptedSpeaker

AT = datetime(2026, 11, 20, tzinfo=UTC)


def turn(uid: str, answer: str, *, seq: int = 1, thread_key: str = PRIVATE.thread_key) -> TurnRecord:
    item = Item(
        uid=uid,
        kind=ItemKind.MESSAGE,
        author_key=ANN.key,
        author_name="Ann",
        text="?",
        message_id=f"{uid}-question",
        at=AT,
        order=seq,
    )
    return TurnRecord(
        uid=uid,
        thread_key=thread_key,
        seq=seq,
        fence=1,
        at=AT,
        items=(item,),
        steps=(),
        answer=answer,
        outcome=Outcome.ANSWERED,
        reason=None,
        model="alpha/one",
        message_ids=(f"{uid}-answer",),
    )


async def counter(*turns: TurnRecord, **facts: object) -> Counter:
    made = Counter(commands=(COMMAND,), **facts)  # type: ignore[arg-type]  # the test's own keywords
    for each in turns:
        await made.turns.append(each)
    return made


def voices(made: Counter) -> tuple[Call, ...]:
    messenger = made.desk.messenger
    assert isinstance(messenger, RecordingMessenger)
    return messenger.calls_of("send_voice")


async def test_the_last_answer_is_read_out_and_nothing_else_is_said() -> None:
    speaker = ScriptedSpeaker()
    made = await counter(turn("x:1", "First."), turn("x:2", "The **second**.", seq=2), speaker=speaker)

    answer = await made.type("/speak")

    (sent,) = voices(made)
    (row,) = made.ledger.booked.values()
    assert answer == Answer(text="")
    assert speaker.spoken == ["The second."]
    assert (sent.place, sent.reply_to) == (PRIVATE, "1000")
    assert row.kind is CallKind.SPEECH
    assert row.id.startswith("x:1000~")


async def test_a_slash_command_replies_to_the_answer_and_a_button_to_its_own_message() -> None:
    made = await counter(turn("x:1", "First."), turn("x:2", "Second.", seq=2), speaker=ScriptedSpeaker())

    await made.slash("speak")
    await made.press("speak x:1")

    assert [call.reply_to for call in voices(made)] == ["x:2-answer", "1001"]
    assert isinstance(made.speaker, ScriptedSpeaker)
    assert made.speaker.spoken == ["Second.", "First."]


async def test_a_turn_of_another_conversation_is_nobodys_to_hear() -> None:
    other = turn("x:9", "A secret.", thread_key=THREAD.thread_key)
    made = await counter(other, speaker=ScriptedSpeaker())

    answer = await made.type("/speak x:9")

    assert answer.text == "There is no answer here to read out yet."
    assert voices(made) == ()


async def test_nothing_and_a_failed_turn_are_nothing_to_read() -> None:
    empty = await counter(speaker=ScriptedSpeaker())
    failed = await counter(replace(turn("x:1", ""), outcome=Outcome.FAILED), speaker=ScriptedSpeaker())

    texts = [(await each.type("/speak")).text for each in (empty, failed)]

    assert texts == ["There is no answer here to read out yet."] * 2


async def test_without_a_speech_model_the_setting_is_named() -> None:
    made = await counter(turn("x:1", "First."))

    assert (await made.type("/speak")).text == NO_SPEAKER


async def test_a_budget_without_room_is_told_and_nothing_is_spoken() -> None:
    speaker = ScriptedSpeaker()
    made = await counter(turn("x:1", "First."), speaker=speaker, limits=(limit(Whose.USER, 1),))

    answer = await made.type("/speak")

    assert "budget" in answer.text.lower()
    assert (speaker.spoken, voices(made)) == ([], ())


async def test_a_request_to_speak_counts_as_a_request() -> None:
    speaker = ScriptedSpeaker()
    made = await counter(turn("x:1", "First."), speaker=speaker, pace=Pace(user_requests=1))

    await made.type("/speak")
    answer = await made.type("/speak")

    assert len(speaker.spoken) == 1
    assert "minute" in answer.text or "second" in answer.text
