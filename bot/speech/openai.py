"""Sound over OpenAI's audio API: OpenAI itself, Groq, and servers that speak alike (speaches, LocalAI, Kokoro).

`POST /audio/transcriptions` takes a form with the file, `POST /audio/speech` JSON. Importing this loads the SDK.
"""

import asyncio
import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx2
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    AsyncStream,
    OpenAIError,
    Timeout,
)

from bot.core.catalogue import ModelInfo
from bot.core.errors import ProviderError
from bot.core.events import Usage
from bot.core.sound import Spoken, Transcript
from bot.core.sound_models import SpeechRow, TranscriptionRow
from bot.speech import _measure
from bot.speech._failures import MAX_BYTES, refused, unusable
from bot.speech._recordings import no_sound, upload, voice_of
from bot.speech.service import Connection, api_root

#: All that a call and reading its answer can raise; JSON of another shape shows as one of the last four.
_WIRE_ERRORS = (OpenAIError, httpx2.HTTPError, ValueError, AttributeError, TypeError, KeyError)
#: Whisper's own rule for a stretch in which nobody speaks: it is sure of that, and not of what it wrote down.
_NO_SPEECH, _UNSURE = 0.6, -1.0


class OpenAITranscriber:
    """`Transcriber` over `POST /audio/transcriptions`."""

    def __init__(self, connection: Connection, row: TranscriptionRow) -> None:
        self._name = connection.name
        self._clock = connection.clock
        self._row = row
        self._client = _open_client(connection)

    @property
    def model(self) -> ModelInfo:
        return self._row.model

    def worst_case(self, content: bytes, duration_s: float | None) -> Usage:
        return _measure.billed_s(self._row, _measure.most_s(content, duration_s))

    async def transcribe(self, content: bytes, media_type: str, *, duration_s: float | None) -> Transcript:
        file = upload(content, media_type, provider=self._name)
        try:
            response = await self._client.audio.transcriptions.with_raw_response.create(
                file=file,
                model=self._row.model.ref.id,
                response_format="verbose_json" if self._row.timed else "json",
            )
            answer = response.http_response.json()
            text = _text_from_wire(answer)
            usage = self._usage_from_wire(answer)
        except _WIRE_ERRORS as error:
            raise _translate_error(error, self._name, self._clock.now()) from None
        if usage is not None:
            return Transcript(text=text, usage=usage)
        # Hours of sound take a while to look through.
        seconds = await asyncio.to_thread(_measure.likely_s, content, duration_s)
        return Transcript(text=text, usage=_measure.billed_s(self._row, seconds), estimated=True)

    async def aclose(self) -> None:
        await self._client.close()

    def _usage_from_wire(self, answer: Mapping[str, Any]) -> Usage | None:
        """What is billed: seconds or tokens as reported, the seconds where the row has a price for them alone."""
        told = answer.get("usage") or {}
        if told.get("type") == "tokens" and not _measure.bills_hours(self._row.model):
            heard = told.get("input_token_details") or {}
            return Usage(
                input_tokens=_measure.counted(told["input_tokens"]),
                output_tokens=_measure.counted(told["output_tokens"]),
                audio_tokens=_measure.counted(heard.get("audio_tokens") or 0),
            )
        seconds = told.get("seconds", answer.get("duration"))
        return None if seconds is None else _measure.billed_s(self._row, float(seconds))


class OpenAISpeaker:
    """`Speaker` over `POST /audio/speech`."""

    def __init__(self, connection: Connection, row: SpeechRow, voice: str) -> None:
        self._name = connection.name
        self._clock = connection.clock
        self._row = row
        self._voice = voice
        self._client = _open_client(connection)

    @property
    def model(self) -> ModelInfo:
        return self._row.model

    def worst_case(self, text: str) -> Usage:
        return _measure.reading_at_most(self._row.model, text)

    async def speak(self, text: str) -> Spoken:
        sound = _Sound(self._name)
        try:
            if self._row.events:
                usage = await self._read_events(text, sound)
            else:
                usage = await self._read_whole(text, sound)
        except _WIRE_ERRORS as error:
            raise _translate_error(error, self._name, self._clock.now(), begun=sound.begun) from None
        voice = voice_of(sound.content, provider=self._name)
        if _measure.counts_characters(self._row.model):
            return Spoken(voice=voice, usage=_measure.characters_of(text))
        if usage is not None:
            return Spoken(voice=voice, usage=usage)
        return Spoken(voice=voice, usage=_measure.reading(self._row.model, text, voice.duration_s), estimated=True)

    async def aclose(self) -> None:
        await self._client.close()

    async def _read_whole(self, text: str, sound: "_Sound") -> Usage | None:
        request = self._client.audio.speech.with_streaming_response.create(
            input=text, model=self._row.model.ref.id, voice=self._voice, response_format=self._row.format.value
        )
        async with request as response:
            async for piece in response.iter_bytes():
                sound.add(piece)
        return None

    async def _read_events(self, text: str, sound: "_Sound") -> Usage | None:
        """The sound in pieces, and what was used:

        {"type": "speech.audio.delta", "audio": "T2dnUw..."} ..., {"type": "speech.audio.done", "usage": {...}}
        """
        body = {
            "model": self._row.model.ref.id,
            "input": text,
            "voice": self._voice,
            "response_format": self._row.format.value,
            "stream_format": "sse",
        }
        stream = await self._client.post(
            "/audio/speech", cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object]
        )
        async with stream:
            async for event in stream:
                done = sound.take(event)
                if done is not None:
                    return _tokens_from_wire(done)
        raise unusable(self._name, "the stream ended without its end", begun=True)


class _Sound:
    """The sound of an answer as it comes in. `begun`: some of it did, so that the call is probably billed."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._pieces: list[bytes] = []
        self._bytes = 0

    @property
    def begun(self) -> bool:
        return bool(self._pieces)

    @property
    def content(self) -> bytes:
        return b"".join(self._pieces)

    def add(self, piece: bytes) -> None:
        """More of it. Raises ProviderError for what does not end."""
        self._pieces.append(piece)
        self._bytes += len(piece)
        if self._bytes > MAX_BYTES:
            raise no_sound(self._provider)

    def take(self, event: Any) -> Mapping[str, Any] | None:
        """One event; returns the last one."""
        if event["type"] == "speech.audio.delta":
            self.add(base64.b64decode(event["audio"], validate=True))
        return event if event["type"] == "speech.audio.done" else None


def build_transcriber(connection: Connection, row: TranscriptionRow) -> OpenAITranscriber:
    """Make the transcriber."""
    return OpenAITranscriber(connection, row)


def build_speaker(connection: Connection, row: SpeechRow, voice: str) -> OpenAISpeaker:
    """Make the speaker."""
    return OpenAISpeaker(connection, row, voice)


def _open_client(connection: Connection) -> AsyncOpenAI:
    """A client that never retries; it takes nothing from the environment but proxies."""
    client = AsyncOpenAI(
        api_key=connection.key.get_secret_value() if connection.key else "none",
        base_url=api_root(connection.base_url or "https://api.openai.com/v1"),
        timeout=Timeout(connect=10.0, read=connection.read_timeout_s, write=60.0, pool=10.0),
        max_retries=0,
    )
    # The SDK fills these from OPENAI_ORG_ID and OPENAI_PROJECT_ID, for any server.
    client.organization = client.project = None
    return client


def _text_from_wire(answer: Mapping[str, Any]) -> str:
    segments = answer.get("segments") or ()
    if segments and all(_is_silent(segment) for segment in segments):
        return ""
    text: str = answer["text"].strip()
    return text


def _is_silent(segment: Mapping[str, Any]) -> bool:
    """Whether nobody speaks in a stretch, for which Whisper likes to write “Thank you.”"""
    return bool(segment.get("no_speech_prob", 0.0) > _NO_SPEECH and segment.get("avg_logprob", 0.0) < _UNSURE)


def _tokens_from_wire(event: Mapping[str, Any]) -> Usage | None:
    told = event.get("usage")
    return None if told is None else _measure.spoken_tokens(told["input_tokens"], told["output_tokens"])


def _translate_error(error: Exception, provider: str, now: datetime, *, begun: bool = False) -> ProviderError:
    """Our error for one of _WIRE_ERRORS, made of status and code alone."""
    match error:
        case APIStatusError():
            code = error.code or error.type
            return refused(
                error.status_code,
                code,
                error.response.headers,
                provider=provider,
                now=now,
                reference=error.request_id,
            )
        case APITimeoutError() | httpx2.TimeoutException():
            return unusable(provider, "no answer in time", begun=begun)
        case APIConnectionError() | httpx2.HTTPError():
            return unusable(provider, "the connection failed", begun=begun)
        case APIError():
            return unusable(provider, "an error in the stream", begun=begun)
        case _:
            return unusable(provider, f"nonsense instead of an answer ({type(error).__name__})", begun=begun)
