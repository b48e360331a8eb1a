"""Web hooks of applications. The contract with receivers is docs/webhooks.md."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.hooks import add_webhook, change_webhook, delete_webhook, renew_secret
from chats.doors.outgoing import check_target
from chats.errors import Forbidden
from chats.models import Delivery, Webhook
from chats.outbox.retry import retry_all
from chats.shapes import stamp

from . import asked, shown_hooks
from .chats import STAFF
from .door import Door, read
from .pagination import page
from .principals import AgentCaller, ApplicationCaller, Caller
from .schema import described, listing
from .scope import find_in, visible_webhooks

COUNTED = 1000  # more than so many deliveries in a state are not counted


class Webhooks(Door):
    callers = {"GET": STAFF, "POST": (ApplicationCaller,)}

    @described(
        "Web hooks: an application's own; to supervisors the center's",
        page=asked.PageQuery,
        gives=listing(shown_hooks.WebhookShown),
    )
    def get(self, request: Request) -> Response:
        refuse_agents(self.caller)
        return Response(page(request, visible_webhooks(self.caller), "created_at", webhook_shape))

    @described(
        "Add a web hook; its secret is shown this once", asks=asked.AddWebhook, gives={201: shown_hooks.WebhookMade}
    )
    def post(self, request: Request) -> Response:
        body = read(asked.AddWebhook, request.data)
        url = check_target(body["url"])
        webhook = add_webhook(self.caller.application, url=url, events=body["events"], now=self.now)
        return Response(webhook_shape(webhook) | {"secret": webhook.secret}, status=201)


class OneWebhook(Door):
    callers = {"GET": STAFF, "PATCH": (ApplicationCaller,), "DELETE": (ApplicationCaller,)}

    @described("One web hook", gives=shown_hooks.WebhookShown)
    def get(self, request: Request, webhook_id: UUID) -> Response:
        return Response(webhook_shape(find_in(visible_webhooks(self.caller), webhook_id)))

    @described("Change a web hook", asks=asked.EditWebhook, gives=shown_hooks.WebhookShown)
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        webhook = self._own(webhook_id)
        body = read(asked.EditWebhook, request.data, partial=True)
        if "url" in body:
            body["url"] = check_target(body["url"])
        return Response(webhook_shape(change_webhook(webhook, body, self.now)))

    @described("Delete a web hook with what waits for it")
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        delete_webhook(find_in(visible_webhooks(self.caller), webhook_id), now=self.now)
        return Response(status=204)

    def _own(self, webhook_id: UUID) -> Webhook:
        return in_our_words(find_in(visible_webhooks(self.caller), webhook_id))


class Secret(Door):
    callers = {"POST": (ApplicationCaller,)}

    @described("Renew the secret; the old one signs beside it for a day", gives=shown_hooks.WebhookSecret)
    def post(self, request: Request, webhook_id: UUID) -> Response:
        webhook = in_our_words(find_in(visible_webhooks(self.caller), webhook_id))
        secret = renew_secret(webhook, now=self.now)
        webhook.refresh_from_db(fields=["old_secret_until"])
        return Response({"secret": secret, "old_secret_until": stamp(webhook.old_secret_until)})


class RetryAll(Door):
    callers = {"POST": STAFF}

    @described("Try all again that did not arrive", gives=shown_hooks.Retried)
    def post(self, request: Request, webhook_id: UUID) -> Response:
        webhook = find_in(visible_webhooks(self.caller), webhook_id)
        return Response({"retried": retry_all(webhook, self.now)})


def refuse_agents(caller: Caller) -> None:
    """Raises Forbidden, where an agent who is no supervisor would only see an empty list."""
    if isinstance(caller, AgentCaller) and not caller.agent.is_supervisor:
        raise Forbidden(_("Web hooks are for supervisors."))


def in_our_words(webhook: Webhook) -> Webhook:
    """Raises Forbidden for one of a foreign API, whose receiver would have to shake hands."""
    if webhook.registration_id is not None:
        raise Forbidden(_("This one hears another API's words. Change it there, or in the admin."))
    return webhook


def webhook_shape(webhook: Webhook) -> dict[str, Any]:
    """A web hook without its secret. Figures stop at COUNTED."""
    missing = Delivery.objects.filter(webhook=webhook)
    return {
        "id": str(webhook.pk),
        "application": {"id": str(webhook.application_id), "name": webhook.application.name},
        "protocol": str(webhook.registration.protocol) if webhook.registration else "",
        "url": webhook.url,
        "events": webhook.events,
        "is_active": webhook.is_on,
        "state": webhook.state,
        "disabled_at": stamp(webhook.disabled_at),
        "disabled_reason": webhook.disabled_reason,
        "waiting": missing.in_state("pending")[:COUNTED].count(),
        "given_up": missing.in_state("failed")[:COUNTED].count(),
        "created_at": stamp(webhook.created_at),
    }
