"""read_page: what a model gets of long pages, and of several at once."""

from hypothesis import given
from hypothesis import strategies as st

from bot.tools.read_page import _shares
from tests.bot.tools.test_read_page import RAIN, SNOW, SUN, Shelf, read, reading


async def test_a_long_page_is_cut_and_can_be_read_to_its_end() -> None:
    words = " ".join(f"word{number}" for number in range(8_000))
    shelf = Shelf({RAIN.url: words.encode()})
    read_so_far, offset = "", 0
    async with reading(shelf) as tool:
        for _ in range(10):
            output = await read(tool, RAIN.url, offset=offset)
            assert len(output.text) < 25_000
            shown = output.text.partition("\n(")[2].partition("\n")[2].rpartition("\n\nCite")[0]
            read_so_far += f" {shown}"
            _, found, rest = output.text.partition("call read_page with this address and offset ")
            if not found:
                break
            offset = int(rest.partition(")")[0])
        beyond = await read(tool, RAIN.url, offset=10**6)

    assert read_so_far.split() == words.split()
    assert "There is nothing more." in beyond.text
    assert shelf.asked == [RAIN.url]


async def test_of_an_endless_page_only_the_beginning_can_be_read() -> None:
    async with reading(Shelf({RAIN.url: b"x" * 1_000_000})) as tool:
        output = await read(tool, RAIN.url)

    assert "(only its first 100,000 characters can be read; characters 0 to 24,000 of 100,000; " in output.text


async def test_of_a_long_page_a_query_gives_the_passages_that_fit() -> None:
    words = "Nothing here.\n" * 4_000 + "The oldest Bridge in town is from 1832.\n" + "Nothing here.\n" * 2_000
    async with reading(Shelf({RAIN.url: words.encode()})) as tool:
        fitting = await read(tool, RAIN.url, query="oldest bridge")
        without = await read(tool, RAIN.url, query="tunnel")

    assert "The oldest Bridge in town is from 1832." in fitting.text
    assert "passages with the words of your query, of 84,039 characters" in fitting.text
    assert len(fitting.text) < 2_000
    assert "characters 0 to " in without.text


async def test_pages_share_the_room() -> None:
    shelf = Shelf({RAIN.url: b"r" * 50_000, SUN.url: b"short", SNOW.url: b"s" * 50_000})
    async with reading(shelf) as tool:
        output = await read(tool, RAIN.url, SUN.url, SNOW.url)

    assert output.text.count("short") == 1
    assert "characters 0 to 11,997 of 50,000" in output.text
    assert "characters 0 to 11,998 of 50,000" in output.text


@given(st.lists(st.integers(0, 1_000), max_size=5), st.integers(0, 2_000))
def test_shares_use_all_the_room_and_no_more(lengths: list[int], limit: int) -> None:
    shares = _shares(lengths, limit)

    assert sum(shares) == min(limit, sum(lengths))
    assert all(share <= length for share, length in zip(shares, lengths, strict=True))
