"""The address of the survey, and fresh ids."""

import json
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import make_chat


def url_of(answer) -> str:
    said = answer.json()
    assert set(said) == {"survey"}
    url: str = said["survey"]["url"]
    assert url.startswith(f"{settings.BASE_URL}/survey/")
    return url


@pytest.mark.both
def test_the_ticket_is_the_chat_and_the_survey_a_page_of_ours(direct, client):
    chat = direct.chat()
    url = url_of(direct.server.get(f"surveys/3?sourceType=ticket&sourceId={chat.pk}"))
    assert client.get(urlsplit(url).path).status_code == 200


@cases("who", ["page", "server"])
def test_trap_the_query_may_come_as_a_json_body(direct, who):
    body = {"sourceType": "ticket", "sourceId": str(direct.chat().pk)}
    url_of(getattr(direct, who).call("GET", "surveys/3", body))


def test_a_user_asks_with_its_token_also_after_the_end(direct):
    user = direct.user()
    chat = direct.chat(user.foreign)
    direct.server.delete(f"chats/{chat.pk}")
    url_of(direct.as_user(user.token).get(f"surveys/3/?sourceId={chat.pk}"))
    other = direct.user("Max")
    assert is_error(direct.as_user(other.token).get(f"surveys/3?sourceId={chat.pk}"), 404)


def test_chats_of_others_are_not_found(direct, queued, foreign, acme, now):
    for chat in (queued.chat(), foreign.chat(), make_chat(acme, now).chat):
        assert is_error(direct.page.get(f"surveys/3?sourceType=ticket&sourceId={chat.pk}"), 404)


def test_the_domain_key_has_no_surveys(direct):
    assert is_error(direct.keyed.get(f"surveys/3?sourceId={direct.chat().pk}"), 403)


@cases(
    ("body", "status"),
    [
        (None, 404),
        ({}, 404),
        ({"sourceId": "1"}, 404),
        ({"sourceId": None}, 404),
        ({"sourceId": []}, 400),
        ({"sourceId": "x" * 101}, 400),
        ({"sourceType": "order", "sourceId": "1"}, 400),
        ([], 400),
        (b"{", 400),
        (b"\xff", 400),
        (json.dumps("x").encode(), 400),
    ],
)
def test_odd_questions_are_refused(direct, body, status):
    assert is_error(direct.server.call("GET", "surveys/3", body), status)


def test_ids_are_fresh_each_time(direct):
    ids = {direct.server.get(path).json()["id"] for path in ("id", "id/", "id")}
    assert len(ids) == 3
    assert all(len(fresh) == 32 for fresh in ids)
    assert is_error(direct.page.get("id"), 403)
