"""/search-web: answer a question with what the web says, whatever the model would have done by itself."""

from bot.core.answering import NO_SEARCH, QUERY_CHARS
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.errors import UsageError
from bot.core.inbound import Invoked
from bot.core.ports import Answer
from bot.core.tool_belt import WEB_SEARCH


async def _search_web(invocation: Invocation, desk: Desk) -> Answer:
    query = invocation.options["query"].strip()
    if WEB_SEARCH not in desk.tools:
        return Answer(text=NO_SEARCH)
    if len(query) > QUERY_CHARS:
        raise UsageError(f"A search takes at most {QUERY_CHARS} characters. Shorten it, or ask without the command.")
    await desk.conversations.ask(invocation.inbound, query, search=True)
    # A slash command hangs until it is answered, and shows nobody what was asked.
    event = invocation.inbound.event
    slash = isinstance(event, Invoked) and event.message_id is None
    return Answer(text=f"Looking up: {query}" if slash else "", private=False)


COMMAND = Command(
    name="search-web",
    description="Look something up on the web and answer with sources",
    handler=_search_web,
    options=(Option(name="query", description="What to look up", required=True, rest=True),),
    details="The model may search by itself as well; `/settings search always` makes it do so for every message, "
    "`/settings search off` never.",
)
