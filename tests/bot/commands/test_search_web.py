"""/search-web: a question with a look-up first."""

from bot.commands import COMMANDS
from tests.fakes.desk import Counter
from tests.fakes.tools import searching


def counter(*, set_up: bool = True) -> Counter:
    return Counter(commands=COMMANDS, tools={"web_search": searching()} if set_up else {})


async def test_the_question_is_asked_with_a_search() -> None:
    at = counter()

    answer = await at.type("/search-web rain in Oslo")

    assert at.conversations.asked == [("rain in Oslo", True)]
    assert answer.text == ""


async def test_where_names_have_no_dashes_it_is_written_with_an_underscore() -> None:
    at = counter()

    await at.type("/search_web rain")

    assert at.conversations.asked == [("rain", True)]


async def test_a_slash_command_shows_what_is_looked_up() -> None:
    answer = await counter().slash("search-web", {"query": "rain"})

    assert (answer.text, answer.private) == ("Looking up: rain", False)


async def test_without_a_search_service_it_says_what_to_set() -> None:
    at = counter(set_up=False)

    answer = await at.type("/search-web rain")

    assert "TAVILY_API_KEY" in answer.text
    assert at.conversations.asked == []


async def test_a_question_that_is_too_long_is_refused_with_the_limit() -> None:
    answer = await counter().type(f"/search-web {'x' * 401}")

    assert "at most 400 characters" in answer.text
