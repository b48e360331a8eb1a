"""Messages that a program brings in, as if they had come over one of the center's channels: from a network that we do not speak, or from an older system.

sms, email, fbMessenger  the center's channel with this address of ours (`to`), else its only one of that kind; answers leave by it
appMessaging             the chat of the profile, as if its app had written
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import phonenumbers
from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.arrivals import take_once
from chats.actions.post import Posted
from chats.actions.receive import Inbound, receive
from chats.actions.rules import is_own_address
from chats.actions.start import default_team
from chats.carriers.addresses import address_on
from chats.carriers.dispatches import live_channels
from chats.carriers.registry import PROVIDERS
from chats.carriers.twilio.consent import note_start, note_stop
from chats.carriers.twilio.words import wish_of
from chats.errors import Blocked, Invalid
from chats.models import Arrival, Event
from contactcenter.models import Channel

from .asked_inbounds import InboundMessage
from .callers import Caller
from .conversation_chats import say_for_profile
from .door import Door
from .names import APP, KINDS, message_id, visible_teams
from .parts import Parts, check_kept, read_parts
from .posting import parts_said
from .profiles import ensure_profile

NO_CHANNEL = "This is no configured channel."


class Inbounds(Door):
    asks = {"POST": InboundMessage}

    def post(self, request: Request) -> Response:
        """Take a message of a customer, each once. {id} of the message."""
        said = self.read(InboundMessage)
        take = take_in_app if said["channel"] == APP else take_by_channel
        found = take(self.caller, said, self.now)
        return Response({"id": found}, status=201)


ROUTES: list[tuple[str, type[Door], str]] = [("messages/inbounds", Inbounds, "inbounds")]


def take_by_channel(caller: Caller, said: dict[str, Any], now: datetime) -> str:
    """The message's id; of what begins no chat and joins none (STOP) the arrival's. Raises Invalid, Blocked, TooMany, TooLarge."""
    channel = own_channel(caller, said)
    inbound = _inbound(caller, channel, said)
    wish = wish_of(inbound.text, "") if channel.kind == Channel.Kind.SMS else ""
    with _named():
        if wish:  # it holds for the number, whoever carries it
            (note_stop if wish == "stop" else note_start)(channel, inbound, now=now)
        elif receive(channel, inbound, now=now).chat is None:
            raise Blocked
    arrival = Arrival.objects.get(channel=channel, external_id=inbound.external_id)
    if arrival.chat_id is None:
        return str(arrival.pk)
    return str(message_id(Event.objects.get(chat_id=arrival.chat_id, index=arrival.index)))


def take_in_app(caller: Caller, said: dict[str, Any], now: datetime) -> str:
    """The message's id. Raises Invalid, Conflict (another's conversation, one mark for two profiles), Blocked, TooMany."""
    words_of(caller, said)  # what is refused makes no profile
    message = {"parts": said.get("messageParts"), "body": _body(said), "metadata": said.get("metadata")}
    name, conversation = said["from"][0], said.get("conversationId") or ""
    with _named(), transaction.atomic():
        profile = ensure_profile(caller, name, now)

        def take() -> Posted:
            return say_for_profile(caller, name, conversation, message, now)[1]

        found = take_once(caller.registration.channel, profile.customer, mark_of(caller, said), take, now=now)
    chat_id, index = found
    return str(message_id(Event.objects.get(chat_id=chat_id, index=index)))


def own_channel(caller: Caller, said: dict[str, Any]) -> Channel:
    """Raises Invalid; for a channel whose chats the application may not see, too."""
    kind = KINDS.get(said["channel"])
    live = live_channels().filter(center_id=caller.registration.center_id, kind=kind, carrier__provider__in=PROVIDERS)
    teams = {team.pk for team in visible_teams(caller.registration)}
    found = [one for one in live.select_related("carrier", "center", "team") if _is_visible(one, teams)] if kind else []
    if not found:
        raise Invalid(fields={"channel": NO_CHANNEL})
    if said.get("to"):
        found = [channel for channel in found if is_own_address(channel, said["to"][0])]
    if len(found) != 1:
        raise Invalid(fields={"to": "must be one of our own addresses on this channel."})
    return found[0]


def words_of(caller: Caller, said: dict[str, Any]) -> tuple[Parts, dict[str, Any]]:
    """What it says, and what is given back beside it (as posting.py keeps it). Raises Invalid."""
    with _named():
        parts = read_parts(parts_said({"parts": said.get("messageParts"), "body": _body(said)}))
        facts: dict[str, Any] = {"sentBy": caller.actor}
        if not parts.files:  # those are shown as they are kept
            facts["parts"] = parts.kept
        if said.get("metadata") is not None:
            facts["metadata"] = said["metadata"]
        check_kept(facts)
    return parts, facts


def _body(said: dict[str, Any]) -> Any:
    return said.get("body") or (said.get("channelData") or {}).get("body")


def mark_of(caller: Caller, said: dict[str, Any]) -> str:
    """By which a repeat is known: made of the correlation; without one every message is a new one. 64 hex digits."""
    known = f"{caller.registration.pk} {said['correlation']}" if said.get("correlation") else str(uuid4())
    return sha256(known.encode()).hexdigest()


def _inbound(caller: Caller, channel: Channel, said: dict[str, Any]) -> Inbound:
    address, name = said["from"]
    if channel.kind == Channel.Kind.SMS:
        address = _international(address)
    channel.carrier.channel = channel
    with _named():
        address = address_on(channel.carrier, address)
    parts, facts = words_of(caller, said)
    title = " ".join((said.get("title") or "").split())
    return Inbound(
        external_id=mark_of(caller, said),
        address=address,
        text=parts.text,
        name=name,
        subject=title,
        files=tuple((name, data) for _place, name, data in parts.files),
        links=tuple(parts.links),
        facts={"subject": title[:200]} if title and channel.kind == Channel.Kind.EMAIL else {},
        said=facts,
    )


def _international(number: str) -> str:
    """With its plus, which this API's own programs leave out: where the digits are somebody's number as they are."""
    if not number.isdecimal() or number.startswith("0"):
        return number
    try:
        found = phonenumbers.parse(f"+{number}")
    except phonenumbers.NumberParseException:
        return number
    return f"+{number}" if phonenumbers.is_valid_number(found) else number


def _is_visible(channel: Channel, teams: set[Any]) -> bool:
    team = default_team(channel)
    return team is not None and team.pk in teams


@contextmanager
def _named() -> Iterator[None]:
    """What is refused, under the names of this request."""
    try:
        yield
    except Invalid as refused:
        names = {"address": "from", "From": "from", "profileId": "from", "text": "body", "attachments": "messageParts"}
        fields = {
            names.get(name, name.replace("parts", "messageParts", 1)): why
            for name, why in (refused.fields or {"body": refused.message}).items()
        }
        raise Invalid(fields=fields) from None
