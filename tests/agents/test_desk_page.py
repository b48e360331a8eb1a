"""The desk's page: who gets which, and what stands in it."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from agents import desk
from agents.models import Agent
from agents.seats import open_seat
from contactcenter.models import User
from tests.cases import cases
from tests.conftest import MARKER


@pytest.fixture
def signed_in(client: Client, ann: Agent) -> Client:
    client.force_login(ann.user)
    return client


def config_of(page: bytes) -> dict[str, Any]:
    found = re.search(rb'<script id="desk-config" type="application/json">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def test_the_root_leads_to_the_desk(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/desk/"


def test_who_is_not_signed_in_is_asked_to_be(client: Client, db: None) -> None:
    answer = client.get("/desk/acme/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/accounts/login/?next=/desk/acme/"


def test_one_seat_leads_straight_to_its_desk(signed_in: Client) -> None:
    assert signed_in.get("/desk/").headers["Location"] == "/desk/acme/"


def test_several_seats_are_a_choice(signed_in: Client, ann: Agent, globex: SimpleNamespace) -> None:
    open_seat(globex.center, ann.user, name="Ann", teams=[globex.support])
    page = signed_in.get("/desk/").content.decode()
    assert 'href="/desk/acme/"' in page
    assert 'href="/desk/globex/"' in page
    assert config_of(signed_in.get("/desk/acme/").content)["seatsUrl"] == "/desk/"


def test_a_stranger_gets_a_kind_word(client: Client, eve: User) -> None:
    client.force_login(eve)
    answer = client.get("/desk/")
    assert answer.status_code == 403
    assert "You have no seat yet" in answer.content.decode()


def test_another_centers_desk_is_not_found(signed_in: Client, globex: SimpleNamespace) -> None:
    answer = signed_in.get("/desk/globex/")
    assert answer.status_code == 404
    assert MARKER not in answer.content.decode()


@cases("field", ["is_active", "is_bot"])
def test_a_seat_that_was_closed_or_is_a_bots_has_no_desk(signed_in: Client, ann: Agent, field: str) -> None:
    setattr(ann, field, field == "is_bot")
    ann.save()
    assert signed_in.get("/desk/acme/").status_code == 404


def test_the_page_carries_what_its_scripts_need(signed_in: Client, ann: Agent) -> None:
    config = config_of(signed_in.get("/desk/acme/").content)
    assert config["agent"] == {"id": str(ann.pk), "name": "Ann", "role": "agent"}
    assert config["center"]["slug"] == "acme"
    assert config["csrf"]
    assert config["words"]["send"] == "Send"
    assert [language["name"] for language in config["languages"]] == ["English", "Deutsch", "العربيّة"]
    assert config["adminUrl"] == ""


def test_a_name_cannot_leave_its_script(signed_in: Client, acme: SimpleNamespace) -> None:
    acme.center.name = "</script><img src=x onerror=alert(1)>"
    acme.center.save()
    page = signed_in.get("/desk/acme/").content
    assert b"<img src=x" not in page
    assert config_of(page)["center"]["name"] == acme.center.name


def test_the_policy_is_strict(signed_in: Client) -> None:
    answer = signed_in.get("/desk/acme/")
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(rb'<script type="importmap" nonce="([^"]+)">', answer.content)
    assert nonce
    assert f"script-src 'self' 'nonce-{nonce[1].decode()}'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "trusted-types lit-html" in policy
    assert "unsafe" not in policy
    assert len(re.findall(rb"<script(?![^>]*(?:src=|type=\"(?:importmap|application/json)\"))", answer.content)) == 0
    assert b" style=" not in answer.content


@cases(("language", "direction"), [("en", "ltr"), ("de", "ltr"), ("ar", "rtl")])
def test_the_page_speaks_the_readers_language(signed_in: Client, language: str, direction: str) -> None:
    answer = signed_in.get("/desk/acme/", headers={"accept-language": language})
    assert f'<html lang="{language}" dir="{direction}">' in answer.content.decode()
    assert config_of(answer.content)["words"]["send"] == desk.words(language)["send"]


def test_a_language_can_be_chosen(signed_in: Client) -> None:
    answer = signed_in.post("/language/", {"language": "de", "next": "/desk/acme/"})
    assert answer.headers["Location"] == "/desk/acme/"
    assert config_of(signed_in.get("/desk/acme/").content)["language"] == "de"


def test_the_sign_in_page_wears_our_clothes(client: Client, db: None) -> None:
    answer = client.get("/accounts/login/")
    page = answer.content.decode()
    assert 'class="card"' in page
    assert 'class="button button-primary"' in page
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_a_wrong_password_is_told_on_the_page(client: Client, ann: Agent) -> None:
    page = client.post("/accounts/login/", {"login": "ann", "password": "wrong"}).content.decode()
    assert "errorlist" in page
