"""Who is there: agents, and customers with their apps."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Presence
from chats.models import AppSession
from contactcenter.models import ApplicationTeam
from tests.cases import cases
from tests.conftest import online

pytestmark = pytest.mark.django_db

ANN, BOB = "PLATFORMUSER\\ann@example.com", "PLATFORMUSER\\bob@example.com"


def who(answer: Any) -> dict[str, str]:
    assert answer.status_code == 200, answer.content
    return {one["profileId"]: one["status"] for one in answer.json()}


def seen(app: Any, seconds_ago: float | None) -> None:
    at = None if seconds_ago is None else (timezone.now() - timedelta(seconds=seconds_ago)).isoformat()
    AppSession.objects.filter(pk=app.session.pk).update(facts={"seen_at": at})


@pytest.mark.both
def test_an_agent_is_available_away_or_offline(space, ann, now):
    def shown() -> dict[str, Any]:
        found: dict[str, Any] = space.get("presence", id=ANN).json()[0]
        return found

    offline = {"status": "offline", "isAway": False, "isConnected": False}
    assert offline.items() <= shown().items()
    online(ann, now)
    assert {"status": "available", "isAway": False, "isConnected": True}.items() <= shown().items()
    assert shown()["lastUpdatedOn"].endswith("Z")
    Presence.objects.filter(agent=ann).update(status=Presence.Status.AWAY)
    assert {"status": "away", "isAway": True, "isConnected": True}.items() <= shown().items()
    online(ann, now, seconds=-5)  # its desk is gone
    assert offline.items() <= shown().items()


def test_agents_are_asked_for_by_any_of_their_names_and_by_status(space, ann, bob, gil, now):
    online(ann, now)
    assert who(space.get("presence")) == {ANN: "available", BOB: "offline"}
    assert who(space.basic.get("presence", id=[ANN, "BOB@example.com"])) == {ANN: "available", BOB: "offline"}
    assert who(space.get("presence", id=[str(ann.pk), "bob"], status="offline")) == {BOB: "offline"}
    assert who(space.get("presence", id=["gil@example.com", str(gil.pk), "nobody"])) == {}


def test_an_application_of_certain_teams_sees_their_agents_alone(space, acme, ann, bob):
    ApplicationTeam.objects.create(center=acme.center, application=space.application, team=acme.sales)
    assert who(space.get("presence")) == {ANN: "offline"}
    assert who(space.get("presence", id=BOB)) == {}


@pytest.mark.both
def test_a_customer_is_online_while_an_app_of_theirs_is_open(space, other):
    mia, phone, ben = space.app("mia"), space.app("mia"), space.app("ben")
    seen(phone, 30)
    seen(mia, None)
    seen(ben, 61)
    theirs = other.app("mia")
    seen(theirs, 1)
    assert who(space.get("presence/appmessaging", id=["mia", "ben", "zoe"])) == {"mia": "online", "ben": "offline"}
    AppSession.objects.filter(pk=phone.session.pk).update(ended_at=timezone.now())
    shown = space.get("presence/appmessaging", id="mia").json()[0]
    assert shown["status"] == "offline"
    assert set(shown) == {"profileId", "status", "lastUpdatedOn", "createdOn"}


@cases("stamp", ["", "yesterday", 5, [], "2026-01-01T00:00:00"])
def test_an_odd_sign_of_life_is_none(space, stamp):
    app = space.app("mia")
    AppSession.objects.filter(pk=app.session.pk).update(facts={"seen_at": stamp})
    assert who(space.get("presence/appmessaging", id="mia")) == {"mia": "offline"}


def test_odd_questions_are_refused(space):
    assert space.get("presence", status="asleep").status_code == 400
    assert space.get("presence/appmessaging").status_code == 400
    assert space.get("presence", id="a\0b").status_code == 400
    assert space.get("presence", id=["x"] * 1001).status_code == 400
    assert space.post("presence", {}).status_code == 405


def test_apps_and_strangers_are_told_nothing(space):
    for path in ("presence", "presence/appmessaging"):
        assert space.app().get(path, id="mia").status_code == 403
        assert space.stranger.get(path, id="mia").status_code == 401
