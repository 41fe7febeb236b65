"""What a recording has to be called so that a service takes it, and what came back from one that speaks."""

from bot.core.errors import ProviderError, RequestRejected
from bot.core.sound import Voice
from bot.speech import ogg, wav
from bot.speech._failures import MAX_BYTES, unusable

#: Services go by the extension, and these are the ones that all of them know: OpenAI refuses Telegram's `.oga` and
#: WhatsApp's `.opus`, and takes the same bytes as `.ogg`.
_EXTENSIONS = {
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/x-opus+ogg": "ogg",
    "audio/vorbis": "ogg",
    "application/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/mp4": "m4a",
    "audio/m4a": "m4a",
    "audio/x-m4a": "m4a",
    "video/mp4": "mp4",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/webm": "webm",
    "video/webm": "webm",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
}
#: What goes along as the type of an extension.
_TYPES = {
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "mp4": "video/mp4",
    "wav": "audio/wav",
    "webm": "audio/webm",
    "flac": "audio/flac",
}


def upload(content: bytes, media_type: str, *, provider: str) -> tuple[str, bytes, str]:
    """Name, bytes and type of a recording to send. Raises RequestRejected for what no service takes."""
    extension = _EXTENSIONS.get(media_type.partition(";")[0].strip().lower())
    if extension is None:
        raise RequestRejected("a kind of recording that nobody transcribes", provider=provider)
    if not content:
        raise RequestRejected("an empty recording", provider=provider)
    if len(content) > MAX_BYTES:
        raise RequestRejected("a recording above 25 MB", provider=provider, status=413)
    return f"recording.{extension}", content, _TYPES[extension]


def voice_of(content: bytes, *, provider: str) -> Voice:
    """A recording that a service made; its kind is told by its bytes. Raises ProviderError where it is none."""
    opus = ogg.read_opus(content)
    if opus is not None and opus.duration_s > 0:
        return Voice(
            content=content,
            media_type="audio/ogg",
            name="voice.ogg",
            duration_s=opus.duration_s,
            waveform=opus.waveform,
        )
    duration_s = wav.duration_s(content)
    if duration_s:
        return Voice(content=content, media_type="audio/wav", name="voice.wav", duration_s=duration_s)
    raise no_sound(provider)


def no_sound(provider: str) -> ProviderError:
    """The service answered, and not with sound that platforms play."""
    return unusable(provider, "an answer without sound", begun=True)
