"""Odd requests: each gets a statusCode, and nothing is changed."""

from uuid import uuid4

import pytest

from chats.models import Chat, Customer, Event, ForeignChat, ForeignLine
from tests.cases import cases
from tests.chats.protocols.genesys.conftest import Page, is_error

pytestmark = pytest.mark.django_db

GOOD = {"operationName": "RequestChat", "nickname": "Mia", "subject": "Parcel"}
DEEP = b"[" * 50_000 + b"]" * 50_000
# Body → statusCode.
BODIES = [
    (b"", 1), (b"null", 1), (b"{}", 1), (b"[]", 10), (b"0", 10), (b'"text"', 10), (b"true", 10), (b"{", 10), (b"}", 10), (b"{'a':1}", 10),
    (b"[1,", 10), (b"NaN", 10), (b"\xff\xfe", 10), (DEEP, 10), (b'{"a":' * 30 + b"1" + b"}" * 30, 10), (b"{} trailing", 10),
    (b"\xef\xbb\xbf{}", 10), (b'[{"operationName":"RequestChat"}]', 10), (b'{"text":"x"}', 1), (b'{"operationName":null}', 1),
    (b'{"operationName":""}', 1), (b'{"operationName":"SendMessage","text":"a\\u0000"}', 10), (b"operationName=RequestChat&nickname=M", 10),
    (b'{"operationName":"SendMessage","text":"\\ud800"}', 10), (b'{"\\ud800":1}', 10), (b'{"operationName":"RequestChat","x":1e999}', 10),
    (b'{"operationName":"RequestChat","x":' + b"9" * 5000 + b"}", 10),
]  # fmt: skip
OPERATIONS = [
    "requestchat", "REQUESTCHAT", "RequestChat ", "GetChat", "GetMessages", "GetTranscript", "Conference", "constructor", "__proto__",
    "toString", "_send", "x" * 10_000, "Ünknown", 5, True, 1.5, [], ["SendMessage"], {}, {"a": 1}, ["RequestChat"],
]  # fmt: skip
REQUESTS = [
    {"nickname": 5}, {"nickname": []}, {"nickname": {}}, {"nickname": True}, {"nickname": "x" * 101}, {"subject": 5}, {"subject": ["x"]},
    {"subject": {"a": 1}}, {"subject": "x" * 201}, {"endpoint": 5}, {"endpoint": []}, {"endpoint": {}}, {"endpoint": "x" * 1001},
    {"userData": "x"}, {"userData": []}, {"userData": 5}, {"userData": True}, {"userData": {"a": "x" * 16_384}},
    {"userData": {"a": [[[[[[[[[1]]]]]]]]]}},
]  # fmt: skip
IDS = [
    "x", "0", "-1", "1e9", "null", "undefined", "constructor", "__proto__", "hasOwnProperty", "..", "%2e%2e", "%00", "a%00b", "%0a", "%20",
    "{id}%00", "{id}%0a", "%20{id}", "{id}x", "{ID}-", "{%7B", "é", "%ff", "%F0%9F%99%82", "x" * 200, "x" * 201, "x" * 5000, "{chat}",
    "'%20OR%201=1", "urn:uuid:{id}", "[object%20Object]", "*", "%25", "me", "chats",
]  # fmt: skip


@pytest.fixture
def talk(shop):
    talk = shop.request()
    talk.say("Hello")
    return talk


def standing():
    """All that a refused request must leave as it was."""
    chats = Chat.objects.order_by("pk").values("pk", "state", "team", "position", "index", "data")
    foreign = ForeignChat.objects.order_by("pk").values("external_id", "facts", "head", "cursor")
    return list(chats), list(foreign), Event.objects.count(), ForeignLine.objects.count(), Customer.objects.count()


def assert_refused(answer, status, code):
    assert is_error(answer, status, code), (answer.status_code, answer.content[:300])
    assert b"Traceback" not in answer.content


@cases(("body", "code"), BODIES)
def test_a_body_that_is_none_is_refused(shop, talk, body, code):
    before = standing()
    for path in ("chats", f"chats/{talk.id}"):
        answer = shop.page.call("POST", path, body)
        # A name that is the other address's operation is unknown here.
        if answer.status_code == 405:
            assert_refused(answer, 405, 10)
        else:
            assert_refused(answer, 400, code)
    assert standing() == before


@cases("name", OPERATIONS)
def test_an_operation_that_is_none_is_refused(shop, talk, name):
    before = standing()
    body = {**GOOD, "operationName": name, "text": "x"}
    for path in ("chats", f"chats/{talk.id}"):
        assert_refused(shop.page.post(path, body), 405, 10)
    assert standing() == before


def test_each_address_has_its_own_operations(shop, talk):
    before = standing()
    for name in ("SendMessage", "Complete", "SendStartTypingNotification"):
        assert_refused(shop.page.post("chats", {"operationName": name, "text": "x"}), 405, 10)
    assert_refused(shop.page.post(f"chats/{talk.id}", GOOD), 405, 10)
    assert standing() == before


@cases("odd", REQUESTS)
def test_an_odd_request_is_refused_whole(shop, talk, odd):
    before = standing()
    assert_refused(shop.page.post("chats", GOOD | odd), 400, 10)
    assert standing() == before


@cases("chat_id", IDS)
def test_an_odd_id_is_not_found(shop, talk, chat_id):
    before = standing()
    chat_id = chat_id.replace("{id}", talk.id).replace("{ID}", talk.id[:-1]).replace("{chat}", str(talk.row.pk))
    for path in (f"chats/{chat_id}", f"chats/{chat_id}/", f"chats/{chat_id}/messages", f"me/chat/{chat_id}"):
        answer = shop.page.get(path)
        if answer.status_code == 401:  # not an address of customers at all
            assert path.startswith("me/")
        else:
            assert_refused(answer, 404, 6)
    assert_refused(shop.page.post(f"chats/{chat_id}", {"operationName": "Complete"}), 404, 6)
    assert standing() == before


def test_an_id_of_nobody_is_not_found_whatever_is_asked(shop, talk):
    for operation in ("SendMessage", "SendStartTypingNotification", "SendStopTypingNotification", "Complete"):
        assert_refused(shop.page.post(f"chats/{uuid4()}", {"operationName": operation, "text": "x"}), 404, 6)


@cases("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X" * 50])
def test_a_method_that_an_address_has_not_is_refused(shop, talk, method):
    before = standing()
    wrong = ["chats"] if method == "GET" else ["chats", f"chats/{talk.id}", f"chats/{talk.id}/messages"]
    for path in wrong:
        answer = shop.page.call(method, path)
        assert_refused(answer, 405, 10)
        assert answer["Allow"]
    assert standing() == before


def test_messages_take_no_post(shop, talk):
    assert_refused(shop.page.post(f"chats/{talk.id}/messages", {"operationName": "SendMessage", "text": "x"}), 405, 10)


@cases("method", ["GET", "POST", "DELETE", "PATCH"])
@cases("path", ["", "chat", "chats//", "chats//messages", "chats/x/y/z", "devices", "CHATS", "v2/chats"])
def test_an_address_that_is_none_is_not_found(shop, method, path):
    assert_refused(shop.page.call(method, path), 404, 6)


@cases(
    "query",
    [
        "index=%00",
        "index[]=1",
        "index=1&index=2",
        "index=" + "9" * 3000,
        "wait=%00",
        "wait=1&wait=x",
        "&&&==",
        "%",
        "index=%F0%9F",
        "a=b",
        "callback=x",
    ],
)
def test_an_odd_query_is_no_mistake(shop, talk, query):
    assert isinstance(talk.messages(query), list)
    assert shop.page.get(f"chats/{talk.id}?{query}").status_code == 200


@cases(
    "headers",
    [
        {"Accept_Language": "x" * 3000}, {"Content_Type": "application/json; charset=x"}, {"Accept": "\0"}, {"Cookie": "a=b; sessionid=x"},
        {"X_Requested_With": "XMLHttpRequest"}, {"If_None_Match": 'W/"x"'}, {"Range": "bytes=0-1"}, {"Origin": ""}, {"X_Long_Poll": "x;25"},
    ],
)  # fmt: skip
def test_odd_headers_change_nothing(shop, talk, headers):
    answer = shop.page.get(f"chats/{talk.id}/messages?index=1", **headers)
    assert answer.status_code == 200
    assert len(answer.json()["messages"]) == 3


def test_a_cookie_of_our_own_pages_makes_nobody_an_agent(shop, talk, ann):
    page = Page()
    page.client.force_login(ann.user)
    assert_refused(page.get("me/chats"), 401, 20)
    assert page.get(f"me/chats/{talk.id}").json()["chat"]["id"] == talk.id
