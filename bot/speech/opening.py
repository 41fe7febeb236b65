"""From settings and the catalogue's rows to what transcribes and what speaks. Imports a wire only when it is chosen."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TypeVar

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import SettingsError
from bot.core.ports import Clock
from bot.core.retirement import fate, is_retired
from bot.core.sound import Speaker, Transcriber
from bot.core.sound_models import SoundModels, SpeechRow, TranscriptionRow
from bot.speech import SERVICES
from bot.speech.service import Service, Values

log = logging.getLogger(__name__)

R = TypeVar("R", TranscriptionRow, SpeechRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What there is for sound; None: no service with a key has a model for it."""

    transcriber: Transcriber | None = None
    speaker: Speaker | None = None


@asynccontextmanager
async def open_sound(
    values: Values,
    rows: SoundModels,
    *,
    transcription_model: str | None,
    speech_model: str | None,
    voice: str | None,
    clock: Clock,
) -> AsyncIterator[Sound]:
    """The models that the settings name (`provider/id`), else the first row whose service has a key and that lives.

    `values` are all settings by name; `voice` None: the one of the model's row. All is closed on leaving.

    Raises:
        SettingsError: a named model's service is unknown, cannot do this, or has no key.
    """
    hearing = {each.called(values): each for each in SERVICES if each.transcribes}
    speaking = {each.called(values): each for each in SERVICES}
    hear = _Wish("TRANSCRIPTION_MODEL", hearing, values, clock)
    speak = _Wish("SPEECH_MODEL", speaking, values, clock)
    to_hear = _chosen(transcription_model, rows.transcription, _unlisted_transcription, hear)
    to_speak = _chosen(speech_model, rows.speech, _unlisted_speech, speak)
    async with AsyncExitStack() as stack:
        transcriber: Transcriber | None = None
        speaker: Speaker | None = None
        if to_hear is not None:
            service, heard = to_hear
            transcriber = import_module(service.wire).build_transcriber(service.connection(values, clock), heard)
            stack.push_async_callback(transcriber.aclose)
        if to_speak is not None:
            service, spoken = to_speak
            connection = service.connection(values, clock)
            speaker = import_module(service.wire).build_speaker(connection, spoken, voice or spoken.voice)
            stack.push_async_callback(speaker.aclose)
        yield Sound(transcriber=transcriber, speaker=speaker)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a choice is made from: the `setting` that may make it, and the services that could serve it, by name."""

    setting: str
    services: Mapping[str, Service]
    values: Values
    clock: Clock


def _chosen(
    name: str | None, rows: Sequence[R], unlisted: Callable[[ModelInfo, R | None], R], wish: _Wish
) -> tuple[Service, R] | None:
    today = wish.clock.now().date()
    if name is not None:
        ref, service = _named(name, wish)
        row = _row_of(ref, rows, unlisted)
        if is_retired(row.model, today):
            log.warning("%s: %s %s", wish.setting, ref, fate(row.model, today))
        return service, row
    for row in rows:
        candidate = wish.services.get(row.model.ref.provider)
        if candidate is not None and candidate.is_configured(wish.values) and not is_retired(row.model, today):
            return candidate, row
    return None


def _named(name: str, wish: _Wish) -> tuple[ModelRef, Service]:
    setting, ref = wish.setting, ModelRef.parse(name)
    if ref is None:
        raise SettingsError(f"{setting}: a model is written provider/model, as in the catalogue.")
    service = wish.services.get(ref.provider)
    if service is None:
        raise SettingsError(f"{setting} is “{name}”: {ref.provider} cannot do that here; {_list(wish.services)} can.")
    if not service.is_configured(wish.values):
        raise SettingsError(f"{setting} is “{name}”: set {service.switch} too, or choose another provider's model.")
    return ref, service


def _row_of(ref: ModelRef, rows: Sequence[R], unlisted: Callable[[ModelInfo, R | None], R]) -> R:
    """The model's own row; else one as for the first of its provider, where there is any."""
    own = next((row for row in rows if row.model.ref == ref), None)
    if own is not None:
        return own
    alike = next((row for row in rows if row.model.ref.provider == ref.provider), None)
    return unlisted(ModelInfo(ref=ref), alike)


def _unlisted_transcription(model: ModelInfo, alike: TranscriptionRow | None) -> TranscriptionRow:
    return TranscriptionRow(model=model) if alike is None else replace(alike, model=model)


def _unlisted_speech(model: ModelInfo, alike: SpeechRow | None) -> SpeechRow:
    """Not every model of a provider gives events."""
    return SpeechRow(model=model) if alike is None else replace(alike, model=model, events=False)


def _list(services: Mapping[str, Service]) -> str:
    *others, last = services
    return f"{', '.join(others)} and {last}"
