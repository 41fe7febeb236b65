"""Speech by Google's Gemini: one request of its API, without the SDK, which costs half a second and 50 MB.

The newest models answer with a WAV file, older ones with bare samples, of which a WAV file is made. Version v1beta of
the API is used unless the address says otherwise.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx2

from bot.core.catalogue import ModelInfo
from bot.core.errors import ContentRefused, ModelNotFound, ProviderError
from bot.core.events import Usage
from bot.core.sound import Spoken
from bot.core.sound_models import SpeechRow
from bot.speech import _measure, wav
from bot.speech._failures import refused, unusable
from bot.speech._recordings import no_sound, voice_of
from bot.speech.service import Connection

_ROOT = "https://generativelanguage.googleapis.com"
_VERSION = "v1beta"
_VERSIONED = re.compile(r"/v\d\w*$")
#: What may stand in the path of an address and mean nothing else there.
_MODEL_ID = re.compile(r"[\w-]+(\.[\w-]+)*")
_SAMPLES = re.compile(r"audio/l16\b.*?(?:rate=(?P<rate>\d{4,6})|$)", re.IGNORECASE)
_USUAL_RATE = 24_000
_REFUSED = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION")
#: JSON of another shape shows as one of the last four.
_WIRE_ERRORS = (httpx2.HTTPError, ValueError, AttributeError, TypeError, KeyError)


class GeminiSpeaker:
    """`Speaker` over `POST /models/{model}:generateContent`."""

    def __init__(self, connection: Connection, row: SpeechRow, voice: str) -> None:
        self._name = connection.name
        self._clock = connection.clock
        self._row = row
        self._voice = voice
        base = (connection.base_url or _ROOT).rstrip("/")
        self._url = f"{base if _VERSIONED.search(base) else f'{base}/{_VERSION}'}/models"
        self._http = httpx2.AsyncClient(
            headers={"x-goog-api-key": connection.key.get_secret_value()} if connection.key else {},
            timeout=httpx2.Timeout(connect=10.0, read=connection.read_timeout_s, write=60.0, pool=10.0),
        )

    @property
    def model(self) -> ModelInfo:
        return self._row.model

    def worst_case(self, text: str) -> Usage:
        return _measure.reading_at_most(self._row.model, text)

    async def speak(self, text: str) -> Spoken:
        model_id = self._row.model.ref.id
        if not _MODEL_ID.fullmatch(model_id):
            raise ModelNotFound("no model can have such a name", provider=self._name)
        answered = False
        try:
            response = await self._http.post(f"{self._url}/{model_id}:generateContent", json=self._to_wire(text))
            if response.status_code != 200:
                raise _refusal(response, self._name, self._clock.now())
            answered = True
            answer = response.json()
            voice = voice_of(_sound_from_wire(answer, self._name), provider=self._name)
            usage = _usage_from_wire(answer)
        except _WIRE_ERRORS as error:
            raise _translate_error(error, self._name, begun=answered) from None
        if usage is not None:
            return Spoken(voice=voice, usage=usage)
        return Spoken(voice=voice, usage=_measure.reading(self._row.model, text, voice.duration_s), estimated=True)

    async def aclose(self) -> None:
        await self._http.aclose()

    def _to_wire(self, text: str) -> Mapping[str, Any]:
        return {
            "contents": [{"role": "user", "parts": [{"text": text}]}],
            "generationConfig": {
                "responseModalities": ["AUDIO"],
                "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": self._voice}}},
            },
        }


def build_speaker(connection: Connection, row: SpeechRow, voice: str) -> GeminiSpeaker:
    """Make the speaker."""
    return GeminiSpeaker(connection, row, voice)


def _sound_from_wire(answer: Mapping[str, Any], provider: str) -> bytes:
    """All sound of the answer as one file. Raises ProviderError where there is none."""
    if (answer.get("promptFeedback") or {}).get("blockReason"):
        raise ContentRefused("the text was blocked", provider=provider)
    candidate = (answer.get("candidates") or [{}])[0]
    inline = [part.get("inlineData") for part in (candidate.get("content") or {}).get("parts") or ()]
    sounds = [(each["mimeType"], base64.b64decode(each["data"], validate=True)) for each in inline if each]
    if not sounds:
        if candidate.get("finishReason") in _REFUSED:
            raise ContentRefused("the speech was blocked", provider=provider)
        raise no_sound(provider)
    content = b"".join(sound for _, sound in sounds)
    samples = _SAMPLES.match(sounds[0][0])
    return content if samples is None else wav.wrap(content, rate=int(samples["rate"] or _USUAL_RATE))


def _usage_from_wire(answer: Mapping[str, Any]) -> Usage | None:
    told = answer.get("usageMetadata")
    if not told:
        return None
    # Counts of nothing are left out.
    return _measure.spoken_tokens(told.get("promptTokenCount", 0), told.get("candidatesTokenCount", 0))


def _refusal(response: httpx2.Response, provider: str, now: datetime) -> ProviderError:
    """By status and the first reason that Google gives (`API_KEY_INVALID`), else its own word (`NOT_FOUND`)."""
    try:
        error = response.json()["error"]
        reasons = [detail["reason"] for detail in error.get("details", ()) if detail.get("reason")]
        code = reasons[0] if reasons else error.get("status")
    except (ValueError, AttributeError, TypeError, KeyError):
        code = None
    return refused(response.status_code, code, response.headers, provider=provider, now=now)


def _translate_error(error: Exception, provider: str, *, begun: bool) -> ProviderError:
    match error:
        case httpx2.TimeoutException():
            return unusable(provider, "no answer in time")
        case httpx2.HTTPError():
            return unusable(provider, "the connection failed")
        case _:
            return unusable(provider, f"nonsense instead of an answer ({type(error).__name__})", begun=begun)
