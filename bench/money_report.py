"""From bills to the tables that people read: dollars, ratios to a window that slides, and what was promised.

A ratio is given twice. What was said costs everybody the same, so only the bill without the answers tells what a way
of keeping a conversation costs; but people pay the whole bill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.market import Market
from bench.money import EXCHANGES, MESSAGES, PARLEY, PARLEY_LARGE, WARM_UP_TURNS, Bill
from bench.quiet import Quiet
from bench.report import markdown

#: Whoever is compared, with whom.
_PAIRS = tuple((ours, theirs) for theirs in (EXCHANGES, MESSAGES) for ours in (PARLEY, PARLEY_LARGE))
_NANO = 10**9
_BILL_HEAD = (
    "model",
    "contestant",
    "dollars",
    "answers",
    "prompts",
    "summaries",
    "recent text, mean tokens",
    "least",
)
_RATIO_HEAD = (
    "model",
    "contestant",
    "against",
    "recent text",
    "without answers",
    "whole bill",
    "target",
)
_QUIET_HEAD = ("minutes between turns", "as Parley marks", "always 5 minutes", "never", "Parley marked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """What `ours` costs in what `theirs` costs. `less_text` counts the turns at which ours could read less of it."""

    ours: str
    theirs: str
    without_answers: float
    whole: float
    less_text: int


def money_tables(paid: Mapping[Market, Mapping[str, Bill]], quiet: Sequence[Quiet]) -> str:
    """All of the money bench in Markdown."""
    bills = [_bill_row(market, name, bill) for market, bills in paid.items() for name, bill in bills.items()]
    rows = [_ratio_row(market, ratio) for market, bills in paid.items() for ratio in ratios(bills)]
    tables = [markdown(_BILL_HEAD, bills), markdown(_RATIO_HEAD, rows)]
    if quiet:
        tables.append(markdown(_QUIET_HEAD, [_quiet_row(each) for each in quiet]))
    return "\n\n".join(tables)


def money_results(paid: Mapping[Market, Mapping[str, Bill]], quiet: Sequence[Quiet]) -> dict[str, object]:
    """The same for machines."""
    return {
        "bills": {market.model: {name: asdict(bill) for name, bill in bills.items()} for market, bills in paid.items()},
        "ratios": {market.model: [asdict(ratio) for ratio in ratios(bills)] for market, bills in paid.items()},
        "quiet": [asdict(each) for each in quiet],
    }


def ratios(bills: Mapping[str, Bill]) -> tuple[Ratio, ...]:
    """Parley beside the windows that slide."""
    return tuple(_ratio(ours, theirs, bills) for ours, theirs in _PAIRS if ours in bills and theirs in bills)


def _ratio(ours: str, theirs: str, bills: Mapping[str, Bill]) -> Ratio:
    mine, other = bills[ours], bills[theirs]
    return Ratio(
        ours=ours,
        theirs=theirs,
        without_answers=mine.without_answers / other.without_answers,
        whole=mine.nano_usd / other.nano_usd,
        less_text=mine.turns_with_less_than(other),
    )


def _bill_row(market: Market, name: str, bill: Bill) -> tuple[str, ...]:
    kept = bill.recent[WARM_UP_TURNS:]
    money = (bill.nano_usd, bill.answers, bill.prompts, bill.summaries)
    return market.model, name, *map(_dollars, money), f"{sum(kept) / len(kept):,.0f}", f"{min(kept):,}"


def _ratio_row(market: Market, ratio: Ratio) -> tuple[str, ...]:
    text = f"less at {ratio.less_text} turns" if ratio.less_text else "never less"
    target = "" if market.at_most is None else f"<= {market.at_most:.2f}"
    verdicts = [_verdict(value, market, ratio) for value in (ratio.without_answers, ratio.whole)]
    return market.model, ratio.ours, ratio.theirs, text, *verdicts, target


def _verdict(value: float, market: Market, ratio: Ratio) -> str:
    """The ratio, and whether it is what was promised: that takes as much text as well."""
    if market.at_most is None:
        return f"{value:.3f}"
    return f"{value:.3f} {'yes' if value <= market.at_most and not ratio.less_text else 'NO'}"


def _quiet_row(quiet: Quiet) -> tuple[str, ...]:
    marked = f"{quiet.for_5_minutes} for 5 minutes, {quiet.for_1_hour} for an hour, {quiet.unmarked} not at all"
    money = map(_dollars, (quiet.parley, quiet.always, quiet.never))
    return f"{quiet.gap_s / 60:g}", *money, marked


def _dollars(nano_usd: int) -> str:
    return f"{nano_usd / _NANO:.4f}"
