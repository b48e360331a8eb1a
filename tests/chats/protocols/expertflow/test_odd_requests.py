"""Odd requests: each gets JSON with a fitting status, and nothing is changed."""

import json
from urllib.parse import urlencode

import pytest

from chats.models import Chat, Connector, Customer, Event, ForeignChat, TranscriptRequest
from contactcenter.asgi import edge
from tests.chats.protocols.expertflow.conftest import HISTORY, INIT, Page, is_error

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
GOOD = {"firstName": "Mia", "channel": "web"}
BODIES = [
    b"", b"null", b"{}", b"[]", b"0", b'"text"', b"true", b"{", b"}", b"{'a':1}", b"[1,", b"NaN", b"\xff\xfe", b"{} trailing", b"\xef\xbb\xbf{}",
    b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 50_000, b'[{"channel":"web"}]', b'{"channel":"web","a":' * 21 + b"1" + b"}" * 21,
    b'{"channel":"web","a":' + b"[" * 18 + b"]" * 18 + b"}", b'{"channel":"web","a\\u0000":1}', b'{"channel":"web","a":"\\u0000"}',
    b'{"channel":"web","firstName":"\\ud800"}', b'{"\\ud800":1,"channel":"web"}', b'{"channel":"web","x":1e999}', b'{"channel":"web","x":-Infinity}',
    b'{"channel":"web","x":' + b"9" * 5000 + b"}", b'{"channel":"web","refId":' + b"9" * 30 + b"}", b"channel=web",
]  # fmt: skip
FORMS = [
    b"channel=web&x=%00",
    b"channel=web&%00=1",
    b"firstName=%00&channel=web",
    b"&&&",
    b"=",
    b"channel=%FF",
    b"a=1&" * 2000,
    b"%7B",
]
PARTS = b'--x\r\nContent-Disposition: form-data; name="channel"\r\n\r\nweb\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="cv"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x--\r\n'
SAID = [
    {"channel": None}, {"channel": ""}, {"channel": " "}, {"channel": 5}, {"channel": True}, {"channel": ["sms"]}, {"channel": {"a": 1}},
    {"channel": "x" * 41}, {"channel": "s m s"}, {"channel": "sms\n2"}, {"channel": "é"}, {"channel": "sms\0"}, {"firstName": 1.5},
    {"firstName": ["x"]}, {"firstName": {}}, {"firstName": True}, {"firstName": "x" * 201}, {"lastName": []}, {"email": {}},
    {"email": "x" * 2001}, {"phone": []}, {"phone": True}, {"language": []}, {"refId": []}, {"refId": {}}, {"refId": False},
    {"refId": 1.5}, {"refId": "x" * 201}, {"refId": "a\0b"}, {"url": []}, {"url": "x" * 2001}, {"subject": []}, {"subject": "x" * 201},
    {"requestId": []}, {"reqestId": {"a": 1}}, {"requestId": True}, {"requestId": "x" * 201}, {"comment": "x" * 16_384}, {"a": "x" * 16_384},
    {"a": [[[[[[[[[1]]]]]]]]]}, {f"p{number}": "x" for number in range(2000)}, {"x" * 16_384: 1},
]  # fmt: skip


@pytest.fixture
def talk(desk):
    talk = desk.init(refId="7", email="mia@example.com")
    talk.says("Hello")
    return talk


def standing():
    """All that a refused request must leave as it was."""
    chats = Chat.objects.order_by("pk").values("pk", "state", "position", "index", "data")
    foreign = ForeignChat.objects.order_by("pk").values("external_id", "facts", "account")
    counts = [model.objects.count() for model in (Event, Customer, Connector, TranscriptRequest)]
    return list(chats), list(foreign), counts


def test_a_body_that_is_none_is_refused_whole(desk, talk):
    before = standing()
    requests = [(body, "application/json") for body in BODIES] + [(body, FORM) for body in FORMS]
    requests += [
        (PARTS + FILE, "multipart/form-data; boundary=x"),
        (PARTS, "multipart/form-data"),
        (PARTS, "multipart/form-data; boundary=\0"),
    ]
    requests += [(json.dumps({**GOOD, **said}).encode(), "application/json") for said in SAID]
    for body, kind in requests:
        answer = desk.page.call("POST", INIT, body, kind=kind)
        assert is_error(answer, 400), (body[:60], kind, answer.status_code, answer.content[:200])
    assert standing() == before


def test_a_megabyte_of_own_parameters_is_refused_and_what_is_larger_never_read(desk, talk):
    before = standing()
    for said in ({"a": "x" * 1_000_000}, {"a": ["x"] * 200_000}, {f"k{number}": {} for number in range(80_000)}):
        assert is_error(desk.page.init(**said), 400)
    assert is_error(desk.page.call("POST", INIT, urlencode({**GOOD, "a": "x" * 1_000_000}).encode(), kind=FORM), 400)
    assert standing() == before
    # The edge refuses in the same words.
    for path in (INIT, "/legacy" + INIT, HISTORY, "/api/getMessagesByRefId"):
        speaks = next(speak for start, speak in edge.voices.items() if path.startswith(start))
        assert speaks(413, "too_large", "No.") == {"code": 413, "error": "No.", "message": "No."}


def test_the_most_that_is_taken_is_taken(desk):
    for said in (
        {"a": {"b": {"c": [1, [2]]}}},
        {"a": "x" * 16_000},
        {"channel": "x" * 40},
        {"refId": "é" * 200},
        {"__proto__": {"a": 1}, "constructor": 1, "": 2, "\u202e": "\u202e"},
        {"participant": "x", "id": 5, "participantId": {}, "conversationId": []},
        {"timestamp": "not a time"},
        {"subject": "' OR 1=1 --"},
        {"url": "javascript:alert(1)"},
    ):
        assert desk.page.init(**said).status_code == 200, said


def test_a_method_that_an_address_has_not_is_refused(desk, talk):
    before = standing()
    token = "a:b"
    reads = (f"/api/customer/transcript/{talk.id}/pdf", f"/api/customer/file/{token}", HISTORY)
    for path, wrong in [(INIT, ("GET", "HEAD")), *((path, ("POST",)) for path in reads)]:
        for method in (*wrong, "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X" * 50):
            answer = desk.program.call(method, path, b"" if method == "GET" else GOOD)
            assert answer.status_code == 405, (path, method)
            assert method == "HEAD" or is_error(answer, 405)
            assert answer["Allow"]
    assert standing() == before


def test_an_address_that_is_none_is_not_found(desk, talk):
    before = standing()
    tails = [
        "",
        "/",
        "/x",
        "/initx",
        "/init/x",
        "/INIT",
        "//init",
        "/init//",
        "/transcript",
        "/file",
        "/file/",
        "/file/a/b",
        "/%00",
        "/init%0a",
    ]
    for base in ("/api/customer", "/legacy/api/customer"):
        for tail in tails:
            for method in ("GET", "POST", "DELETE"):
                answer = desk.page.call(method, base + tail, GOOD if method == "POST" else None)
                assert is_error(answer, 404), (base + tail, method, answer.content[:100])
    assert standing() == before
    # What belongs to others stays theirs.
    assert "statusCode" in desk.page.get("/api/v2/customer").json()
    assert desk.page.get("/api/v1/customers").status_code == 401


def test_odd_headers_change_nothing(desk):
    for headers in (
        {"Accept_Language": "x" * 3000},
        {"Accept": "text/html"},
        {"Accept": "\0"},
        {"Cookie": "a=b; sessionid=x"},
        {"If_None_Match": 'W/"x"'},
        {"Range": "bytes=0-1"},
        {"Origin": ""},
        {"X_Long_Poll": "x;25"},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Digest x"},
    ):
        answer = desk.page.call("POST", INIT, GOOD, **headers)
        assert answer.status_code == 200, headers
        assert answer["Content-Type"] == "application/json"
    for query in ("a=b", "%00=%00", "&&&==", "%", "x=%F0%9F", "callback=x", "channel=sms"):
        answer = Page(ContactCenterId="acme").call("POST", f"{INIT}?{query}", GOOD)
        assert answer.status_code in (200, 400), query
        assert answer.json()
