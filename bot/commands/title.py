"""/title: what this conversation is called; the platform's name for the thread follows where it may."""

from bot.commands._conversation import call_uid, look
from bot.commands._target import manages
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.errors import DeliveryError, UsageError
from bot.core.formatting import excerpt
from bot.core.ports import Answer
from bot.core.titles import clean_title

_THINK = "auto"


async def _title(invocation: Invocation, desk: Desk) -> Answer:
    text, key = invocation.options.get("text"), invocation.place.thread_key
    if text is None and (title := (await desk.threads.state(key)).title) is not None:
        return Answer(
            text=f"This conversation is called “{excerpt(title)}”. `/title <text>` changes that, `/title auto` has a "
            "new one thought of."
        )
    title = await _new_title(invocation, desk, text)
    kept = await _rename(invocation, desk, title)
    return Answer(text=f"This conversation is now called “{excerpt(title)}”.{kept}")


async def _new_title(invocation: Invocation, desk: Desk, text: str | None) -> str:
    """The title that was given, or one that a model thinks of; noted."""
    if text is None or text.strip().lower() == _THINK:
        here = await look(invocation, desk)
        await desk.purse.admit(invocation.place, invocation.author.key, prompt_tokens=0)
        return await desk.chores.title(
            invocation.place, invocation.author.key, uid=call_uid(invocation, desk), model=here.model
        )
    title = clean_title(text)
    if not title:
        raise UsageError("Nothing of that can stand in a title: use words.")
    if not await desk.threads.set_title(invocation.place.thread_key, title, replace=True):
        raise UsageError("Nothing was said here yet.")
    return title


async def _rename(invocation: Invocation, desk: Desk, title: str) -> str:
    """Let the platform show it; returns what there is to say about that."""
    place, messenger = invocation.place, desk.messenger
    if not messenger.capabilities(place).titles:
        return ""
    try:
        await messenger.rename(place, title, anyones=await manages(invocation, desk))
    except DeliveryError:
        return " The thread itself keeps its name: I may not change it, or not so soon again."
    return ""


COMMAND = Command(
    name="title",
    description="Show this conversation's title, or choose one",
    handler=_title,
    options=(Option(name="text", description="The title, or: auto, to have a new one thought of", rest=True),),
    details="A thread's own name changes with it if I opened the thread, or if you manage this chat. Threads get a "
    "title by themselves after the first answer, unless the operator switched that off.",
)
