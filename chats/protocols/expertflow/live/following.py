"""One conversation as one connection follows it: our frames in, their messages out, in the log's order and each once.

A gadget's is read from the log. One that a connector carries is only remembered here: what is said in it comes by the connector's feed.
"""

import json
from typing import Any, Protocol
from uuid import UUID

from django.utils import timezone

from chats.protocols.expertflow.shapes import NOBODY, TYPING, activity
from chats.protocols.expertflow.words import words_for
from chats.sockets import gather
from chats.sockets.reader import Reader

from .calls import Joined
from .presence import Presence, Typing
from .receipts import Receipts

ARRIVED = "messageArrived"


class Outlet(Protocol):
    """Where it goes: the connection."""

    def tell(self, name: str, data: dict[str, Any]) -> None: ...
    def may_whisper(self) -> bool: ...
    async def drained(self) -> None: ...
    async def received(self) -> bool: ...


class Following:
    """A reader's listener, where there is a reader."""

    def __init__(self, outlet: Outlet, joined: Joined) -> None:
        self.outlet, self.conversation, self.participant = outlet, joined.conversation, joined.participant
        self.chat_id: UUID = joined.participant.chat_id
        self.registration_id, self.customer_id = joined.registration_id, joined.customer_id
        self.is_carried = joined.is_carried
        self.is_open, self.is_waiting = joined.is_open, joined.is_waiting
        self.knows_nobody = False  # that nobody is there has been told
        self.own: dict[str, str] = {}  # client id → text of what was said here, and is not told here
        self.reader = None if joined.is_carried else Reader(self, gather.CUSTOMER, self.chat_id, joined.index)
        self.presence = Presence(self.chat_id, self._tell_of_customer)
        self.typing = Typing(joined.participant)
        # How far a connector has got is its feed's to say, whoever else follows: what it is owed is counted from there.
        self.receipts = None if joined.connector else Receipts(outlet, joined.participant, joined.index)
        self.is_over = False

    def start(self) -> None:
        """Tell what happens from now on."""
        if self.reader and not self.is_over:
            self.presence.start()
            self.reader.start()
            self._confirm()

    def stop(self) -> None:
        self.is_over = True
        self.typing.stop()
        if self.reader:
            self.presence.stop()
            self.reader.stop()
        if self.receipts:
            self.receipts.stop()

    @property
    def has_lease(self) -> bool:
        return self.is_open and self.reader is not None and self.participant.lease_until is not None

    # What the reader hands over -----------------------------------------------------------------------------------------

    def push(self, frame: str) -> None:
        """A frame of our customer socket. How far somebody has read has no words of theirs."""
        found = json.loads(frame)
        if found["type"] == "events":
            for event in found["events"]:
                self._hear(event)
            self._confirm()

    def whisper(self, frame: str) -> bool:
        """Typing; that it has stopped has no words of theirs."""
        if not self.outlet.may_whisper():
            return False
        found = json.loads(frame)
        if found["type"] == "typing" and found["active"]:
            self.tell_activity(TYPING, self.conversation.sender_of(found))
        return True

    async def drained(self) -> None:
        await self.outlet.drained()

    def passed(self, reader: Reader, types: frozenset[str]) -> None:
        """Nothing is read anew: what clients are told stands in the events."""

    # In their words -----------------------------------------------------------------------------------------------------

    def tell(self, message: dict[str, Any]) -> None:
        self.outlet.tell(ARRIVED, message)

    def tell_activity(self, kind: str, who: dict[str, Any]) -> None:
        """What the log does not keep."""
        self.tell(activity(self.conversation, kind, who, at=timezone.now()))

    def tell_nobody(self) -> None:
        """Once for each time that the chat waits."""
        self.knows_nobody = True
        self.tell_activity(NOBODY, self.conversation.system())

    def _hear(self, event: dict[str, Any]) -> None:
        self._note(event)
        is_own = event["sender"]["kind"] == "customer"
        # The text, too: another connection of the customer may have said something else under this id, and ours is refused then.
        if is_own and self.own.get(event.get("client_id", "")) == event["text"]:
            del self.own[event["client_id"]]
            return
        for message in words_for(self.conversation, event):
            self.tell(message)
        if self.receipts and not is_own:
            self.receipts.due = event["index"]

    def _confirm(self) -> None:
        if self.receipts:
            self.receipts.confirm()

    def _tell_of_customer(self, kind: str) -> None:
        self.tell_activity(kind, self.conversation.customer())

    def _note(self, event: dict[str, Any]) -> None:
        """What later events are told by."""
        match event["type"]:
            case "chat.queued":
                self.is_waiting, self.knows_nobody = True, False
            case "agent.joined":
                self.is_waiting = False
            case "search.failed":
                self.knows_nobody = True
            case "chat.closed":
                self.is_waiting = self.is_open = False
            case "chat.reopened":
                self.is_open = True
