"""A space with an app, the two services that tell phones, and what a test does with them."""

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpcore
import pytest
from django.core.cache import cache

from chats.actions.foreign import make_customer
from chats.actions.start import Foreign, Start, start_chat
from chats.carriers.push import apns, fcm
from chats.carriers.push.notices import Notices
from chats.models import AppSession, Carrier, Chat, Customer, PushNotice
from chats.outbox import sending
from chats.outbox.courier import Courier
from chats.outbox.sending import Sender
from contactcenter.models import Registration
from tests.chats.carried import hold
from tests.chats.carriers.push_services import (
    ANDROID,
    APPLE_KEY,
    BUNDLE,
    IPHONE,
    KEY_ID,
    TEAM_ID,
    Apple,
    Google,
    make_certificate,
    pem,
)
from tests.chats.protocols.comapi.conftest import make_space
from tests.conftest import online

FCM = {"fcm": {"package": "example.acme", "registrationId": ANDROID}}
APNS = {"apns": {"bundleId": BUNDLE, "environment": "production", "token": IPHONE}}
LATER = timedelta(seconds=3)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("push"))


@pytest.fixture(autouse=True)
def trust(certificate, settings, monkeypatch):
    """The services' certificate counts, also for processes that a test begins; nothing is left of the test before."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(sending, "trusted", httpcore.default_ssl_context)
    monkeypatch.setattr(sending, "trusted_for_http2", httpcore.default_ssl_context)
    for kept in (fcm.tokens, apns.tokens):
        kept.forget()
    monkeypatch.setattr(apns, "lines", apns.Lines())
    cache.clear()


@pytest.fixture
def google(certificate):
    google = Google(certificate)
    yield google
    google.may_answer.set()
    google.receiver.stop()


@pytest.fixture
def apple(certificate):
    apple = Apple(certificate)
    yield apple
    apple.stop()


@pytest.fixture
def courier():
    courier = Courier(Notices(), seconds=5)
    yield courier
    assert courier.stop(20)


def settings_of(google: Google, apple: Apple) -> tuple[dict[str, Any], dict[str, str]]:
    plain = {
        "fcm_url": google.url,
        "apns_url": apple.url,
        "apns_development_url": "https://127.0.0.1:1",
        "apns_key_id": KEY_ID,
        "apns_team_id": TEAM_ID,
        "apns_bundle_id": BUNDLE,
    }
    return plain, {"fcm_account": google.account(), "apns_key": pem(APPLE_KEY)}


def make_carrier(registration: Registration, google: Google, apple: Apple) -> Carrier:
    plain, secrets = settings_of(google, apple)
    carrier = Carrier(center=registration.center, channel=registration.channel, provider="push", settings=plain)
    carrier.keep_secrets(secrets)
    carrier.save()
    return carrier


@pytest.fixture
def space(acme):
    return make_space(acme, "2b3c4d5e-1111-4222-8333-944445555666", access="x" * 20, password="y" * 20, shared="z" * 20)


@pytest.fixture
def carrier(space, google, apple):
    return make_carrier(space.registration, google, apple)


def make_app(registration: Registration, push: Any, now: Any, name: str = "mia") -> SimpleNamespace:
    """An app whose customer has a chat: .session, .chat."""
    foreign = make_customer(registration, {"name": "Mia"}, external_id=name, now=now).foreign
    start = Start(client_id=str(uuid4()), foreign=Foreign(registration), has_lease=False, at_any_hour=True)
    started = start_chat(registration.channel, Customer.objects.get(pk=foreign.customer_id), start, now=now)
    session = make_session(registration, foreign, push, now)
    return SimpleNamespace(session=session, profile=foreign, chat=Chat.objects.get(pk=started.chat.pk))


def make_session(registration: Registration, profile: Any, push: Any, now: Any, **fields: Any) -> AppSession:
    fields = {"expires_at": now + timedelta(hours=9), "push": push, "device_id": "phone"} | fields
    return AppSession.objects.create(center=registration.center, registration=registration, profile=profile, **fields)


@pytest.fixture
def talk(space, carrier, ann, now):
    """Ann is in a chat with Mia, whose phones have taken notices of nothing yet: .part says things."""
    app = make_app(space.registration, FCM, now)
    app.part = hold(app.chat, online(ann, now), now)
    PushNotice.objects.all().delete()
    return app


def send_all(now: Any) -> None:
    """As the outbox does, one after the other, without its threads."""
    book = Notices()
    with Sender() as sender:
        while numbers := [number for one in book.lanes.due_targets(now) for number in book.lanes.scan(one, now)]:
            claimed = book.lanes.claim(numbers, now)
            book.prepare(claimed)
            book.note([book.do(row, sender, 5) for row in claimed], now)


def the_notice() -> PushNotice:
    return PushNotice.objects.get()


# What is told ---------------------------------------------------------------------------------------------------------


def fresh(row: PushNotice) -> PushNotice:
    return PushNotice.objects.select_related(*Notices.lanes.loaded).get(pk=row.pk)


def wait_for(is_so: Any, seconds: float = 20) -> None:
    pause = threading.Event()
    for _each in range(int(seconds / 0.02)):
        if is_so():
            return
        pause.wait(0.02)
    raise AssertionError("It did not come to this.")
