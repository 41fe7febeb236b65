"""The two small memories: what is true for a while, and what messages said."""

from adapters.telegram.memory import Expiring
from adapters.telegram.recent import RecentTexts
from tests.fakes.clock import ManualClock


async def test_a_value_is_forgotten_when_its_time_is_up() -> None:
    clock = ManualClock()
    values: Expiring[str, bool] = Expiring(clock, 60.0)
    values.put("a", False)
    at_once = values.get("a")
    await clock.sleep(60.0)

    assert (at_once, values.get("a"), values.get("b")) == (False, None, None)


def test_only_the_newest_texts_are_remembered() -> None:
    texts = RecentTexts(kept=2)
    for key in ("a", "b", "c"):
        texts.remember(key, "text")

    assert [texts.is_known(key, "text") for key in ("a", "b", "c")] == [False, True, True]
    assert not texts.is_known("c", "another")
