"""Speech by generateContent: what it refuses, and the answer with its sound as the models give it."""

import base64
from collections.abc import Mapping
from typing import Any

from tests.fakes.gemini.faults import Refused
from tests.fakes.gemini.models import FakeModel
from tests.fakes.recordings import wav_of
from tests.fakes.script import Finish, Reply

SPEECH_S = 2.0
VOICES = ("Zephyr", "Puck", "Charon", "Kore", "Fenrir", "Leda", "Orus", "Aoede")
_RATE = 24_000
_TOKENS_PER_S = 25
_KNOWN = {"contents", "generationConfig", "safetySettings", "systemInstruction"}
_CONFIG = {"responseModalities", "speechConfig", "temperature"}


def check_speech(body: Mapping[str, Any], model: FakeModel) -> None:
    """Raises Refused for the first thing that is wrong."""
    config = body.get("generationConfig") or {}
    for name in [*(body.keys() - _KNOWN), *(config.keys() - _CONFIG)]:
        raise Refused(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    if "-tts" not in model.id or config.get("responseModalities") != ["AUDIO"]:
        raise Refused(f"Model {model.id} does not support the requested combination of response modalities.")
    voice = (((config.get("speechConfig") or {}).get("voiceConfig") or {}).get("prebuiltVoiceConfig") or {}).get(
        "voiceName"
    )
    if voice not in VOICES:
        raise Refused(f"Voice name {voice} is not supported. Allowed voice names are: {', '.join(VOICES).lower()}")
    if not text_of(body):
        raise Refused("* GenerateContentRequest.contents: contents is not specified")


def text_of(body: Mapping[str, Any]) -> str:
    """What is to be read out."""
    return "".join(part["text"] for content in body.get("contents") or () for part in content["parts"])


def speech(body: Mapping[str, Any], model: FakeModel, reply: Reply) -> dict[str, Any]:
    """The whole answer: a WAV file from the newest models, samples from those before."""
    if reply.finish is Finish.CONTENT_FILTER:
        return {"candidates": [{"finishReason": "PROHIBITED_CONTENT", "index": 0}], "modelVersion": model.id}
    if model.id.startswith("gemini-3.8"):
        kind, content = "audio/wav", wav_of(SPEECH_S, _RATE)
    else:
        kind, content = f"audio/L16;codec=pcm;rate={_RATE}", bytes(round(SPEECH_S * _RATE) * 2)
    inline = {"mimeType": kind, "data": base64.b64encode(content).decode()}
    answer: dict[str, Any] = {
        "candidates": [{"content": {"parts": [{"inlineData": inline}], "role": "model"}, "finishReason": "STOP"}],
        "modelVersion": model.id,
    }
    if not reply.no_usage:
        told = reply.usage
        tokens_in = told.input_tokens if told else len(text_of(body)) // 4 + 1
        tokens_out = told.output_tokens if told else round(SPEECH_S * _TOKENS_PER_S)
        answer["usageMetadata"] = {
            "promptTokenCount": tokens_in,
            "candidatesTokenCount": tokens_out,
            "totalTokenCount": tokens_in + tokens_out,
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": tokens_out}],
        }
    return answer
