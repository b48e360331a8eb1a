"""What was sent to web hooks, or is still to be sent: read page by page, and tried again."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.errors import Invalid, NotFound
from chats.models import Attempt, Delivery, Webhook
from chats.outbox import listing
from chats.outbox.retry import retry
from chats.shapes import stamp

from . import asked, shown_hooks
from .chats import STAFF
from .door import Door, read
from .schema import described
from .scope import visible_webhooks
from .webhooks import refuse_agents


class Deliveries(Door):
    callers = {"GET": STAFF}

    @described(
        "What was filed, in an order in which nothing that is committed late is missed",
        query=asked.DeliveriesQuery,
        gives=shown_hooks.Deliveries,
    )
    def get(self, request: Request) -> Response:
        refuse_agents(self.caller)
        query = read(asked.DeliveriesQuery, request.query_params)
        found = listing.page(self._webhooks(query), query.get("since", ""), query["limit"], query.get("state", ""))
        is_full = len(found.rows) == query["limit"]
        results = [delivery_shape(row) for row in found.rows]
        return Response(
            {"results": results, "next": _next(request, found.next) if is_full else None, "cursor": found.next}
        )

    def _webhooks(self, query: dict[str, Any]) -> "QuerySet[Webhook]":
        """Those that the caller sees, or the one that is named. Raises Invalid."""
        webhooks = visible_webhooks(self.caller)
        if "webhook" not in query:
            return webhooks
        named = webhooks.filter(pk=query["webhook"])
        if not named.exists():
            raise Invalid(fields={"webhook": _("There is no such web hook.")})
        return named


class Retry(Door):
    callers = {"POST": STAFF}

    @described("Try one again, at once", gives=shown_hooks.DeliveryShown)
    def post(self, request: Request, delivery_id: UUID) -> Response:
        deliveries = Delivery.objects.filter(webhook__in=visible_webhooks(self.caller).values("pk"))
        delivery = deliveries.filter(id=delivery_id).first()
        if delivery is None:
            raise NotFound
        retry(delivery, self.now)
        delivery.refresh_from_db()
        return Response(delivery_shape(delivery))


def delivery_shape(delivery: Delivery) -> dict[str, Any]:
    """With its attempts, the first one first."""
    return {
        "id": str(delivery.id),
        "webhook": str(delivery.webhook_id),
        "chat": str(delivery.chat_id) if delivery.chat_id else None,
        "event": delivery.event,
        "payload": delivery.payload,
        "state": delivery.state,
        "filed_at": stamp(delivery.filed_at),
        "due_at": stamp(delivery.due_at) if delivery.state == "pending" else None,
        "sent_at": stamp(delivery.sent_at),
        "failed_at": stamp(delivery.failed_at),
        "error": delivery.error,
        "attempts": [attempt_shape(attempt) for attempt in delivery.attempts.all()],
    }


def attempt_shape(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": stamp(attempt.at),
        "milliseconds": attempt.milliseconds,
        "status": attempt.status,
        "error": attempt.error,
        "body": attempt.body,
    }


def _next(request: Request, cursor: str) -> str:
    params = request.query_params.copy()
    params["since"] = cursor
    return f"{request.path}?{params.urlencode()}"
