"""What clients ask, on this door's threads: who they are, the conversations that they join, leave to an agent and end."""

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from chats.actions.close import close_by_customer
from chats.actions.customers import update_customer
from chats.actions.read import renew_leases
from chats.actions.start import CUSTOMER_LEASE
from chats.actions.tend import search_again
from chats.doors.origins import check_origin
from chats.doors.socketio.place import Place
from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, WRONG_PASSWORDS, address_of, count
from chats.errors import Forbidden, Invalid, NotFound
from chats.models import Connector, Event, ForeignChat, Participant
from chats.protocols.expertflow.callers import (
    UNKNOWN,
    Caller,
    admit,
    find_registration,
    live_registrations,
    named_center,
    shows_secret,
)
from chats.protocols.expertflow.people import Conversation, customer_id
from chats.protocols.expertflow.shapes import GREETINGS, activity, conversation_info, said_so_far
from chats.protocols.expertflow.words import words_for
from chats.shapes import event_for_customer

LONGEST_NAME = 100
NONE = "There is no such conversation"


@dataclass(frozen=True)
class Visitor:
    """Who asks: a connection's place, and what its handshake has shown."""

    place: Place
    caller: Caller | None
    center_id: UUID | None = None


@dataclass(frozen=True)
class Joined:
    """A conversation that was joined. index: up to where `info` holds what was said; activities: what its client hears next.

    connector: which carries the chat; is_carried: and the client belongs to it.
    """

    conversation: Conversation
    participant: Participant
    registration_id: UUID
    customer_id: UUID
    connector: Connector | None
    is_carried: bool
    is_open: bool
    is_waiting: bool
    index: int
    info: dict[str, Any]
    activities: list[dict[str, Any]]


# Who it is ------------------------------------------------------------------------------------------------------------


def handshake_of(auth: Any, place: Place) -> dict[str, Any]:
    """What a client showed when it connected: as its auth data, else in the address."""
    query = {name: values[0] for name, values in parse_qs(place.query).items()}
    return query | (auth if isinstance(auth, dict) else {})


def come_in(place: Place, said: dict[str, Any]) -> Visitor:
    """Who it is. A center that is not clear yet is no error: a conversation's id names its own when it is joined.

    Raises Unauthorized (a wrong secret), Forbidden (a center that is none), TooMany.
    """
    request = place.request()
    named = named_center(request, said)
    try:
        caller = admit(request, said)
    except Forbidden as refused:
        if refused.message == UNKNOWN or shows_secret(request, said):
            raise
        # The page of another application of this center, perhaps: that is asked again at each conversation.
        return Visitor(place, None, find_registration(request, said).center_id if named else None)
    return Visitor(place, caller, caller.registration.center_id if named or caller.is_proven else None)


# Joining --------------------------------------------------------------------------------------------------------------


def join(visitor: Visitor, said: dict[str, Any], now: datetime) -> Joined:
    """said: {conversationId, id: the participant's, name}. Raises NotFound (both ids must fit), Forbidden (its page), Invalid, TooMany."""
    foreign = _find(visitor, said)
    if not (visitor.caller and visitor.caller.is_proven):
        check_origin(visitor.place.request(), foreign.registration.application.allowed_origins)
    me = next(part for part in foreign.chat.participants.all() if part.kind == Participant.Kind.CUSTOMER)
    if foreign.chat.is_open:
        _name(foreign, me, said.get("name"), now)
        if me.lease_until:
            renew_leases([me.pk], until=now + CUSTOMER_LEASE)
    return _joined(foreign, me, is_carried=_is_carried(visitor.caller, foreign), now=now)


def _find(visitor: Visitor, said: dict[str, Any]) -> ForeignChat:
    conversation_id, person_id = said.get("conversationId"), said.get("id")
    if not isinstance(conversation_id, str) or not isinstance(person_id, str):
        raise Invalid("conversationId and id, the participant's, are needed: texts as init has given them")
    address = address_of(visitor.place.request())
    if not (visitor.caller and visitor.caller.may_connect):
        count(ANONYMOUS_BY_ADDRESS, address)
    rows = ForeignChat.objects.filter(registration__in=live_registrations(), external_id=conversation_id)
    if visitor.center_id:
        rows = rows.filter(center_id=visitor.center_id)
    related = ("registration__application", "chat__center", "chat__customer", "connector")
    found = rows.select_related(*related).prefetch_related("chat__participants").first() if conversation_id else None
    me = customer_id(found) if found else ""
    if not me or found is None or not compare_digest(me.encode(), person_id.encode()):
        count(WRONG_PASSWORDS, address)
        raise NotFound(NONE)
    return found


def _name(foreign: ForeignChat, me: Participant, said: Any, now: datetime) -> None:
    """What a client shows itself as is the customer's name where init gave none: a later one would rename whom agents already know."""
    name = " ".join(said.split())[:LONGEST_NAME] if isinstance(said, str) else ""
    if name and name.isprintable() and not me.name:
        update_customer(foreign.chat.customer, {"name": name}, now=now)
        me.name = name


def _is_carried(caller: Caller | None, foreign: ForeignChat) -> bool:
    """Whether it is the chat's own connector that asks. Anybody else who has both ids follows the chat as a gadget does."""
    if caller is None or foreign.connector is None:
        return False
    return caller.may_connect and caller.registration.pk == foreign.registration_id


def _joined(foreign: ForeignChat, me: Participant, *, is_carried: bool, now: datetime) -> Joined:
    chat = foreign.chat
    conversation = Conversation.of(foreign)
    # What a connector was not given yet comes by its feed.
    index = me.delivered_index if is_carried else chat.index
    greetings = activity(conversation, GREETINGS, conversation.system(), at=now)
    return Joined(
        conversation=conversation,
        participant=me,
        registration_id=foreign.registration_id,
        customer_id=chat.customer_id,
        connector=foreign.connector,
        is_carried=is_carried,
        is_open=chat.is_open,
        is_waiting=chat.is_waiting,
        index=index,
        info=conversation_info(foreign, conversation, said_so_far(conversation, chat, index)),
        activities=([greetings] if chat.is_open else []) + ([] if is_carried else _as_it_is(conversation, foreign)),
    )


def _as_it_is(conversation: Conversation, foreign: ForeignChat) -> list[dict[str, Any]]:
    """That the chat looks for an agent, or has ended: what a gadget that was not there then would never hear."""
    chat = foreign.chat
    kind = "chat.queued" if chat.is_waiting else "" if chat.is_open else "chat.closed"
    last = (
        Event.objects.filter(chat=chat, index__lte=chat.index, type=kind).order_by("-index").first() if kind else None
    )
    return words_for(conversation, event_for_customer(last)) if last else []


# The rest -------------------------------------------------------------------------------------------------------------


def end(me: Participant, now: datetime) -> Event | None:
    """Ending an ended conversation is harmless: the event that it ended by."""
    chat = close_by_customer(Participant.objects.get(pk=me.pk), now=now)
    return Event.objects.filter(chat=chat, index__isnull=False, type="chat.closed").order_by("-index").first()


def ask_for_agent(me: Participant, now: datetime) -> None:
    """Search on, or anew, where nobody was found. Raises Closed."""
    search_again(me, now=now)
