"""Odd requests to the routes of chats: each gets the envelope, and nothing is changed. (Bodies of messages and uploads: their own tests.)"""

import pytest

from chats.models import Chat, Event, ForeignChat
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import Hyper, is_error
from tests.conftest import online

pytestmark = pytest.mark.django_db

DEEP = b"[" * 50_000 + b"]" * 50_000
BROKEN = [
    b"null", b"0", b'"text"', b"true", b"{", b"}", b"{'a':1}", b"[1,", b"NaN", b"\xff\xfe", DEEP, b'{"a":' * 30 + b"1" + b"}" * 30,
    b'{"lang":NaN}', b'{"userId":1e999}', b'{"room":' + b"9" * 5000 + b"}", b'{"\\ud800":1}', b'{"userId":"\\ud800"}',
    b'{"userId":"a\\u0000"}', b"\xef\xbb\xbf{}", b"{} trailing",
]  # fmt: skip
BEGINNINGS = [
    {"room": None}, {"room": []}, {"room": {}}, {"room": "x" * 101}, {"creator": None}, {"creator": []}, {"creator": {"id": 1}},
    {"creator": ""}, {"creator": "x"}, {"creator": 5}, {"creator": "system"}, {"creator": "x" * 101}, {"source": []}, {"source": {}},
    {"source": "x" * 101}, {"lang": "english please"}, {"lang": 5}, {"lang": []}, {"lang": "e"}, {"lang": "en_" + "x" * 20},
    {"externalId": []}, {"externalId": "x" * 201}, {"externalId": True}, {"history": "x"}, {"history": {}}, {"history": [1]},
    {"history": [{"message": "x"}] * 151}, {"message": {}}, {"message": True}, {"message": "x" * 10_001},
]  # fmt: skip
CHANGES = [
    {"room": "9"}, {"room": []}, {"room": {}}, {"room": True}, {"source": []}, {"source": {"a": 1}}, {"source": "x" * 101}, {"lang": "1"},
    {"lang": []}, {"externalId": {}}, {"externalId": "x" * 201},
]  # fmt: skip
WRITES = [
    ("POST", "chats"),
    ("PUT", "chats/{id}"),
    ("DELETE", "chats/{id}"),
    ("POST", "chats/{id}/messages"),
    ("POST", "chats/{id}/history"),
    ("POST", "chats/{id}/join"),
    ("PUT", "chats/{id}/leave"),
    ("POST", "users/{user}/activity"),
    ("PUT", "messages/{message}/read"),
    ("POST", "media"),
]
READS = [
    "chats",
    "chats/{id}",
    "chats/{id}/assign",
    "chats/{id}/messages",
    "chats/{id}/history",
    "chats/{id}/users",
    "media",
]

ROUTES = [*WRITES, *(("GET", path) for path in READS), ("POST", "chats/{id}/toinbox")]


@pytest.fixture
def talk(direct, ann, now):
    return direct.held_chat(online(ann, now), text="Hello")


def at(path, chat):
    message = f"{chat.pk.hex}-2"
    return path.replace("{id}", str(chat.pk)).replace("{user}", str(chat.customer_id)).replace("{message}", message)


def standing():
    """All that a refused request must leave as it was."""
    chats = Chat.objects.order_by("pk").values("pk", "state", "team", "agent", "language", "position", "index")
    return list(chats), Event.objects.count(), list(ForeignChat.objects.order_by("pk").values("external_id", "facts"))


@cases("body", BROKEN)
def test_a_broken_body_is_refused(direct, talk, body):
    before = standing()
    for method, path in WRITES:
        answer = direct.server.call(method, at(path, talk), body)
        assert is_error(answer, 400), (path, answer.content[:300])
        assert "Traceback" not in answer.content.decode()
    assert standing() == before


@cases("odd", BEGINNINGS)
def test_an_odd_beginning_is_refused(direct, odd):
    user_id = str(direct.user().foreign.customer_id)
    answer = direct.server.post("chats", {"room": "1", "creator": user_id, **odd})
    assert answer.status_code in (400, 404, 413)
    assert is_error(answer, answer.status_code)
    assert not Chat.objects.exists()


@cases("odd", CHANGES)
def test_an_odd_change_is_refused_whole(direct, talk, odd):
    before = standing()
    good = {"lang": "de", "source": 8, "externalId": "new", "room": "2"}
    assert is_error(direct.server.put(f"chats/{talk.pk}", good | odd), 400)
    assert standing() == before


@cases("user_id", [[], {}, {"id": 1}, True, "x" * 101])
def test_an_odd_user_is_refused(direct, talk, user_id):
    before = standing()
    for method, path in (("DELETE", "chats/{id}"), ("POST", "chats/{id}/join"), ("PUT", "chats/{id}/leave")):
        assert is_error(direct.server.call(method, at(path, talk), {"userId": user_id}), 400), path
    assert standing() == before


@cases(
    "query",
    ["fields=%00", "fields=" + "x" * 3000, "fields=,,,", "fields=%F0%9F", "userId=%00", "a[]=1&a[]=2", "&&&==", "%"],
)
def test_an_odd_query_of_a_read_is_left_out(direct, talk, query):
    before = standing()
    for path in READS:
        assert direct.server.get(f"{at(path, talk)}?{query}").status_code == 200, path
    assert standing() == before


@cases("method", ["PATCH", "TRACE", "PROPFIND", "CONNECT", "X" * 50])
def test_a_method_that_no_route_has_is_refused(direct, talk, method):
    before = standing()
    for path in {path for _, path in ROUTES}:
        assert is_error(direct.server.call(method, at(path, talk)), 405), path
    assert standing() == before


@cases(
    ("proof", "status"),
    [
        ({}, 401),
        ({"app_id": "nobody"}, 401),
        ({"app_id": "{app}", "secret": "wrong-secret-0123456789"}, 401),
        ({"app_id": "{app}", "token": "x"}, 401),
        ({"app_id": "{app}", "token": "a:b:c"}, 401),
        ({"app_id": "{app}", "token": "é"}, 401),
        ({"app_id": "{app}", "key": "wrong"}, 401),
        ({"app_id": "{app}"}, 403),
        ({"app_id": "{app}", "secret": "", "key": "{key}"}, 403),
    ],
)
def test_without_the_right_proof_nothing_is_told_or_done(direct, talk, proof, status):
    before = standing()
    shown = {
        name: value.replace("{app}", direct.app_id).replace("{key}", direct.registration.public_key)
        for name, value in proof.items()
    }
    for method, path in ROUTES:
        answer = Hyper(**shown).call(method, at(path, talk), None if method == "GET" else {})
        assert is_error(answer, status), path
        assert "Hello" not in answer.content.decode()
    assert standing() == before


@cases("method", ["GET", "POST", "DELETE", "PATCH"])
def test_an_address_that_is_none_is_not_found_in_the_envelope(direct, method):
    for path in ["rooms", "tickets", "chats/x/y/z", "", "/", "chats//messages", "%00", "chats/" + "a" * 101]:
        assert is_error(direct.server.call(method, f"/v1/{path}"), 404), path
        assert is_error(Hyper().call(method, f"/v1/{path}"), 404), path


@pytest.mark.both
def test_each_address_is_taken_with_and_without_a_slash_at_its_end(direct, talk):
    for path in READS:
        plain, slashed = direct.server.get(at(path, talk)), direct.server.get(at(path, talk) + "/")
        assert plain.status_code == slashed.status_code == 200, path
        assert plain.json() == slashed.json()


@cases("language", ["de", "ar", "xx", "de-DE,de;q=0.9"])
def test_refusals_are_said_in_english_whoever_reads(direct, talk, language):
    answer = direct.server.post(
        f"chats/{talk.pk}/messages", {"sender": "system", "message": ""}, Accept_Language=language
    )
    assert answer.json()["error"]["message"] == "text: Write something first."
    missing = direct.server.post("chats", {}, Accept_Language=language)
    assert missing.json()["error"]["message"] == "room: This field is required."


def test_the_library_names_itself_in_a_header(direct, talk):
    lib = "version=0.2.13&language=PHP&language_version=8.1&os=Linux&os_version=6"
    assert direct.server.get("chats", X_Inbenta_Hyperchat_Client_Lib=lib).status_code == 200
