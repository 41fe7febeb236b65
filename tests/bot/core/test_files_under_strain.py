"""Files in a conversation where something goes wrong or is large."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from bot.core.errors import ContextTooLong, DeliveryKind, ProviderUnavailable, StorageUnavailable
from bot.core.events import Outcome, TextDelta
from bot.core.files import FileNote
from bot.core.inbound import Quoted
from bot.core.ledger import CallStatus
from bot.core.message import Document, Image
from bot.core.reading import FileLimits
from bot.core.sound import Transcript
from bot.core.tools import ToolContext, ToolOutput
from tests.bot.core.house import Stores, until
from tests.bot.core.test_files_in_turns import (
    KNOWN,
    PHOTO,
    PHOTO_REF,
    REPORT,
    REPORT_REF,
    VOICE_REF,
    chat,
    last,
    model,
    open_house,
    parts,
    ref,
    seeing,
)
from tests.fakes.files import MemoryFiles
from tests.fakes.memory_threads import MemoryThreadStore
from tests.fakes.providers import Hold, ScriptedProvider, calls_tool, says
from tests.fakes.reader import ScriptedReader, pdf, picture, recording
from tests.fakes.sound import ScriptedTranscriber
from tests.fakes.tools import ScriptedTool, searching

LARGE = picture(width=2048, height=1536)


class _Shaky(MemoryFiles):
    """Away for the first note that is asked for."""

    failures = 1

    async def note(self, attachment_key: str) -> FileNote | None:
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("away for a moment")
        return await super().note(attachment_key)


async def test_an_outage_while_files_are_read_is_waited_out() -> None:
    stores = Stores(files=_Shaky())
    async with open_house(seeing(), stores=stores) as home:
        await home.say("What is this?", attachments=(PHOTO_REF,))

        assert [turn.outcome for turn in home.turns] == [Outcome.ANSWERED]


async def test_a_process_that_dies_while_it_reads_a_file_has_called_no_model() -> None:
    stores = Stores(threads=MemoryThreadStore("first", lease_s=0.2))
    reader = ScriptedReader(KNOWN, gate=asyncio.Event())
    async with open_house(seeing(), stores=stores, reader=reader) as home:
        await home.engine.accept(home.said("Look", attachments=(PHOTO_REF,)))
        await until(lambda: reader.read_names)
    async with open_house(seeing(), stores=stores, threads=stores.threads.rival("second")) as home:
        await until(lambda: home.turns)
        await home.engine.idle()

        rows = list(stores.ledger.booked.values())
        assert [row.status for row in rows] == [CallStatus.COMPLETED], rows


async def test_a_call_that_is_stopped_is_booked_with_its_pictures() -> None:
    hold = Hold()
    provider = seeing()
    provider.then((TextDelta(text="It is "), hold))
    async with open_house(provider, reader=ScriptedReader({PHOTO: LARGE})) as home:
        await home.engine.accept(home.said("What is this?", attachments=(PHOTO_REF,)))
        await hold.reached()
        await home.command("/stop")
        await home.engine.idle()

        (row,) = home.stores.ledger.booked.values()
        assert row.usage_estimated
        assert row.usage.input_tokens >= 1_600, row.usage


async def test_an_album_does_not_take_the_conversation_along() -> None:
    refs = tuple(replace(PHOTO_REF, id=f"p{number}") for number in range(6))
    messenger = chat()
    messenger.files |= {each.id: PHOTO for each in refs}
    reader = ScriptedReader({PHOTO: LARGE})
    async with open_house(seeing(), messenger=messenger, reader=reader, context_tokens=20_000) as home:
        await home.say("My name is Ada.")
        await home.say("Which is best?", attachments=refs)
        await home.say("What is my name?")

        assert any("My name is Ada." in text for text in home.asked())


async def test_a_scan_that_is_too_long_is_not_called_expired() -> None:
    scan = pdf(pictures=12)
    async with open_house(seeing(), reader=ScriptedReader({REPORT: scan}), context_tokens=20_000) as home:
        await home.say("Read it.", attachments=(REPORT_REF,))

        assert "not kept any more" not in (last(home).note or ""), last(home).note


async def test_a_long_scan_of_which_few_pages_are_pictures_reaches_a_model_that_sees() -> None:
    scan = replace(pdf(pictures=4), total=50)
    async with open_house(model(vision=True), reader=ScriptedReader({REPORT: scan}), context_tokens=20_000) as home:
        await home.say("Read it.", attachments=(REPORT_REF,))

        assert len(parts(home, Image)) == 4, last(home).note


async def test_a_recording_without_words_is_paid_once() -> None:
    ears = ScriptedTranscriber(said="")
    async with open_house(model(), transcriber=ears) as home:
        await home.say("What is this?", attachments=(VOICE_REF,))
        await home.command("/retry")
        await home.say("And now?", attachments=(VOICE_REF,))

        assert len(ears.heard) == 1


async def test_a_recording_without_words_is_not_paid_for_each_model_of_the_chain() -> None:
    ears = ScriptedTranscriber(said="")
    down = ScriptedProvider(otherwise=lambda _: (ProviderUnavailable("down", provider="alpha"),), name="alpha")
    spare = ScriptedProvider(otherwise=lambda _: says("Fine."), name="beta")
    models = (down.model(window_tokens=400_000), spare.model(window_tokens=400_000))
    down.models = models
    async with open_house(down, transcriber=ears, others=(spare,), models=models, fallback=("beta/model",)) as home:
        await home.say("What is this?", attachments=(VOICE_REF,))

        assert last(home).answer == "Fine."
        assert len(ears.heard) == 1


class _Second(ScriptedTranscriber):
    """Hangs at the second recording, once."""

    hung = False

    async def transcribe(self, content: bytes, media_type: str, *, duration_s: float | None) -> Transcript:
        if content == b"two" and not self.hung:
            self.hung = True
            self.heard.append(content)
            await asyncio.Event().wait()
        return await ScriptedTranscriber.transcribe(self, content, media_type, duration_s=duration_s)


async def test_what_was_transcribed_before_a_stop_is_not_paid_again() -> None:
    ears = _Second()
    messenger = chat()
    messenger.files |= {"one": b"1", "two": b"2"}
    reader = ScriptedReader({b"1": recording(b"one"), b"2": recording(b"two")})
    refs = tuple(replace(VOICE_REF, id=each) for each in ("one", "two"))
    async with open_house(model(), transcriber=ears, messenger=messenger, reader=reader) as home:
        await home.engine.accept(home.said("", attachments=refs))
        await until(lambda: ears.hung)
        await home.command("/stop")
        await home.engine.idle()
        await home.command("/retry")

        assert last(home).outcome is Outcome.ANSWERED
        assert ears.heard.count(b"one") == 1


async def test_the_rest_of_a_long_recording_can_be_read_in_the_same_turn() -> None:
    ears = ScriptedTranscriber(said="All that was said. " * 5_000)
    tool = ScriptedTool(name="read_attachment")
    async with open_house(model(), transcriber=ears, tools=(tool,)) as home:
        await home.say("Summarise it.", attachments=(replace(VOICE_REF, spoken=False),))

        assert "given to the model at once" in (last(home).note or "")
        assert [spec.name for spec in home.provider.requests[0].tools] == ["read_attachment"]


async def test_an_address_that_was_spoken_may_be_read() -> None:
    known: list[bool] = []

    async def reads(arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        known.append(context.is_known("https://mine.example/"))
        return ToolOutput(text="read")

    provider = model()
    provider.then(calls_tool("read_page"), says("Read."))
    page = ScriptedTool(name="read_page", output=reads)
    ears = ScriptedTranscriber(said="Read https://mine.example/ to me")
    async with open_house(provider, transcriber=ears, tools=(page,)) as home:
        await home.say("", attachments=(VOICE_REF,))

        assert known == [True]


async def test_a_spoken_question_is_looked_up_where_search_is_always_on() -> None:
    tool = searching("It rains.", "https://weather.example/oslo")
    ears = ScriptedTranscriber(said="Does it rain in Oslo?")
    async with open_house(model(), transcriber=ears, tools=(tool,)) as home:
        await home.command("/settings search always")
        await home.say("", attachments=(VOICE_REF,))

        assert tool.calls == [{"query": "Does it rain in Oslo?"}]


async def test_files_of_unknown_size_count_by_what_they_have() -> None:
    messenger = chat()
    refs = tuple(replace(PHOTO_REF, id=f"p{number}", name=f"{number}.txt") for number in range(5))
    messenger.files |= {each.id: b"x" * 10 for each in refs}
    limits = FileLimits(file_bytes=10, message_bytes=25)
    async with open_house(model(), messenger=messenger, file_limits=limits) as home:
        await home.say("Look", attachments=refs)

        assert sum(note.text_sha256 is not None for note in last(home).items[0].files) == 2


async def test_the_words_of_merged_messages_files_share_what_files_may_take() -> None:
    hold = Hold()
    provider = model()
    provider.then((hold, *says("One.")))
    messenger = chat()
    messenger.files |= {f"t{number}": b"word " * 20_000 for number in range(5)}
    limits = FileLimits(excerpt_tokens=6_000)
    async with open_house(provider, messenger=messenger, file_limits=limits, context_tokens=20_000) as home:
        await home.engine.accept(home.said("One"))
        await hold.reached()
        for number in range(5):
            await home.engine.accept(home.said("", attachments=(ref(f"t{number}".encode(), "t.txt"),)))
        hold.release()
        await home.engine.idle()

        assert sum(len(text) for text in home.asked()) < 4 * 20_000


async def test_a_quoted_file_that_could_not_be_fetched_is_fetched_when_somebody_replies_to_it() -> None:
    async with open_house(seeing()) as home:
        home.messenger.fail("fetch", DeliveryKind.TRANSIENT)
        inbound = await home.say("What is this?", attachments=(PHOTO_REF,))
        quoted = Quoted(
            message_id=inbound.event.message_id,
            author_name="Ada",
            text="What is this?",
            by_bot=False,
            attachments=(PHOTO_REF,),
        )
        await home.say("I mean this", quoted=quoted, attachments=(PHOTO_REF,))

        assert len(parts(home, Image)) == 1


async def test_documents_of_older_turns_give_way_by_their_bytes() -> None:
    """Anthropic takes 32 MB, base64 included."""
    contents = [bytes([number]) * 9_000_000 for number in range(5)]
    messenger = chat()
    reader = ScriptedReader({each: pdf("Short.", content=each) for each in contents})
    async with open_house(seeing(), messenger=messenger, reader=reader, context_tokens=100_000) as home:
        for number in range(5):
            messenger.files[f"d{number}"] = contents[number]
            await home.say("Read it", attachments=(ref(f"d{number}".encode(), "d.pdf"),))

        most = max(
            sum(len(p.content) for m in request.messages for p in m.parts if isinstance(p, Document))
            for request in home.provider.requests
        )
        assert most * 4 / 3 < 32_000_000, most


async def test_a_request_with_too_many_pictures_is_not_repeated_as_it_was() -> None:
    provider = seeing()
    provider.then(
        (ContextTooLong("too long", provider="alpha", status=400),),
        (ContextTooLong("too long", provider="alpha", status=400),),
    )
    async with open_house(provider) as home:
        await home.say("What is this?", attachments=(PHOTO_REF,))

        sent = [request.messages for request in provider.requests]
        assert len(sent) == 1 or sent[0] != sent[1]


async def test_an_answer_that_is_given_again_does_not_hide_what_hearing_cost() -> None:
    messenger = chat()
    messenger.files |= {"one": b"1", "two": b"2"}
    reader = ScriptedReader({b"1": recording(b"one"), b"2": recording(b"two")})
    async with open_house(
        model(), transcriber=ScriptedTranscriber(said="Hi"), messenger=messenger, reader=reader, answer_ttl_s=60.0
    ) as home:
        await home.say("", attachments=(replace(VOICE_REF, id="one"),))
        await home.command("/new")
        await home.say("", attachments=(replace(VOICE_REF, id="two"),))

        route = last(home).route
        assert route is not None
        assert route.cached
        assert sum(row.cost.nano_usd or 0 for row in last(home).calls) > 0
        assert "no cost" not in (last(home).note or "")
