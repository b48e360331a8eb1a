"""By which channels people are reached: an agent writes first, goes on by another channel, sends again what did not arrive."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.reach_out import FIRST_KINDS, go_on_by, write_first
from chats.carriers.addresses import address_on, known_addresses
from chats.carriers.dispatches import send_again
from chats.delivery_shapes import MOST_TEXT
from chats.errors import Conflict, Forbidden, Invalid, NotFound
from chats.models import Carrier, Chat, Dispatch
from contactcenter.models import Channel

from . import asked, shown
from .door import Door, read
from .principals import AgentCaller
from .render import fresh_chat
from .schema import described, listing
from .scope import find_chat, live_carriers


class WriteFirst(Door):
    callers = {"POST": (AgentCaller,)}

    @described(
        "Begin a chat by SMS or email with whoever has this address",
        asks=asked.WriteFirst,
        gives={200: shown.AnyChat, 201: shown.AnyChat},
    )
    def post(self, request: Request) -> Response:
        body = read(asked.WriteFirst, request.data)
        carrier = _carrier(self.caller, body["channel"])
        _check_length(carrier, body["text"])
        chat = write_first(
            self.caller.agent,
            carrier.channel,
            address_on(carrier, body["address"]),
            body["text"],
            client_id=body["client_id"],
            subject=body.get("subject", ""),
            now=self.now,
        )
        # What this request has made began at its moment.
        status = 201 if chat.started_at == self.now else 200
        return Response(fresh_chat(self.caller, chat.pk, self.now), status=status)


class GoOn(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Go on by another channel, or at another address of the customer", asks=asked.GoOn, gives=shown.AnyChat)
    def post(self, request: Request, chat_id: UUID) -> Response:
        body = read(asked.GoOn, request.data)
        chat = find_chat(self.caller, chat_id)
        carrier = _carrier(self.caller, body["channel"])
        address = body.get("address") or next(iter(known_addresses(chat.customer, carrier)), "")
        if not address:
            raise Invalid(fields={"address": _("No address of this customer is known there. Enter one.")})
        go_on_by(self.caller.agent, chat_id, carrier.channel, address_on(carrier, address), now=self.now)
        return Response(fresh_chat(self.caller, chat_id, self.now))


class Ways(Door):
    callers = {"GET": (AgentCaller,)}

    @described("By which channels the chat's customer can be reached", gives=listing(shown.Way))
    def get(self, request: Request, chat_id: UUID) -> Response:
        chat = find_chat(self.caller, chat_id)
        ways = [(carrier.channel, known_addresses(chat.customer, carrier)) for carrier in live_carriers(self.caller)]
        found = [{"channel": channel_named(channel), "addresses": known} for channel, known in ways if known]
        return Response({"results": found, "next": None})


class OutboundChannels(Door):
    callers = {"GET": (AgentCaller,)}

    @described("Channels by which an agent may write first", gives=listing(shown.ChatChannel))
    def get(self, request: Request) -> Response:
        found = live_carriers(self.caller).filter(channel__kind__in=FIRST_KINDS)
        return Response({"results": [channel_named(carrier.channel) for carrier in found], "next": None})


class SendAgain(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Send a message again that did not arrive, the way that the chat goes now")
    def post(self, request: Request, chat_id: UUID, index: int) -> Response:
        chat = find_chat(self.caller, chat_id)
        _check_takes_part(self.caller, chat)
        if not Dispatch.objects.filter(chat=chat, index=index).exists():
            raise NotFound(_("This message was not sent over a channel."))
        if send_again(self.caller.center.chats, chat.pk, index, self.now) is None:
            raise Conflict(_("It has arrived, is on its way, or the chat is on the website again."))
        return Response(status=204)


def channel_named(channel: Channel) -> dict[str, Any]:
    return {"id": str(channel.pk), "kind": str(channel.kind), "name": channel.name}


def _carrier(caller: AgentCaller, channel_id: UUID) -> Carrier:
    """Raises Invalid."""
    carrier = live_carriers(caller).filter(channel=channel_id).first()
    if carrier is None:
        raise Invalid(fields={"channel": _("Nothing can be sent by this channel.")})
    return carrier


def _check_length(carrier: Carrier, text: str) -> None:
    most = MOST_TEXT.get(carrier.provider)
    if most and len(text) > most:
        raise Invalid(fields={"text": _("One message holds %d characters there.") % most})


def _check_takes_part(caller: AgentCaller, chat: Chat) -> None:
    is_there = chat.agent_id == caller.agent.pk or chat.participants.joined().filter(agent=caller.agent).exists()
    if not is_there and not caller.agent.is_supervisor:
        raise Forbidden(_("Only who is in the chat or a supervisor may do this."))
