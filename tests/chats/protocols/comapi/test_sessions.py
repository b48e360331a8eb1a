"""Sessions of customers' apps: what proves who uses one, what does not, and what becomes of it."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone

from chats.actions.app_sessions import mark_seen
from chats.models import AppSession, ForeignCustomer
from chats.protocols.comapi import authentication
from tests.cases import cases

from .conftest import ORIGIN, SHARED, Caller
from .test_outgoing import bodies, hook

pytestmark = [pytest.mark.django_db, pytest.mark.both]

GUID = "6f0c1b9e-3333-4444-8555-666677778888"
FCM = {"fcm": {"package": "com.acme", "registrationId": "device-token"}}
APNS = {"apns": {"bundleId": "com.acme", "environment": "production", "token": "ab" * 32}}


def claims_for(begun: dict[str, Any], profile_id: Any = "mia", **more: Any) -> dict[str, Any]:
    now = int(timezone.now().timestamp())
    return {"sub": profile_id, "nonce": begun["nonce"], "iat": now, "exp": now + 300, **more}


def signed(claims: dict[str, Any], secret: str = SHARED, **options: Any) -> str:
    return jwt.encode(claims, secret, **{"algorithm": "HS256", **options})


def begin(space: Any) -> dict[str, Any]:
    answer = space.stranger.get("sessions/start")
    assert answer.status_code == 200, answer.content
    begun: dict[str, Any] = answer.json()
    return begun


def sign_in(space: Any, token: str, begun: dict[str, Any], **more: Any) -> Any:
    body = {"authenticationId": begun["authenticationId"], "authenticationToken": token, "deviceId": "d1", **more}
    return space.stranger.post("sessions", {"platform": "javascript", "sdkType": "native", **body})


def test_an_app_signs_in_looks_at_its_session_and_leaves(space):
    begun = begin(space)
    assert begun["provider"] == "jsonWebToken"
    assert begun["expiresOn"].endswith("Z")
    answer = sign_in(space, signed(claims_for(begun)), begun)
    assert answer.status_code == 200, answer.content
    token, shown = answer.json()["token"], answer.json()["session"]
    assert (shown["profileId"], shown["deviceId"], shown["platform"]) == ("mia", "d1", "javascript")
    assert shown["isActive"] is True
    assert shown["id"] == begun["authenticationId"].partition(".")[0]
    # What the SDK reads of the token before it uses it.
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["apiSpaceId"] == space.registration.foreign_id
    assert claims["exp"] > timezone.now().timestamp()

    app = Caller(space.prefix, Authorization=f"Bearer {token}")
    assert app.get(f"sessions/{shown['id']}").json() == shown
    assert app.delete(f"sessions/{shown['id']}").status_code == 204
    assert app.get(f"sessions/{shown['id']}").status_code == 401
    assert space.get(f"sessions/{shown['id']}").json()["isActive"] is False
    made = ForeignCustomer.objects.get(external_id="mia")
    assert made.facts["createdBy"] == "session:mia"


def test_an_authentication_is_good_for_one_session(space):
    begun = begin(space)
    token = signed(claims_for(begun))
    assert sign_in(space, token, begun).status_code == 200
    assert sign_in(space, token, begun).status_code == 409
    other = begin(space)
    assert sign_in(space, token, other).status_code == 403  # signed for another nonce
    assert AppSession.objects.count() == 1


@cases(
    "change, secret",
    [
        ({"nonce": "0" * 32}, SHARED),
        ({"nonce": None}, SHARED),
        ({"nonce": 5}, SHARED),
        ({"exp": 1}, SHARED),
        ({"exp": None}, SHARED),
        ({"exp": 1_800_000_000_000}, SHARED),
        ({"iat": 1_800_000_000_000}, SHARED),
        ({"exp": "soon"}, SHARED),
        ({"sub": None}, SHARED),
        ({"sub": ""}, SHARED),
        ({"sub": ["mia"]}, SHARED),
        ({"sub": {"id": "mia"}}, SHARED),
        ({"sub": True}, SHARED),
        ({"sub": f"anon_{GUID}"}, SHARED),
        ({}, "another-secret-altogether-and-long"),
    ],
)
def test_a_token_that_proves_nothing_opens_nothing(space, change, secret):
    begun = begin(space)
    claims = {key: value for key, value in {**claims_for(begun), **change}.items() if value is not None}
    answer = sign_in(space, signed(claims, secret), begun)
    assert (answer.status_code, answer.json()) == (403, {"message": "Invalid JWT"})


@cases("token", ["", "a.b.c", "ünïcode", "x" * 4001, 5, None, {"a": 1}, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtaWEifQ."])
def test_what_is_no_token_is_refused(space, token):
    assert sign_in(space, token, begin(space)).status_code in (400, 403)


@cases("authentication", ["", "x", "a.b.c", f"{GUID}.9999999999.{'0' * 64}", f"{GUID}.é.{'0' * 64}", 7, "x" * 300])
def test_an_authentication_that_nobody_began_is_refused(space, authentication):
    begun = begin(space)
    answer = sign_in(space, signed(claims_for(begun)), {"authenticationId": authentication})
    assert answer.status_code in (400, 403)


def test_an_authentication_belongs_to_its_space_and_ends(space, other):
    begun = begin(space)
    assert sign_in(other, signed(claims_for(begun), other.row.shared_secret), begun).status_code == 403
    old, _nonce, _until = authentication.begin(space.registration, timezone.now() - timedelta(minutes=11))
    stale = {"authenticationId": old, "nonce": authentication.nonce_of(space.registration, old)}
    assert sign_in(space, signed(claims_for(stale)), stale).status_code == 403


def test_issuer_audience_and_claim_are_checked_where_the_space_names_them(space):
    space.row.issuer, space.row.audience, space.row.id_claim = "acme", "apps", "customer"
    space.row.save()
    own = {"iss": "acme", "aud": ["apps", "web"], "customer": 4711}
    for wrong in ({**own, "iss": "eve"}, {**own, "aud": "other"}, {"iss": "acme", "aud": "apps"}, {"customer": "x"}):
        begun = begin(space)
        assert sign_in(space, signed(claims_for(begun, **wrong)), begun).status_code == 403
    begun = begin(space)
    answer = sign_in(space, signed(claims_for(begun, **own)), begun)
    assert answer.json()["session"]["profileId"] == "4711"


def test_a_visitor_signs_in_as_nobody_else(space):
    begun = begin(space)
    token = space.stranger.get("sessions/tokens/anon", id=GUID, nonce=begun["nonce"]).json()["token"]
    answer = sign_in(space, token, begun)
    assert answer.json()["session"]["profileId"] == f"anon_{GUID}"
    # With the prefix or without it, the id is the same one.
    begun = begin(space)
    token = space.stranger.get("sessions/tokens/anon", id=f"anon_{GUID}", nonce=begun["nonce"]).json()["token"]
    assert sign_in(space, token, begun).json()["session"]["profileId"] == f"anon_{GUID}"
    assert ForeignCustomer.objects.count() == 1


def test_visitors_are_refused_where_the_space_has_none(space, other):
    nonce = begin(space)["nonce"]
    for asked in ({"id": "short", "nonce": nonce}, {"id": GUID}, {"nonce": nonce}, {"id": "a/" * 10, "nonce": nonce}):
        assert space.stranger.get("sessions/tokens/anon", **asked).status_code == 400
    begun = begin(other)
    token = space.stranger.get("sessions/tokens/anon", id=GUID, nonce=begun["nonce"]).json()["token"]
    assert sign_in(other, token, begun).status_code == 403  # another space's visitor
    begun = begin(space)
    token = space.stranger.get("sessions/tokens/anon", id=GUID, nonce=begun["nonce"]).json()["token"]
    space.row.allows_anonymous = False
    space.row.save()
    assert space.stranger.get("sessions/tokens/anon", id=GUID, nonce=begun["nonce"]).status_code == 403
    assert sign_in(space, token, begun).status_code == 403


@cases("profile_id", ["PLATFORMUSER\\ann@acme.example", "a/b", "x" * 201, " ", "line\nbreak"])
def test_a_token_never_names_an_agent_or_an_odd_id(space, profile_id):
    begun = begin(space)
    assert sign_in(space, signed(claims_for(begun, profile_id)), begun).status_code == 400
    assert not ForeignCustomer.objects.exists()


def test_pages_of_unknown_origins_begin_nothing(space):
    assert space.stranger.get("sessions/start", headers={"Origin": "https://evil.example"}).status_code == 403
    allowed = space.stranger.get("sessions/start", headers={"Origin": ORIGIN})
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_device_is_reached_as_it_says(space):
    app = space.app("mia")
    path = f"sessions/{app.session.pk}/push"
    assert app.put(path, FCM | {"odd": 1}).status_code == 200
    app.session.refresh_from_db()
    assert app.session.push == FCM
    assert app.put(path, APNS).json() == APNS
    assert app.delete(path).status_code == 204
    app.session.refresh_from_db()
    assert app.session.push == {}


@cases(
    "push",
    [
        {},
        {"fcm": {}},
        {"fcm": "x"},
        {"fcm": {"package": 5, "registrationId": "x"}},
        {"fcm": {"package": "x", "registrationId": "x" * 1001}},
        {"apns": {"bundleId": "x", "environment": "moon", "token": "x"}},
        ["fcm"],
    ],
)
def test_an_odd_device_is_refused(space, push):
    app = space.app("mia")
    assert app.put(f"sessions/{app.session.pk}/push", push).status_code == 400
    begun = begin(space)
    assert not push or sign_in(space, signed(claims_for(begun)), begun, push=push).status_code == 400


def test_one_device_has_one_session_and_tells_nobody_elses_messages(space):
    tokens = []
    for profile_id in ("mia", "mia", "tom"):
        begun = begin(space)
        tokens.append(sign_in(space, signed(claims_for(begun, profile_id)), begun, push=FCM).json()["token"])
    first, second, _third = (Caller(space.prefix, Authorization=f"Bearer {token}") for token in tokens)
    assert first.get("profiles/mia").status_code == 401
    assert second.get("profiles/mia").status_code == 200
    assert [one.push for one in AppSession.objects.order_by("created_at")] == [{}, {}, FCM]


@cases("push", [FCM, APNS])
def test_a_token_belongs_to_one_device_whatever_that_calls_itself(space, other, push):
    hook(space)
    elsewhere = other.app("mia")
    AppSession.objects.filter(pk=elsewhere.session.pk).update(push=push)
    mia, tom = space.app("mia"), space.app("tom")
    for app in (mia, tom, tom):
        assert app.put(f"sessions/{app.session.pk}/push", push).status_code == 200
    assert [mia.get(f"sessions/{mia.session.pk}/push").json(), tom.get(f"sessions/{tom.session.pk}/push").json()] == [
        {},
        push,
    ]
    begun = begin(space)
    assert sign_in(space, signed(claims_for(begun, "eve")), begun, push=push, deviceId="another").status_code == 200
    assert tom.get(f"sessions/{tom.session.pk}/push").json() == {}
    elsewhere.session.refresh_from_db()
    assert elsewhere.session.push == push  # another center's apps are none of ours
    told = [(one["payload"]["id"], len(one["payload"]["devices"])) for one in bodies("profile.devicesUpdated")]
    assert sorted(told[1:3]) == [("mia", 0), ("tom", 1)]
    assert (told[0], sorted(told[3:])) == (("mia", 1), [("eve", 1), ("tom", 0)])


def test_web_hooks_hear_of_devices_and_never_of_their_tokens(space):
    hook(space)
    begun = begin(space)
    token = sign_in(space, signed(claims_for(begun)), begun, push=FCM).json()["token"]
    app = Caller(space.prefix, Authorization=f"Bearer {token}")
    session = AppSession.objects.get()
    shown = {"id": "d1", "platform": "javascript", "platformVersion": "", "sessionId": str(session.pk)}
    (told,) = bodies("profile.devicesUpdated")
    assert told["payload"] == {"id": "mia", "devices": [shown | {"services": ["fcm"]}]}
    assert app.put(f"sessions/{session.pk}/push", FCM).status_code == 200  # nothing new
    assert app.delete(f"sessions/{session.pk}").status_code == 204
    assert [one["payload"]["devices"] for one in bodies("profile.devicesUpdated")][1:] == [[]]


def test_sessions_of_others_are_not_there(space, other):
    mia, tom = space.app("mia"), space.app("tom")
    for method, path in [
        ("GET", f"sessions/{tom.session.pk}"),
        ("DELETE", f"sessions/{tom.session.pk}"),
        ("DELETE", f"sessions/{tom.session.pk}/push"),
        ("PUT", f"sessions/{tom.session.pk}/push"),
    ]:
        body = FCM if method == "PUT" else None
        assert mia.call(method, path, body).status_code == 404
        assert other.call(method, path, body).status_code == 404
    assert mia.get("sessions/nonsense").status_code == 404
    assert tom.get(f"sessions/{tom.session.pk}").status_code == 200


def test_who_is_blocked_does_not_sign_in(space):
    customer = space.profile("mia").customer
    customer.is_blocked = True
    customer.save()
    begun = begin(space)
    assert sign_in(space, signed(claims_for(begun)), begun).status_code == 403


def test_an_open_socket_is_noted(space):
    app = space.app("mia")
    at = timezone.now()
    mark_seen(app.session.pk, at)
    app.session.refresh_from_db()
    assert app.session.facts["seen_at"] == at.isoformat()
    mark_seen(app.session.pk, None)
    app.session.refresh_from_db()
    assert app.session.facts["seen_at"] is None
