"""Queue mode from end to end: the connector looks who is online, begins a chat, asks for nobody, and tells the place in line."""

from collections.abc import Callable

import pytest

from tests.services.hyperchat.conftest import Bridge, Robots, until
from tests.services.hyperchat.connector import Person


@pytest.fixture
def shop(bridge: Callable[[str], Bridge]) -> Bridge:
    return bridge("hyperchat_queue")


@pytest.fixture
def people(request: pytest.FixtureRequest) -> list[Person]:
    return [Person(f"{name}-{request.node.name}", name.title()) for name in ("mia", "ben", "olu")]


def places(person: Person) -> list[int]:
    return [place["queuePosition"] for place in person.heard("place")]


def joined(person: Person) -> None:
    person.until(lambda told: any(kind == "joined" for kind, _ in told))


def test_the_application_says_that_its_chats_wait_in_line(shop: Bridge):
    assert shop.connector.is_queueing


def test_an_agent_comes_without_being_asked_for(shop: Bridge, robots: Robots, people: list[Person]):
    mia = people[0]
    robots.come(shop.hyper, shop.room)
    shop.connector.escalate(mia)
    joined(mia)
    trace = shop.trace(mia)
    assert "chats:create" in trace
    assert "forever:alone" not in trace
    until(lambda: "users:join" in shop.trace(mia))
    shop.connector.say(mia, "Hello")
    mia.until(lambda told: ("text", "echo: Hello") in told)
    shop.connector.say(mia, "bye")
    shop.ended(mia)
    mia.until(lambda told: any(kind == "closed" for kind, _ in told))
    trace = shop.trace(mia)
    assert trace.index("system:info") < trace.index("chats:close")


def test_people_wait_in_line_and_move_up(shop: Bridge, robots: Robots, people: list[Person]):
    """One agent with one slot, who is busy then: online, but not available."""
    mia, ben, olu = people
    robots.come(shop.hyper, shop.room, capacity=1)
    shop.connector.escalate(mia)
    joined(mia)
    assert shop.hyper.available(shop.room) == 0
    assert shop.hyper.is_online(shop.room)
    for person in (ben, olu):
        shop.connector.escalate(person)
    olu.until(lambda told: any(kind == "place" for kind, _ in told))
    waiting = shop.hyper.chat(olu.chat_id)
    assert waiting["status"] == "waiting"
    assert waiting["inQueue"]
    behind = shop.hyper.call("GET", f"queues/update/{olu.chat_id}")
    assert behind["data"]["queuePosition"] == places(olu)[-1]
    shop.connector.say(olu, "I have an old jacket")
    shop.connector.leave(mia)
    joined(ben)
    before = places(olu)[0]
    olu.until(lambda told: [what for kind, what in told if kind == "place"][-1]["queuePosition"] < before)
    shop.connector.say(ben, "bye")
    joined(olu)
    olu.until(lambda told: ("text", "echo: I have an old jacket") in told)
    done = shop.hyper.chat(olu.chat_id)
    assert done["status"] == "active"
    assert not done["inQueue"]
    shop.connector.leave(olu)
    for person in people:
        shop.ended(person)


def test_somebody_may_leave_the_line(shop: Bridge, robots: Robots, people: list[Person]):
    mia, ben, olu = people
    robots.come(shop.hyper, shop.room, capacity=1)
    for person in people:
        shop.connector.escalate(person)
        if person is mia:
            joined(mia)
    olu.until(lambda told: any(kind == "place" for kind, _ in told))
    behind = places(olu)[-1]
    shop.connector.leave(ben)
    shop.ended(ben)
    olu.until(lambda told: [what for kind, what in told if kind == "place"][-1]["queuePosition"] < behind)
    assert not ben.heard("closed")
    for person in (mia, olu):
        shop.connector.leave(person)
        shop.ended(person)


def test_with_nobody_online_no_chat_begins(shop: Bridge, people: list[Person]):
    until(lambda: not shop.hyper.is_online(shop.room))
    shop.connector.escalate(people[0])
    assert people[0].told == [("nobody", None)]


def test_the_chat_of_an_agent_who_declines_rings_at_another(shop: Bridge, robots: Robots, people: list[Person]):
    mia = people[0]
    robots.come(shop.hyper, shop.room, count=2, decline=1)
    shop.connector.escalate(mia)
    joined(mia)
    assert shop.trace(mia).count("invitations:new") == 2
    shop.connector.leave(mia)
    shop.ended(mia)


def test_the_chat_of_an_agent_who_vanishes_comes_to_another(shop: Bridge, robots: Robots, people: list[Person]):
    mia = people[0]
    robots.come(shop.hyper, shop.room, count=2, vanish=1)
    shop.connector.escalate(mia)
    mia.until(lambda told: len([kind for kind, _ in told if kind == "joined"]) == 2, 60)
    shop.connector.say(mia, "Hello?")
    mia.until(lambda told: ("text", "echo: Hello?") in told)
    shop.connector.leave(mia)
    shop.ended(mia)
