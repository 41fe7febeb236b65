"""Recordings in words: asks the transcriber, pays it, and puts what was said into the message.

Knows no service. What a recording costs in a budget is held before, like any call.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from bot.core.bills import Bills
from bot.core.errors import LimitReached, ProviderError, ProviderUnavailable, RequestRejected, explain
from bot.core.excerpts import take
from bot.core.files import FileKind, FileNote, FileStore
from bot.core.ledger import CallKind
from bot.core.ports import Clock, Pricer
from bot.core.sound import Transcriber, Transcript
from bot.core.tokens import estimate_tokens
from bot.core.turn_record import Item

log = logging.getLogger(__name__)

#: Nothing may hang on a service longer, however long the recording is.
TIMEOUT_S = 120.0
_NOT_SET_UP = (
    "it cannot be heard here: the operator has to set TRANSCRIPTION_MODEL or a key of a provider that transcribes "
    "(GROQ_API_KEY, OPENAI_API_KEY)"
)
_REFUSED = "it was refused by the service that transcribes: send it as MP3, M4A, Ogg or WAV, or a shorter one"
_AGAIN = "it could not be transcribed: ask once more with /retry"


class Hearing:
    """One turn's. `transcriber` None: there is none."""

    def __init__(
        self,
        transcriber: Transcriber | None,
        *,
        files: FileStore,
        bills: Bills,
        price: Pricer,
        clock: Clock,
        excerpt_tokens: int,
    ) -> None:
        self._transcriber = transcriber
        self._files = files
        self._bills = bills
        self._price = price
        self._clock = clock
        self._excerpt_tokens = excerpt_tokens

    async def heard(self, item: Item, *, note_key: Callable[[int], str]) -> Item:
        """The message with its recordings in words; `note_key` names a file in the store.

        Raises StorageUnavailable.
        """
        notes = list(item.files)
        for number, note in enumerate(notes):
            if note.kind is not FileKind.AUDIO or note.heard:
                continue
            # An attempt that was stopped may have come to this one.
            known = await self._files.note(note_key(number))
            if known is not None and known.heard:
                notes[number] = replace(known, name=note.name, spoken=note.spoken)
                continue
            notes[number] = await self._transcribed(note)
            if notes[number].heard:
                await self._files.set_note(note_key(number), notes[number])
        return replace(item, files=tuple(notes))

    async def _transcribed(self, note: FileNote) -> FileNote:
        transcriber = self._transcriber
        if transcriber is None:
            return replace(note, remark=_NOT_SET_UP)
        sha256 = note.content_sha256 or ""
        content = (await self._files.load([sha256])).get(sha256)
        if content is None:
            return replace(note, remark="it is not kept any more: send it again")
        try:
            transcript = await self._ask(transcriber, note, content)
        except LimitReached as limit:
            return replace(note, remark=f"it was not transcribed. {limit}", again=True)
        except RequestRejected as error:
            log.warning("a recording was refused: %r", error)
            return replace(note, remark=_REFUSED)
        except ProviderError as error:
            log.warning("a recording was not transcribed: %r", error)
            return replace(note, remark=f"{_AGAIN} ({explain(error, reference='').what.rstrip('.')})", again=True)
        return await self._with(note, transcript, transcriber)

    async def _with(self, note: FileNote, transcript: Transcript, transcriber: Transcriber) -> FileNote:
        text = transcript.text.strip()
        if not text:
            return replace(note, remark="nobody speaks in it", heard=True, again=False)
        excerpt = take([text], "", limit_tokens=self._excerpt_tokens, estimate=estimate_tokens)
        said = f"transcribed by {transcriber.model.ref}"
        return replace(
            note,
            text_sha256=await self._files.save(text.encode("utf-8", "replace"), "text/plain"),
            excerpt=excerpt.text,
            heard=True,
            chars=len(text),
            remark=said if excerpt.remark is None else f"{said}; {excerpt.remark}",
            again=False,
        )

    async def _ask(self, transcriber: Transcriber, note: FileNote, content: bytes) -> Transcript:
        """Raises LimitReached or ProviderError."""
        model, at = transcriber.model, self._clock.now()
        # A recording of an hour takes a while to look through.
        most = await asyncio.to_thread(transcriber.worst_case, content, note.duration_s)
        worst = self._price(most, model, at, estimated=True)
        row_id = await self._bills.hold(worst.nano_usd)
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                transcript = await transcriber.transcribe(
                    content, note.media_type or "audio/ogg", duration_s=note.duration_s
                )
        except (TimeoutError, asyncio.CancelledError) as error:
            self._bills.broken_off(
                row_id,
                CallKind.TRANSCRIPTION,
                str(model.ref),
                worst.nano_usd,
                duration_s=self._clock.monotonic() - started,
            )
            if isinstance(error, asyncio.CancelledError):
                raise
            raise ProviderUnavailable("no transcript in time", provider=model.ref.provider) from None
        except ProviderError:
            await self._bills.release(row_id)
            raise
        await self._bills.book(
            row_id,
            CallKind.TRANSCRIPTION,
            str(model.ref),
            transcript.usage,
            self._price(transcript.usage, model, at, estimated=transcript.estimated),
            estimated=transcript.estimated,
            duration_s=self._clock.monotonic() - started,
        )
        return transcript
