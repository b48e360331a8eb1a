"""Push notices: devices of apps that are closed are told once, by services that check what the vendors check."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpcore
import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from chats import tasks
from chats.actions.foreign import make_customer
from chats.actions.reach_out import go_on_by
from chats.actions.read import mark_delivered
from chats.actions.start import Foreign, Start, start_chat
from chats.carriers.checking import check_carrier
from chats.carriers.push import apns, fcm, notices
from chats.carriers.push.loading import plans_of
from chats.carriers.push.notices import Notices
from chats.errors import Invalid
from chats.models import AppSession, Carrier, Chat, Conversation, Customer, Event, PushNotice, SpaceChat
from chats.outbox import sending
from chats.outbox.courier import Courier
from chats.outbox.lanes import LEASE
from chats.outbox.sending import Sender
from contactcenter.models import Registration, RegistrationTeam
from tests.chats.api.conftest import as_agent
from tests.chats.carried import customer_of, hold, say
from tests.chats.carriers.push_services import (
    ANDROID,
    APPLE_KEY,
    BUNDLE,
    IPHONE,
    KEY_ID,
    OTHER_KEY,
    TEAM_ID,
    UNREGISTERED,
    Apple,
    Google,
    make_certificate,
    pem,
    problem,
)
from tests.chats.outbox.receiver import Receiver
from tests.chats.protocols.comapi.conftest import make_space
from tests.conftest import make_chat, online

both = [pytest.mark.django_db(transaction=True), pytest.mark.both]
pytestmark = pytest.mark.django_db
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
    fields = {"expires_at": now + timedelta(hours=9), "push": push} | fields
    return AppSession.objects.create(
        center=registration.center, registration=registration, profile=profile, device_id="phone", **fields
    )


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


@pytest.mark.both
def test_each_phone_of_the_customer_is_told_once_what_was_said_and_where(talk, space, google, apple, now):
    make_session(space.registration, talk.profile, APNS, now)
    make_session(space.registration, talk.profile, {}, now)
    make_session(space.registration, talk.profile, FCM, now, ended_at=now)
    make_session(space.registration, talk.profile, FCM, now, expires_at=now)
    conversation = Conversation.objects.create(
        center=space.center, registration=space.registration, profile=talk.profile, external_id="Support_mia"
    )
    SpaceChat.objects.update_or_create(
        registration=space.registration,
        chat=talk.chat,
        defaults={"center": space.center, "conversation": conversation},
    )
    say(talk.part, "Your\n boots  are \ud83d\ude00 ready".encode("utf-16", "surrogatepass").decode("utf-16"), now)
    assert PushNotice.objects.count() == 2
    send_all(now)
    assert not google.taken  # an open app has a moment to show it
    for _again in range(2):
        send_all(now + LATER)
    place = {"chatId": str(talk.chat.pk), "conversationId": "Support_mia"}
    rows = {next(iter(row.session.push)): row for row in PushNotice.objects.all()}
    assert google.taken == [
        {
            "token": ANDROID,
            "data": place,
            "notification": {"title": "Support", "body": "Your boots are \N{GRINNING FACE} ready"},
            "android": {
                "priority": "HIGH",
                "ttl": "3600s",
                "collapse_key": str(talk.chat.pk),
                "notification": {"tag": str(rows["fcm"].id)},
            },
        }
    ]
    ((device, head, body),) = apple.taken
    assert (device, head["apns-topic"], head["apns-collapse-id"]) == (IPHONE, BUNDLE, str(rows["apns"].id))
    assert body == {
        "aps": {
            "alert": {"title": "Support", "body": "Your boots are \N{GRINNING FACE} ready"},
            "sound": "default",
            "thread-id": str(talk.chat.pk),
        },
        **place,
    }
    assert rows["fcm"].external_id == "projects/acme-apps/messages/1"
    assert rows["apns"].external_id == str(rows["apns"].id)
    assert {(row.attempts_made, row.error, row.skipped) for row in rows.values()} == {(1, "", False)}


def test_what_customers_say_notes_and_chats_elsewhere_call_nobody(
    talk, space, acme, ann, now, django_assert_num_queries
):
    say(customer_of(talk.chat.pk), "Hello", now)
    say(talk.part, "Psst", now, is_note=True)
    Chat.objects.filter(pk=talk.chat.pk).update(is_carried=True)
    say(talk.part, "By SMS", now)
    Chat.objects.filter(pk=talk.chat.pk).update(is_carried=False)
    for off in ({"is_active": False}, {"is_active": True, "provider": "twilio"}):
        Carrier.objects.update(**off)
        say(talk.part, f"While {off}", now)
    Carrier.objects.update(provider="push")
    web = make_chat(acme, now).chat
    say(hold(web, ann, now), "On the website", now)
    assert not PushNotice.objects.exists()
    other = make_session(space.registration, talk.profile, APNS, now)
    elsewhere = Registration.objects.exclude(pk=space.registration.pk).first() or _second_space(space, now)
    AppSession.objects.filter(pk=other.pk).update(registration=elsewhere)
    say(talk.part, "Only the apps of this channel", now)
    assert the_notice().session_id == talk.session.pk


def _second_space(space: Any, now: Any) -> Registration:
    """Of the same center with another channel: its apps are of another Firebase project."""
    place = SimpleNamespace(center=space.center, support=space.registration.channel.team)
    place.support.registration_teams.all().delete()
    made = make_space(place, str(uuid4()), access="a" * 20, password="b" * 20, shared="c" * 20)
    return made.registration


def test_another_centers_phones_hear_nothing(talk, globex, gil, google, apple, now):
    strange = make_space(globex, str(uuid4()), access="d" * 20, password="e" * 20, shared="f" * 20)
    make_carrier(strange.registration, google, apple)
    theirs = make_app(strange.registration, APNS, now, name="mia")  # the same name, another person
    PushNotice.objects.all().delete()
    say(talk.part, "Yours", now)
    assert [row.session_id for row in PushNotice.objects.all()] == [talk.session.pk]
    say(hold(theirs.chat, online(gil, now), now), "Theirs", now)
    send_all(now + LATER)
    assert [one["notification"]["body"] for one in google.taken] == ["Yours"]
    assert [body["aps"]["alert"]["body"] for _, _, body in apple.taken] == ["Theirs"]


def test_the_title_is_the_teams_or_the_agents_as_the_team_wants(talk, space, google, now):
    row = RegistrationTeam.objects.get(registration=space.registration)
    for facts in (
        {"appMessaging": {"replyAs": "individual"}},
        {"appMessaging": {"replyAs": "team"}},
        {"appMessaging": 7},
    ):
        row.facts = facts
        row.save()
        say(talk.part, "x" * 300, now)
        send_all(now + LATER)
    assert [one["notification"]["title"] for one in google.taken] == ["Ann", "Support", "Support"]
    assert {one["notification"]["body"] for one in google.taken} == {"x" * 199 + "…"}


def test_a_message_may_say_itself_what_devices_show(talk, space, google, apple, now):
    make_session(space.registration, talk.profile, APNS, now)
    old = {
        "collapse_key": "orders",
        "data": {"order": 7, "deep": {"a": [1]}, "text": "é", "from": "x", "google.x": "y", "gcm": "z", "chatId": "no"},
        "notification": {"title": "Order", "body": "It is ready", "icon": "boot"},
    }
    new = {
        "badge": 3,
        "sound": "bell.caf",
        "alert": {"title": "Order", "body": "Ready"},
        "payload": {"order": 7, "aps": 1},
    }
    both_said = {"title": "not", "body": "this", "platforms": {"fcm": old, "apns": new}}
    silent = {"platforms": {"fcm": {"data": {"sync": True}}, "apns": {"alert": "Sync", "badge": True}}}
    for alert in (both_said, {"title": "All", "body": "of them"}, silent):
        say(talk.part, "Hello", now, facts={"alert": alert})
        send_all(now + LATER)
    first, second, third = google.taken
    assert first["notification"] == {"title": "Order", "body": "It is ready"}
    assert (first["android"]["collapse_key"], first["android"]["notification"]["icon"]) == ("orders", "boot")
    assert first["data"] == {"order": "7", "deep": '{"a":[1]}', "text": "é", "chatId": str(talk.chat.pk)}
    assert second["notification"] == {"title": "All", "body": "of them"}
    assert ("notification" in third, third["data"]["sync"]) == (False, "true")
    (_, _, first), (_, _, second), (_, _, third) = apple.taken
    assert first["aps"] == {
        "alert": {"title": "Order", "body": "Ready"}, "badge": 3, "sound": "bell.caf", "thread-id": str(talk.chat.pk),
    }  # fmt: skip
    assert first["order"] == 7
    assert second["aps"]["alert"] == {"title": "All", "body": "of them"}
    assert (third["aps"]["alert"], "badge" in third["aps"]) == ({"title": "Support", "body": "Sync"}, False)


ODD_ALERTS = (
    7, [], "x", {"platforms": 1}, {"platforms": {"fcm": 1, "apns": []}}, {"title": {}, "body": []},
    {"platforms": {"fcm": {"notification": "x", "data": "y", "collapse_key": 7}}},
    {"platforms": {"fcm": {"data": {"": 1, "x": None, "y": "z" * 9000}}}},
    {"platforms": {"apns": {"alert": {"title": 1, "body": None}, "badge": -1, "sound": {}, "payload": "x"}}},
    {"platforms": {"apns": {"alert": "é" * 9000, "badge": 2**70, "payload": {"x": "é" * 9000}}}},
    {"title": "é" * 9000, "body": "\N{GRINNING FACE}" * 9000},
)  # fmt: skip


def test_odd_alerts_become_notices_that_the_services_take(talk, space, google, apple, now):
    make_session(space.registration, talk.profile, APNS, now)
    for alert in ODD_ALERTS:
        say(talk.part, "Hello", now, facts={"alert": alert})
        send_all(now + LATER)
    assert (len(google.taken), len(apple.taken)) == (len(ODD_ALERTS), len(ODD_ALERTS))
    assert not PushNotice.objects.filter(sent_at=None).exists()


# Who is told nothing --------------------------------------------------------------------------------------------------


def test_a_phone_on_which_the_app_has_shown_it_is_left_alone(talk, google, now):
    say(talk.part, "Seen", now)
    mark_delivered(customer_of(talk.chat.pk), the_notice().index)
    send_all(now + LATER)
    row = the_notice()
    assert (row.skipped, row.sent_at, row.attempts_made, row.error) == (True, now + LATER, 0, "")
    assert not google.receiver.calls


def test_while_the_apps_socket_is_open_a_sign_of_life_after_the_message_settles_it(talk, google, now):
    say(talk.part, "One", now)
    row = the_notice()
    at = [now + timedelta(seconds=seconds) for seconds in (-20, 3, 8, 14, 30)]
    # The socket's last sign of life was before the message: the phone may be in a tunnel.
    AppSession.objects.update(facts={"seen_at": at[0].isoformat()})
    (plan,) = plans_of([fresh(row)], at[1])
    assert (plan.look_again is None, plan.is_skipped) == (False, False)
    send_all(at[1])
    assert (the_notice().due_at > at[2], the_notice().leased_until) == (True, None)
    # It is still there.
    AppSession.objects.update(facts={"seen_at": at[2].isoformat()})
    send_all(at[3])
    assert (the_notice().skipped, google.taken) == (True, [])
    # Or it has gone, with a word or without one.
    long_ago = (now - timedelta(seconds=61)).isoformat()
    for gone in (None, long_ago, "2026-99-99T00:00:00Z", {}):
        PushNotice.objects.all().delete()
        AppSession.objects.update(facts={"seen_at": gone})
        say(talk.part, f"Two {gone}", now)
        send_all(now + LATER)
        assert (the_notice().skipped, the_notice().state) == (False, "sent"), gone


def fresh(row: PushNotice) -> PushNotice:
    return PushNotice.objects.select_related(*Notices.lanes.loaded).get(pk=row.pk)


def test_what_is_settled_without_a_call_never_waits(talk, google, now):
    def off(rows: Any, **fields: Any) -> Any:
        return lambda: rows.update(**fields)

    sessions, carriers = AppSession.objects, Carrier.objects
    for why, change, back in (
        ("signed out", off(sessions, ended_at=now), off(sessions, ended_at=None)),
        ("signed out", off(sessions, expires_at=now), off(sessions, expires_at=now + timedelta(days=1))),
        ("no push notices any more", off(sessions, push={}), off(sessions, push=FCM)),
        ("switched off", off(carriers, is_active=False), off(carriers, is_active=True)),
        ("no push notices any more", off(carriers, provider="mail"), off(carriers, provider="push")),
        ("too late", off(PushNotice.objects, filed_at=now - timedelta(minutes=61)), lambda: None),
    ):
        say(talk.part, why, now)
        change()
        send_all(now + LATER)
        row = PushNotice.objects.order_by("-number").first()
        assert (why in row.error, row.failed_at, row.attempts_made) == (True, now + LATER, 0), why
        back()
    assert not google.receiver.calls
    assert not PushNotice.objects.pending().exists()


# What goes wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_device_that_is_gone_is_forgotten_but_not_one_that_has_just_said_another_token(
    talk, space, google, apple, now
):
    phone = make_session(space.registration, talk.profile, APNS, now)
    google.says, apple.says = [UNREGISTERED], [(410, "Unregistered")]
    say(talk.part, "One", now)
    send_all(now + LATER)
    for session in (talk.session, phone):
        session.refresh_from_db()
        assert session.push == {}
    assert (talk.session.push_error, phone.push_error) == ("FCM: Requested entity was not found.", "APNs: Unregistered")
    assert {row.state for row in PushNotice.objects.all()} == {"failed"}
    say(talk.part, "Two", now)
    assert PushNotice.objects.count() == 2  # nobody is left
    newer = {"fcm": {**FCM["fcm"], "registrationId": "newer"}}
    for push, answer, left in (
        (
            FCM,
            (400, problem(400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token")),
            {},
        ),
        (FCM, (400, problem(400, "INVALID_ARGUMENT", "Invalid JSON", "INVALID_ARGUMENT")), FCM),
        (FCM, (404, problem(404, "NOT_FOUND")), FCM),
        (FCM, UNREGISTERED, newer),
    ):
        PushNotice.objects.all().delete()
        AppSession.objects.filter(pk=talk.session.pk).update(push=push)
        say(talk.part, "Three", now)
        google.says = [answer]
        book, at = Notices(), now + LATER
        claimed = book.lanes.claim([the_notice().number], at)
        book.prepare(claimed)
        if left == newer:
            AppSession.objects.filter(pk=talk.session.pk).update(push=newer)
        with Sender() as sender:
            book.note([book.do(claimed[0], sender, 5)], at)
        talk.session.refresh_from_db()
        assert (talk.session.push, the_notice().state) == (left, "failed")


def test_a_service_that_fails_is_asked_again_for_an_hour_in_the_order_of_the_chat(talk, space, google, apple, now):
    AppSession.objects.update(push=APNS)
    apple.says = [(500, "InternalServerError"), (429, "TooManyRequests")]
    say(talk.part, "One", now)
    say(talk.part, "Two", now)
    at = now + LATER
    for seconds in (2, 5):
        send_all(at)
        head = PushNotice.objects.order_by("number").first()
        assert (head.state, head.due_at >= at + timedelta(seconds=seconds)) == ("pending", True)
        at = head.due_at
    send_all(at)
    assert [body["aps"]["alert"]["body"] for _, _, body in apple.taken] == ["One", "Two"]
    assert len({head["apns-id"] for _, head, _ in apple.taken}) == 2
    AppSession.objects.update(push=FCM)
    google.says = [(503, problem(503, "UNAVAILABLE"))] * 20
    say(talk.part, "Three", now)
    row, at = PushNotice.objects.pending().get(), now + LATER
    while row.state == "pending":
        send_all(at)
        row.refresh_from_db()
        at = row.due_at
    assert (row.state, 4 < row.attempts_made < 12) == ("failed", True)
    assert "UNAVAILABLE" in row.error
    assert not Carrier.objects.exclude(error="").exists()


def test_a_service_says_itself_for_how_long_to_wait(talk, google, now):
    google.says = [(429, problem(429, "RESOURCE_EXHAUSTED"))]
    answer, headers = google.receiver.answer, {"Retry-After": "600"}
    google.receiver.answer = lambda call: (lambda a: (a[0], {**a[1], **headers}, a[2]))(answer(call))
    say(talk.part, "One", now)
    send_all(now + LATER)
    assert the_notice().due_at == now + LATER + timedelta(seconds=600)


def test_wrong_credentials_are_the_carriers_trouble_until_the_service_takes_something(
    talk, space, google, apple, carrier, now
):
    other = make_session(space.registration, talk.profile, APNS, now)

    def trouble(secrets: dict[str, str], **plain: Any) -> str:
        row = Carrier.objects.get(pk=carrier.pk)
        row.keep_secrets(secrets)
        row.settings |= plain
        row.save()
        say(talk.part, "Hello", now)
        send_all(now + LATER)
        row.refresh_from_db()
        assert not PushNotice.objects.pending().exists()
        return row.error

    good = settings_of(google, apple)[1]
    stranger = json.dumps(json.loads(google.account()) | {"client_email": "eve@globex"})
    assert "no access token: Invalid JWT" in trouble({"fcm_account": stranger})
    assert "not the JSON file" in trouble({"fcm_account": "[]"})
    assert "not the JSON file" in trouble({"fcm_account": google.account(private_key="x")})
    assert "InvalidProviderToken" in trouble(good | {"apns_key": pem(OTHER_KEY)})
    assert "not the .p8" in trouble({"apns_key": "x"})
    assert "team's id" in trouble(good, apns_team_id="")
    # Google has taken all this time what Apple did not: that did not end it. Now Apple does.
    assert trouble(good, apns_team_id=TEAM_ID) == ""
    google.says = [(403, problem(403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH"))]
    assert trouble({}) == "FCM: SenderId mismatch"
    assert {row.push != {} for row in AppSession.objects.filter(pk__in=[other.pk, talk.session.pk])} == {True}
    assert trouble({}) == ""


def test_tokens_are_kept_and_made_anew_once_when_they_are_refused(talk, space, google, apple, now):
    make_session(space.registration, talk.profile, APNS, now)

    def tell(count: int = 1) -> None:
        for _each in range(count):
            say(talk.part, "Hello", now)
        send_all(now + LATER)

    tell(3)
    assert (google.asked, len(set(apple.tokens)), apple.connections) == (1, 1, 1)
    google.good.clear()
    apple.says = [(403, "ExpiredProviderToken")]
    tell()
    assert (google.asked, len(set(apple.tokens)), len(google.taken), len(apple.taken)) == (2, 2, 4, 4)
    # A server of Apple's that hangs up costs one try, on a new connection.
    apple.hang_up()
    tell()
    send_all(now + timedelta(seconds=30))
    assert (apple.connections, len(apple.taken)) == (2, 5)
    apple.says = [(403, "ExpiredProviderToken")] * 2
    tell()
    assert (len(apple.taken), Carrier.objects.get().error) == (5, "APNs: ExpiredProviderToken")


def test_devices_choose_their_environment_and_odd_ones_call_nobody(talk, google, apple, now):
    for device, error in (
        ({**APNS["apns"], "environment": "development"}, "No connection"),
        ({**APNS["apns"], "token": "../../x"}, "no token"),
        ({**APNS["apns"], "token": 7}, "no token"),
        ({**APNS["apns"], "bundleId": "a\r\nx: y"}, "bundle id"),
    ):
        AppSession.objects.update(push={"apns": device})
        say(talk.part, "Hello", now)
        send_all(now + LATER)
        row = PushNotice.objects.order_by("-number").first()
        assert error in row.error, device
        PushNotice.objects.all().delete()
    assert apple.connections == 0
    for push in ({"apns": 7}, {"fcm": []}, {"fcm": {"registrationId": ""}}, {"strange": 1}):
        AppSession.objects.update(push=push)
        say(talk.part, "Hello", now)
        send_all(now + LATER)
        assert AppSession.objects.get(pk=talk.session.pk).push == {}
    AppSession.objects.update(push={"apns": {"token": IPHONE}})
    say(talk.part, "By what the carrier says", now)
    send_all(now + LATER)
    assert len(apple.taken) == 1


def test_the_house_is_never_called(talk, google, apple, carrier, settings, now):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    for push in (FCM, APNS):
        AppSession.objects.update(push=push)
        say(talk.part, "Hello", now)
        send_all(now + LATER)
        assert "not called" in the_notice().error
        the_notice().delete()
    assert (google.receiver.calls, apple.connections) == ([], 0)


def test_a_service_that_is_silent_or_speaks_something_else_is_left(talk, google, apple, certificate, now):
    say(talk.part, "Hello", now)
    AppSession.objects.update(push=APNS)
    (letter,) = plans_of([fresh(the_notice())], now)
    apple.may_answer.clear()
    found = apns.send(letter, 0.5)
    assert ("No answer within" in found.error, found.again, found.was_answered) == (True, True, False)
    apple.may_answer.set()
    elsewhere = replace(letter, settings=letter.settings | {"apns_url": google.url})  # HTTP/1.1 by TLS
    found = apns.send(elsewhere, 5)
    assert ("No proper answer" in found.error, found.again) == (True, True)
    plain = Receiver()
    elsewhere = replace(letter, settings=letter.settings | {"apns_url": f"https://127.0.0.1:{plain.port}"})
    assert "No safe connection" in apns.send(elsewhere, 5).error
    plain.stop()
    assert apns.send(letter, 5).is_sent


# The outbox's threads -------------------------------------------------------------------------------------------------


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_the_sweep_tells_what_is_due_though_the_first_try_fails(talk, google, apple, space, courier, now, monkeypatch):
    monkeypatch.setattr(notices, "courier", courier)
    monkeypatch.setattr(notices, "WAITS", (0.01,))
    make_session(space.registration, talk.profile, APNS, now)
    google.says, apple.says = [(500, b"<html>")], [(503, "ServiceUnavailable")]
    say(talk.part, "Hello", now)
    PushNotice.objects.update(due_at=now)
    tasks.sweep_push_notices()
    google.receiver.wait_for(3)  # a token, a failure, and again
    wait_for(lambda: len(apple.taken) == 1)
    assert courier.stop(20)
    tasks.sweep_push_notices()
    assert courier.stop(20)
    assert (len(google.taken), len(apple.taken)) == (1, 1)
    assert {(row.state, row.attempts_made, row.error) for row in PushNotice.objects.all()} == {("sent", 2, "")}


def wait_for(is_so: Any, seconds: float = 20) -> None:
    pause = threading.Event()
    for _each in range(int(seconds / 0.02)):
        if is_so():
            return
        pause.wait(0.02)
    raise AssertionError("It did not come to this.")


WORKER = """
import sys, threading, django
django.setup()
from chats.carriers.push.notices import courier
courier.poke(__import__("uuid").UUID(sys.argv[1]))
threading.Event().wait(60)
"""


def begin_worker(session: AppSession) -> Any:
    config = connection.settings_dict
    url = f"postgres://{config['USER']}@{config['HOST']}:{config['PORT']}/{config['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1"}
    return subprocess.Popen([sys.executable, "-c", WORKER, str(session.pk)], env=environment)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_had_claimed_is_told_by_another_under_the_same_name(talk, google, courier, now):
    say(talk.part, "Hello", now)
    PushNotice.objects.update(due_at=now)
    google.may_answer.clear()
    worker = begin_worker(talk.session)
    try:
        google.receiver.wait_for(2, 60)
        courier.poke(talk.session.pk)  # nobody takes what another has claimed
        assert courier.stop(20)
        assert len(google.receiver.calls) == 2
    finally:
        worker.kill()
        worker.wait()
    google.may_answer.set()
    row = the_notice()
    assert (row.sent_at, row.attempts_made, row.leased_until > timezone.now()) == (None, 0, True)
    PushNotice.objects.update(leased_until=row.leased_until - LEASE)
    courier.poke(talk.session.pk)
    wait_for(lambda: the_notice().sent_at)
    assert len({call.json["message"]["android"]["notification"]["tag"] for call in google.sends()}) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_processes_tell_each_message_once(talk, google, now):
    for number in range(12):
        say(talk.part, f"{number}", now)
    PushNotice.objects.update(due_at=now)
    couriers = [Courier(Notices(), seconds=5) for _each in range(2)]
    for _again in range(3):
        for courier in couriers:
            courier.poke(talk.session.pk)
    wait_for(lambda: not PushNotice.objects.pending().exists())
    assert all(courier.stop(20) for courier in couriers)
    assert [one["notification"]["body"] for one in google.taken] == [str(number) for number in range(12)]


# The house around it --------------------------------------------------------------------------------------------------


def test_the_connection_is_checked_without_telling_anybody(carrier, google, apple, now):
    assert check_carrier(carrier, now) == ""
    assert (google.taken, apple.taken, len(google.checked)) == ([], [], 1)
    plain, secrets = settings_of(google, apple)

    def check(*, drop: str = "", **changes: Any) -> str:
        named = {name: value for name, value in secrets.items() if name != drop}
        carrier.kept_secrets = ""
        carrier.keep_secrets(named | {name: changes[name] for name in changes if name in secrets})
        carrier.settings = plain | {name: changes[name] for name in changes if name in plain}
        return check_carrier(carrier, now)

    assert check(drop="fcm_account") == check(drop="apns_key") == check(apns_bundle_id="") == ""
    assert "Enter the service account" in check(drop="apns_key", fcm_account="")
    assert "not the .p8" in check(apns_key="x")
    assert check(apns_key=pem(APPLE_KEY).replace("\n", " ")) == ""
    assert "InvalidProviderToken" in check(apns_key=pem(OTHER_KEY))
    assert "No connection" in check(fcm_url="https://127.0.0.1:1")
    assert "No connection" in check(apns_url="https://127.0.0.1:1")
    assert "NOT_FOUND" in check(fcm_account=google.account(project_id="other"))
    assert "not called" in check(fcm_account=google.account(token_uri="http://10.0.0.1/token"))
    assert Carrier.objects.get().error


def test_an_app_is_no_way_to_go_on_by(talk, carrier, ann, now):
    api = as_agent(ann)
    assert api.get(f"chats/{talk.chat.pk}/ways").json()["results"] == []
    assert api.get("channels/outbound").json()["results"] == []
    body = {"channel": str(carrier.channel_id), "address": ANDROID}
    assert api.post(f"chats/{talk.chat.pk}/channel", body).status_code == 400
    with pytest.raises(Invalid):
        go_on_by(ann, talk.chat.pk, carrier.channel, ANDROID, now=now)
    assert not Event.objects.filter(type="chat.moved").exists()


def test_settled_notices_are_erased_after_a_month(talk, now):
    for number in range(3):
        say(talk.part, f"{number}", now)
    old, waiting, young = PushNotice.objects.order_by("number")
    month = now - timedelta(days=31)
    PushNotice.objects.filter(pk=old.pk).update(filed_at=month, sent_at=month)
    PushNotice.objects.filter(pk=waiting.pk).update(filed_at=month)
    PushNotice.objects.filter(pk=young.pk).update(sent_at=now)
    assert notices.tidy(now) == 1
    assert set(PushNotice.objects.values_list("pk", flat=True)) == {waiting.pk, young.pk}
