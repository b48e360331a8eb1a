"""Web hooks over REST: who may make them, what is refused, secrets, and what was sent."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from django.db import connection

from chats.actions.hook_rules import MOST_WEBHOOKS, own_patterns
from chats.models import Attempt, Delivery, Webhook
from contactcenter.models import AuditEntry, Channel, Registration
from tests.cases import cases
from tests.chats.api.conftest import as_agent, as_application
from tests.conftest import MARKER, make_agent, make_chat

URL = "https://hooks.example.com/in"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def hook(shop):
    return add(shop)


@pytest.fixture
def foreign(acme, shop):
    """A web hook of a foreign access of the same application."""
    channel = Channel.objects.create(center=acme.center, name="Chat API", kind=Channel.Kind.API)
    access = Registration.objects.create(center=acme.center, application=shop.application, channel=channel)
    return Webhook.objects.create(
        center=acme.center, application=shop.application, registration=access, url=URL, events=["chats:create"]
    )


def add(api, url=URL, events=("message.posted",)):
    answer = api.post("webhooks", {"url": url, "events": list(events)})
    assert answer.status_code == 201, answer.content
    return Webhook.objects.get(pk=answer.json()["id"])


def file(hook, at, chat=None, **fields):
    fields = {"event": "message.posted", "payload": {"type": "message.posted"}} | fields
    return Delivery.objects.create(center_id=hook.center_id, webhook=hook, chat=chat, filed_at=at, **fields)


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


# Making and changing --------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_web_hook_is_made_and_its_secret_is_shown_once(shop):
    answer = shop.post("webhooks", {"url": f" {URL} ", "events": ["chat.*", "message.posted"]})
    made = answer.json()
    assert answer.status_code == 201
    assert {name: made[name] for name in ("url", "events", "state", "is_active", "protocol", "waiting", "given_up")} == {
        "url": URL, "events": ["chat.*", "message.posted"], "state": "active", "is_active": True, "protocol": "",
        "waiting": 0, "given_up": 0,
    }  # fmt: skip
    assert made["application"] == {"id": str(shop.application.pk), "name": "Shop"}
    assert made["secret"] == Webhook.objects.get().secret
    assert made["secret"].startswith("whsec_")
    for path in ["webhooks", f"webhooks/{made['id']}", "webhook-deliveries"]:
        assert "whsec_" not in shop.get(path).content.decode()


@cases(
    "url",
    ["", "ftp://a.example", "https://me:pw@a.example/", "https://a.example/#x", "https://" + "a" * 2000, "//a.example",
     "http://127.0.0.1/", "http://localhost:8000/", "http://x.localhost/", "http://LOCALHOST./", "http://10.1.2.3/",
     "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://[fd00::1]/",
     "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
     "http://100.64.0.1/", None, 5, ["https://a.example"]],
)  # fmt: skip
def test_addresses_that_lead_into_the_house_or_nowhere_are_refused_at_once(shop, url):
    answer = shop.post("webhooks", {"url": url, "events": ["*"]})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["url"]
    assert not Webhook.objects.exists()


def test_the_operator_may_allow_networks(shop, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8", "10.1.0.0/16"]
    for url in ["http://localhost:9/", "http://127.1/", "http://10.1.2.3/"]:
        add(shop, url)
    assert shop.post("webhooks", {"url": "http://10.2.0.1/", "events": ["*"]}).status_code == 400


@cases("events", [[], ["nothing"], ["chats:create"], "message.posted", None, [5], ["x" * 41], ["*"] * 101, {"a": 1}])
def test_events_that_nobody_would_ever_hear_are_refused(shop, events):
    answer = shop.post("webhooks", {"url": URL, "events": events})
    assert answer.status_code == 400
    assert any(name.startswith("events") for name in answer.json()["fields"])


def test_all_our_events_can_be_asked_for_together(shop):
    assert add(shop, events=own_patterns()).events == own_patterns()


def test_there_is_one_for_an_address_and_there_are_twenty_at_most(shop, hook):
    again = shop.post("webhooks", {"url": URL, "events": ["*"]})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    for number in range(MOST_WEBHOOKS - 1):
        add(shop, f"{URL}/{number}")
    full = shop.post("webhooks", {"url": f"{URL}/more", "events": ["*"]})
    assert (full.status_code, full.json()["code"]) == (409, "full")
    assert shop.delete(f"webhooks/{hook.pk}").status_code == 204
    add(shop)


@pytest.mark.both
def test_a_change_answers_with_what_is_now(shop, hook):
    changed = shop.patch(f"webhooks/{hook.pk}", {"events": ["*"], "is_active": False}).json()
    assert (changed["events"], changed["is_active"], changed["state"], changed["url"]) == (["*"], False, "off", URL)
    assert shop.patch(f"webhooks/{hook.pk}", {}).json() == changed
    assert shop.patch(f"webhooks/{hook.pk}", {"url": "http://10.0.0.1/"}).status_code == 400
    assert AuditEntry.objects.get(action="web hook changed").actor == "application Shop"


def test_one_that_its_receiver_ended_is_off_until_it_is_switched_on(shop, hook, now):
    Webhook.objects.update(disabled_at=now, disabled_reason="It answered 410.")
    shown = shop.get(f"webhooks/{hook.pk}").json()
    assert (shown["state"], shown["is_active"], shown["disabled_reason"]) == ("disabled", False, "It answered 410.")
    shown = shop.patch(f"webhooks/{hook.pk}", {"is_active": True}).json()
    assert (shown["state"], shown["is_active"], shown["disabled_at"]) == ("active", True, None)


def test_a_renewed_secret_is_shown_once_and_the_old_one_lives_for_a_day(shop, hook, now):
    answer = shop.post(f"webhooks/{hook.pk}/secret").json()
    kept = Webhook.objects.get()
    assert kept.live_secrets(now) == [answer["secret"], hook.secret]
    until = datetime.fromisoformat(answer["old_secret_until"])
    assert 23 * 60 < (until - now) / MINUTE < 25 * 60
    assert answer["secret"] not in str(list(AuditEntry.objects.values()))


def test_a_deleted_one_is_not_found_any_more(shop, hook, now):
    file(hook, now)
    assert shop.delete(f"webhooks/{hook.pk}").status_code == 204
    for answer in [
        shop.get(f"webhooks/{hook.pk}"),
        shop.patch(f"webhooks/{hook.pk}", {"is_active": True}),
        shop.delete(f"webhooks/{hook.pk}"),
        shop.post(f"webhooks/{hook.pk}/secret"),
        shop.post(f"webhooks/{hook.pk}/retry"),
    ]:
        assert answer.status_code == 404
    assert ids(shop.get("webhooks")) == ids(shop.get("webhook-deliveries")) == []


# Who sees what --------------------------------------------------------------------------------------------------------


def test_an_application_sees_its_own_alone(acme, globex, shop, hook, now):
    delivery = file(hook, now)
    add(as_application(globex), f"https://{MARKER.lower()}.example/")
    other = as_application(acme)
    assert ids(other.get("webhooks")) == ids(other.get("webhook-deliveries")) == []
    for answer in [
        other.get(f"webhooks/{hook.pk}"),
        other.patch(f"webhooks/{hook.pk}", {"is_active": False}),
        other.delete(f"webhooks/{hook.pk}"),
        other.post(f"webhooks/{hook.pk}/secret"),
        other.post(f"webhooks/{hook.pk}/retry"),
        other.post(f"webhook-deliveries/{delivery.id}/retry"),
    ]:
        assert answer.status_code == 404
    assert other.get(f"webhook-deliveries?webhook={hook.pk}").status_code == 400
    assert ids(shop.get("webhooks")) == [str(hook.pk)]
    hook.refresh_from_db()
    assert hook.is_on


def test_supervisors_read_and_retry_and_change_nothing(sue_api, globex, hook, now):
    delivery = file(hook, now, failed_at=now)
    add(as_application(globex))
    assert ids(sue_api.get("webhooks")) == [str(hook.pk)]
    assert ids(sue_api.get("webhook-deliveries")) == [str(delivery.id)]
    assert sue_api.post(f"webhook-deliveries/{delivery.id}/retry").status_code == 200
    assert sue_api.post(f"webhooks/{hook.pk}/retry").json() == {"retried": 1}
    for answer in [
        sue_api.post("webhooks", {"url": URL, "events": ["*"]}),
        sue_api.patch(f"webhooks/{hook.pk}", {"is_active": False}),
        sue_api.delete(f"webhooks/{hook.pk}"),
        sue_api.post(f"webhooks/{hook.pk}/secret"),
    ]:
        assert answer.status_code == 403


def test_other_agents_see_nothing(ann_api, hook, now):
    delivery = file(hook, now, failed_at=now)
    assert ann_api.get("webhooks").status_code == ann_api.get("webhook-deliveries").status_code == 403
    assert ann_api.get(f"webhooks/{hook.pk}").status_code == 404
    assert ann_api.post(f"webhook-deliveries/{delivery.id}/retry").status_code == 404


def test_one_of_a_foreign_access_is_shown_and_changed_elsewhere(shop, foreign):
    shown = shop.get(f"webhooks/{foreign.pk}").json()
    assert shown["protocol"] == "hyperchat"
    assert shop.patch(f"webhooks/{foreign.pk}", {"events": ["*"]}).status_code == 403
    assert shop.post(f"webhooks/{foreign.pk}/secret").status_code == 403
    assert shop.delete(f"webhooks/{foreign.pk}").status_code == 204


# Deliveries -----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_delivery_is_shown_with_its_attempts(acme, shop, hook, now):
    chat = make_chat(acme, now).chat
    Delivery.objects.all().delete()
    delivery = file(hook, now, chat, failed_at=now, error="It answered 500.")
    for minute, status in [(2, None), (1, 500)]:
        at = now + minute * MINUTE
        Attempt.objects.create(center=acme.center, delivery=delivery, at=at, milliseconds=7, status=status, body="<b>")
    (shown,) = shop.get("webhook-deliveries").json()["results"]
    assert (shown["id"], shown["webhook"], shown["chat"]) == (str(delivery.id), str(hook.pk), str(chat.pk))
    assert (shown["state"], shown["due_at"], shown["error"]) == ("failed", None, "It answered 500.")
    assert shown["payload"] == {"type": "message.posted"}
    assert [attempt["status"] for attempt in shown["attempts"]] == [500, None]
    assert shown["attempts"][0]["body"] == "<b>"


def test_pages_follow_one_another_and_the_cursor_goes_on_later(shop, hook, now):
    rows = [file(hook, now - (9 - minute) * MINUTE) for minute in range(5)]
    first = shop.get("webhook-deliveries?limit=2")
    assert ids(first) == [str(row.id) for row in rows[:2]]
    second = shop.get(first.json()["next"])
    assert ids(second) == [str(row.id) for row in rows[2:4]]
    third = shop.get(second.json()["next"])
    assert ids(third) == [str(rows[4].id)]
    assert third.json()["next"] is None
    cursor = third.json()["cursor"]
    nothing = shop.get(f"webhook-deliveries?since={cursor}").json()
    assert (nothing["results"], nothing["next"], nothing["cursor"]) == ([], None, cursor)
    late = file(hook, now - 2 * MINUTE)
    assert ids(shop.get(f"webhook-deliveries?since={cursor}")) == [str(late.id)]


def test_a_time_begins_with_that_moment(shop, hook, now):
    rows = [file(hook, now - minutes * MINUTE) for minutes in (3, 2, 1)]
    since = quote((now - 2 * MINUTE).isoformat())
    assert ids(shop.get(f"webhook-deliveries?since={since}")) == [str(row.id) for row in rows[1:]]


@pytest.mark.both
def test_deliveries_are_chosen_by_web_hook_and_state(shop, hook, now):
    other = add(shop, f"{URL}/other")
    at = now - MINUTE
    pending, sent, failed = file(hook, at), file(hook, at, sent_at=now), file(hook, at, failed_at=now)
    elsewhere = file(other, at)
    for query, found in {
        "": [pending, sent, failed, elsewhere],
        f"webhook={hook.pk}": [pending, sent, failed],
        f"webhook={other.pk}": [elsewhere],
        "state=pending": [pending, elsewhere],
        "state=sent": [sent],
        f"state=failed&webhook={hook.pk}": [failed],
        f"state=failed&webhook={other.pk}": [],
    }.items():
        assert ids(shop.get(f"webhook-deliveries?{query}")) == [str(row.id) for row in found], query
    figures = {row["id"]: (row["waiting"], row["given_up"]) for row in shop.get("webhooks").json()["results"]}
    assert figures == {str(hook.pk): (1, 1), str(other.pk): (1, 0)}


@cases(
    "query",
    ["since=yesterday", "since=%00", "since=MjAyNg", "since=" + "x" * 601, "since=2026-13-45T99:00:00Z", "since=%F0%9F%98%80",
     "webhook=1", "webhook=01890000-0000-7000-8000-000000000000", "state=lost", "limit=0", "limit=201", "limit=x",
     "since=fHw", "since=MDAwMS0wMS0wMVQwMDowMDowMCswMDowMHwx%00"],
)  # fmt: skip
def test_odd_questions_are_refused_with_a_sentence(shop, hook, query):
    answer = shop.get(f"webhook-deliveries?{query}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["fields"]


@pytest.mark.both
@cases(
    "since",
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-01-01", "2026-01-01T00:00:00",
     "OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OXwx", "MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OXwx"],
)  # fmt: skip
def test_times_at_the_ends_of_the_calendar_are_no_crash(shop, hook, since):
    assert shop.get(f"webhook-deliveries?since={quote(since)}").status_code in (200, 400)


# Again ----------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_what_was_given_up_is_tried_again_under_its_old_id(shop, hook, now):
    given_up, waiting, sent = file(hook, now, failed_at=now), file(hook, now), file(hook, now, sent_at=now)
    answer = shop.post(f"webhook-deliveries/{given_up.id}/retry")
    assert (answer.status_code, answer.json()["id"], answer.json()["state"]) == (200, str(given_up.id), "pending")
    Delivery.objects.filter(pk=given_up.pk).update(failed_at=now)
    assert shop.post(f"webhooks/{hook.pk}/retry").json() == {"retried": 2}
    assert set(Delivery.objects.pending()) == {given_up, waiting}
    refused = shop.post(f"webhook-deliveries/{sent.id}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


@cases("fields", [{"is_active": False}, {"disabled_at": "now"}])
def test_nothing_is_tried_again_while_the_web_hook_is_off(shop, hook, now, fields):
    delivery = file(hook, now, failed_at=now)
    Webhook.objects.update(**{name: now if value == "now" else value for name, value in fields.items()})
    for path in [f"webhook-deliveries/{delivery.id}/retry", f"webhooks/{hook.pk}/retry"]:
        assert shop.post(path).status_code == 409
    delivery.refresh_from_db()
    assert delivery.failed_at == now


def test_a_list_of_web_hooks_asks_no_more_for_each_delivery(shop, hook, now, django_assert_max_num_queries):
    for _each in range(30):
        file(hook, now - MINUTE)
    with django_assert_max_num_queries(12):
        assert len(ids(shop.get("webhook-deliveries?limit=30"))) == 30
    assert connection.in_atomic_block


def test_administrators_read_as_supervisors_do(acme, hook):
    boss = as_agent(make_agent(acme, "Max", role="admin"))
    assert ids(boss.get("webhooks")) == [str(hook.pk)]
