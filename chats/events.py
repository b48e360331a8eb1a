"""What can happen in a chat, and the only pen that writes it into the log.

`record` numbers events from the chat's own row (locked by the caller), stores them and tells the listeners that chats.apps names: those of
`recorded` run within the transaction (and can undo it), those of `committed` after the commit (and can only be late).
`whisper` is for what is said but never stored: typing, previews, cursors.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction
from django.dispatch import Signal

from .models import Chat, Event, Participant, hot

recorded = Signal()  # records: list[Record]; within the transaction
committed = Signal()  # records: list[Record]; after the commit
whispered = Signal()  # chat_id, whisper: Whisper; at once


@dataclass(frozen=True, kw_only=True)
class ChatEvent:
    """The base of all. What is not `text` or `client_id` goes into the event's data."""

    type: ClassVar[str]
    is_public: ClassVar[bool] = True
    text: str = ""
    client_id: str | None = None

    def data(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in ("text", "client_id")}


@dataclass(frozen=True, kw_only=True)
class ChatStarted(ChatEvent):
    type = "chat.started"
    team: str
    subject: str = ""
    channel: str = ""


@dataclass(frozen=True, kw_only=True)
class Said(ChatEvent):
    """attachments: snapshots (models.Attachment.snapshot). Where there are any, links: [{type, name, url}], files that lie elsewhere; to: [{id, name}], the participants it is meant for; facts: what a foreign API's client says beside it and is given back."""

    attachments: list[dict[str, Any]] = field(default_factory=list)
    links: list[Any] = field(default_factory=list)
    to: list[dict[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Without what most messages do not have: this is the hot path."""
        named = (("links", self.links), ("to", self.to), ("facts", self.facts))
        rare = {name: value for name, value in named if value}
        return {"attachments": self.attachments, **rare}


@dataclass(frozen=True, kw_only=True)
class MessagePosted(Said):
    type = "message.posted"


@dataclass(frozen=True, kw_only=True)
class NotePosted(Said):
    type = "note.posted"
    is_public = False


@dataclass(frozen=True, kw_only=True)
class MessageFailed(ChatEvent):
    """The message with this index did not reach the customer: `error` says why. code: stopped, window (too late to answer), account (the network takes our credentials no more), or empty."""

    type = "message.failed"
    is_public = False
    index: int
    error: str
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class MessageResent(ChatEvent):
    """The message with this index, which had failed, is on its way again."""

    type = "message.resent"
    is_public = False
    index: int


@dataclass(frozen=True, kw_only=True)
class ChatMoved(ChatEvent):
    """What is said travels by another channel from now on. channel: its kind; name: as its center calls it; address: the customer's on it, empty on the web."""

    type = "chat.moved"
    is_public = False
    channel: str
    name: str
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class ChatQueued(ChatEvent):
    """reason: new, transfer, agent_gone, left or returned."""

    type = "chat.queued"
    team: str
    reason: str = "new"


@dataclass(frozen=True, kw_only=True)
class SearchFailed(ChatEvent):
    type = "search.failed"


@dataclass(frozen=True, kw_only=True)
class RoutingDecided(ChatEvent):
    """eligible: [{agent, name, free, …}] best first; excluded: [{agent, name, why}]; both cut at 20, while reasons {why: how many} counts all.

    chosen: an agent's id or None.
    """

    type = "routing.decided"
    is_public = False
    team: str
    strategy: str
    chosen: str | None
    eligible: list[dict[str, Any]] = field(default_factory=list)
    excluded: list[dict[str, Any]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InvitationEvent(ChatEvent):
    is_public = False
    invitation: str
    agent: str
    name: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class InvitationOffered(InvitationEvent):
    type = "invitation.offered"
    expires_at: str


@dataclass(frozen=True, kw_only=True)
class InvitationAccepted(InvitationEvent):
    type = "invitation.accepted"


@dataclass(frozen=True, kw_only=True)
class InvitationDeclined(InvitationEvent):
    type = "invitation.declined"


@dataclass(frozen=True, kw_only=True)
class InvitationExpired(InvitationEvent):
    type = "invitation.expired"


@dataclass(frozen=True, kw_only=True)
class InvitationWithdrawn(InvitationEvent):
    type = "invitation.withdrawn"


@dataclass(frozen=True, kw_only=True)
class AgentJoined(ChatEvent):
    """reason: accepted, picked, assigned or reopened; guest: beside the chat's agent, who stays."""

    type = "agent.joined"
    agent: str
    name: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class AgentLeft(ChatEvent):
    """reason: transferred, gone, left or returned; guest: it was not the chat's own agent."""

    type = "agent.left"
    agent: str
    name: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class GuestEvent(ChatEvent):
    """`agent`, `name`: the colleague whom the sender asks into the chat."""

    is_public = False
    agent: str
    name: str


@dataclass(frozen=True, kw_only=True)
class GuestInvited(GuestEvent):
    type = "guest.invited"


@dataclass(frozen=True, kw_only=True)
class GuestDeclined(GuestEvent):
    type = "guest.declined"


@dataclass(frozen=True, kw_only=True)
class ChatTransferred(ChatEvent):
    type = "chat.transferred"
    team: str
    team_name: str
    agent: str | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerReminded(ChatEvent):
    type = "customer.reminded"


@dataclass(frozen=True, kw_only=True)
class CustomerUpdated(ChatEvent):
    type = "customer.updated"
    is_public = False
    changed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ChatUpdated(ChatEvent):
    """Custom data changed. changed: {name: new value, or None for what was taken out}."""

    type = "chat.updated"
    is_public = False
    changed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ChatClosed(ChatEvent):
    """by: customer, agent or system; reason: models.Chat.CloseReason; is_silent: a program wanted no closing words to be said."""

    type = "chat.closed"
    by: str
    reason: str
    is_silent: bool = False

    def data(self) -> dict[str, Any]:
        """Without what is rare."""
        return {"by": self.by, "reason": self.reason, **({"is_silent": True} if self.is_silent else {})}


@dataclass(frozen=True, kw_only=True)
class ChatDisposed(ChatEvent):
    type = "chat.disposed"
    is_public = False
    disposition: str = ""
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class ChatReopened(ChatEvent):
    type = "chat.reopened"


@dataclass(frozen=True, kw_only=True)
class HistoryImported(ChatEvent):
    """What was said before the chat came to us, to a bot say. entries: [{kind: customer, bot or agent; name, text, at: ISO 8601 or None}], oldest first."""

    type = "history.imported"
    is_public = False
    entries: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SurveyAnswered(ChatEvent):
    type = "survey.answered"
    is_public = False
    rating: int | None = None
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class ChatErased(ChatEvent):
    """What was said above is gone, with its customer: who shows the chat reads it anew, who keeps a copy has to erase it."""

    type = "chat.erased"
    is_public = False


def all_event_types() -> list[type[ChatEvent]]:
    """Every event that can stand in a log: what each outgoing table of a protocol must have a row for."""
    found: list[type[ChatEvent]] = []
    pending: list[type[ChatEvent]] = [ChatEvent]
    while pending:
        kind = pending.pop()
        pending.extend(kind.__subclasses__())
        if "type" in kind.__dict__ and isinstance(kind.__dict__["type"], str):
            found.append(kind)
    return sorted(found, key=lambda kind: kind.type)


@dataclass(frozen=True, slots=True)
class Record:
    """An event as stored, with the chat as it was when the event was written."""

    chat: Chat
    event: Event


@dataclass(frozen=True, slots=True)
class Whisper:
    """Said and gone. kind: typing, read or delivered; `to_customer` and `to_staff` say who hears it."""

    kind: str
    data: dict[str, Any]
    to_customer: bool = True
    to_staff: bool = True

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks where no participant does: a program's bot, or nobody in particular."""

    kind: str = "system"
    name: str = ""


NOBODY = Speaker()


def record(
    chat: Chat, *happened: ChatEvent, sender: Participant | None = None, speaker: Speaker = NOBODY, now: datetime
) -> list[Record]:
    """Write events into the log of a chat whose row the caller has locked, and save the row with everything the caller changed on it."""
    rows = [number(chat, event, sender=sender, speaker=speaker, now=now) for event in happened]
    return store([Record(chat, row) for row in rows], changed=[chat])


def number(
    chat: Chat, event: ChatEvent, *, sender: Participant | None, speaker: Speaker = NOBODY, now: datetime
) -> Event:
    """The event's row with the next numbers of its chat; nothing is stored yet."""
    chat.position += 1
    if event.is_public:
        chat.index += 1
    return Event(
        center_id=chat.center_id,
        chat_id=chat.pk,
        position=chat.position,
        index=chat.index if event.is_public else None,
        type=event.type,
        sender=sender,
        sender_kind=sender.kind if sender else speaker.kind,
        sender_name=sender.name if sender else speaker.name,
        client_id=event.client_id,
        text=event.text,
        data=event.data(),
        at=now,
    )


def store(records: Sequence[Record], moved: Collection[Chat] = (), *, changed: Collection[Chat] = ()) -> list[Record]:
    """Insert numbered events and tell the listeners. Of `moved` chats the heads are saved with them, `changed` ones are saved whole; the caller saves other chats' rows."""
    kept = list(records)
    if moved:
        hot.insert_messages([item.event for item in kept], moved)
    elif changed:
        hot.insert_events([item.event for item in kept], changed)
    else:
        hot.insert_events([item.event for item in kept])
    recorded.send(sender=None, records=kept)
    transaction.on_commit(lambda: committed.send(sender=None, records=kept), robust=True)
    return kept


def whisper(chat_id: Any, heard: Whisper) -> None:
    """Tell those who watch the chat now; nobody else will ever know."""
    whispered.send(sender=None, chat_id=chat_id, whisper=heard)
