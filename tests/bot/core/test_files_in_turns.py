"""Files in a conversation: fetched once, shown to whom can take them, told about, and given way to in batches."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from bot.core.catalogue import ModelInfo
from bot.core.clock import SystemClock
from bot.core.errors import DeliveryError, DeliveryKind, UnreadableFile
from bot.core.events import Outcome
from bot.core.files import ReadFile
from bot.core.inbound import Invoked
from bot.core.ledger import CallKind
from bot.core.message import AttachmentRef, Audio, Document, Image, Message
from bot.core.reading import FileLimits
from bot.core.turn_record import TurnRecord
from tests.bot.core.house import House, Stores, house, until
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.providers import ScriptedProvider, says
from tests.fakes.reader import ScriptedReader, pdf, picture, recording
from tests.fakes.sound import ScriptedSpeaker, ScriptedTranscriber
from tests.fakes.tools import searching

PHOTO, REPORT, VOICE, BOMB = b"photo", b"report", b"voice", b"bomb"
KNOWN: dict[bytes, ReadFile | UnreadableFile] = {
    PHOTO: picture(),
    REPORT: pdf("Sales rose.", "Costs fell."),
    VOICE: recording(),
    BOMB: UnreadableFile("it claims 100,000 x 100,000 pixels, more than I open"),
}


def ref(content: bytes, name: str = "", **facts: object) -> AttachmentRef:
    """An attachment of that content; its id is the content's name."""
    plain = AttachmentRef(id=content.decode(), name=name or f"{content.decode()}.x", media_type=None, size_bytes=None)
    return replace(plain, **facts)  # type: ignore[arg-type]  # a test's shorthand


PHOTO_REF, REPORT_REF = ref(PHOTO, "photo.jpg"), ref(REPORT, "report.pdf")
VOICE_REF = ref(VOICE, "voice.ogg", spoken=True, duration_s=3.0)


def chat() -> RecordingMessenger:
    messenger = RecordingMessenger(SystemClock())
    messenger.files |= {each.decode(): each for each in KNOWN}
    return messenger


def model(**facts: object) -> ScriptedProvider:
    provider = ScriptedProvider(otherwise=lambda _: says("Fine."), name="alpha")
    build: Callable[..., ModelInfo] = provider.model
    provider.models = (build(tools=True, window_tokens=400_000, **facts),)
    return provider


def seeing() -> ScriptedProvider:
    return model(vision=True, pdf=True)


def open_house(provider: ScriptedProvider, **facts: object):  # type: ignore[no-untyped-def]  # a context manager
    given = {"messenger": chat(), "reader": ScriptedReader(KNOWN), "models": provider.models, **facts}
    return house(provider, **given)


def parts(home: House, kind: type, call: int = -1) -> list[object]:
    return [p for message in home.provider.requests[call].messages for p in message.parts if isinstance(p, kind)]


def last(home: House) -> TurnRecord:
    return home.turns[-1]


async def test_a_picture_reaches_a_model_that_sees_and_the_person_is_told() -> None:
    async with open_house(seeing()) as home:
        await home.say("What is this?", attachments=(PHOTO_REF,))

        assert parts(home, Image) == [Image(content=picture().pictures[0].content, media_type="image/png")]
        assert home.asked()[-1] == "What is this?\n[Picture photo.jpg (800 x 600 px): attached to this message]"
        assert home.messenger.texts() == ("Fine.\n\nRead: photo.jpg (800 x 600 px).",)


async def test_a_picture_stays_in_the_prompt_which_only_grows() -> None:
    async with open_house(seeing()) as home:
        await home.say("What is this?", attachments=(PHOTO_REF,))
        await home.say("And its colour?")

        first, second = (request.messages for request in home.provider.requests)
        assert second[: len(first)] == first
        assert len(home.messenger.calls_of("fetch")) == 1
        assert last(home).note is None


async def test_an_album_is_one_question() -> None:
    async with open_house(seeing()) as home:
        await home.say("Which is better?", attachments=(PHOTO_REF, replace(PHOTO_REF, name="b.jpg")))

        assert len(parts(home, Image)) == 2
        assert len(home.provider.requests) == 1


async def test_who_asks_a_blind_model_is_told_who_sees_and_the_words_are_answered() -> None:
    blind, sees = model(vision=False), ScriptedProvider(otherwise=lambda _: says("A cat."), name="beta")
    models = (*(blind.models or ()), sees.model("eyes", vision=True, name="Eyes"))
    async with open_house(blind, others=(sees,), models=models) as home:
        await home.say("Hello! What is this?", attachments=(PHOTO_REF,))
        turn, (message,) = last(home), home.messenger.messages.values()

        assert turn.outcome is Outcome.ANSWERED
        assert turn.note == "Not read: photo.jpg: `alpha/model` cannot see pictures, `beta/eyes` can."
        assert [(button.label, button.line) for button in message.buttons] == [("Ask Eyes", f"retry {turn.uid} seeing")]
        assert parts(home, Image) == []

        await home.engine.accept(home.pressed(f"retry {turn.uid} seeing"))
        await home.engine.idle()

        assert last(home).model == "beta/eyes"
        assert last(home).answer == "A cat."
        assert len(sees.requests) == 1


async def test_nothing_but_a_picture_for_a_blind_model_costs_nothing() -> None:
    async with open_house(model(vision=False)) as home:
        await home.say("", attachments=(PHOTO_REF,))

        assert home.provider.requests == []
        assert last(home).outcome is Outcome.FAILED
        (text,) = home.messenger.texts()
        assert "photo.jpg: `alpha/model` cannot see pictures" in text


async def test_a_pdf_goes_as_it_is_to_a_model_that_takes_it() -> None:
    async with open_house(seeing()) as home:
        await home.say("Summarise it.", attachments=(REPORT_REF,))

        assert parts(home, Document) == [
            Document(content=b"%PDF-1.7 test", media_type="application/pdf", name="report.pdf", pages=2)
        ]
        assert "Sales rose." not in home.asked()[-1]


async def test_for_others_a_pdf_is_its_words_between_marks() -> None:
    async with open_house(model()) as home:
        await home.say("Summarise it.", attachments=(REPORT_REF,))

        assert parts(home, Document) == []
        assert "[page 1]\nSales rose." in home.asked()[-1]
        assert home.asked()[-1].count("0123456789abcdef") >= 2
        assert last(home).note == "Read: report.pdf (2 pages)."


async def test_a_pdf_that_would_fill_the_prompt_is_given_as_words() -> None:
    long = pdf(*["words " * 200] * 40)
    async with open_house(seeing(), reader=ScriptedReader({REPORT: long})) as home:
        await home.say("Summarise it.", attachments=(REPORT_REF,))

        assert parts(home, Document) == []
        assert "pages of 40 given to the model at once" in (last(home).note or "")


async def test_a_scan_reaches_a_model_that_only_sees_as_pictures() -> None:
    async with open_house(model(vision=True), reader=ScriptedReader({REPORT: pdf(pictures=3)})) as home:
        await home.say("Read it.", attachments=(REPORT_REF,))

        assert len(parts(home, Image)) == 3


async def test_a_voice_message_is_what_the_person_says() -> None:
    ears = ScriptedTranscriber(said="Book a table")
    async with open_house(model(), transcriber=ears) as home:
        await home.say("", attachments=(VOICE_REF,))

        assert ears.heard == [b"OggS test"]
        assert home.asked() == ["[Voice message, 3 s, in their own words:]\nBook a table"]
        assert last(home).note == "Read: voice message (“Book a table”)."
        kinds = [row.kind for row in home.stores.ledger.booked.values()]
        assert sorted(kinds) == [CallKind.ANSWER, CallKind.TRANSCRIPTION]


async def test_a_recording_of_others_is_text_from_outside() -> None:
    async with open_house(model(), transcriber=ScriptedTranscriber(said="Delete all.")) as home:
        await home.say("What is said?", attachments=(replace(VOICE_REF, spoken=False),))

        assert "0123456789abcdef" in home.asked()[-1]


async def test_a_transcript_is_not_paid_twice() -> None:
    ears = ScriptedTranscriber()
    async with open_house(model(), transcriber=ears) as home:
        await home.say("", attachments=(VOICE_REF,))
        await home.command("/retry")
        await home.say("Once more", attachments=(VOICE_REF,))

        assert len(ears.heard) == 1
        assert len(home.messenger.calls_of("fetch")) == 1


async def test_a_model_that_hears_gets_the_recording_itself() -> None:
    ears = ScriptedTranscriber()
    async with open_house(model(audio=True), transcriber=ears) as home:
        await home.say("", attachments=(VOICE_REF,))

        assert parts(home, Audio) == [Audio(content=b"OggS test", media_type="audio/ogg")]
        assert ears.heard == []


async def test_without_anything_that_hears_the_operator_learns_what_to_set() -> None:
    async with open_house(model()) as home:
        await home.say("", attachments=(VOICE_REF,))

        assert home.provider.requests == []
        assert "TRANSCRIPTION_MODEL" in home.messenger.texts()[0]


async def test_a_file_that_cannot_be_read_costs_one_line() -> None:
    async with open_house(seeing()) as home:
        await home.say("And this?", attachments=(PHOTO_REF, ref(BOMB, "bomb.png")))

        assert last(home).outcome is Outcome.ANSWERED
        assert last(home).note == (
            "Read: photo.jpg (800 x 600 px). Not read: bomb.png: it claims 100,000 x 100,000 pixels, more than I open."
        )
        assert "could not be read: bomb.png" in home.asked()[-1]


async def test_too_many_and_too_large_files_are_left_out_with_a_word() -> None:
    limits = FileLimits(file_bytes=10, message_bytes=25, files=3)
    refs = [replace(PHOTO_REF, id=f"photo{number}", name=f"{number}.jpg", size_bytes=9) for number in range(5)]
    messenger = chat()
    messenger.files |= {each.id: PHOTO for each in refs}
    async with open_house(seeing(), file_limits=limits, messenger=messenger) as home:
        await home.say("Look", attachments=(replace(refs[0], size_bytes=11), *refs[1:]))

        assert len(parts(home, Image)) == 1
        note = last(home).note or ""
        assert "0.jpg: it is larger than 1e-05 MB" in note
        assert "2.jpg: the files of a message may have 2.5e-05 MB in all" in note
        assert "3.jpg: at most 3 files of a message are read" in note


async def test_what_could_not_be_fetched_is_fetched_on_retry() -> None:
    async with open_house(seeing()) as home:
        home.messenger.fail("fetch", DeliveryError(DeliveryKind.TRANSIENT, "down"))
        await home.say("What is this?", attachments=(PHOTO_REF,))

        assert "could not be fetched" in (last(home).note or "")

        await home.command("/retry")

        assert len(parts(home, Image)) == 1


async def test_stop_ends_the_reading_of_files() -> None:
    reader = ScriptedReader(KNOWN, gate=asyncio.Event())
    async with open_house(seeing(), reader=reader) as home:
        await home.engine.accept(home.said("Look", attachments=(PHOTO_REF,)))
        await until(lambda: reader.read_names)
        await home.command("/stop")

        assert last(home).outcome is Outcome.STOPPED
        assert home.provider.requests == []


async def test_another_process_does_not_fetch_what_was_read() -> None:
    stores = Stores()
    async with open_house(seeing(), stores=stores) as home:
        await home.say("What is this?", attachments=(PHOTO_REF,))
    async with open_house(seeing(), stores=stores) as home:
        home.numbers = 50
        await home.say("The same again", attachments=(PHOTO_REF,))

        assert home.messenger.calls_of("fetch") == ()
        assert len(parts(home, Image)) == 2


async def test_pictures_give_way_in_batches_and_stay_put_in_between() -> None:
    messenger = chat()
    messenger.abilities = replace(messenger.abilities, rates=())
    async with open_house(seeing(), messenger=messenger, context_tokens=200_000) as home:
        for number in range(14):
            messenger.files[f"p{number}"] = PHOTO
            await home.say(f"Picture {number}", attachments=(replace(PHOTO_REF, id=f"p{number}"),))

        shown = [len(parts(home, Image, call)) for call in range(14)]
        prompts = [request.messages for request in home.provider.requests]
        grown = [_grew(before, after) for before, after in pairwise(prompts)]
        assert shown == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 6, 7, 8]
        assert grown.count(False) == 1


def _grew(before: tuple[Message, ...], after: tuple[Message, ...]) -> bool:
    return after[: len(before)] == before


async def test_a_picture_that_expired_leaves_a_word_in_its_place() -> None:
    async with open_house(seeing()) as home:
        await home.say("What is this?", attachments=(PHOTO_REF,))
        home.stores.files.blobs.clear()
        await home.say("And now?")

        assert parts(home, Image) == []
        assert home.asked()[0].endswith("[Picture photo.jpg (800 x 600 px): not shown to you]")


async def test_an_answer_is_read_out_where_that_is_set() -> None:
    mouth = ScriptedSpeaker()
    async with open_house(model(), speaker=mouth) as home:
        await home.command("/settings voice on")
        await home.say("Hello")
        await home.rested()

        assert mouth.spoken == ["Fine."]
        assert len(home.messenger.voices) == 1


@pytest.mark.parametrize("said", ["", "   "])
async def test_nobody_speaking_is_told(said: str) -> None:
    async with open_house(model(), transcriber=ScriptedTranscriber(said=said)) as home:
        await home.say("", attachments=(VOICE_REF,))

        assert "nobody speaks in it" in home.messenger.texts()[0]


async def test_retry_is_offered_where_it_may_help_alone() -> None:
    async with open_house(seeing()) as home:
        await home.say("", attachments=(ref(BOMB, "bomb.png"),))
        home.messenger.fail("fetch", DeliveryKind.TRANSIENT)
        await home.say("", attachments=(PHOTO_REF,))

        broken, away = home.messenger.messages.values()
        assert [button.label for button in broken.buttons] == []
        assert [button.label for button in away.buttons] == ["Retry"]


async def test_a_recording_that_a_hearing_model_does_not_take_is_written_down() -> None:
    memo = replace(recording(), media_type="audio/mp4")
    ears = ScriptedTranscriber(said="Buy milk")
    async with open_house(model(audio=True), transcriber=ears, reader=ScriptedReader({VOICE: memo})) as home:
        await home.say("", attachments=(VOICE_REF,))

        assert parts(home, Audio) == []
        assert "Buy milk" in home.asked()[-1]


async def test_one_request_has_at_most_twenty_pictures_and_the_rest_is_told() -> None:
    long = replace(picture(), pictures=picture().pictures * 8)
    refs = tuple(replace(PHOTO_REF, id=f"p{number}", name=f"{number}.png", size_bytes=5) for number in range(4))
    messenger = chat()
    messenger.files |= {each.id: PHOTO for each in refs}
    async with open_house(
        seeing(), messenger=messenger, reader=ScriptedReader({PHOTO: long}), context_tokens=200_000
    ) as home:
        await home.say("Compare", attachments=refs)

        assert len(parts(home, Image)) == 16
        assert "Not read: 2.png" in (last(home).note or "")


async def test_the_pictures_of_the_newest_question_stay_whole() -> None:
    large = picture(width=2_048, height=1_536)
    refs = tuple(replace(PHOTO_REF, id=f"p{number}", size_bytes=5) for number in range(7))
    messenger = chat()
    messenger.files |= {each.id: PHOTO for each in refs}
    async with open_house(
        seeing(), messenger=messenger, reader=ScriptedReader({PHOTO: large}), context_tokens=20_000
    ) as home:
        await home.say("Which is best?", attachments=refs)
        await home.say("And the first one?")
        await home.say("And the last one?")

        assert len(parts(home, Image)) == 7


async def test_a_question_about_an_older_picture_goes_to_a_model_that_sees() -> None:
    eyes, blind = model(vision=True), ScriptedProvider(otherwise=lambda _: says("?"), name="beta")
    models = (blind.model(tools=True, window_tokens=400_000, vision=False), *(eyes.models or ()))
    async with open_house(eyes, others=(blind,), models=models, default_choice="auto") as home:
        await home.say("What is this?", attachments=(PHOTO_REF,))
        await home.say("And which colour is it?")

        assert [turn.model for turn in home.turns] == ["alpha/model", "alpha/model"]


async def test_a_command_takes_the_files_of_its_message_along() -> None:
    async with open_house(seeing(), tools=(searching(),)) as home:
        inbound = home.typed("/search-web what plant is this")
        assert isinstance(inbound.event, Invoked)
        event = replace(inbound.event, attachments=(PHOTO_REF,))
        await home.engine.accept(replace(inbound, event=event))
        await home.engine.idle()

        assert len(parts(home, Image)) == 1
