"""Application passwords at the doors."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from chats.doors.passwords import person_of, read_basic
from chats.errors import TooMany, Unauthorized
from contactcenter.models import ApplicationPassword
from tests.cases import cases


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def request_(rf: RequestFactory) -> Any:
    return rf.get("/")


@cases("name", ["eve", "eve@example.com", "Eve@Example.COM"])
def test_a_person_is_known_by_name_or_address(eve, request_, now, name):
    password, secret = ApplicationPassword.issue(eve, "tests")
    assert person_of(request_, name, secret, now) == eve
    password.refresh_from_db()
    assert password.last_used_at == now


@cases("name", ["", "EVE", "eve@", "ann"])
def test_another_name_is_refused(eve, ann, request_, now, name):
    secret = ApplicationPassword.issue(eve, "tests")[1]
    with pytest.raises(Unauthorized):
        person_of(request_, name, secret, now)


def test_who_has_no_address_is_not_known_by_an_empty_one(eve, request_, now):
    eve.email = ""
    eve.save()
    secret = ApplicationPassword.issue(eve, "tests")[1]
    with pytest.raises(Unauthorized):
        person_of(request_, "", secret, now)


def test_who_has_left_is_refused(eve, request_, now):
    secret = ApplicationPassword.issue(eve, "tests")[1]
    eve.is_active = False
    eve.save()
    with pytest.raises(Unauthorized):
        person_of(request_, "eve", secret, now)


def test_who_guesses_is_stopped_and_who_knows_is_not(eve, request_, now):
    secret = ApplicationPassword.issue(eve, "tests")[1]
    with pytest.raises(TooMany):
        for number in range(100):
            with pytest.raises(Unauthorized):
                person_of(request_, "eve", f"ap_{number}", now)
    assert person_of(request_, "eve", secret, now) == eve


def test_basic_is_name_and_password_in_utf_8():
    assert read_basic("w7xtaXQ6YTpi") == ("ümit", "a:b")
    assert read_basic("eA==") == ("x", "")


@pytest.mark.parametrize("encoded", ["x", "!!!!", "/w==", "eA=\n="])
def test_what_is_no_basic_is_refused(encoded):
    with pytest.raises(Unauthorized):
        read_basic(encoded)
