"""The models that the fake has, with what each of them takes."""

from dataclasses import dataclass

LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH")


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeModel:
    """One model of the list; `input_tokens` and `output_tokens` are its limits.

    `levels` are the thinking levels that it takes, empty: it knows of none. `signs`: a model since Gemini 3, which
    gives its function calls ids and signatures, wants the signatures back, and can have tools and JSON at once.
    """

    id: str
    name: str
    input_tokens: int = 1_048_576
    output_tokens: int = 65_536
    methods: tuple[str, ...] = ("generateContent", "countTokens", "createCachedContent", "batchGenerateContent")
    thinks: bool = True
    levels: tuple[str, ...] = LEVELS
    signs: bool = True


FLASH = FakeModel(id="gemini-3.8-flash", name="Gemini 3.8 Flash")
ARGON = FakeModel(id="gemini-4-argon", name="Gemini 4 Argon", levels=LEVELS[1:])
OLDER = FakeModel(id="gemini-2.5-flash", name="Gemini 2.5 Flash", levels=(), signs=False)
GEMMA = FakeModel(id="gemma-4-31b-it", name="Gemma 4 31B", input_tokens=262_144, thinks=False, levels=(), signs=False)
SMALL = FakeModel(id="gemini-small", name="Small", input_tokens=400, output_tokens=100)
CHAT_MODELS = (FLASH, ARGON, OLDER, GEMMA, SMALL)
OTHER_MODELS = (
    FakeModel(id="gemini-embedding-001", name="Gemini Embedding", methods=("embedContent", "countTokens")),
    FakeModel(id="gemini-3.8-flash-tts", name="Gemini 3.8 Flash TTS"),
    FakeModel(id="gemini-3.8-flash-lite-tts", name="Gemini 3.8 Flash-Lite TTS"),
    FakeModel(id="gemini-3.1-flash-image", name="Gemini 3.1 Flash Image"),
    FakeModel(id="gemini-3.8-flash-live", name="Gemini 3.8 Flash Live", methods=("bidiGenerateContent",)),
    FakeModel(id="imagen-4.0-generate-001", name="Imagen 4", methods=("predict",)),
    FakeModel(id="aqa", name="Attributed Question Answering", methods=("generateAnswer",)),
)
MODELS = (*CHAT_MODELS, *OTHER_MODELS)


def entry(model: FakeModel) -> dict[str, object]:
    """One entry of GET /v1/models."""
    told: dict[str, object] = {
        "name": f"models/{model.id}",
        "version": "001",
        "displayName": model.name,
        "description": f"{model.name}, as Google describes it.",
        "inputTokenLimit": model.input_tokens,
        "outputTokenLimit": model.output_tokens,
        "supportedGenerationMethods": list(model.methods),
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
    }
    return told | {"thinking": True} if model.thinks else told
