"""Making people and chats, for tests: users, private chats, groups, topics, migration.

These verbs set the stage; only `migrate` and `add_topic` queue updates, for their service messages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from tests.fakes.telegram.entities import FormattedText
from tests.fakes.telegram.model import Chat, JsonObject, Message, User
from tests.fakes.telegram.people import People
from tests.fakes.telegram.wire import message_to_wire
from tests.fakes.telegram.world import NewMessage

_FIRST_USER_ID = 100_000
_SUPERGROUP_BASE = -1_000_000_000_000
_FIRST_GROUP_ID = 2_000_000


class Places(People):
    """Verbs that make users and chats."""

    def add_user(
        self,
        first_name: str = "Ann",
        *,
        username: str | None = None,
        user_id: int | None = None,
        is_bot: bool = False,
    ) -> User:
        """Make an account; it has no chat with the bot yet."""
        user = User(
            id=user_id or _FIRST_USER_ID + self.world.number(),
            first_name=first_name,
            username=username,
            is_bot=is_bot,
            language_code=None if is_bot else "en",
        )
        self.world.users[user.id] = user
        return user

    def add_private_chat(self, user: User) -> Chat:
        """Let `user` start the bot; the chat's id is the user's."""
        members = {user.id: "member", self.world.bot.id: "member"}
        chat = Chat(id=user.id, type="private", members=members, topics={})
        self.world.chats[chat.id] = chat
        return chat

    def add_group(
        self,
        title: str = "Group",
        *,
        kind: Literal["group", "supergroup"] = "supergroup",
        forum: bool = False,
        topics: Sequence[str] = (),
        members: Iterable[User] = (),
        admins: Iterable[User] = (),
        bot_status: str = "member",
    ) -> Chat:
        """Make a group with the bot in it; the first of `admins` is its creator."""
        number = _FIRST_GROUP_ID + self.world.number()
        chat = Chat(
            id=_SUPERGROUP_BASE - number if kind == "supergroup" else -number,
            type=kind,
            title=title,
            is_forum=forum,
            members={self.world.bot.id: bot_status},
            topics={},
        )
        chat.members |= {user.id: "member" for user in members}
        chat.members |= {user.id: "administrator" if place else "creator" for place, user in enumerate(admins)}
        self.world.chats[chat.id] = chat
        if forum:
            self.world.next_message_id(chat)  # 1 is General, which is no thread id
        for name in topics:
            self.add_topic(chat, name)
        return chat

    def add_topic(self, chat: Chat, name: str, *, creator: User | None = None) -> int:
        """Open a topic in a forum (or private chat); return its thread id, the id of its opening message.

        With a `creator` the service message is an update as well.
        """
        service: JsonObject = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        sender_id = creator.id if creator else self.world.bot.id
        opening = self._service(chat, sender_id, service)
        message = replace(opening, thread_id=opening.id)
        self.world.messages[chat.id][message.id] = message
        chat.topics[message.id] = name
        if creator is not None:
            self.world.announce("message", message_to_wire(self.world, message))
        return message.id

    def delete_topic(self, chat: Chat, thread_id: int) -> None:
        """Delete a topic: sends to it fail."""
        del chat.topics[thread_id]
        self.world.changed.fire()

    def migrate(self, group: Chat) -> Chat:
        """Upgrade a basic group; return the supergroup. Both service messages are queued."""
        upgraded = self.add_group(group.title or "", kind="supergroup")
        upgraded.members |= group.members
        group.migrated_to = upgraded.id
        creator = next(iter(user_id for user_id in group.members if user_id != self.world.bot.id))
        for chat, service in (
            (group, {"migrate_to_chat_id": upgraded.id}),
            (upgraded, {"migrate_from_chat_id": group.id}),
        ):
            message = self._service(chat, creator, dict(service))
            self.world.announce("message", message_to_wire(self.world, message))
        return upgraded

    def _service(self, chat: Chat, sender_id: int, service: JsonObject) -> Message:
        content = FormattedText(text="", entities=())
        return self.world.add(NewMessage(chat_id=chat.id, sender_id=sender_id, content=content, service=service))
