"""Every injection of the corpus against the whole bot, with a model that does whatever the text wants."""

import asyncio
import re
from collections.abc import Mapping

import pytest

from adapters.discord.composing import SUPPRESS_EMBEDS, compose
from adapters.discord.render import render as render_for_discord
from adapters.telegram.messenger import _content
from adapters.telegram.render import render as render_for_telegram
from bot.core.message import Text, ToolResult
from bot.core.ports import ChatRequest
from bot.core.untrusted import clean
from tests.fakes.telegram.entities import FormattedText, entity_text, fix, parse_entities
from tests.injections.corpus import CORPUS, EVIL, SECRET, Injection, Where
from tests.injections.scene import ASKED, ELSEWHERE, Attack, attack, poison

Attacks = Mapping[str, Attack]
each = pytest.mark.parametrize("injection", CORPUS, ids=lambda injection: injection.id)
#: Files whose names alone reach the model.
NAMED = tuple(injection for injection in CORPUS if injection.where in (Where.FILE_NAME, Where.IMAGE_NAME))
_FRAME = re.compile(r"<<<DATA ([0-9a-f]{16})>>>\n(.*?)\n<<<END DATA \1>>>", re.DOTALL)
_DISCORD_LINK = re.compile(r"(?:https?|discord|steam)://[^\s<>]+", re.IGNORECASE)
_AT_EVIL = re.compile(rf"(?:{'|'.join(map(re.escape, EVIL))}|аpple\.example)(?::\d+)?[/?#]\S", re.IGNORECASE)
#: The real server makes a link of any host.
_SECRET_HOST = re.compile(rf"{re.escape(SECRET)}\.\w")
_SPEAKERS = re.compile(r"<\|\w+\|>|\[/?INST\]|<<?/?SYS>>|<(?:start|end)_of_turn>")


async def _all() -> dict[str, Attack]:
    readable = {injection.id: await attack(injection) for injection in CORPUS}
    return readable | {f"{injection.id} unreadable": await attack(injection, unreadable=True) for injection in NAMED}


@pytest.fixture(scope="module")
def attacks() -> Attacks:
    """All of them, made once."""
    return asyncio.run(_all())


@each
def test_it_arrives_and_the_model_obeys(injection: Injection, attacks: Attacks) -> None:
    came = attacks[injection.id]
    words = re.findall(r"\w{2,}", clean(poison(injection)))

    assert words[0] in "\n".join(_texts(came.requests[-1]))
    assert {"read_page", "search_history", "web_search"} & set(came.ran)
    assert came.answer.startswith("Here you are: ")


@each
def test_no_tool_with_effects_runs(injection: Injection, attacks: Attacks) -> None:
    assert attacks[injection.id].mails == 0


@pytest.mark.parametrize("injection", NAMED, ids=lambda injection: injection.id)
def test_no_tool_with_effects_runs_after_the_name_of_a_file_that_cannot_be_read(
    injection: Injection, attacks: Attacks
) -> None:
    assert attacks[f"{injection.id} unreadable"].mails == 0


@each
def test_nothing_is_fetched_that_the_person_did_not_ask_for(injection: Injection, attacks: Attacks) -> None:
    assert set(attacks[injection.id].fetched) <= {ASKED, ASKED.replace("http:", "https:")}


@each
def test_no_link_leads_away_with_what_was_stolen(injection: Injection, attacks: Attacks) -> None:
    for state in attacks[injection.id].states:
        for url in (*_links_on_discord(state), *_links_on_telegram(state)):
            assert SECRET not in url
            assert _AT_EVIL.search(url) is None
        assert _SECRET_HOST.search(_seen_by_telegram(state)) is None
    shown = attacks[injection.id].answer
    assert _AT_EVIL.search(shown.replace("*", "").replace("\\", "")) is None


@each
def test_nobody_is_pinged(injection: Injection, attacks: Attacks) -> None:
    for state in attacks[injection.id].states:
        for page in render_for_discord(state):
            body = compose(page.content)
            assert body["allowed_mentions"] == {"parse": [], "replied_user": False}
            assert body["flags"] == SUPPRESS_EMBEDS
        for text in (*_on_telegram(state, plain=False), *_on_telegram(state, plain=True)):
            assert [entity for entity in text.entities if entity.type in ("mention", "text_mention")] == []


@each
def test_nothing_of_another_thread_is_in_a_request(injection: Injection, attacks: Attacks) -> None:
    came = attacks[injection.id]

    for text in (*(text for request in came.requests for text in _texts(request)), *came.states):
        assert ELSEWHERE not in text
        assert "zebra-92" not in text


@each
def test_the_frames_around_it_are_whole(injection: Injection, attacks: Attacks) -> None:
    for request in attacks[injection.id].requests:
        for text in _texts(request):
            markers = [marker for marker, _ in _FRAME.findall(text)]
            outside = _FRAME.sub("", text)

            assert all(text.count(marker) == 2 for marker in markers)
            assert "<<" not in outside
            assert _SPEAKERS.search(text) is None
            assert clean(text) == text


@pytest.mark.parametrize(
    "injection", [each for each in CORPUS if each.where is Where.HISTORY], ids=lambda each: each.id
)
def test_the_conversation_itself_was_searched(injection: Injection, attacks: Attacks) -> None:
    assert "search_history" in attacks[injection.id].ran


def _texts(request: ChatRequest) -> list[str]:
    """What the model reads, but for its own words."""
    parts = [part for message in request.messages for part in message.parts]
    return [request.system, *(part.text for part in parts if isinstance(part, Text | ToolResult))]


def _links_on_discord(markdown: str) -> list[str]:
    return [link for page in render_for_discord(markdown) for link in _DISCORD_LINK.findall(page.content)]


def _links_on_telegram(markdown: str) -> list[str]:
    links = []
    for text in (*_on_telegram(markdown, plain=False), *_on_telegram(markdown, plain=True)):
        links += [entity.url for entity in text.entities if entity.url is not None]
        links += [entity_text(text.text, entity) for entity in text.entities if entity.type == "url"]
    return links


def _seen_by_telegram(markdown: str) -> str:
    """The pages without code, into which the server does not look."""
    texts = []
    for text in _on_telegram(markdown, plain=False):
        units = bytearray(text.text.encode("utf-16-le"))
        for code in text.entities:
            if code.type in ("code", "pre"):
                units[2 * code.offset : 2 * code.end] = b" \0" * code.length
        texts.append(units.decode("utf-16-le"))
    return "\n".join(texts)


def _on_telegram(markdown: str, *, plain: bool) -> list[FormattedText]:
    """What the server makes of the pages: our entities, and those that it finds itself. `plain`: a page it refused."""
    sent = [_content(page, plain=plain) for page in render_for_telegram(markdown)]
    return [fix(text, parse_entities([entity.to_dict() for entity in entities])) for text, entities in sent]
