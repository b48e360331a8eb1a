"""What every view shares: bodies, browsers, errors."""

import pytest
from django.db import DatabaseError, OperationalError

from chats.errors import (
    Blocked,
    Closed,
    Conflict,
    Failed,
    Forbidden,
    Full,
    Gone,
    Invalid,
    NotFound,
    OutsideHours,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
)  # fmt: skip
from chats.models import Chat
from chats.protocols.genesys import customer
from chats.protocols.genesys.door import Missing, UnknownOperation
from contactcenter.asgi import edge
from contactcenter.models import Application
from tests.cases import cases
from tests.chats.protocols.genesys.conftest import CONTACT_CENTER_ID, ORIGIN, PUBLISHED, Page, is_error

pytestmark = pytest.mark.django_db
REQUEST = b'{"operationName": "RequestChat", "nickname": "Mia", "subject": "x"}'
NONE = "6f5f2a0e-0000-4f35-8a2b-1d1b6b6c2a11"  # nobody's chat


# Bodies ---------------------------------------------------------------------------------------------------------------


@cases(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "x",
        "",
    ],
)
def test_a_body_is_json_whatever_it_is_called(shop, kind):
    answer = shop.page.call("POST", "chats", REQUEST, kind=kind)
    assert answer.status_code == 200, answer.content


@cases("accepted", ["*/*", "text/html", "application/xml;q=0.9", "image/png", "x", ""])
def test_answers_are_json_whatever_is_accepted(shop, accepted):
    talk = shop.request()
    answer = shop.page.get(f"chats/{talk.id}?format=xml", Accept=accepted)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json; charset=utf-8")


def test_answers_are_indented_and_kept_by_nobody(shop):
    talk = shop.request()
    answer = shop.page.get(f"chats/{talk.id}/messages?index=1")
    assert answer.content.startswith(b'{\n  "messages": [\n    {\n      "')
    assert answer["Cache-Control"] == "no-store"
    assert "Origin" in answer["Vary"]


# Browsers -------------------------------------------------------------------------------------------------------------


def asked(page, method, path, origin=ORIGIN, **headers):
    return page.call(method, path, Origin=origin, **headers)


@pytest.mark.both
@cases(
    "path",
    [
        "chats",
        "chats/",
        "chats/{id}",
        f"chats/{NONE}",
        "chats/odd",
        "chats/{id}/messages",
        "me/chat/{id}",
        "me/chats",
        "me",
        "nowhere",
    ],
)
def test_a_preflight_of_an_allowed_page_is_answered_also_for_unknown_ids(shop, path):
    talk = shop.request()
    answer = asked(
        Page(),
        "OPTIONS",
        path.replace("{id}", talk.id),
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="apikey,contactcenterid,content-type",
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Access-Control-Allow-Credentials"] == "true"
    allowed = {name.strip().lower() for name in answer["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"apikey", "contactcenterid", "content-type", "authorization", "x-requested-with", "accept"}


@cases(("path", "methods"), [("chats", {"POST"}), ("chats/x", {"GET", "POST"}), ("chats/x/messages", {"GET"})])
def test_a_preflight_names_the_methods(shop, path, methods):
    answer = asked(Page(), "OPTIONS", path)
    assert {name.strip() for name in answer["Access-Control-Allow-Methods"].split(",")} >= methods


@pytest.mark.both
def test_an_allowed_page_may_read_every_answer(shop):
    talk = shop.request()
    body = {"operationName": "SendMessage", "text": "Hi"}
    for answer in (
        shop.page.post("chats", {"operationName": "RequestChat", "nickname": "M", "subject": "x"}, Origin=ORIGIN),
        asked(shop.page, "GET", f"chats/{talk.id}"),
        asked(shop.page, "GET", f"chats/{talk.id}/messages"),
        shop.page.post(f"chats/{talk.id}", body, Origin=ORIGIN),
        # Refusals, too.
        asked(shop.page, "GET", f"chats/{NONE}"),
        asked(shop.page, "GET", "chats/odd"),
        asked(Page(apikey="nobody"), "GET", f"chats/{talk.id}"),
        asked(shop.page, "GET", f"chats/{talk.id}", Authorization="Basic x"),
        shop.page.post("chats", {}, Origin=ORIGIN),
        asked(shop.page, "GET", "me"),
        asked(shop.page, "DELETE", f"chats/{talk.id}"),
    ):
        assert answer["Access-Control-Allow-Origin"] == ORIGIN, answer.content
        assert answer["Access-Control-Allow-Credentials"] == "true"


@cases("origin", ["https://evil.example", "null", "https://shop.example.evil", "x" * 5000, "https://shop.example\t"])
def test_any_other_page_may_neither_ask_nor_read(shop, origin):
    talk = shop.request()
    before = talk.told()
    for answer in (
        asked(shop.page, "GET", f"chats/{talk.id}", origin),
        asked(shop.page, "GET", f"chats/{talk.id}/messages", origin),
        shop.page.post("chats", {"operationName": "RequestChat", "nickname": "M", "subject": "x"}, Origin=origin),
        shop.page.post(f"chats/{talk.id}", {"operationName": "Complete"}, Origin=origin),
    ):
        assert is_error(answer, 403, 3)
        assert "Access-Control-Allow-Origin" not in answer
    assert "Access-Control-Allow-Origin" not in asked(Page(), "OPTIONS", f"chats/{talk.id}", origin)
    assert talk.told() == before
    assert Chat.objects.count() == 1


def test_a_page_of_another_centers_may_not_read_this_ones_chats(shop, other):
    Application.objects.filter(pk=other.registration.application_id).update(allowed_origins=["https://globex.example"])
    talk = shop.request()
    answer = asked(Page(apikey=PUBLISHED), "GET", f"chats/{talk.id}", "https://globex.example")
    assert is_error(answer, 403, 3)
    assert "Access-Control-Allow-Origin" not in answer


# Errors ---------------------------------------------------------------------------------------------------------------


@cases(
    ("error", "status", "code"),
    [
        (Missing("x is required."), 400, 1), (Invalid(), 400, 10), (Unauthorized(), 401, 20), (Forbidden(), 403, 3), (Blocked(), 403, 3),
        (NotFound(), 404, 6), (Gone(), 400, 2), (Closed(), 400, 2), (Conflict(), 400, 2), (Full(), 400, 2), (OutsideHours(), 400, 2),
        (TooLarge(), 413, 10), (TooMany(retry_after=3), 429, 3), (Unavailable(), 503, 4), (Failed(), 500, 4), (UnknownOperation(), 405, 10),
        (OperationalError("server closed the connection"), 503, 4), (KeyError("secret"), 500, 4), (RecursionError("secret"), 500, 4),
    ],
)  # fmt: skip
def test_each_refusal_has_its_status_code(shop, monkeypatch, error, status, code):
    def fail(_door, _chat_id):
        raise error

    monkeypatch.setattr(customer.OneChat, "own_chat", fail)
    answer = shop.page.get(f"chats/{NONE}")
    assert is_error(answer, status, code), answer.content
    assert "secret" not in answer.content.decode()
    assert ("Retry-After" in answer) == (status in (429, 503))


def test_the_edge_refuses_in_each_dialects_words():
    def said(path, status, code):
        answer = edge._voice(path)(status, code, "No.")
        return answer.get("statusCode"), answer.get("statusMessage"), answer.get("error")

    assert said("/api/v2/chats", 413, "too_large") == (10, "No.", None)
    assert said("/api/v2/chats", 503, "unavailable") == (4, "No.", None)
    assert said("/eservices/api/v2/chats", 503, "unavailable") == (1, "No.", None)
    assert said("/eservices/api/v2/chats", 413, "too_large") == (2, "No.", None)
    assert said("/v1/chats", 413, "too_large") == (None, None, {"code": 413, "message": "No."})


def test_sentences_are_english_and_name_the_parameter(shop):
    body = {"operationName": "RequestChat", "nickname": ["x"], "subject": "y"}
    answer = shop.page.post("chats", body, Accept_Language="de")
    assert answer.json()["statusMessage"] == "nickname: This must be a text."


def test_while_the_database_is_away_nothing_is_lost_or_half_done(shop, monkeypatch):
    def fail(*_args, **_options):
        raise DatabaseError("disk full")

    monkeypatch.setattr("chats.protocols.genesys.lines._store", fail)
    page = shop.page
    answer = page.post("chats", {"operationName": "RequestChat", "nickname": "M", "subject": "x"})
    assert answer.status_code in (500, 503)
    assert answer.json()["statusCode"] == 4
    assert not Chat.objects.exists()


# Rates ----------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_requests_by_one_address_are_counted(shop, settings):
    settings.ANONYMOUS_RATE = 3
    for _ in range(3):
        shop.request()
    answer = shop.page.post("chats", {"operationName": "RequestChat", "nickname": "M", "subject": "x"})
    assert is_error(answer, 429, 3)
    assert int(answer["Retry-After"]) >= 1
    assert Chat.objects.count() == 3


def test_guesses_at_ids_are_counted_and_customers_of_the_same_address_are_not(shop, settings):
    talk = shop.request()
    settings.ANONYMOUS_RATE = 3
    answers = [shop.page.get(f"chats/{NONE}") for _ in range(4)]
    assert is_error(answers[0], 404, 6)
    assert is_error(answers[-1], 429, 3)
    for _ in range(10):
        assert shop.page.get(f"chats/{talk.id}/messages").status_code == 200


def test_one_chat_may_be_asked_for_so_often(shop, monkeypatch):
    monkeypatch.setattr(customer, "REQUESTS_BY_CHAT", customer.Rate("genesys", 3))
    talk, quiet = shop.request(), shop.request()
    answers = [shop.page.get(f"chats/{talk.id}") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert shop.page.get(f"chats/{quiet.id}").status_code == 200


def test_a_contact_center_id_is_what_the_vendor_issued(shop):
    assert shop.registration.foreign_id == CONTACT_CENTER_ID
