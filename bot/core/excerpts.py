"""What of a long text stands in a prompt: its beginning, whole pages or lines, within a budget of tokens. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.core.formatting import amount, count

#: No text has more characters in a token, but one of spaces.
_CHARS_PER_TOKEN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The part that was taken; `remark` says which, None: all of it."""

    text: str
    remark: str | None = None


def take(pages: Sequence[str], unit: str, *, limit_tokens: int, estimate: Callable[[str], int]) -> Excerpt:
    """The beginning of a text in `pages` of `unit` (empty: it has no such parts), about `limit_tokens` at most."""
    marked = [f"[{unit} {number}]\n{page}" for number, page in enumerate(pages, 1)] if unit else list(pages)
    whole = "\n\n".join(marked)
    if _may_fit(whole, limit_tokens) and estimate(whole) <= limit_tokens:
        return Excerpt(text=whole)
    taken: list[str] = []
    left = limit_tokens
    for page in marked:
        left = left - estimate(page) if _may_fit(page, left) else -1
        if left < 0:
            break
        taken.append(page)
    if len(taken) == len(marked):  # only the gaps between pages are beyond
        return Excerpt(text=whole)
    if taken and unit:
        first = f"the first {amount(len(taken), unit)}"
        return Excerpt(text="\n\n".join(taken), remark=f"{first} of {count(len(pages))} given to the model at once")
    cut = _beginning(whole[: limit_tokens * _CHARS_PER_TOKEN], limit_tokens, estimate)
    return Excerpt(
        text=cut, remark=f"the first {count(len(cut))} of {count(len(whole))} characters given to the model at once"
    )


def _may_fit(text: str, limit_tokens: int) -> bool:
    """False: it is too long in any case. Estimating two million characters holds up everybody for up to 0.2 s."""
    return len(text) <= limit_tokens * _CHARS_PER_TOKEN


def _beginning(text: str, limit_tokens: int, estimate: Callable[[str], int]) -> str:
    """As much of the text as fits, to the end of a line where there is one not far back."""
    chars = max(1, len(text) * limit_tokens // max(1, estimate(text)))
    while chars > 1 and estimate(text[:chars]) > limit_tokens:  # the beginning may be denser than the rest
        chars = chars * 9 // 10
    line_end = text.rfind("\n", chars - chars // 4, chars)
    return text[: chars if line_end < 0 else line_end]
