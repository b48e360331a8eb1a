"""App Messaging: what is said in a conversation, as customers' apps read and say it; numbered through all its chats."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.show import show_typing, show_typing_of_team
from chats.models import Participant, SpaceChat, SpaceLine

from .asked_messages import EventQuery, MessagePost, MessageQuery
from .conversation_chats import number_all, say_in
from .conversation_log import events_from, page_of
from .conversations import ConversationDoor
from .door import Door
from .lines import SENT
from .messages import line_of, read_updates
from .names import as_uuid, message_id_at
from .status_updates import report


class Messages(ConversationDoor):
    asks: ClassVar = {"POST": MessagePost}
    queries: ClassVar = {"GET": MessageQuery}

    def get(self, request: Request, conversation_id: str) -> Response:
        """What was said, the newest first."""
        query, row = self.read_query(MessageQuery), self.conversation(conversation_id)
        number_all(row, self.now)
        return Response(page_of(self.caller, row, query.get("from"), query["limit"]))

    def post(self, request: Request, conversation_id: str) -> Response:
        """Say something; the first message begins a chat."""
        row = self.conversation(conversation_id)
        known, posted = say_in(self.caller, row, self.read(MessagePost), self.now)
        line = line_of(known, posted.position, self.now)
        number = line.conversation_number if line else None
        return Response({"id": str(message_id_at(known.chat_id, posted.position)), "eventId": number})


class Events(ConversationDoor):
    queries: ClassVar = {"GET": EventQuery}

    def get(self, request: Request, conversation_id: str) -> Response:
        """All that happened to its messages, in order."""
        query, row = self.read_query(EventQuery), self.conversation(conversation_id)
        number_all(row, self.now)
        return Response(events_from(self.caller, row, min(query["from"], row.head), query["limit"]))


class StatusUpdates(ConversationDoor):
    def post(self, request: Request, conversation_id: str) -> Response:
        """What was delivered and read."""
        row = self.conversation(conversation_id)
        updates = read_updates(request.data)
        number_all(row, self.now)
        ids = {row_id for update in updates for one in update["messageIds"] if (row_id := as_uuid(one))}
        lines = SpaceLine.objects.filter(conversation=row, message_id__in=ids, kind=SENT)
        for known in SpaceChat.objects.loaded().filter(pk__in=lines.values("space_chat_id")).order_by("pk"):
            known.registration = self.caller.registration
            report(self.caller, known, updates, self.now)
        return Response({})


class Typing(ConversationDoor):
    def post(self, request: Request, conversation_id: str) -> Response:
        """Somebody types."""
        return self.say(conversation_id, active=True)

    def delete(self, request: Request, conversation_id: str) -> Response:
        """And has stopped."""
        return self.say(conversation_id, active=False)

    def say(self, conversation_id: str, *, active: bool) -> Response:
        """Between two chats nobody hears it."""
        known = self.open_chat(self.conversation(conversation_id))
        if known is None:
            return Response(status=204)
        chat = known.chat
        if not self.caller.is_program:
            show_typing(chat.participants.get(kind=Participant.Kind.CUSTOMER), active=active)
        elif part := chat.participants.joined().filter(agent=chat.agent).first() if chat.agent_id else None:
            show_typing(part, active=active)
        else:
            show_typing_of_team(chat, active=active)
        return Response(status=204)


ROUTES: list[tuple[str, type[Door], str]] = [
    ("conversations/{conversation_id}/messages", Messages, "conversation-messages"),
    ("conversations/{conversation_id}/events", Events, "conversation-events"),
    ("conversations/{conversation_id}/messages/statusupdates", StatusUpdates, "conversation-statusupdates"),
    ("conversations/{conversation_id}/typing", Typing, "conversation-typing"),
]
