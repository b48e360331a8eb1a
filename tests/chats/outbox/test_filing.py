"""Filing: within the transaction that causes an event, for whom it may concern, in order."""

import pytest
from django.db import transaction

from chats import due
from chats.actions.close import close_by_agent
from chats.actions.post import Post, post_message
from chats.models import Delivery, Event, Webhook
from chats.outbox import filing
from chats.outbox.filing import Filed, file
from contactcenter.models import ApplicationTeam
from tests.cases import cases
from tests.chats.outbox.conftest import make_application, make_registration, make_webhook
from tests.conftest import MARKER, make_chat, make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def post(held, text, now, **fields):
    sender = fields.pop("sender", held.customer)
    return post_message(Post(held.chat.pk, sender.pk, text, text, **fields), now=now)


def events(webhook):
    return list(Delivery.objects.filter(webhook=webhook).order_by("number").values_list("event", flat=True))


def test_each_event_of_the_log_is_filed_in_its_order(acme, ann, now):
    webhook = make_webhook(acme)
    held = make_held_chat(acme, ann, now)
    post(held, "Hello", now)
    log = list(Event.objects.filter(chat=held.chat).order_by("position").values_list("type", flat=True))
    assert events(webhook) == log
    positions = [row.payload["data"]["event"]["position"] for row in webhook.deliveries.order_by("number")]
    assert positions == list(range(1, len(log) + 1))
    row = webhook.deliveries.order_by("number").last()
    assert (row.center_id, row.chat_id, row.event) == (acme.center.pk, held.chat.pk, "message.posted")
    assert (row.sent_at, row.failed_at, row.leased_until, row.attempts_made) == (None, None, None, 0)


def test_what_is_undone_was_never_filed(acme, now):
    make_webhook(acme)
    with pytest.raises(RuntimeError), transaction.atomic():
        make_chat(acme, now)
        assert Delivery.objects.exists()
        raise RuntimeError
    assert not Delivery.objects.exists()


def test_a_hook_hears_only_what_it_asked_for(acme, ann, now):
    hooks = {
        patterns: make_webhook(acme, "http://127.0.0.1:9/", *patterns)
        for patterns in [("message.posted",), ("chat.*",), ("chat.closed", "note.posted"), ("message",), ("*.posted",)]
    }
    held = make_held_chat(acme, ann, now)
    post(held, "Hello", now)
    post(held, "private", now, sender=held.agent, is_note=True)
    close_by_agent(ann, held.chat.pk, now=now)
    assert [events(webhook) for webhook in hooks.values()] == [
        ["message.posted"],
        ["chat.started", "chat.queued", "chat.closed"],
        ["note.posted", "chat.closed"],
        [],
        [],
    ]


def test_an_application_bound_to_teams_hears_of_their_chats_only(acme, now):
    application = make_application(acme)
    ApplicationTeam.objects.create(center=acme.center, application=application, team=acme.sales)
    webhook = make_webhook(acme, application=application)
    make_chat(acme, now, team=acme.support)
    assert events(webhook) == []
    make_chat(acme, now, team=acme.sales)
    assert events(webhook) == ["chat.started", "chat.queued"]


def test_nobody_hears_of_another_center(acme, globex, now):
    ours, theirs = make_webhook(acme), make_webhook(globex)
    make_chat(globex, now)
    assert events(ours) == []
    assert events(theirs) == ["chat.started", "chat.queued"]
    assert MARKER in str(theirs.deliveries.first().payload)


@cases(
    "off",
    [
        {"is_active": False},
        {"disabled_at": "2026-01-01T00:00Z"},
        {"verified_at": None},
        {"deleted_at": "2026-01-01T00:00Z"},
    ],
)
def test_nothing_is_filed_for_a_hook_that_is_off(acme, now, off):
    webhook = make_webhook(acme)
    Webhook.objects.update(**off)
    make_chat(acme, now)
    assert events(webhook) == []


def test_nothing_is_filed_for_an_application_that_is_off(acme, now):
    webhook = make_webhook(acme)
    webhook.application.is_active = False
    webhook.application.save()
    make_chat(acme, now)
    assert events(webhook) == []


def test_without_hooks_filing_costs_one_query(acme, globex, now, django_assert_num_queries):
    make_webhook(globex)
    make_chat(acme, now)
    with django_assert_num_queries(1):
        assert filing.live_webhooks([acme.center.pk]) == []


def test_the_secrets_stay_closed(acme, django_assert_num_queries):
    make_webhook(acme)
    (webhook,) = filing.live_webhooks([acme.center.pk])
    assert webhook.get_deferred_fields() == {"secret", "old_secret"}
    with django_assert_num_queries(0):
        assert list(webhook.application.application_teams.all()) == []
        assert webhook.registration is None


def test_foreign_hooks_are_left_to_their_protocols_speaker(acme, now, monkeypatch):
    heard = []

    def speak(webhooks, records, /):
        heard.append(([hook.pk for hook in webhooks], [record.event.type for record in records]))
        return [Filed(webhooks[0], records[0].chat.pk, "chats:create", {"trigger": "chats:create"})]

    monkeypatch.setitem(filing.speakers, "hyperchat", speak)
    registration = make_registration(acme)
    foreign = make_webhook(acme, application=registration.application, registration=registration)
    make_chat(acme, now)
    assert heard[0] == ([foreign.pk], ["chat.started", "chat.queued"])
    assert set(events(foreign)) == {"chats:create"}
    assert foreign.deliveries.first().payload == {"trigger": "chats:create"}


def test_a_protocol_without_a_speaker_stops_nobody(acme, now, monkeypatch):
    monkeypatch.delitem(filing.speakers, "hyperchat", raising=False)
    registration = make_registration(acme)
    webhook = make_webhook(acme, application=registration.application, registration=registration)
    make_chat(acme, now)
    assert events(webhook) == []


def test_whoever_is_concerned_is_woken_once_after_the_commit(acme, globex, now, django_capture_on_commit_callbacks):
    webhook, other = make_webhook(acme), make_webhook(acme)
    make_webhook(globex)
    woken = []

    def hear(task, id, **_):
        woken.append((task, id))

    due.work_due.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            file([Filed(hook, None, "x", {}) for hook in (webhook, webhook, other)])
            assert not woken
    finally:
        due.work_due.disconnect(hear)
    assert woken == [("deliver", webhook.pk), ("deliver", other.pk)]


def test_calls_without_a_chat_can_be_filed(acme):
    webhook = make_webhook(acme)
    file([Filed(webhook, None, "queues:update", {"data": 1})])
    file([])
    row = Delivery.objects.get()
    assert (row.chat_id, row.payload, row.center_id) == (None, {"data": 1}, acme.center.pk)
