"""/system: what the model is told before every conversation."""

from bot.commands._target import CLEAR_WORDS, change, choose_target, settings_here, shown
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.ports import Answer
from bot.core.thread_settings import setting

_SPEC = setting("system")


async def _system(invocation: Invocation, desk: Desk) -> Answer:
    text = invocation.options.get("text")
    if text is None:
        prompt, source = await shown(_SPEC, (await settings_here(invocation, desk)).get(_SPEC.name), desk)
        quote = "\n".join(f"> {line}" for line in prompt.splitlines()) or "> (none)"
        return Answer(text=f"The system prompt here, from {source}:\n\n{quote}\n\n`/system <text>` changes it.")
    value = None if text.strip().lower() in CLEAR_WORDS else _SPEC.parse(text)
    target = await choose_target(invocation, desk, None)
    return Answer(text=await change(_SPEC, value, target, invocation, desk))


COMMAND = Command(
    name="system",
    description="Show or change what the model is told before every conversation",
    handler=_system,
    options=(Option(name="text", description="The new system prompt, or: clear", rest=True),),
    details="It applies to this thread, to this channel outside of threads, or to you in a private chat. "
    "`clear` removes it, so that a wider setting or the default counts again.",
)
