"""/new: a fresh context; what was said stays stored, but no model sees it any more."""

from bot.core.command import Command, Desk, Invocation
from bot.core.ports import Answer


async def _new(invocation: Invocation, desk: Desk) -> Answer:
    await desk.threads.start_afresh(invocation.place.thread_key)
    return Answer(text="A fresh start: what was said here before no longer counts. Settings stay as they are.")


COMMAND = Command(
    name="new",
    description="Start afresh: forget what was said here before",
    handler=_new,
    details="Earlier messages stay stored, they are only not sent to the model any more.",
)
