"""What happened in chats, counted: exact figures of a day that the test plays."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chats.actions.close import close_by_agent, close_chat
from chats.actions.hold import assign_chat
from chats.actions.house import HouseWords, say_for_house
from chats.actions.post import Post, post_message
from chats.actions.steer import transfer_by_application
from chats.models import Chat
from chats.protocols.comapi.periods import cut, read_moment
from contactcenter.models import ApplicationTeam
from tests.cases import cases
from tests.conftest import make_chat, make_customer, online

from .conftest import TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.both]
DAY = datetime(2026, 3, 10, tzinfo=UTC)
SPAN = {"from": "2026-03-10T00:00:00Z", "to": "2026-03-11T00:00:00Z"}
NAMES = (
    "inbounds", "outbounds", "responses", "timeToRespondSeconds", "initialResponses", "timeToInitialResponseSeconds",
    "closed", "timeToCloseSeconds", "transitionsToNew", "transitionsToReplied",
)  # fmt: skip


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return DAY.replace(hour=hour, minute=minute, second=second)


class Player:
    """Plays one chat; `says` by the customer, an agent, or (None) a program."""

    def __init__(self, place: Any, name: str, when: datetime) -> None:
        self.center, self.count = place.center, 0
        self.pk = make_chat(place, when, make_customer(place, name), greets=False).chat.pk

    def says(self, who: Any, when: datetime) -> None:
        self.count += 1
        key = f"c{self.count}"
        if who is None:
            say_for_house(self.center.chats, self.pk, HouseWords(text="Beep", client_id=key), now=when)
            return
        parts = Chat.objects.get(pk=self.pk).participants
        part = parts.get(kind="customer") if who == "customer" else parts.get(agent=who)
        post_message(Post(self.pk, part.pk, key, "Hello"), now=when)

    def reminds(self, when: datetime) -> None:
        facts = {"isAutomatedSend": True}
        words = HouseWords(text="Still there?", client_id="auto", is_automatic=True, facts=facts)
        say_for_house(self.center.chats, self.pk, words, now=when)

    def goes_to(self, agent: Any, when: datetime) -> None:
        assign_chat(self.center.chats, self.pk, online(agent, when), now=when)


@pytest.fixture
def played(acme: Any, space: Any, ann: Any, bob: Any) -> None:
    acme.support.closing = "Good bye"
    acme.support.save()
    one = Player(acme, "Mia", at(9))
    one.says("customer", at(9, 1))
    one.reminds(at(9, 2))
    one.goes_to(ann, at(9, 5))
    one.says("customer", at(9, 6))
    one.says(ann, at(9, 11))  # answers both: 600 s after the first
    one.says(ann, at(9, 12))
    one.says("customer", at(10, 0))
    one.says(ann, at(10, 0, 30))  # 30 s
    close_by_agent(ann, one.pk, now=at(10, 30))  # 5,400 s after its beginning
    two = Player(acme, "Tom", at(11))
    two.says("customer", at(11))
    two.says(None, at(11, 0, 2))  # a bot, 2 s
    transfer_by_application(acme.center.chats, two.pk, team=acme.sales, now=at(11, 5))
    two.says("customer", at(11, 6))
    two.goes_to(bob, at(11, 7))
    two.says(bob, at(12, 6))  # 3,600 s
    Player(acme, "Zoe", DAY + timedelta(days=2))


def figures(*values: int) -> dict[str, int]:
    return dict(zip(NAMES, values, strict=True))


def ask(space: Any, **query: str) -> Any:
    answer = space.get("analytics/chats", **{**SPAN, **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_day_is_counted_in_one_row(played: None, space: Any) -> None:
    row = {"from": "2026-03-10T00:00:00.000Z", "to": "2026-03-11T00:00:00.000Z"}
    row |= figures(5, 5, 4, 4232, 2, 602, 1, 5400, 4, 4)
    assert ask(space) == [row]
    assert ask(space, by="alltime") == [row]
    assert space.basic.get("analytics/chats", **SPAN).json() == [row]


def test_an_agents_and_a_teams_figures_are_those_of_the_time(played: None, space: Any) -> None:
    rows = {(row.pop("teamId"), row.pop("agentId", None)): row for row in ask(space, by="team,agent")}
    found = {key: {name: row[name] for name in NAMES} for key, row in rows.items()}
    ann, bob = "PLATFORMUSER\\ann@example.com", "PLATFORMUSER\\bob@example.com"
    assert found == {
        (TEAM, None): figures(2, 1, 1, 2, 1, 2, 0, 0, 2, 1),
        (TEAM, ann): figures(2, 3, 2, 630, 1, 600, 1, 5400, 1, 2),
        ("sales", None): figures(1, 0, 0, 0, 0, 0, 0, 0, 1, 0),
        ("sales", bob): figures(0, 1, 1, 3600, 0, 0, 0, 0, 0, 1),
    }
    assert [row["inbounds"] for row in ask(space, teamId="sales")] == [1]
    assert [row["outbounds"] for row in ask(space, agentId=ann, by="agent")] == [3]
    assert [row["teamId"] for row in ask(space, by="team")] == [TEAM, "sales"]


def test_hours_and_days_stand_in_order_also_where_nothing_happened(played: None, space: Any) -> None:
    hours = ask(space, by="hour")
    assert [row["inbounds"] for row in hours] == [0] * 9 + [2, 1, 2] + [0] * 12
    assert [row["responses"] for row in hours][9:13] == [1, 1, 1, 1]
    assert (hours[9]["from"], hours[9]["to"]) == ("2026-03-10T09:00:00.000Z", "2026-03-10T10:00:00.000Z")
    days = ask(space, by="day", timezone="Asia/Tokyo", **{"from": "2026-03-10", "to": "2026-03-11T09:00:00 09:00"})
    assert [(row["from"], row["inbounds"]) for row in days] == [
        ("2026-03-09T15:00:00.000Z", 5),
        ("2026-03-10T15:00:00.000Z", 0),
    ]
    assert len(ask(space, by="month", to="2027-01-01")) == 10


def test_a_span_begins_in_the_midst_of_a_chat(played: None, space: Any) -> None:
    later = ask(space, **{"from": "2026-03-10T09:10:00Z"})[0]
    assert (later["inbounds"], later["responses"], later["timeToInitialResponseSeconds"]) == (3, 4, 602)


def test_what_a_program_may_not_see_is_not_counted(played: None, space: Any, other: Any, acme: Any) -> None:
    assert ask(other)[0]["inbounds"] == 0
    ApplicationTeam.objects.create(center=space.center, application=space.application, team=acme.support)
    assert ask(space)[0]["inbounds"] == 3, "of the other chat, which is the other team's now, nothing"
    assert space.get("analytics/chats", **SPAN, teamId="sales").status_code == 400
    assert space.app().get("analytics/chats", **SPAN).status_code == 403


@cases(
    "param, query",
    [
        ("from", {"from": "yesterday"}),
        ("from", {"from": "\0"}),
        ("from", {"from": "0001-01-01"}),
        ("to", {"to": "9999-12-31T23:59:59-23:59"}),
        ("to", {"to": SPAN["from"]}),
        ("by", {"by": "decade"}),
        ("by", {"by": "day,hour"}),
        ("by", {"by": "hour", "to": "2027-01-01"}),
        ("timezone", {"timezone": "Mars/Base"}),
        ("timezone", {"timezone": "../etc/passwd"}),
        ("timezone", {"timezone": "Europe"}),
        ("teamId", {"teamId": "nobody"}),
        ("agentId", {"agentId": "gil@example.com"}),
    ],
)
def test_nonsense_is_told_by_its_name(space: Any, gil: Any, param: str, query: dict[str, str]) -> None:
    answer = space.get("analytics/chats", **{**SPAN, **query})
    assert answer.status_code == 400, answer.content
    assert [one["paramName"] for one in answer.json()["validationFailures"]] == [param]


def test_both_ends_of_the_span_are_needed(space: Any) -> None:
    named = {one["paramName"] for one in space.get("analytics/chats").json()["validationFailures"]}
    assert named == {"from", "to"}


def test_the_number_of_queries_does_not_grow_with_the_chats(played: None, space: Any, acme: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            ask(space, by="hour,team,agent")
            space.get("analytics/chats/live", by="team,agent")
        return len(context)

    before = queries()
    for number in range(5):
        Player(acme, f"More {number}", at(13)).says("customer", at(13))
    assert queries() == before


def test_live_figures_are_of_each_team(space: Any, acme: Any, ann: Any, now: datetime) -> None:
    quiet = {"new": 0, "replied": 0, "closed": 0}
    assert space.get("analytics/chats/live").json() == [
        {"teamId": TEAM, **quiet},
        {"teamId": "sales", **quiet},
    ]
    one, two, three = (Player(acme, name, now) for name in ("Mia", "Tom", "Zoe"))
    one.goes_to(ann, now)
    one.says(ann, now)
    two.says("customer", now)
    close_chat(acme.center.chats, three.pk, reason=Chat.CloseReason.DONE, now=now)
    long_ago = Player(acme, "Old", now)
    close_chat(acme.center.chats, long_ago.pk, reason=Chat.CloseReason.DONE, now=now - timedelta(days=2))
    support = {"new": 1, "replied": 1, "closed": 1}
    assert space.get("analytics/chats/live", teamId=TEAM).json() == [{"teamId": TEAM, **support}]
    rows = space.get("analytics/chats/live", by="agent").json()
    assert {"agentId": "PLATFORMUSER\\ann@example.com", "new": 0, "replied": 1, "closed": 0} in rows
    assert {"new": 1, "replied": 0, "closed": 1} in rows, "nobody's"
    assert space.get("analytics/chats/live", by="day").status_code == 400
    assert space.get("analytics/chats/live", teamId="nobody").status_code == 400


def test_days_follow_the_clocks_of_their_zone() -> None:
    zone = ZoneInfo("Europe/Berlin")
    since, until = (read_moment("from", day, zone) for day in ("2026-03-28", "2026-03-31"))
    days = cut(since, until, "day", zone)
    hours = [
        (after - before).total_seconds() / 3600 for before, after in zip(days.bounds, days.bounds[1:], strict=False)
    ]
    assert hours == [24, 23, 24]
    assert len(cut(since, until, "hour", zone)) == 71
    months = cut(read_moment("from", "2026-01-15", zone), until, "month", zone)
    assert [bound.astimezone(zone).date() for bound in months.bounds] == [
        date(2026, 1, 15), date(2026, 2, 1), date(2026, 3, 1), date(2026, 3, 31),
    ]  # fmt: skip
