"""Web hook registrations: programs say where they want to be called, of which events, one by one or in batches.

Nobody shakes hands here: what is registered is called at once. A secret is never given back.
"""

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.hooks import add_webhook, change_webhook, delete_webhook, lock_webhook
from chats.doors.outgoing import check_target
from chats.errors import Gone, NotFound
from chats.models import Webhook
from chats.outbox.batches import LARGEST, USUAL_SECONDS, USUAL_SIZE

from .asked_webhooks import AskedDeleted, AskedEvents, AskedWebhook
from .callers import Caller
from .catalogue import shown_events, shown_templates
from .door import Door
from .etags import check_match
from .names import as_uuid, iso

UNKNOWN = "There is no such web hook."
BATCHING = {"batch": False, "maxBatchSize": USUAL_SIZE, "batchTimeout": USUAL_SECONDS}


class Webhooks(Door):
    asks = {"POST": AskedWebhook}
    queries = {"GET": AskedDeleted}

    def get(self, request: Request) -> Response:
        """Web hooks, the oldest first"""
        deleted = self.read_query(AskedDeleted)["includeDeleted"]
        return Response([webhook_shape(one) for one in own_webhooks(self.caller, deleted=deleted)[:LARGEST]])

    def post(self, request: Request) -> Response:
        """Register a web hook"""
        said = self.read(AskedWebhook)
        fields = _fields(said, self.caller, self.now)
        facts = fields["facts"] | {"revision": 1, "createdBy": self.caller.actor}
        made = add_webhook(
            self.caller.registration.application,
            url=fields["url"],
            events=fields["events"],
            registration=self.caller.registration,
            own={"secret": said.get("secret") or "", "facts": facts},
            now=self.now,
        )
        return self.entity(webhook_shape(made), changed_at=made.created_at, status=201)


class OneWebhook(Door):
    asks = {"PUT": AskedWebhook}
    queries = {"GET": AskedDeleted}

    def get(self, request: Request, webhook_id: str) -> Response:
        """One web hook"""
        deleted = self.read_query(AskedDeleted)["includeDeleted"]
        return self._shown(find_webhook(self.caller, webhook_id, deleted=deleted))

    def put(self, request: Request, webhook_id: str) -> Response:
        """The whole registration anew, but for a secret that is left out"""
        webhook = find_webhook(self.caller, webhook_id)
        said = self.read(AskedWebhook)
        fields = _fields(said, self.caller, self.now)
        if "secret" in said:
            fields["secret"] = said["secret"] or ""
        with transaction.atomic():
            kept = self._locked(webhook)
            fields["facts"] |= {
                "revision": kept.facts.get("revision", 1) + 1,
                "createdBy": kept.facts.get("createdBy", self.caller.actor),
            }
            kept = change_webhook(kept, fields, self.now)
        return self._shown(kept)

    def delete(self, request: Request, webhook_id: str) -> Response:
        """Nothing more is sent"""
        webhook = find_webhook(self.caller, webhook_id)
        with transaction.atomic():
            delete_webhook(self._locked(webhook), now=self.now)
        return Response(status=204)

    def _locked(self, webhook: Webhook) -> Webhook:
        """As it is now. Raises NotFound, Stale."""
        try:
            kept = lock_webhook(webhook)
        except Gone:
            raise NotFound(UNKNOWN) from None
        check_match(self.request, webhook_shape(kept))
        return kept

    def _shown(self, webhook: Webhook) -> Response:
        response = self.entity(webhook_shape(webhook))
        response["Last-Modified"] = updated_on(webhook)
        return response


class AvailableEvents(Door):
    queries = {"GET": AskedEvents}

    def get(self, request: Request) -> Response:
        """Events that a web hook may ask for"""
        return Response(shown_events(with_schemas=self.read_query(AskedEvents)["includeSchemas"]))


class AvailableTemplates(Door):
    def get(self, request: Request) -> Response:
        """Events that go together"""
        return Response(shown_templates())


def own_webhooks(caller: Caller, *, deleted: bool = False) -> Any:
    """The space's, the oldest first. What was deleted is there for an hour or so."""
    rows = Webhook.objects.all() if deleted else Webhook.objects.kept()
    rows = rows.filter(registration=caller.registration).select_related("application", "registration")
    return rows.order_by("created_at", "id")


def find_webhook(caller: Caller, webhook_id: str, *, deleted: bool = False) -> Webhook:
    """Raises NotFound."""
    row_id = as_uuid(webhook_id)
    found: Webhook | None = own_webhooks(caller, deleted=deleted).filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound(UNKNOWN)
    return found


def webhook_shape(webhook: Webhook) -> dict[str, Any]:
    """One that was made by hand has no name, and hears its events unfiltered."""
    facts = webhook.facts
    by = facts.get("createdBy", "")
    return {
        "id": str(webhook.pk),
        "name": facts.get("name", ""),
        "url": webhook.url,
        "subscriptions": facts.get("subscriptions", [{"type": one, "filters": []} for one in webhook.events]),
        **{name: facts.get(name, usual) for name, usual in BATCHING.items()},
        "_createdOn": iso(webhook.created_at),
        "_createdBy": by,
        "_updatedOn": updated_on(webhook),
        "_updatedBy": facts.get("updatedBy", by),
    }


def updated_on(webhook: Webhook) -> str:
    return str(webhook.facts.get("updatedOn") or iso(webhook.created_at))


def _fields(said: dict[str, Any], caller: Caller, now: Any) -> dict[str, Any]:
    """Of actions.hooks. Raises Invalid for an address that is not called."""
    facts = {name: said[name] for name in BATCHING if said.get(name) is not None}
    facts |= {"name": said["name"], "subscriptions": said["subscriptions"]}
    return {
        "url": check_target(said["url"]),
        "events": list(dict.fromkeys(one["type"] for one in said["subscriptions"])),
        "facts": facts | {"updatedOn": iso(now), "updatedBy": caller.actor},
    }


ROUTES: list[tuple[str, type[Door], str]] = [
    ("webhooks/availableevents", AvailableEvents, "webhook-events"),
    ("webhooks/availabletemplates", AvailableTemplates, "webhook-templates"),
    ("webhooks", Webhooks, "webhooks"),
    ("webhooks/{webhook_id}", OneWebhook, "webhook"),
]
