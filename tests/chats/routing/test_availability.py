"""Whether a chat that began now would find somebody."""

from datetime import timedelta

import pytest

from agents.seats import set_capacity
from chats.routing.availability import count_available, is_anybody_online
from contactcenter.models import OpeningHours
from tests.conftest import make_held_chat, online


@pytest.mark.both
def test_free_agents_of_the_team_are_counted(acme, ann, bob, now):
    online(ann, now)
    assert count_available(acme.support, now=now) == 1
    online(bob, now)
    assert count_available(acme.support, now=now) == 2
    assert count_available(acme.sales, now=now) == 1


@pytest.mark.both
def test_busy_agents_are_online_all_the_same(acme, bob, now):
    online(bob, now)
    set_capacity(bob, 1)
    make_held_chat(acme, bob, now)
    assert count_available(acme.support, now=now) == 0
    assert is_anybody_online(acme.support, now=now)


def test_nobody_is_there_while_the_team_is_closed(acme, ann, now):
    online(ann, now)
    acme.support.always_open = False
    acme.support.save()
    assert count_available(acme.support, now=now) == 0
    assert not is_anybody_online(acme.support, now=now)
    for weekday in range(7):
        OpeningHours.objects.create(
            center=acme.center, team=acme.support, weekday=weekday, opens="00:00", closes="00:00"
        )
    assert count_available(acme.support, now=now) == 1


def test_agents_who_speak_several_of_the_languages_count_once(acme, ann, bob, now):
    ann.languages, bob.languages = ["de", "en"], ["fr"]
    for agent in (ann, bob):
        agent.save()
        online(agent, now)
    assert count_available(acme.support, ["de", "en"], now=now) == 1
    assert count_available(acme.support, ["en", "fr"], now=now) == 2


def test_whose_client_has_just_gone_does_not_count(acme, ann, now):
    online(ann, now, seconds=10)
    assert count_available(acme.support, now=now) == 0
    assert not is_anybody_online(acme.support, now=now + timedelta(seconds=1))
