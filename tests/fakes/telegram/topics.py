"""Methods that manage topics.

After edit_forum_topic of ForumTopicManager.cpp, and what Telegram's own servers answer behind it.
"""

from tests.fakes.telegram.access import resolve_chat
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.params import Params
from tests.fakes.telegram.world import World

_NAME_CHARS = 128
_IN_CHARGE = ("creator", "administrator")


def edit_forum_topic(world: World, params: Params) -> object:
    """Answer editForumTopic: by administrators in forums, by everyone in private chats; an empty name stays."""
    chat = resolve_chat(world, params)
    if not chat.is_forum and not chat.is_private:
        raise bad_request("the chat is not a forum")
    thread_id = params.integer("message_thread_id")
    if thread_id not in chat.topics:
        raise bad_request("message thread not found")
    opening = world.find(chat.id, thread_id)
    created = opening is not None and opening.sender_id == world.bot.id
    if not chat.is_private and not created and chat.members.get(world.bot.id) not in _IN_CHARGE:
        raise bad_request("not enough rights to edit the topic")
    given = params.text("name")
    name = " ".join(given.split())[:_NAME_CHARS]
    if given and not name:
        raise bad_request("title must be non-empty")
    if not name or name == chat.topics[thread_id]:
        raise bad_request("TOPIC_NOT_MODIFIED")
    chat.topics[thread_id] = name
    world.changed.fire()
    return True
