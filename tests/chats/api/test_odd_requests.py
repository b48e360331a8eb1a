"""Odd requests: each gets a clean refusal (or a harmless answer) as JSON, nothing is changed, nothing of ours is told."""

import json
from types import SimpleNamespace

import pytest
from django.test import Client

from chats.models import Chat, Event
from tests.cases import cases
from tests.chats.api.conftest import BASE, as_agent, as_application, as_customer
from tests.conftest import make_held_chat

DEEP = "[" * 50_000 + "]" * 50_000
NESTED = '{"a":' * 30 + "1" + "}" * 30
SURROGATE = '{"client_id":"x","text":"\\ud800"}'
NUL = '{"client_id":"x","text":"a\\u0000b"}'
UUIDS = [
    "x",
    "0",
    "null",
    "..",
    "%2e%2e",
    "%00",
    "00000000-0000-0000-0000-00000000000",
    "00000000000000000000000000000000",
    "{00000000-0000-0000-0000-000000000000}",
    "00000000-0000-0000-0000-000000000000%0a",
    "' OR 1=1 --",
    "%F0%9F%98%80",
    "a" * 3000,
]
BODIES = [
    "", "null", "[]", "0", '"text"', "true", "{", "}", "{'a':1}", "[1,", "NaN", "Infinity", '{"client_id":NaN}', DEEP, NESTED,
    SURROGATE, NUL, '{"client_id":1e999}', '{"client_id":' + "9" * 5000 + "}", '{"client_id":null,"text":null}',
    '{"client_id":[],"text":{}}', '{"client_id":"","text":"x"}', '{"client_id":"' + "x" * 65 + '","text":"x"}',
    '{"client_id":"x","text":5}', '{"client_id":"x","text":""}', '{"client_id":"x","text":"   "}', '{"client_id":"x"}',
    '{"client_id":"x","text":"t","attachments":"a"}', '{"client_id":"x","text":"t","attachments":["a"]}',
    '{"client_id":"x","text":"t","attachments":[null]}', '{"client_id":"x","text":"t","attachments":{"0":"a"}}',
    '{"client_id":"x","text":"t","attachments":["01890000-0000-7000-8000-000000000000"]}',
    '{"client_id":"x","text":"t","note":"perhaps"}', '{"client_id":"x","text":"' + "x" * 10_001 + '"}',
    '{"client_id":"a\\u0000","text":"t"}', '{"\\ud800":1}', "\ufeff{}", '{"client_id":"x","text":"t"} trailing',
]  # fmt: skip
QUERIES = [
    "after=x", "after=-1", "after=1.5", "after=99999999999999999999", "wait=x", "wait=-1", "wait=26", "wait=1e3", "limit=0",
    "limit=-5", "limit=100000", "limit=x", "before=x", "before=-1", "after=%00", "after=%ED%A0%80",
]  # fmt: skip
LIST_QUERIES = [
    "after=x", "after=bnVsbA", "after=W10", "after=WzEsMl0", "after=" + "A" * 700, "after=%00", "after=%F0%9F%98%80",
    "after=WyIyMDI2LTAxLTAxIiwieCJd", "after=WyI5OTk5LTEyLTMxVDIzOjU5OjU5KzAwOjAwIiwiMDE4OTAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwIl0",
    "limit=0", "limit=201", "limit=x", "state=gone", "team=%00", "team=nowhere", "agent=x", "agent=" + "x" * 40, "customer=x",
    "since=yesterday", "since=0000-00-00", "until=2026-13-45", "search=%00", "search=" + "x" * 201, "search=%ED%A0%80",
]  # fmt: skip


@pytest.fixture
def place(acme, ann, now):
    mia = as_customer(acme, now)
    chat = make_held_chat(acme, ann, now, customer=mia.customer, text="Hello").chat
    return SimpleNamespace(acme=acme, chat=chat, mia=mia, ann=as_agent(ann), shop=as_application(acme))


def send(api, method, path, body=b"", content_type="application/json", **headers):
    client = Client(raise_request_exception=True)
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return client.generic(method, BASE + path, data, content_type=content_type, headers={**api.headers, **headers})


def is_clean(answer, *statuses):
    assert answer.status_code in statuses, (answer.status_code, answer.content[:500])
    assert answer["Content-Type"] == "application/json"
    body = json.loads(answer.content)
    assert {"code", "message"} <= set(body)
    for tell in ("Traceback", "django", "psycopg", "sqlite", "SELECT", "File \\"):
        assert tell not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


@cases("body", BODIES)
def test_a_message_with_a_broken_body_is_refused(place, body):
    before = Event.objects.count()
    for api in (place.mia, place.ann, place.shop):
        is_clean(send(api, "POST", f"chats/{place.chat.pk}/messages", body), 400, 413)
    assert Event.objects.count() == before


@cases("body", [b"\xff\xfe", b"\x80abc", "é".encode("latin1"), '{"a":"é"}'.encode("utf-16")])
def test_a_body_that_is_not_utf_8_is_refused(place, body):
    is_clean(send(place.mia, "POST", "chats", body), 400)


@cases(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "image/png", "", "x"],
)
def test_another_content_type_is_refused(place, content_type):
    is_clean(send(place.mia, "POST", "chats", "{}", content_type), 400, 415)


@cases(
    "content_type",
    [
        "application/json",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=é",
    ],
)
def test_an_upload_that_is_none_is_refused(place, content_type):
    is_clean(send(place.mia, "POST", "attachments", "--x", content_type), 400, 415)


@cases("odd", UUIDS)
def test_an_odd_id_is_not_found(place, odd):
    for path in (f"chats/{odd}", f"chats/{odd}/events", f"customers/{odd}", f"attachments/{odd}", f"teams/{odd}"):
        is_clean(send(place.ann, "GET", path), 404)


@cases("query", QUERIES)
def test_an_odd_cursor_of_a_log_is_refused(place, query):
    for api in (place.mia, place.ann):
        is_clean(send(api, "GET", f"chats/{place.chat.pk}/events?{query}"), 400)


@cases("query", LIST_QUERIES)
def test_an_odd_filter_of_a_list_is_refused(place, query):
    answer = send(place.ann, "GET", f"chats?{query}")
    if answer.status_code == 200:  # a well-formed one that finds nothing
        assert json.loads(answer.content)["results"] in (
            [],
            json.loads(send(place.ann, "GET", "chats").content)["results"],
        )
    else:
        is_clean(answer, 400)


@cases("path", ["agents", "teams", "channels", "customers", "canned-replies", "dispositions", "offline-messages"])
@cases("cursor", ["x", "W10", "WzEsMl0", "WyJhIiwieCJd", "W251bGwsbnVsbF0", "W1tdLHt9XQ"])
def test_an_odd_cursor_of_any_list_is_refused(place, path, cursor):
    is_clean(send(place.ann, "GET", f"{path}?after={cursor}"), 400)


@cases("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "X" * 50])
def test_another_method_is_refused(place, method):
    answer = send(place.ann, method, "chats")
    is_clean(answer, 403, 405)
    if answer.status_code == 405:
        assert "GET" in answer["Allow"]


def test_head_is_get_without_the_body(place):
    answer = send(place.ann, "HEAD", "chats")
    assert (answer.status_code, answer.content) == (200, b"")


@cases("path", ["", "nothing", "chats/", "chats//", "me/", "CHATS", "../healthz", "chats/x/y/z", "%00"])
def test_an_unknown_address_is_not_found(place, path):
    is_clean(send(place.ann, "GET", path), 404)


@cases("accept", ["text/html", "application/xml", "image/*", "x/y", "", ";;;"])
def test_what_a_client_accepts_is_json_or_refused(place, accept):
    answer = send(place.ann, "GET", "chats", Accept=accept)
    assert answer.status_code in (200, 406)
    assert answer["Content-Type"] == "application/json"


STARTS = [
    {"team": "nowhere"}, {"team": "x" * 65}, {"team": 5}, {"subject": "x" * 201}, {"form": []}, {"form": {"name": ["x"]}},
    {"form": {"name": "x" * 101}}, {"form": {"email": "x"}}, {"data": []}, {"data": {"a": "x" * 9000}}, {"page": "x"},
    {"page": {"url": "x" * 2001}}, {"language": "xx'"}, {"language": "x" * 11}, {"text": "x" * 10_001}, {"client_id": None},
]  # fmt: skip


@cases("odd", STARTS)
def test_an_odd_start_is_refused_and_nothing_is_begun(acme, now, odd):
    mia = as_customer(acme, now)
    is_clean(send(mia, "POST", "chats", json.dumps({"client_id": "s", **odd})), 400, 413)
    assert not Chat.objects.exists()


MOVES = [
    ("close", {"disposition": "nothing"}), ("close", {"comment": "x" * 10_001}), ("transfer", {}), ("transfer", {"team": "nowhere"}),
    ("transfer", {"team": "sales", "agent": "01890000-0000-7000-8000-000000000000"}), ("transfer", {"agent": "x"}),
    ("transfer", {"agent": "01890000-0000-7000-8000-000000000000"}), ("typing", {}), ("typing", {"active": "perhaps"}),
    ("read", {}), ("read", {"index": -1}), ("read", {"index": 2**31}), ("read", {"index": "x"}), ("transcript", {}),
    ("transcript", {"email": "x"}), ("transcript", {"email": "a@b.example\nBcc: c@d.example"}), ("assign", {"agent": "x"}),
]  # fmt: skip


@cases(("name", "body"), MOVES)
def test_an_odd_move_is_refused(place, name, body):
    before = Event.objects.count()
    is_clean(send(place.ann, "POST", f"chats/{place.chat.pk}/{name}", json.dumps(body)), 400, 413)
    assert Event.objects.count() == before


SURVEYS = [
    {"rating": 0},
    {"rating": 6},
    {"rating": "great"},
    {"rating": 2.5},
    {"rating": True},
    {"comment": "x" * 10_001},
]


@cases("body", SURVEYS)
def test_an_odd_survey_is_refused(place, body):
    place.ann.post(f"chats/{place.chat.pk}/close")
    is_clean(send(place.mia, "POST", f"chats/{place.chat.pk}/survey", json.dumps(body)), 400, 413)


def test_read_marks_never_pass_the_head(place):
    assert place.mia.post(f"chats/{place.chat.pk}/read", {"index": 2**31 - 1}).status_code == 204
    assert place.ann.get(f"chats/{place.chat.pk}").json()["read"]["customer"] == Chat.objects.get().index


def test_an_unforeseen_fault_is_told_without_its_inside(place, monkeypatch, caplog):
    """The one place where a fault is made on purpose: whatever a view raises, the door answers."""
    from chats.api.teams import Queue

    def broken(self, request):
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(Queue, "get", broken)
    answer = send(place.ann, "GET", "queue")
    is_clean(answer, 500)
    assert b"secret of the house" not in answer.content
    assert json.loads(answer.content)["code"] == "failed"
