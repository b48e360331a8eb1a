"""Texts that applications send to accounts of a connector's channel, outside of any chat."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.outbound import send_outbound
from chats.errors import Invalid, NotFound
from chats.models import Connector, OutboundMessage
from chats.shapes import stamp

from . import asked, shown_outbound
from .door import Door, read
from .principals import ApplicationCaller
from .schema import described
from .scope import as_id, visible_connectors, visible_outbound


class OutboundMessages(Door):
    callers = {"POST": (ApplicationCaller,)}

    @described(
        "Send a text to an account of a connector's channel",
        asks=asked.SendOutbound,
        gives={200: shown_outbound.OutboundShown, 201: shown_outbound.OutboundShown},
    )
    def post(self, request: Request) -> Response:
        body = read(asked.SendOutbound, request.data)
        seconds = body.get("expires_in")
        sent = send_outbound(
            self.caller.application,
            _connector(self.caller, body["channel"]),
            account=body["account"],
            text=body["text"],
            client_id=body["client_id"],
            lives=timedelta(seconds=seconds) if seconds else None,
            now=self.now,
        )
        return Response(outbound_shape(sent.message, self.now), status=200 if sent.replayed else 201)


class OneOutboundMessage(Door):
    callers = {"GET": (ApplicationCaller,)}

    @described("What has become of such a text", gives=shown_outbound.OutboundShown)
    def get(self, request: Request, outbound_id: UUID) -> Response:
        message = visible_outbound(self.caller).filter(id=outbound_id).first()
        if message is None:
            raise NotFound
        return Response(outbound_shape(message, self.now))


def outbound_shape(message: OutboundMessage, now: datetime) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "state": message.state(now),
        "channel": {"id": str(message.connector.channel_id), "name": message.connector.name},
        "account": message.account,
        "client_id": message.client_id,
        "created_at": stamp(message.created_at),
        "expires_at": stamp(message.expires_at),
        "given_at": stamp(message.given_at),
    }


def _connector(caller: ApplicationCaller, named: str) -> Connector:
    """By the channel's name in the connector's words, or by its id with us. Raises NotFound, and Invalid for a name that several have."""
    connectors = visible_connectors(caller)
    by_id = as_id(named)
    found = list(connectors.filter(channel_id=by_id) if by_id else connectors.filter(name=named.lower())[:2])
    if not found:
        raise NotFound(_("No connector carries this channel."))
    if len(found) > 1:
        raise Invalid(fields={"channel": _("Several connectors have this name. Name the channel by its id.")})
    return found[0]
