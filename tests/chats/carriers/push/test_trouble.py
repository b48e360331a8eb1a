"""Services and devices in trouble: what is told again, what is forgotten, what is nobody's business."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chats.carriers.push import apns
from chats.carriers.push.loading import plans_of
from chats.carriers.push.notices import Notices
from chats.models import AppSession, Carrier, PushNotice
from chats.outbox.sending import Sender
from tests.chats.carried import say
from tests.chats.carriers.push.conftest import (
    APNS,
    FCM,
    LATER,
    fresh,
    make_session,
    send_all,
    settings_of,
    the_notice,
)
from tests.chats.carriers.push_services import (
    IPHONE,
    OTHER_KEY,
    TEAM_ID,
    UNREGISTERED,
    pem,
    problem,
)
from tests.chats.outbox.receiver import Receiver

pytestmark = pytest.mark.django_db


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
