"""Web hooks of an API space: registered, read, changed, deleted, in both dialects; nobody else's."""

import pytest

from chats.models import Webhook
from chats.protocols.comapi.catalogue import OFFERS
from contactcenter.models import AuditEntry
from tests.cases import cases
from tests.conftest import MARKER

pytestmark = [pytest.mark.django_db, pytest.mark.both]

URL = "https://shop.example/hook"
SECRET = "a secret of sixteen"
BODY = {"name": "Bot", "url": URL, "secret": SECRET, "subscriptions": [{"type": "chatMessage.sent"}]}
NOWHERE = "7b0ffbb6-7d2a-4a4f-9f63-0d5b5b0b5a11"


def register(space, **more):
    answer = space.post("webhooks", {**BODY, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


def failures(answer):
    assert answer.status_code == 400, answer.content
    return sorted(one["paramName"] for one in answer.json()["validationFailures"])


@cases("dialect", ["program", "basic"])
def test_what_is_registered_is_live_at_once_and_its_secret_is_never_given_back(space, dialect):
    caller = getattr(space, dialect)
    answer = caller.post("webhooks", {**BODY, "batch": True, "maxBatchSize": 5, "batchTimeout": 2, "other": {}})
    shown = answer.json()
    by = f"access:{space.registration.application_id}"
    assert answer.status_code == 201
    assert shown == {
        "id": shown["id"],
        "name": "Bot",
        "url": URL,
        "subscriptions": [{"type": "chatMessage.sent", "filters": []}],
        "batch": True,
        "maxBatchSize": 5,
        "batchTimeout": 2,
        "_createdOn": shown["_createdOn"],
        "_createdBy": by,
        "_updatedOn": shown["_createdOn"],
        "_updatedBy": by,
    }
    assert answer["Last-Modified"] == shown["_updatedOn"]
    one = caller.get(f"webhooks/{shown['id']}")
    assert (one.json(), one["ETag"]) == (shown, answer["ETag"])
    assert caller.get("webhooks").json() == [shown]
    assert caller.get("webhooks/").json() == [shown]
    kept = Webhook.objects.live().get()
    assert (kept.secret, kept.events, kept.registration) == (SECRET, ["chatMessage.sent"], space.registration)
    assert SECRET not in str(AuditEntry.objects.latest("pk").changes)


def test_without_a_secret_there_is_none(space):
    register(space, secret=None)
    assert Webhook.objects.get().secret == ""


def test_a_put_says_the_whole_registration_anew_but_for_the_secret(space):
    made = register(space)
    path = f"webhooks/{made['id']}"
    anew = {"name": "Desk", "url": f"{URL}/2", "subscriptions": [{"type": "chat.closed", "filters": None}]}
    answer = space.put(path, anew)
    assert answer.status_code == 200
    assert answer.json() == {
        **made,
        **anew,
        "subscriptions": [{"type": "chat.closed", "filters": []}],
        "_updatedOn": answer.json()["_updatedOn"],
    }
    kept = Webhook.objects.live().get()
    assert (kept.secret, kept.events, kept.facts["revision"]) == (SECRET, ["chat.closed"], 2)
    space.put(path, {**anew, "secret": ""})
    assert Webhook.objects.get().secret == ""


def test_if_match_is_checked_where_it_is_sent(space):
    made = register(space)
    path, old = f"webhooks/{made['id']}", space.get(f"webhooks/{made['id']}")["ETag"]
    fresh = space.put(path, {**BODY, "name": "New"}, headers={"If-Match": old})["ETag"]
    assert space.put(path, BODY, headers={"If-Match": old}).status_code == 412
    assert space.delete(path, headers={"If-Match": old}).status_code == 412
    assert space.get(path).json()["name"] == "New"
    assert space.delete(path, headers={"If-Match": fresh}).status_code == 204


def test_what_was_deleted_is_gone_unless_somebody_asks_for_it(space):
    path = f"webhooks/{register(space)['id']}"
    answer = space.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not Webhook.objects.live().exists()
    assert space.get("webhooks").json() == []
    for gone in (space.get(path), space.put(path, BODY), space.delete(path)):
        assert gone.status_code == 404
    assert [one["name"] for one in space.get("webhooks", includeDeleted="true").json()] == ["Bot"]
    assert space.get(path, includeDeleted="true").status_code == 200


def test_events_and_templates_are_told_with_their_filters(space):
    events = {one["type"]: one for one in space.get("webhooks/availableevents").json()}
    assert set(events) == set(OFFERS)
    assert set(events["chat.create"]) == {"type", "description", "filters"}
    assert {one["name"]: one["path"] for one in events["chatMessage.sent"]["filters"]} == {
        "chatId": "payload.context.chatId",
        "teamId": "payload.context.teamId",
        "direction": "payload.context.direction",
    }
    described = space.get("webhooks/availableevents", includeSchemas="true").json()
    schemas = {one["type"]: one["schema"]["properties"] for one in described}
    assert set(schemas["chat.closed"]["payload"]["properties"]) == {"id", "teamId", "bypassMessage", "closeTimeSecs"}
    assert "payload" not in schemas["presence.away"]
    for template in space.get("webhooks/availabletemplates").json():
        assert set(template["events"]) < set(OFFERS)
        assert template["events"]


@cases(
    ("change", "params"),
    [
        ({"name": None}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": ["x"]}, ["name"]),
        ({"url": "ftp://shop.example/x"}, ["url"]),
        ({"url": "http://169.254.169.254/latest"}, ["url"]),
        ({"url": "http://localhost/x"}, ["url"]),
        ({"url": "https://me:pass@shop.example/"}, ["url"]),
        ({"url": "https://shop.example/" + "x" * 2000}, ["url"]),
        ({"secret": {"a": 1}}, ["secret"]),
        ({"secret": "x" * 201}, ["secret"]),
        ({"subscriptions": []}, ["subscriptions"]),
        ({"subscriptions": "chat.create"}, ["subscriptions"]),
        ({"maxBatchSize": 0}, ["maxBatchSize"]),
        ({"maxBatchSize": 501}, ["maxBatchSize"]),
        ({"batchTimeout": 61}, ["batchTimeout"]),
        ({"batchTimeout": 2**62}, ["batchTimeout"]),
        ({"batch": "perhaps"}, ["batch"]),
    ],
)
def test_what_is_not_right_is_named(space, change, params):
    assert failures(space.post("webhooks", {**BODY, **change})) == params
    assert not Webhook.objects.exists()


@cases(
    "subscription",
    [
        None,
        "chat.create",
        {},
        {"type": "chat.exploded"},
        {"type": ["chat.create"]},
        {"type": {"a": 1}},
        {"type": "*"},
        {"type": "chat.create", "filters": {"name": "teamId", "value": "x"}},
        {"type": "chat.create", "filters": [{"name": "teamId"}]},
        {"type": "chat.create", "filters": [{"name": "teamId", "value": {}}]},
        {"type": "chat.create", "filters": [{"name": "direction", "value": "inbound"}]},
        {"type": "chat.create", "filters": [{"name": "teamId", "value": "x" * 301}]},
        {"type": "chat.create", "filters": [{"name": "teamId", "value": "x"}] * 21},
    ],
)
def test_a_subscription_names_an_event_and_filters_that_are_offered(space, subscription):
    answer = space.post("webhooks", {**BODY, "subscriptions": [subscription]})
    assert all(name.startswith("subscriptions") for name in failures(answer))
    assert all(isinstance(one["message"], str) for one in answer.json()["validationFailures"])


@cases("body", [b"[]", b"1", b"{", b'"x"', b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b"\xff", b"[" * 9999])
def test_an_odd_body_is_refused(space, body):
    path = f"webhooks/{register(space)['id']}"
    assert space.post("webhooks", body).status_code == 400
    assert space.put(path, body).status_code == 400


@cases("odd", ["x", "%00", "1" * 299, "availableevents2", NOWHERE, NOWHERE.replace("-", "")])
def test_an_odd_id_is_nobodys(space, odd):
    for answer in (space.get(f"webhooks/{odd}"), space.put(f"webhooks/{odd}", BODY), space.delete(f"webhooks/{odd}")):
        assert answer.status_code == 404


def test_of_another_space_nothing_is_seen_or_changed(space, other):
    theirs = register(other, name=MARKER)
    assert space.get("webhooks", includeDeleted="true").json() == []
    path = f"webhooks/{theirs['id']}"
    for answer in (space.get(path, includeDeleted="true"), space.put(path, BODY), space.delete(path)):
        assert answer.status_code == 404
        assert MARKER.encode() not in answer.content
    assert Webhook.objects.live().get().facts["name"] == MARKER


def test_apps_and_strangers_have_no_business_here(space):
    app, made = space.app(), register(space)
    for path in ("webhooks", f"webhooks/{made['id']}", "webhooks/availableevents", "webhooks/availabletemplates"):
        assert app.get(path).status_code == 403
        assert space.stranger.get(path).status_code == 401
    assert app.post("webhooks", BODY).status_code == 403
    assert app.delete(f"webhooks/{made['id']}").status_code == 403


def test_there_are_twenty_at_most(space):
    for _ in range(20):
        register(space)
    answer = space.post("webhooks", BODY)
    assert answer.status_code in (400, 409)
    assert Webhook.objects.count() == 20


def test_one_that_an_operator_made_is_shown_with_its_events(space):
    Webhook.objects.create(
        center=space.center,
        application=space.application,
        registration=space.registration,
        url=URL,
        events=["chat.create"],
    )
    (shown,) = space.get("webhooks").json()
    assert (shown["name"], shown["batch"]) == ("", False)
    assert shown["subscriptions"] == [{"type": "chat.create", "filters": []}]
