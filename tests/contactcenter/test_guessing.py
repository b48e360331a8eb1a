"""Guesses at the door for people: few are tried at all, with the shared counts and without them."""

from typing import Any

import pytest
from django.contrib.auth.signals import user_login_failed
from django.core.cache import caches
from django.test import Client

from agents.models import Agent
from tests.plugin_figures import Figures

pytestmark = [pytest.mark.django_db, pytest.mark.both]
GUESSES = 250
COUNTS = {
    "shared": {"BACKEND": "contactcenter.cache.MemoryCache", "LOCATION": "guessing"},
    # Nobody listens at this port: each process counts for itself.
    "away": {"BACKEND": "contactcenter.cache.SharedCache", "LOCATION": "redis://127.0.0.1:1/0"},
}


@pytest.fixture
def tried() -> Any:
    """The passwords that were compared with the person's."""
    seen: list[Any] = []

    def hear(**told: Any) -> None:
        seen.append(told)

    user_login_failed.connect(hear)
    yield seen
    user_login_failed.disconnect(hear)


def sign_in(client: Client, name: str, password: str, address: str) -> Any:
    data = {"login": name, "password": password}
    return client.post("/accounts/login/", data, REMOTE_ADDR=address)


@pytest.mark.parametrize("counts", COUNTS)
def test_few_guesses_from_one_address_are_tried(
    counts: str, settings: Any, client: Client, ann: Agent, bob: Agent, tried: list[Any], figures: Figures
) -> None:
    settings.CACHES = {"default": COUNTS[counts]}
    caches["default"].clear()
    for number in range(GUESSES):
        answer = sign_in(client, "ann", f"guess {number}", "203.0.113.7")
        assert answer.status_code in (200, 429)
    figures.count(f"guesses from one address that were tried, counts {counts}", found=len(tried), tried=GUESSES)
    assert len(tried) <= 10
    assert "_auth_user_id" not in client.session
    # Who knows a password and sits elsewhere is let in.
    assert sign_in(client, "bob", "correct horse", "198.51.100.4").status_code == 302


@pytest.mark.parametrize("counts", COUNTS)
def test_guesses_from_everywhere_are_counted_by_the_name(
    counts: str, settings: Any, client: Client, ann: Agent, tried: list[Any], figures: Figures
) -> None:
    settings.CACHES = {"default": COUNTS[counts]}
    caches["default"].clear()
    for number in range(GUESSES):
        sign_in(client, "ann", f"guess {number}", f"10.{number // 250}.{number % 250}.9")
    figures.count(f"guesses from everywhere that were tried, counts {counts}", found=len(tried), tried=GUESSES)
    assert len(tried) <= 10
    # The price: until the name's count is over, its owner is a guesser like any other.
    answer = sign_in(client, "ann", "correct horse", "198.51.100.4")
    figures.count("owners of a guessed name who are kept out meanwhile", found=answer.status_code != 302)
