"""What agents have at hand: canned replies, dispositions, messages that customers left."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import CannedReply, Disposition
from chats.actions.offline import handle_offline_message
from chats.errors import NotFound
from chats.models import OfflineMessage
from chats.shapes import customer_shape, stamp

from . import asked, shown
from .chats import STAFF
from .door import Door, read
from .pagination import page
from .principals import AgentCaller
from .schema import described, listing
from .scope import find_team, visible_offline_messages, visible_replies, visible_teams
from .teams import named


class CannedReplies(Door):
    callers = {"GET": STAFF}

    @described("Texts that are sent often", query=asked.RepliesQuery, gives=listing(shown.Reply))
    def get(self, request: Request) -> Response:
        query = read(asked.RepliesQuery, request.query_params)
        replies = visible_replies(self.caller)
        if query.get("team"):
            team = find_team(visible_teams(self.caller), query["team"])
            replies = replies.filter(Q(team=None) | Q(team=team))
        words = query.get("search", "").strip()
        if words:
            found = Q(shortcut__icontains=words) | Q(title__icontains=words) | Q(text__icontains=words)
            replies = replies.filter(found)
        return Response(page(request, replies, "shortcut", _reply, query))


class Dispositions(Door):
    callers = {"GET": STAFF}

    @described("How a chat may have ended", page=asked.PageQuery, gives=listing(shown.Disposition))
    def get(self, request: Request) -> Response:
        rows = Disposition.objects.filter(center_id=self.caller.center.pk, is_active=True)
        return Response(page(request, rows, "order", lambda row: {"id": str(row.pk), "name": row.name}))


class Offline(Door):
    callers = {"GET": STAFF}

    @described("Messages that customers left, newest first", query=asked.OfflineQuery, gives=listing(shown.Offline))
    def get(self, request: Request) -> Response:
        query = read(asked.OfflineQuery, request.query_params)
        messages = _with_all(visible_offline_messages(self.caller))
        if "handled" in query:
            messages = messages.filter(handled_at__isnull=not query["handled"])
        if query.get("team"):
            messages = messages.filter(team=find_team(visible_teams(self.caller), query["team"]))
        return Response(page(request, messages, "-left_at", _offline, query))


class Handle(Door):
    callers = {"POST": STAFF}

    @described("Somebody has seen to it", gives=shown.Offline)
    def post(self, request: Request, message_id: UUID) -> Response:
        message = _with_all(visible_offline_messages(self.caller)).filter(pk=message_id).first()
        if message is None:
            raise NotFound
        agent = self.caller.agent if isinstance(self.caller, AgentCaller) else None
        return Response(_offline(handle_offline_message(message, agent, now=self.now)))


def _reply(reply: CannedReply) -> dict[str, Any]:
    return {
        "id": str(reply.pk),
        "shortcut": reply.shortcut,
        "title": reply.title,
        "text": reply.text,
        "language": reply.language,
        "team": named(reply.team) if reply.team else None,
    }


def _with_all(messages: Any) -> Any:
    return messages.select_related("team", "channel", "customer", "handled_by")


def _offline(message: OfflineMessage) -> dict[str, Any]:
    channel = message.channel
    return {
        "id": str(message.pk),
        "at": stamp(message.left_at),
        "name": message.name,
        "email": message.email,
        "phone": message.phone,
        "text": message.text,
        "page": {"url": message.page_url, "title": ""},
        "team": named(message.team),
        "channel": {"id": str(channel.pk), "kind": str(channel.kind), "name": channel.name},
        "customer": customer_shape(message.customer),
        "handled_at": stamp(message.handled_at),
        "handled_by": message.handled_by.name if message.handled_by else None,
    }
