"""Web hooks of the application: registered, changed, deleted. A target is called before it is told anything."""

import threading
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.hooks import add_webhook, change_webhook, delete_webhook
from chats.doors.outgoing import check_target
from chats.doors.throttles import Rate, count
from chats.errors import Invalid, NotFound, TooMany
from chats.models import Webhook
from chats.outbox.handshake import HandshakeFailed, shake_hands

from .asked_webhooks import ChangeWebhook
from .callers import SERVER, Caller
from .door import Door
from .reach import as_id
from .subscribers import wanted

HANDSHAKES = Rate("handshakes", 20)
# Each may hold a thread for ten seconds: most threads stay free for everybody else.
slow_places = threading.BoundedSemaphore(2)


class Webhooks(Door):
    access = {"GET": SERVER, "POST": SERVER}

    def get(self, request: Request) -> Response:
        return Response({"webhooks": [webhook_shape(one) for one in own_webhooks(self.caller).order_by("created_at")]})

    def post(self, request: Request) -> Response:
        """The secret that hands are shaken with is said this once. Without a handshake there is no web hook."""
        said = self.read(ChangeWebhook)
        missing = {name: "This is missing." for name in ("events", "url") if name not in said}
        if missing:
            raise Invalid(fields={"target" if name == "url" else name: why for name, why in missing.items()})
        registration = self.caller.registration
        webhook = add_webhook(
            registration.application,
            url=check_target(said["url"]),
            events=said["events"],
            registration=registration,
            now=self.now,
        )
        try:
            greet(self, webhook)
        except Exception:
            delete_webhook(webhook, now=self.now)
            raise
        if said.get("is_active") is False:
            webhook = change_webhook(webhook, {"is_active": False}, self.now)
        wanted.forget()
        return Response({"webhook": webhook_shape(webhook) | {"secret": webhook.secret}})


class OneWebhook(Door):
    access = {"GET": SERVER, "PUT": SERVER, "DELETE": SERVER}

    def get(self, request: Request, row_id: str) -> Response:
        return Response({"webhook": webhook_shape(find_webhook(self.caller, row_id))})

    def put(self, request: Request, row_id: str) -> Response:
        """A new target shakes hands first; until one has, nothing is sent to either."""
        webhook = find_webhook(self.caller, row_id)
        said = self.read(ChangeWebhook)
        if "url" in said:
            said["url"] = check_target(said["url"])
        webhook = change_webhook(webhook, said, self.now)
        if webhook.verified_at is None and webhook.is_active:
            greet(self, webhook)
        wanted.forget()
        return Response({"webhook": webhook_shape(webhook)})

    def delete(self, request: Request, row_id: str) -> Response:
        delete_webhook(find_webhook(self.caller, row_id), now=self.now)
        wanted.forget()
        return Response({"success": True})


def own_webhooks(caller: Caller) -> Any:
    return Webhook.objects.kept().filter(registration=caller.registration).select_related("application", "registration")


def find_webhook(caller: Caller, webhook_id: str) -> Webhook:
    """Raises NotFound."""
    row_id = as_id(webhook_id)
    webhook = own_webhooks(caller).filter(pk=row_id).first() if row_id else None
    if webhook is None:
        raise NotFound
    found: Webhook = webhook
    return found


def greet(door: Door, webhook: Webhook) -> None:
    """Shake hands, in no transaction: it may take ten seconds. Raises Invalid with what the target did wrong, TooMany."""
    count(HANDSHAKES, str(door.caller.registration.pk))
    if not slow_places.acquire(blocking=False):
        raise TooMany(retry_after=10)
    try:
        shake_hands(webhook, door.now)
    except HandshakeFailed as failure:
        raise Invalid(f"The handshake with the target failed. {failure}") from None
    finally:
        slow_places.release()


def webhook_shape(webhook: Webhook) -> dict[str, Any]:
    """`active`: whether events are sent to it now."""
    return {
        "id": str(webhook.pk),
        "events": webhook.events,
        "target": webhook.url,
        "active": webhook.state == "active",
        "created": int(webhook.created_at.timestamp()),
    }
