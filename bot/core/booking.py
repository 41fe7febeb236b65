"""From a finished or lost provider call to its row in the ledger. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.catalogue import ModelInfo
from bot.core.events import CallFinished, Usage
from bot.core.formatting import cost, count
from bot.core.ledger import CallStatus, Certainty, LedgerRow
from bot.core.place import Place
from bot.core.ports import Pricer
from bot.core.tokens import estimate_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """For whom, where and by which model the calls of one turn were made."""

    turn_uid: str
    place: Place
    author_key: str
    model: ModelInfo
    price: Pricer

    def row(self, call: CallFinished, *, fence: int, number: int, at: datetime) -> LedgerRow:
        """The row of call `number` (from 0) of this attempt; without reported usage it is estimated and says so."""
        usage = call.usage or Usage(
            input_tokens=estimate_tokens(call.input_text), output_tokens=estimate_tokens(call.output_text)
        )
        status = CallStatus.COMPLETED if call.completed else CallStatus.INCOMPLETE
        return self._row(usage, call.usage is None, status, call, fence, number, at)

    def lost_row(self, prompt: str, *, fence: int, at: datetime) -> LedgerRow:
        """The row of a call whose process died: the prompt was probably billed, the answer nobody knows.

        It has the id of that attempt's first call, so it is dropped if that process booked the call after all.
        """
        usage = Usage(input_tokens=estimate_tokens(prompt), output_tokens=0)
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
            id=f"{self.turn_uid}~{fence}~{number}",
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
            cost=self.price(usage, self.model, at, estimated=estimated),
            status=status,
            first_token_s=call.first_token_s,
            duration_s=call.duration_s,
        )


def footer_of(rows: Sequence[LedgerRow]) -> str | None:
    """The line under an answer: `openai/gpt-6-luna · 1,234 in (900 cached) · 321 out · $0.0012`; None without calls."""
    if not rows:
        return None
    tokens_in = sum(row.usage.input_tokens for row in rows)
    cached = sum(row.usage.cached_tokens for row in rows)
    tokens_out = sum(row.usage.output_tokens for row in rows)
    known = [row.cost.nano_usd for row in rows if row.cost.nano_usd is not None]
    certainty = max((row.cost.certainty for row in rows), key=list(Certainty).index)
    parts = [
        rows[-1].model,
        f"{count(tokens_in)} in" + (f" ({count(cached)} cached)" if cached else ""),
        f"{count(tokens_out)} out",
        cost(sum(known), certainty),
    ]
    return " · ".join(parts)
