"""Init: a conversation, and who its customer is in it (customer channel API, Initiate a chat request)."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.connectors import make_connector
from chats.actions.foreign import begin_carried_chat, begin_request
from chats.actions.start import Started, default_team
from chats.doors.teams import named_team
from chats.errors import Forbidden, Invalid, OutsideHours, Unavailable
from chats.models import Chat, Connector, ForeignChat, Participant
from chats.shapes import stamp
from contactcenter.hours import is_open, opens_at
from contactcenter.models import Team

from .callers import Caller
from .door import Door
from .people import CUSTOMER, ME, customer_id, new_person, person
from .shapes import CHANNEL, WEB
from .wishes import Wish, folded, read_wish

NO_TEAM = "No team of this contact center takes chats at the moment."
CLOSED = "The contact center is closed at the moment."
SWITCHED_OFF = "This channel is switched off."
LATER = 3600.0  # seconds, where nobody knows when the team opens


class Init(Door):
    def post(self, request: Request) -> Response:
        said = folded(self.said())
        caller = self.admit(said)
        wish = read_wish(said)
        foreign = find_own(caller, wish) or begin(caller, wish, now=self.now)
        return Response(answer_of(foreign, wish, self.now))


def find_own(caller: Caller, wish: Wish) -> ForeignChat | None:
    """The open conversation whose customer the client proves to be, by the participant's id beside account and channel; any other is none."""
    if not wish.account or not wish.person:
        return None
    facts = {f"facts__{ME}": wish.person, f"facts__{CHANNEL}": wish.channel}
    rows = ForeignChat.objects.filter(registration=caller.registration, account=wish.account, **facts)
    return rows.exclude(chat__state=Chat.State.CLOSED).first()


def begin(caller: Caller, wish: Wish, *, now: datetime) -> ForeignChat:
    """A new conversation, or the one that the account of a connector has open.

    Raises Unavailable (no team), OutsideHours, Invalid, Blocked, Full, Conflict, Forbidden.
    """
    connector = find_connector(caller, wish.channel)
    channel = connector.channel if connector else caller.registration.channel
    if not channel.is_active:
        raise Forbidden(SWITCHED_OFF)
    team = named_team(caller.registration, wish.subject)
    taking = team or default_team(channel)
    try:
        # Refused only where there is no open conversation: that one is given in any case.
        started = _begin(caller, wish, connector, team, now)
    except (OutsideHours, Invalid):
        if taking is None:
            raise Unavailable(NO_TEAM) from None
        if is_open(taking, now):
            raise
        raise OutsideHours(CLOSED, retry_after=_seconds_closed(taking, now)) from None
    return ForeignChat.objects.get(chat=started.chat)


def find_connector(caller: Caller, name: str) -> Connector | None:
    """Who carries the chat; None for one whose client connects itself. Raises Full.

    A program that has proven itself may speak for accounts before its connector has come. Where connectors need no
    secret, anybody may say that it is one, so there only a channel that has a connector is carried.
    """
    if name == WEB:
        return None
    if caller.is_proven:
        return make_connector(caller.registration, name)
    if caller.may_connect:
        known = caller.registration.connectors.filter(name=name)
        found: Connector | None = known.select_related("channel__center", "channel__team", "registration").first()
        return found
    return None


def answer_of(foreign: ForeignChat, wish: Wish, now: datetime) -> dict[str, Any]:
    """Both spellings of what the documentation lists title-cased: the sample that would settle it is lost."""
    name = Participant.objects.get(chat=foreign.chat_id, kind=Participant.Kind.CUSTOMER).name
    customer, at = person(customer_id(foreign), name, CUSTOMER), stamp(now)
    return {
        "conversationId": foreign.external_id,
        "participant": customer,
        "Participant": customer,
        "requestId": wish.request_id,
        "reqestId": wish.request_id,
        "timestamp": at,
        "Timestamp": at,
    }


def _begin(caller: Caller, wish: Wish, connector: Connector | None, team: Team | None, now: datetime) -> Started:
    known: dict[str, Any] = {
        "fields": wish.fields,
        "team": team,
        # A subject that names a team has said all that it says.
        "subject": "" if team else wish.subject,
        "external_id": str(uuid4()),
        "facts": {**new_person(), CHANNEL: wish.channel},
        "now": now,
    }
    if connector is None:
        return begin_request(caller.registration, account=wish.account, page_url=wish.page_url, data=wish.data, **known)
    data = wish.data | ({"url": wish.page_url} if wish.page_url else {})
    return begin_carried_chat(connector, wish.account, is_own=caller.is_proven, data=data, **known)


def _seconds_closed(team: Team, now: datetime) -> float:
    opens = opens_at(team, now)
    return (opens - now).total_seconds() if opens else LATER
