"""What a call may cost at worst, and how long an answer a sum of money still pays for. Pure.

Every price is asked of a `Pricer`: tiers, caches and dates are its business. Knows neither budgets nor stores.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.catalogue import ModelInfo
from bot.core.events import Usage
from bot.core.message import Audio, Image
from bot.core.ports import ChatRequest, Pricer
from bot.core.prompt_bound import likely_bound, prompt_bound

#: How long an answer may get for which nobody asked a length, where money counts.
UNASKED_OUTPUT_TOKENS = 16_384
#: A shorter answer is not worth asking for; reasoning models would think and say nothing.
LEAST_OUTPUT_TOKENS = 1_024
_LONG_CACHE_S = 3_600
#: How far below a step in the price a bound may lie and still be held at what comes after it.
_STEP_TENTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCase:
    """A call at its dearest: `prompt` is its whole input at the highest rate; what it writes comes on top.

    It wants to write up to `longest` tokens, and with fewer than `least` there is no point in asking.
    """

    model: ModelInfo
    at: datetime
    price: Pricer
    prompt: Usage
    longest: int
    least: int

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing even at its longest."""
        return self.nano_usd(self.longest) == 0

    def nano_usd(self, output_tokens: int) -> int:
        """What it costs with an answer of so many tokens; never less for a longer one."""
        cost = self.price(replace(self.prompt, output_tokens=output_tokens), self.model, self.at, estimated=True)
        # `worst_case` found a price for the longest answer; a pricer that has none for a shorter one gets no discount.
        return cost.nano_usd if cost.nano_usd is not None else self.nano_usd(self.longest)

    def affordable(self, nano_usd: int) -> int | None:
        """The longest answer that `nano_usd` pays for; None when it would be shorter than `least`."""
        if self.nano_usd(self.least) > nano_usd:
            return None
        low, high = self.least, self.longest
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.nano_usd(middle) <= nano_usd else (low, middle - 1)
        return low


def worst_case(request: ChatRequest, prompt_tokens: int, price: Pricer, at: datetime) -> WorstCase | None:
    """The worst case of a request whose prompt was estimated at `prompt_tokens`; None: no price is known."""
    model = request.model
    longest = _longest(request, prompt_tokens)
    input_tokens = _past_step(prompt_bound(request, prompt_tokens), model, price, at)
    dearest: tuple[int, Usage] | None = None
    for prompt in _prompts(request, input_tokens):
        nano_usd = price(replace(prompt, output_tokens=longest), model, at, estimated=True).nano_usd
        if nano_usd is not None and (dearest is None or nano_usd > dearest[0]):
            dearest = nano_usd, prompt
        elif dearest is None:
            return None
    return dearest and WorstCase(
        model=model,
        at=at,
        price=price,
        prompt=dearest[1],
        longest=longest,
        least=min(LEAST_OUTPUT_TOKENS, longest),
    )


def _past_step(input_tokens: int, model: ModelInfo, price: Pricer, at: datetime) -> int:
    """Long prompts cost more by the token: a bound that lies a little below such a step is moved beyond it."""
    further = input_tokens * _STEP_TENTHS // 10
    near, far = (
        price(Usage(input_tokens=tokens, output_tokens=0), model, at, estimated=True).nano_usd
        for tokens in (input_tokens, further)
    )
    # A nano-dollar may come from rounding.
    stepped = near is not None and far is not None and far * input_tokens > (near + 1) * further
    return further if stepped else input_tokens


def _longest(request: ChatRequest, prompt_tokens: int) -> int:
    """What was asked for; else the usual bound, as far as model and window allow."""
    model = request.model
    possible = model.max_output_tokens or UNASKED_OUTPUT_TOKENS
    if request.max_output_tokens is not None:
        return min(request.max_output_tokens, model.max_output_tokens or request.max_output_tokens)
    bound = min(possible, UNASKED_OUTPUT_TOKENS)
    if model.window_tokens is None:
        return bound
    # Servers that count prompt and answer together refuse a bound that cannot fit.
    return min(bound, max(LEAST_OUTPUT_TOKENS, model.window_tokens - likely_bound(request, prompt_tokens)))


def _prompts(request: ChatRequest, input_tokens: int) -> Iterator[Usage]:
    """Every way in which the whole prompt may be billed; a mixture of them costs no more than the dearest."""
    plain = Usage(input_tokens=input_tokens, output_tokens=0)
    yield plain
    yield replace(plain, cached_tokens=input_tokens)
    # Some providers write unasked, and bill it; only a model that can be told not to surely does not.
    if request.cache_key is not None or not request.model.cache_options:
        yield replace(plain, cache_write_tokens=input_tokens)
    if request.cache_key is not None and request.cache_ttl_s >= _LONG_CACHE_S:
        yield replace(plain, cache_write_tokens=input_tokens, cache_write_1h_tokens=input_tokens)
    kinds = {type(part) for message in request.messages for part in message.parts}
    if Image in kinds:
        yield replace(plain, image_tokens=input_tokens)
    if Audio in kinds:
        yield replace(plain, audio_tokens=input_tokens)
