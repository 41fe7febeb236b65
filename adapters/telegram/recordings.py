"""Recordings on their way out: as a voice message, as a piece of music, or as a file, as the chat allows.

https://core.telegram.org/bots/api#sendvoice
"""

from telegram import Bot, InputFile, ReplyParameters

from adapters.telegram.failures import says
from adapters.telegram.limits import OverallPace
from adapters.telegram.wire import Refused
from bot.core.sound import Voice

#: What `sendAudio` is for.
_MUSIC = ("audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a")
#: A person's privacy setting, and a right in groups.
_NOT_WANTED = ("voice_messages_forbidden", "send voice notes")


async def send_recording(
    bot: Bot, pace: OverallPace, voice: Voice, *, chat: str, thread: int | None, reply_to: ReplyParameters | None
) -> str:
    """Send it and return the message's id; raises TelegramError."""
    file = InputFile(voice.content, filename=voice.name)
    duration_s = max(1, round(voice.duration_s))
    if voice.is_ogg_opus:
        try:
            async with pace.send():
                sent = await bot.send_voice(
                    chat, file, duration=duration_s, message_thread_id=thread, reply_parameters=reply_to
                )
            return str(sent.message_id)
        except Refused as error:
            if not any(says(error, words) for words in _NOT_WANTED):
                raise
    async with pace.send():
        if voice.media_type in _MUSIC:
            sent = await bot.send_audio(
                chat, file, duration=duration_s, message_thread_id=thread, reply_parameters=reply_to
            )
        else:
            # Else the server may take a recording for a voice message again.
            sent = await bot.send_document(
                chat,
                file,
                disable_content_type_detection=True,
                message_thread_id=thread,
                reply_parameters=reply_to,
            )
    return str(sent.message_id)
