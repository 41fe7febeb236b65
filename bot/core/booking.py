"""From a finished or lost provider call to its row in the ledger. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.catalogue import AUTO, ModelInfo
from bot.core.events import CallFinished, Usage
from bot.core.formatting import cost, count
from bot.core.ledger import CallKind, CallStatus, Certainty, Cost, LedgerRow
from bot.core.place import Place
from bot.core.ports import Pricer
from bot.core.tokens import estimate_tokens
from bot.core.turn_record import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """For whom, where and by which model the calls of one turn were made."""

    turn_uid: str
    place: Place
    author_key: str
    model: ModelInfo
    price: Pricer
    kind: CallKind = CallKind.ANSWER
    #: For calls whose usage nobody reported.
    estimate: Callable[[str], int] = estimate_tokens

    def row_id(self, *, fence: int, number: int) -> str:
        """The id of the row of call `number` (from 0) of this attempt; what is held for the call bears it as well."""
        return f"{self.turn_uid}~{fence}~{number}"

    def row(self, call: CallFinished, *, fence: int, number: int, at: datetime) -> LedgerRow:
        """The row of call `number` (from 0) of this attempt; usage that was not reported is estimated and says so."""
        estimated = call.usage is None or call.partial
        prompt_tokens = self.estimate(call.input_text) + call.files_tokens
        usage = call.usage or Usage(input_tokens=prompt_tokens, output_tokens=0)
        if estimated:
            usage = replace(usage, output_tokens=usage.output_tokens + self.estimate(call.output_text))
        status = CallStatus.COMPLETED if call.completed else CallStatus.INCOMPLETE
        return self._row(usage, estimated, status, call, fence, number, at)

    def lost_row(self, prompt: str, *, files_tokens: int = 0, fence: int, at: datetime) -> LedgerRow:
        """The row of a call whose process died: the prompt was probably billed, the answer nobody knows.

        It has the id of that attempt's first call, so it is dropped if that process booked the call after all.
        """
        usage = Usage(input_tokens=self.estimate(prompt) + files_tokens, output_tokens=0)
        call = CallFinished(
            usage=None,
            model_answered=None,
            first_token_s=None,
            duration_s=0.0,
            completed=False,
            input_text=prompt,
            output_text="",
        )
        return self._row(usage, True, CallStatus.LOST, call, fence, 0, at)

    def _row(
        self,
        usage: Usage,
        estimated: bool,
        status: CallStatus,
        call: CallFinished,
        fence: int,
        number: int,
        at: datetime,
    ) -> LedgerRow:
        return LedgerRow(
            id=self.row_id(fence=fence, number=number),
            at=at,
            turn_uid=self.turn_uid,
            thread_key=self.place.thread_key,
            channel_key=self.place.channel_key,
            space_key=self.place.space_key,
            author_key=self.author_key,
            provider=self.model.ref.provider,
            model=str(self.model.ref),
            model_answered=call.model_answered,
            usage=usage,
            usage_estimated=estimated,
            cost=self.price(usage, self.model, at, estimated=estimated, service_tier=call.service_tier),
            status=status,
            first_token_s=call.first_token_s,
            duration_s=call.duration_s,
            kind=self.kind,
            service_tier=call.service_tier,
        )


def cached_row(account: Account, *, fence: int, number: int, at: datetime) -> LedgerRow:
    """The row of an answer that was given again: nobody was called, it costs nothing.

    `number` counts on from the calls of other models in the same attempt.
    """
    return LedgerRow(
        id=account.row_id(fence=fence, number=number),
        at=at,
        turn_uid=account.turn_uid,
        thread_key=account.place.thread_key,
        channel_key=account.place.channel_key,
        space_key=account.place.space_key,
        author_key=account.author_key,
        provider=account.model.ref.provider,
        model=str(account.model.ref),
        model_answered=None,
        usage=Usage(input_tokens=0, output_tokens=0),
        usage_estimated=False,
        cost=Cost(nano_usd=0, certainty=Certainty.EXACT, source="cache"),
        status=CallStatus.COMPLETED,
        first_token_s=None,
        duration_s=0.0,
        kind=CallKind.CACHED,
    )


def note_of(
    route: Route,
    model: str,
    rows: Sequence[LedgerRow],
    *,
    receipts: Sequence[str] = (),
    notices: Sequence[str],
    footer: bool,
) -> str | None:
    """What stands under an answer; None: nothing.

    Always there: the `receipts` of files, that another model answered and why, what `auto` picked, that the answer was
    given before, and the `notices`. `footer` adds model, tokens and cost.
    """
    lines: list[str] = []
    for passed in route.passed_over:
        lines.append(f"{passed.model} did not answer: {passed.why}.")
    if route.passed_over:
        lines.append(f"{model} answered instead.")
    spent = any(row.cost.nano_usd != 0 for row in rows)
    if route.cached:
        lines.append(f"This answer was given before and is used again{'' if spent else ': no cost'}.")
    lines += notices
    picked = f"auto: {model}" if route.asked == AUTO and not route.passed_over else None
    line = _footer_of(model, rows, picked=picked is not None) if footer and (spent or not route.cached) else picked
    return "\n".join([*receipts, *([" ".join(lines)] if lines else []), *([line] if line else [])]) or None


def _footer_of(model: str, rows: Sequence[LedgerRow], *, picked: bool) -> str | None:
    """`openai/gpt-6-luna · 1,234 in (900 cached) · 321 out · $0.0012`; None without calls."""
    if not rows:
        return None
    tokens_in = sum(row.usage.input_tokens for row in rows)
    cached = sum(row.usage.cached_tokens for row in rows)
    tokens_out = sum(row.usage.output_tokens for row in rows)
    known = [row.cost.nano_usd for row in rows if row.cost.nano_usd is not None]
    certainty = max((row.cost.certainty for row in rows), key=list(Certainty).index)
    parts = [
        f"auto: {model}" if picked else model,
        f"{count(tokens_in)} in" + (f" ({count(cached)} cached)" if cached else ""),
        f"{count(tokens_out)} out",
        cost(sum(known), certainty),
    ]
    return " · ".join(parts)
