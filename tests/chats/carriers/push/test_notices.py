"""Devices of apps that are closed are told once, by services that check what the vendors check."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chats.actions.reach_out import go_on_by
from chats.actions.read import mark_delivered
from chats.carriers.checking import check_carrier
from chats.carriers.push import notices
from chats.carriers.push.loading import plans_of
from chats.errors import Invalid
from chats.models import AppSession, Carrier, Chat, Conversation, Event, PushNotice, SpaceChat
from contactcenter.models import Registration, RegistrationTeam
from tests.chats.api.conftest import as_agent
from tests.chats.carried import customer_of, hold, say
from tests.chats.carriers.push.conftest import (
    APNS,
    FCM,
    LATER,
    fresh,
    make_app,
    make_carrier,
    make_session,
    send_all,
    settings_of,
    the_notice,
)
from tests.chats.carriers.push_services import (
    ANDROID,
    APPLE_KEY,
    BUNDLE,
    IPHONE,
    OTHER_KEY,
    pem,
)
from tests.chats.protocols.comapi.conftest import make_space
from tests.conftest import make_chat, online

pytestmark = pytest.mark.django_db


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


def test_what_customers_say_notes_and_chats_elsewhere_call_nobody(talk, space, acme, ann, now):
    say(customer_of(talk.chat.pk), "Hello", now)
    say(talk.part, "Psst", now, is_note=True)
    Chat.objects.filter(pk=talk.chat.pk).update(is_carried=True)
    say(talk.part, "By SMS", now)
    Chat.objects.filter(pk=talk.chat.pk).update(is_carried=False)
    for off in ({"is_active": False}, {"is_active": True, "provider": "twilio"}):
        Carrier.objects.update(**off)
        say(talk.part, f"While {off}", now)
    Carrier.objects.update(provider="push")
    visitor = hold(make_chat(acme, now).chat, ann, now)
    with CaptureQueriesContext(connection) as asked:
        say(visitor, "On the website", now)
    assert "appsession" not in str(asked.captured_queries)
    assert not PushNotice.objects.exists()
    again = make_session(space.registration, talk.profile, FCM, now, device_id="the same phone")
    say(talk.part, "It rings once", now)
    assert the_notice().session_id == again.pk
    again.delete()
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
