"""What a question needs of the model that answers it, for `auto`. Pure, but for looking at what there is."""

from bot.core.automatic import Needs
from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.files import FileKind
from bot.core.parts import Parts
from bot.core.question import Plan
from bot.core.showing import choose_shown
from bot.core.tokens import estimate_tokens


def needs_of(plan: Plan, parts: Parts) -> Needs:
    """The needs of a planned question: its words, its files as they would go to a model, and tools that are on here."""
    texts = [item.text for item in plan.items]
    said = [text for turn in plan.history for text in (turn.answer, *(item.text for item in turn.items))]
    notes = [note for item in plan.items for note in item.files]
    excerpts = [note.excerpt for note in notes]
    tokens = sum(map(estimate_tokens, (plan.system, *said, *texts, *excerpts)))
    unheard = any(note.kind is FileKind.AUDIO and not note.heard for note in notes)
    return Needs.of(
        texts,
        prompt_tokens=min(parts.context_tokens, tokens),
        answer_tokens=plan.settings.max_output or parts.defaults.max_output_tokens,
        has_image=any(note.picture_sha256s and not note.excerpt for note in notes) or _has_shown(plan, parts),
        has_audio=unheard and parts.transcriber is None,
        needs_tools=bool(plan.tools),
    )


def _has_shown(plan: Plan, parts: Parts) -> bool:
    """Whether pictures of older turns would still go along to a model that sees: people may go on about them."""
    seeing = ModelInfo(ref=ModelRef("", ""), vision=True)
    shown = choose_shown(plan.history, (), seeing, high_tokens=parts.context_tokens)
    return any(choice.note.kind is FileKind.IMAGE for choice in shown.values())
