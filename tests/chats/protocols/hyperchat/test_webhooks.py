"""Web hooks over HyperChat's routes: hands shaken with a real receiver, changed, deleted, and nobody else's."""

import contextlib
import json
from uuid import uuid4

import pytest

from chats.models import Delivery, Webhook
from chats.outbox import handshake
from chats.protocols.hyperchat.subscribers import wanted
from chats.protocols.hyperchat.webhooks import slow_places
from contactcenter.models import AuditEntry
from tests.cases import cases
from tests.chats.outbox.receiver import Receiver
from tests.chats.protocols.hyperchat.conftest import is_error, make_hook
from tests.conftest import MARKER

pytestmark = pytest.mark.django_db


def echo(call):
    return 200, {"X-Hook-Secret": call.headers.get("x-hook-secret", "")}, b""


@pytest.fixture
def receiver(settings):
    """Says its secret back."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    receiver = Receiver(echo)
    yield receiver
    receiver.stop()


def register(place, receiver, events="chats:close, messages:new", **more):
    return place.server.post("webhooks", {"events": events, "target": receiver.url, **more})


# Registered -----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_target_that_shakes_hands_is_registered(direct, receiver):
    answer = register(direct, receiver)
    assert answer.status_code == 200
    webhook = Webhook.objects.get()
    assert answer.json() == {
        "webhook": {
            "id": str(webhook.pk),
            "events": ["chats:close", "messages:new"],
            "target": receiver.url,
            "active": True,
            "created": int(webhook.created_at.timestamp()),
            "secret": webhook.secret,
        }
    }
    assert (webhook.registration, webhook.application) == (direct.registration, direct.registration.application)


def test_the_handshake_carries_the_secret_and_no_data(direct, receiver):
    secret = register(direct, receiver).json()["webhook"]["secret"]
    (call,) = receiver.calls
    assert call.headers["x-hook-secret"] == secret
    assert call.json.pop("created_at") > 0
    assert set(call.json) == {"trigger", "appId", "created_at"}
    assert (call.json["trigger"], call.json["appId"]) == ("webhooks:handshake", direct.app_id)


@cases(
    ("events", "kept"),
    [
        ("messages:new", ["messages:new"]),
        ("messages:new,chats:close", ["messages:new", "chats:close"]),
        (" messages:new ,  chats:close,", ["messages:new", "chats:close"]),
        (["messages:new", " chats:close "], ["messages:new", "chats:close"]),
        ("messages:new,messages:new", ["messages:new"]),
        ("*", ["*"]),
        ("contacts:new,messages:new", ["contacts:new", "messages:new"]),  # connectors name some that never happen here
    ],
)
def test_events_come_as_a_list_or_as_a_text_with_commas(direct, receiver, events, kept):
    assert register(direct, receiver, events).json()["webhook"]["events"] == kept


def test_the_address_may_be_named_url(direct, receiver):
    answer = direct.server.post("webhooks", {"events": "chats:close", "url": receiver.url})
    assert answer.json()["webhook"]["target"] == receiver.url


def test_one_may_be_registered_that_is_off(direct, receiver):
    assert register(direct, receiver, active=False).json()["webhook"]["active"] is False
    assert not Webhook.objects.live().exists()


def test_from_then_on_it_is_filed_for(direct, receiver):
    chat = direct.chat()
    assert wanted.registrations("queues:update") == frozenset()
    register(direct, receiver, "messages:new, queues:update")
    assert wanted.registrations("queues:update") == {direct.registration.pk}
    direct.server.post(f"chats/{chat.pk}/messages", {"sender": str(chat.customer_id), "message": "Hello"})
    assert list(Delivery.objects.values_list("event", flat=True)) == ["messages:new"]


def test_it_stands_in_the_audit_log(direct, receiver):
    register(direct, receiver)
    entry = AuditEntry.objects.filter(action="web hook added").get()
    assert receiver.url in json.dumps(entry.changes)


# Refused --------------------------------------------------------------------------------------------------------------


@cases(
    ("answer", "words"),
    [
        ((200, {}, b""), "did not send X-Hook-Secret back"),
        ((200, {"X-Hook-Secret": "whsec_other"}, b""), "did not send X-Hook-Secret back"),
        ((201, {"X-Hook-Secret": "?"}, b""), "answered 201"),
        ((302, {"Location": "/elsewhere"}, b""), "answered 302"),
        ((404, {}, b"nothing here"), "answered 404"),
        ((500, {}, b""), "answered 500"),
    ],
)
def test_without_a_handshake_there_is_no_web_hook(direct, receiver, answer, words):
    receiver.answer = lambda call: answer
    refused = register(direct, receiver)
    assert is_error(refused, 400)
    assert words in refused.json()["error"]["message"]
    assert not Webhook.objects.kept().exists()
    assert direct.server.get("webhooks").json() == {"webhooks": []}


def test_a_target_where_nobody_listens_is_refused(direct, receiver):
    receiver.stop()
    assert is_error(register(direct, receiver), 400)
    assert not Webhook.objects.kept().exists()
    receiver.thread.join()


def test_a_failure_of_our_own_leaves_no_web_hook_behind(direct, receiver, monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError("out of order")

    monkeypatch.setattr(handshake.Sender, "post", fail)
    assert is_error(register(direct, receiver), 500)
    assert not Webhook.objects.kept().exists()


@cases(
    "body",
    [
        {},
        {"events": "chats:close"},
        {"events": "chats:close", "target": ""},
        {"events": "chats:close", "target": None},
        {"events": "chats:close", "target": 7},
        {"events": "chats:close", "target": ["https://a.example"]},
        {"events": "chats:close", "target": "not an address"},
        {"events": "chats:close", "target": "ftp://shop.example/hook"},
        {"events": "chats:close", "target": "https://user:pass@shop.example/hook"},
        {"events": "chats:close", "target": "https://shop.example/\u0000"},
        {"events": "chats:close", "target": "https://" + "a" * 3000},
        {"events": "chats:close", "target": "http://127.0.0.1/"},
        {"events": "chats:close", "target": "http://169.254.169.254/latest/meta-data"},
        {"events": "chats:close", "target": "http://localhost:5432/"},
        {"target": "https://shop.example/hook"},
        {"events": "", "target": "https://shop.example/hook"},
        {"events": " , ,", "target": "https://shop.example/hook"},
        {"events": [], "target": "https://shop.example/hook"},
        {"events": [["x"]], "target": "https://shop.example/hook"},
        {"events": {"a": 1}, "target": "https://shop.example/hook"},
        {"events": "x" * 41, "target": "https://shop.example/hook"},
        {"events": "a\nb", "target": "https://shop.example/hook"},
        {"events": [f"e{number}" for number in range(101)], "target": "https://shop.example/hook"},
        {"events": "chats:close", "target": "https://shop.example/hook", "active": "perhaps"},
    ],
)
def test_what_is_wrong_is_refused_and_nobody_is_called(direct, body, monkeypatch):
    monkeypatch.setattr(handshake.Sender, "post", lambda *_args, **_options: pytest.fail("somebody was called"))
    assert is_error(direct.server.post("webhooks", body), 400)
    assert not Webhook.objects.exists()


def test_too_many_handshakes_are_refused(direct, receiver):
    receiver.answer = lambda call: 500
    answers = [register(direct, receiver).status_code for _ in range(21)]
    assert (answers.count(400), answers.count(429)) == (20, 1)
    assert not Webhook.objects.kept().exists()


def test_while_others_wait_for_their_targets_nobody_is_called(direct, receiver):
    with contextlib.ExitStack() as stack:
        while slow_places.acquire(blocking=False):
            stack.callback(slow_places.release)
        refused = register(direct, receiver)
        assert is_error(refused, 429)
        assert refused["Retry-After"] == "10"
    assert receiver.calls == []
    assert not Webhook.objects.kept().exists()
    assert register(direct, receiver).status_code == 200


def test_an_application_has_so_many_and_no_more(direct, receiver):
    for _ in range(20):
        make_hook(direct)
    assert is_error(register(direct, receiver), 409)
    assert receiver.calls == []


# Read, changed, deleted -----------------------------------------------------------------------------------------------


@pytest.mark.both
def test_they_are_listed_and_read_without_their_secrets(direct):
    first, second = make_hook(direct, "chats:close"), make_hook(direct, verified_at=None)
    listed = direct.server.get("webhooks/").json()["webhooks"]
    assert [(one["id"], one["events"], one["active"]) for one in listed] == [
        (str(first.pk), ["chats:close"], True),
        (str(second.pk), ["*"], False),
    ]
    assert direct.server.get(f"webhooks/{first.pk}").json() == {"webhook": listed[0]}
    assert "secret" not in json.dumps(listed)


def test_other_events_need_no_handshake(direct, receiver):
    hook = make_hook(direct, "chats:close")
    answer = direct.server.put(f"webhooks/{hook.pk}", {"events": "messages:new, chats:close"})
    assert answer.json()["webhook"]["events"] == ["messages:new", "chats:close"]
    assert answer.json()["webhook"]["active"] is True
    assert receiver.calls == []


@pytest.mark.both
def test_a_new_target_shakes_hands_first(direct, receiver):
    hook = make_hook(direct)
    answer = direct.server.put(f"webhooks/{hook.pk}", {"target": receiver.url})
    assert answer.json()["webhook"] == {
        "id": str(hook.pk),
        "events": ["*"],
        "target": receiver.url,
        "active": True,
        "created": int(hook.created_at.timestamp()),
    }
    assert len(receiver.calls) == 1


def test_while_a_new_target_has_not_shaken_hands_nothing_is_sent_to_any(direct, receiver):
    hook = make_hook(direct)
    receiver.answer = lambda call: 404
    assert is_error(direct.server.put(f"webhooks/{hook.pk}", {"target": receiver.url}), 400)
    assert not Webhook.objects.live().exists()
    assert direct.server.get(f"webhooks/{hook.pk}").json()["webhook"]["active"] is False
    receiver.answer = echo
    assert direct.server.put(f"webhooks/{hook.pk}", {}).json()["webhook"]["active"] is True


def test_the_same_target_again_shakes_no_hands(direct, receiver):
    hook = make_hook(direct)
    Webhook.objects.update(url=receiver.url)
    assert direct.server.put(f"webhooks/{hook.pk}", {"target": receiver.url}).status_code == 200
    assert receiver.calls == []


def test_one_is_switched_off_and_on(direct, receiver):
    hook = make_hook(direct)
    assert direct.server.put(f"webhooks/{hook.pk}", {"active": False}).json()["webhook"]["active"] is False
    assert wanted.registrations("messages:new") == frozenset()
    assert direct.server.put(f"webhooks/{hook.pk}", {"active": "true"}).json()["webhook"]["active"] is True
    assert wanted.registrations("messages:new") == {direct.registration.pk}


def test_a_deleted_one_is_gone(direct):
    hook = make_hook(direct)
    assert wanted.registrations("messages:new") == {direct.registration.pk}
    assert direct.server.delete(f"webhooks/{hook.pk}").json() == {"success": True}
    assert wanted.registrations("messages:new") == frozenset()
    for answer in (
        direct.server.get(f"webhooks/{hook.pk}"),
        direct.server.put(f"webhooks/{hook.pk}", {"events": "chats:close"}),
        direct.server.delete(f"webhooks/{hook.pk}"),
    ):
        assert is_error(answer, 404)


# Whose ----------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_another_application_s_is_not_found_and_not_changed(direct, queued, foreign):
    for place in (queued, foreign):
        hook = make_hook(place, f"secret:{MARKER}"[:40])
        for answer in (
            direct.server.get(f"webhooks/{hook.pk}"),
            direct.server.put(f"webhooks/{hook.pk}", {"events": "chats:close", "active": False}),
            direct.server.delete(f"webhooks/{hook.pk}"),
        ):
            assert is_error(answer, 404)
        hook.refresh_from_db()
        assert (hook.is_active, hook.deleted_at) == (True, None)
        assert hook.events != ["chats:close"]
    assert direct.server.get("webhooks").json() == {"webhooks": []}


def test_one_in_our_own_words_is_not_found(direct):
    registration = direct.registration
    ours = Webhook.objects.create(
        center=registration.center, application=registration.application, url="https://a.example/", events=["*"]
    )
    assert is_error(direct.server.get(f"webhooks/{ours.pk}"), 404)


@cases("row_id", [str(uuid4()), "7", "x", "%00", "a" * 100])
def test_an_unknown_id_is_not_found(direct, row_id):
    assert is_error(direct.server.get(f"webhooks/{row_id}"), 404)
    assert is_error(direct.server.delete(f"webhooks/{row_id}"), 404)


def test_only_the_server_s_secret_opens_them(direct, ann):
    hook = make_hook(direct)
    callers = [direct.page, direct.keyed, direct.as_user(direct.user().token), direct.as_agent(ann)]
    for caller in callers:
        for answer in (
            caller.get("webhooks"),
            caller.post("webhooks", {"events": "chats:close", "target": "https://a.example/"}),
            caller.get(f"webhooks/{hook.pk}"),
            caller.put(f"webhooks/{hook.pk}", {"active": False}),
            caller.delete(f"webhooks/{hook.pk}"),
        ):
            assert is_error(answer, 403)
    hook.refresh_from_db()
    assert (hook.is_active, hook.deleted_at, Webhook.objects.count()) == (True, None, 1)
