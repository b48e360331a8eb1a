"""Erasing as administrators and programs ask for it, beside people who write at that moment, and in every API's words."""

import contextlib

import pytest
import redis
from django.urls import reverse
from django.utils import timezone

from chats.actions.erase import erase_customer
from chats.actions.post import Post, post_message
from chats.actions.start import Start, start_chat
from chats.admin.lines import lines_of
from chats.errors import Refused
from chats.models import Chat, Customer, Delivery, Event, ForeignChat, Webhook
from contactcenter.models import Application, AuditEntry, Registration
from tests.cases import cases
from tests.chats.api.conftest import as_agent, as_application, as_customer
from tests.chats.outbox.conftest import make_webhook
from tests.chats.routing.test_races import at_once
from tests.conftest import make_customer, make_held_chat
from tests.contactcenter.admin_cast import make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.both]


# The admin ------------------------------------------------------------------------------------------------------------


def test_an_administrator_is_asked_and_then_erases(acme, ann, client, now):
    ada = make_admin(acme, "Ada")
    client.force_login(ada.user)
    chat = make_held_chat(acme, ann, now, text="Hello").chat
    page = reverse("admin:chats_customer_erase", args=[chat.customer_id])
    assert b"Erase this customer?" in client.get(page).content
    assert Customer.objects.filter(pk=chat.customer_id, erased_at=None).exists()
    shown = client.post(page, follow=True)
    assert b"Erased customer" in shown.content
    assert AuditEntry.objects.get(action="erased").user == ada.user
    texts = [line.text for line in lines_of(chat)]
    assert "This message was erased." in texts
    assert "The customer was erased, with all that was said." in texts


def test_another_centers_administrator_finds_nobody(acme, globex, client):
    client.force_login(make_admin(globex, "Gus").user)
    customer = make_customer(acme)
    assert client.post(reverse("admin:chats_customer_erase", args=[customer.pk])).status_code == 404
    assert Customer.objects.filter(pk=customer.pk, erased_at=None).exists()


def test_the_audit_log_keeps_no_customers_name(acme, client):
    client.force_login(make_admin(acme, "Ada").user)
    customer = make_customer(acme, "Mia Miller")
    page = reverse("admin:chats_customer_change", args=[customer.pk])
    client.post(page, {"name": "Mia Smith", "email": "mia@a.example"})
    client.post(reverse("admin:chats_customer_block_one", args=[customer.pk]))
    changed, blocked = AuditEntry.objects.filter(action__in=["changed", "blocked"]).order_by("at")
    assert set(changed.changes) == {"name", "email"}
    assert all(
        "Mia" not in f"{one.subject} {one.changes}" and str(customer.pk) in one.subject for one in (changed, blocked)
    )


# REST -----------------------------------------------------------------------------------------------------------------


def test_a_program_of_all_teams_erases(acme, ann, now):
    program, chat = as_application(acme), make_held_chat(acme, ann, now, text="Hello").chat
    assert program.call("DELETE", f"customers/{chat.customer_id}").status_code == 204
    assert program.call("DELETE", f"customers/{chat.customer_id}").status_code == 204
    assert program.get(f"customers/{chat.customer_id}").json()["erased_at"] is not None
    assert program.get("customers").json()["results"] == []
    events = program.get(f"chats/{chat.pk}/events").json()["events"]
    said = [event for event in events if event["type"] == "message.posted"]
    assert [(event["text"], event["data"]) for event in said] == [("", {"erased": True})]
    assert AuditEntry.objects.filter(action="erased").first().actor == "application Shop"


def test_nobody_else_may(acme, ann, sue, globex, now):
    chat = make_held_chat(acme, ann, now).chat
    for api, status in (
        (as_agent(ann), 403), (as_agent(sue), 403), (as_customer(acme, now), 403),
        (as_application(acme, teams=[acme.support]), 403), (as_application(acme, teams=[acme.sales]), 404), (as_application(globex), 404),
    ):  # fmt: skip
        assert api.call("DELETE", f"customers/{chat.customer_id}").status_code == status
    assert Customer.objects.filter(pk=chat.customer_id, erased_at=None).exists()


# Web hooks and foreign APIs -------------------------------------------------------------------------------------------


def test_web_hooks_hear_of_it_and_of_nothing_else(acme, ann, now):
    make_webhook(acme, "http://127.0.0.1:9/", "*")
    chat = make_held_chat(acme, ann, now, text="Secret", subject="Secret").chat
    erase_customer(chat.customer, by=ann.user, now=now)
    erase_customer(chat.customer, by=ann.user, now=now)
    (told,) = Delivery.objects.filter(event="chat.erased")
    assert told.payload["data"]["chat"]["id"] == str(chat.pk)
    assert not [one for one in Delivery.objects.all() if "Secret" in str(one.payload)]


@cases("protocol", Registration.Protocol.values)
def test_a_chat_of_any_foreign_api_ends_and_is_forgotten(acme, ann, now, protocol):
    program = Application.objects.create(center=acme.center, name="Foreign")
    known = Registration.objects.create(
        center=acme.center, application=program, channel=acme.channel, protocol=protocol, foreign_id=f"id-{protocol}"
    )
    Webhook.objects.create(
        center=acme.center, application=program, registration=known, url="https://x.example/", events=["*"]
    )
    chat = make_held_chat(acme, ann, now, text="Secret").chat
    ForeignChat.objects.create(center=acme.center, registration=known, chat=chat, facts={"nickname": "Secret"})
    Chat.objects.filter(pk=chat.pk).update(is_foreign=True)
    erase_customer(chat.customer, by=ann.user, now=now)
    assert Chat.objects.get(pk=chat.pk).state == "closed"
    assert not ForeignChat.objects.exists()
    assert not [one for one in Delivery.objects.all() if "Secret" in str(one.payload)]


# At the same moment ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_who_writes_at_that_moment_leaves_no_word(acme, ann, now):
    held = make_held_chat(acme, ann, now, text="Hello")
    customer = held.chat.customer

    def write():
        for number in range(20):
            post_message(Post(held.chat.pk, held.customer.pk, f"c{number}", "Secret"), now=timezone.now())

    def begin():
        for number in range(20):
            start_chat(acme.channel, customer, Start(client_id=f"s{number}", text="Secret"), now=timezone.now())

    def until_refused(job):
        with contextlib.suppress(Refused):
            job()

    jobs = [lambda: until_refused(write), lambda: until_refused(begin)] * 3
    raised = at_once([*jobs, lambda: erase_customer(customer, by=ann.user, now=timezone.now())])
    assert raised == []
    assert not Event.objects.exclude(text="").exists()
    for chat in Chat.objects.all():
        assert list(chat.events.order_by("position").values_list("position", flat=True)) == list(
            range(1, chat.position + 1)
        )


# Redis ----------------------------------------------------------------------------------------------------------------


@pytest.mark.redis
def test_redis_never_had_a_word(acme, redis_url, settings, now):
    """What it keeps are counts and hints by id; it is looked at while the customer still is somebody."""
    settings.CACHES = {
        "default": {"BACKEND": "contactcenter.cache.SharedCache", "LOCATION": redis_url, "KEY_PREFIX": "cache"}
    }
    api = as_customer(acme, now)
    Customer.objects.filter(pk=api.customer.pk).update(name="QXMIA")
    assert api.post("chats", {"client_id": "c", "text": "QXMIA"}).status_code == 201
    with redis.Redis.from_url(redis_url) as store:
        kept = [(key, store.dump(key)) for key in store.scan_iter()]
    assert kept
    assert not [key for key, value in kept if b"QXMIA" in key or b"QXMIA" in value]
