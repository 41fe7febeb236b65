"""What OpenAI's audio API takes and gives, as OpenAI, Groq and a small server of one's own have it.

`POST /v1/audio/transcriptions` is a form with a file, `POST /v1/audio/speech` JSON. Error texts are the real ones.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.openai.dialect import Dialect
from tests.fakes.openai.refused import Refused, check_known, check_range
from tests.fakes.recordings import check_ogg, silence, wav_of
from tests.fakes.script import Reply

MAX_FILE_BYTES = 25 * 1024 * 1024
#: How long everything that is read out takes here.
SPEECH_S = 1.5
_FORM = frozenset(
    {
        "file",
        "model",
        "response_format",
        "language",
        "prompt",
        "temperature",
        "timestamp_granularities[]",
        "include[]",
        "chunking_strategy",
    }
)
_SPEECH = frozenset({"model", "input", "voice", "instructions", "response_format", "speed", "stream_format"})
_OPENAI_FILES = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "ogg", "wav", "webm")
_GROQ_FILES = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "opus", "wav", "webm")
_VOICES = ("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse")
_SIGNS = {"ogg": b"OggS", "wav": b"RIFF", "flac": b"fLaC", "webm": b"\x1a\x45\xdf\xa3"}
_PIECES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file of a form."""

    name: str
    media_type: str
    content: bytes

    @property
    def extension(self) -> str:
        return self.name.rpartition(".")[2].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioModel:
    """`formats` are the values of `response_format` that it takes; `hears`: it transcribes, else it speaks.

    `tokens`: it reports tokens and not seconds. `events`: it can send its sound in events.
    """

    id: str
    formats: tuple[str, ...]
    hears: bool = True
    tokens: bool = False
    events: bool = False
    voices: tuple[str, ...] = _VOICES
    input_characters: int = 4_096


_TEXTS = ("json", "text", "srt", "verbose_json", "vtt")
_SOUNDS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
AUDIO_MODELS: Mapping[str, tuple[AudioModel, ...]] = {
    "openai": (
        AudioModel(id="gpt-transcribe", formats=("json", "text")),
        AudioModel(id="gpt-4o-transcribe", formats=("json",), tokens=True),
        AudioModel(id="whisper-1", formats=_TEXTS),
        AudioModel(id="gpt-4o-mini-tts", formats=_SOUNDS, hears=False, events=True),
        AudioModel(id="tts-1", formats=_SOUNDS, hears=False),
    ),
    "groq": (
        AudioModel(id="whisper-large-v3-turbo", formats=("json", "text", "verbose_json")),
        AudioModel(id="whisper-large-v3", formats=("json", "text", "verbose_json")),
        AudioModel(
            id="canopylabs/orpheus-v1-english",
            formats=("wav",),
            hears=False,
            voices=("autumn", "diana", "hannah", "austin", "daniel", "troy"),
            input_characters=200,
        ),
    ),
    "compatible": (
        AudioModel(id="whisper-local", formats=("json", "text")),
        AudioModel(id="kokoro", formats=("mp3", "opus", "wav"), hears=False),
    ),
}


def find(name: str, dialect: Dialect, *, hears: bool) -> AudioModel:
    """The model for this endpoint. Raises Refused."""
    if not name:
        raise Refused("you must provide a model parameter")
    for model in AUDIO_MODELS.get(dialect.name, ()):
        if model.id == name and model.hears == hears:
            return model
    text = f"The model `{name}` does not exist or you do not have access to it."
    raise Refused(text, status=404, code="model_not_found")


def check_transcription(fields: Mapping[str, Any], files: Mapping[str, Upload], dialect: Dialect) -> AudioModel:
    """Raises Refused for the first thing that is wrong."""
    check_known({**fields, **files}, _FORM)
    model = find(str(fields.get("model", "")), dialect, hears=True)
    _check_format(fields, model)
    upload = files.get("file")
    if upload is None:
        raise Refused("Missing required parameter: 'file'.", param="file", code="missing_required_parameter")
    if len(upload.content) > MAX_FILE_BYTES:
        text = f"Maximum content size limit ({MAX_FILE_BYTES}) exceeded ({len(upload.content)} bytes read)"
        raise Refused(text, status=413, kind="server_error")
    if dialect.name == "groq" and upload.extension not in _GROQ_FILES:
        text = f"file must be one of the following types: [{' '.join(_GROQ_FILES)}]"
        raise Refused(text, code="unsupported_audio_format")
    if dialect.name != "groq" and upload.extension not in _OPENAI_FILES:
        raise Refused(f"Unsupported file format {upload.extension}", param="file", code="unsupported_value")
    if not upload.content:
        text = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise Refused(text, param="file", code="audio_too_short")
    if not upload.content.startswith(_SIGNS.get(upload.extension, b"")):
        raise Refused("Audio file might be corrupted or unsupported", param="file", code="invalid_value")
    return model


def transcription(reply: Reply, model: AudioModel, upload: Upload, fields: Mapping[str, Any], dialect: Dialect) -> Any:
    """The answer's JSON; Groq tells nothing of usage, small servers nothing but the text."""
    seconds = duration_s(upload)
    answer: dict[str, Any] = {"text": reply.text}
    if fields.get("response_format") == "verbose_json":
        silent = not reply.text.strip() or reply.reasoning == NOBODY
        segment = {"id": 0, "start": 0.0, "end": seconds, "text": reply.text, "avg_logprob": -1.4 if silent else -0.2}
        segments = [segment | {"no_speech_prob": 0.9 if silent else 0.01}]
        answer |= {"task": "transcribe", "language": "English", "duration": seconds, "segments": segments}
    if dialect.name == "groq":
        answer["x_groq"] = {"id": "req_fake"}
    elif dialect.name == "openai" and not reply.no_usage:
        answer["usage"] = _tokens(seconds, reply) if model.tokens else {"type": "duration", "seconds": seconds}
    return answer


#: As the `reasoning` of a Reply: Whisper writes a text for a recording in which nobody speaks, and is not sure of it.
NOBODY = "nobody speaks"


def duration_s(upload: Upload) -> float:
    """How long a file plays, found out by a reader of its own."""
    if upload.extension == "ogg":
        return check_ogg(upload.content).duration_s
    return (len(upload.content) - 44) / 48_000 if upload.extension == "wav" else 30.0


def check_speech(body: Mapping[str, Any], dialect: Dialect) -> AudioModel:
    """Raises Refused for the first thing that is wrong."""
    check_known(body, _SPEECH - {"stream_format", "instructions"} if dialect.name == "groq" else _SPEECH)
    model = find(str(body.get("model", "")), dialect, hears=False)
    text = body.get("input")
    if not isinstance(text, str) or not text:
        raise Refused("Invalid 'input': empty string.", param="input", code="empty_string")
    if len(text) > model.input_characters:
        words = f"Expected a string with maximum length {model.input_characters}, but instead got {len(text)}."
        raise Refused(f"Invalid 'input': string too long. {words}", param="input", code="string_above_max_length")
    if body.get("voice") not in model.voices:
        names = ", ".join(f"'{name}'" for name in model.voices)
        raise Refused(f"Invalid value for 'voice'. Supported values are: {names}.", param="voice", code="invalid_value")
    _check_format(body, model)
    check_range(body, "speed", 0.25, 4)
    if body.get("stream_format") == "sse" and not model.events:
        raise Refused("stream_format 'sse' is not supported for this model.", param="stream_format")
    if body.get("stream_format") not in (None, "sse", "audio"):
        raise Refused("Invalid value for 'stream_format'.", param="stream_format", code="invalid_value")
    return model


def sound(body: Mapping[str, Any]) -> tuple[bytes, str]:
    """A real recording and its type."""
    match body.get("response_format", "mp3"):
        case "opus":
            return silence(SPEECH_S), "audio/opus"
        case "wav":
            return wav_of(SPEECH_S), "audio/wav"
        case other:
            return b"ID3\x04" + bytes(400), f"audio/{other}"


def sound_events(content: bytes, body: Mapping[str, Any], reply: Reply) -> list[bytes]:
    """The same in events, the usage in the last."""
    size = len(content) // _PIECES + 1
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    events: list[dict[str, Any]] = [
        {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()} for piece in pieces
    ]
    done: dict[str, Any] = {"type": "speech.audio.done"}
    if not reply.no_usage:
        done["usage"] = speech_usage(str(body["input"]), reply)
    return [f"data: {json.dumps(event)}\n\n".encode() for event in [*events, done]]


def speech_usage(text: str, reply: Reply) -> dict[str, int]:
    """Text in, sound out."""
    told = reply.usage
    tokens_in = told.input_tokens if told else len(text) // 4 + 1
    tokens_out = told.output_tokens if told else round(SPEECH_S * 20)
    return {"input_tokens": tokens_in, "output_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


def _tokens(seconds: float, reply: Reply) -> dict[str, Any]:
    heard = round(seconds * 10)
    written = len(reply.text) // 4 + 1
    details = {"audio_tokens": heard, "text_tokens": 0}
    counts = {"input_tokens": heard, "output_tokens": written, "total_tokens": heard + written}
    return {"type": "tokens", "input_token_details": details, **counts}


def _check_format(fields: Mapping[str, Any], model: AudioModel) -> None:
    wanted = fields.get("response_format", model.formats[0])
    if wanted not in model.formats:
        text = f"response_format '{wanted}' is not compatible with model '{model.id}'."
        raise Refused(text, param="response_format", code="unsupported_value")
