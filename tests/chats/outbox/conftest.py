"""What the tests of web hooks share: an application, its hooks, a receiver, a courier of their own."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from chats.models import Delivery, Webhook
from chats.outbox.calling import Calls
from chats.outbox.courier import Courier
from contactcenter.models import Application, Registration
from tests.chats.outbox.receiver import Receiver


def make_application(place: SimpleNamespace, name: str = "Shop") -> Application:
    return Application.objects.create(center=place.center, name=name)


def make_webhook(place: SimpleNamespace, url: str = "http://127.0.0.1:9/hook", *events: str, **fields: Any) -> Webhook:
    """A web hook of ours that hears all, unless events are named."""
    application = fields.pop("application", None) or make_application(place)
    return Webhook.objects.create(
        center=place.center, application=application, url=url, events=list(events or ["*"]), **fields
    )


def make_registration(place: SimpleNamespace, application: Application | None = None) -> Registration:
    return Registration.objects.create(
        center=place.center, application=application or make_application(place), channel=place.channel
    )


def make_delivery(webhook: Webhook, now: datetime, chat: Any = None, **fields: Any) -> Delivery:
    """One that is due."""
    defaults = {"event": "message.posted", "payload": {"type": "message.posted"}, "due_at": now, "filed_at": now}
    return Delivery.objects.create(center_id=webhook.center_id, webhook=webhook, chat=chat, **(defaults | fields))


@pytest.fixture(autouse=True)
def loopback_is_allowed(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def receiver() -> Any:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def courier() -> Any:
    courier = Courier(Calls(), seconds=5)
    yield courier
    assert courier.stop(20)
