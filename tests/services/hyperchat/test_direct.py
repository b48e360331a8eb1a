"""Direct mode from end to end: the connector looks who is there, begins a chat and asks for an agent itself."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.services.hyperchat.client import Refused
from tests.services.hyperchat.conftest import Bridge, Robots, until
from tests.services.hyperchat.connector import Person
from tests.services.hyperchat.receiver import Receiver, chat_of


@pytest.fixture
def shop(bridge: Callable[[str], Bridge]) -> Bridge:
    return bridge("hyperchat")


@pytest.fixture
def mia(request: pytest.FixtureRequest) -> Person:
    return Person(f"mia-{request.node.name}", "Mia")


@pytest.fixture
def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(drawn, "PNG")
    return drawn.getvalue()


def test_hands_are_shaken_before_anything_is_told(shop: Bridge):
    assert shop.receiver.log.secrets
    assert "data" not in shop.receiver.log.handshakes[0]
    assert shop.receiver.log.handshakes[0]["appId"] == shop.hyper.app_id


def test_a_person_talks_with_an_agent_who_says_good_bye(shop: Bridge, robots: Robots, mia: Person):
    robots.come(shop.hyper, shop.room)
    history = [
        {"sender": "assistant", "type": "text", "message": "Hi! I am a bot.", "created": 1_700_000_000},
        {"sender": "mia", "type": "text", "message": "I want a person", "created": 1_700_000_009},
    ]
    shop.connector.escalate(mia, history)
    assert mia.heard("ringing")[0]["name"].startswith("Robot")
    mia.until(lambda told: ("joined", "Robot 1") in told)
    chat = shop.hyper.chat(mia.chat_id)
    assert (chat["status"], chat["room"], chat["source"]) == ("active", int(shop.room), 3)
    assert shop.hyper.user(mia.user_id)["chats"] == [mia.chat_id]
    for text in ("Do they come in 43?", "وداعا 🙏"):
        shop.connector.say(mia, text)
    mia.until(lambda told: len([kind for kind, _ in told if kind == "text"]) >= 2)
    assert mia.heard("text") == ["echo: Do they come in 43?", "echo: وداعا 🙏"]
    shop.connector.say(mia, "bye")
    shop.ended(mia)
    assert len(mia.heard("closed")) == 1
    assert mia.heard("survey")
    assert mia.heard("survey")[0].startswith("http")
    assert shop.hyper.chat(mia.last_chat_id)["status"] == "closed"
    assert shop.hyper.user(mia.user_id)["chats"] == []


def test_web_hooks_tell_a_chat_in_its_order(shop: Bridge, robots: Robots, mia: Person):
    robots.come(shop.hyper, shop.room)
    shop.connector.escalate(mia)
    mia.until(lambda told: ("joined", "Robot 1") in told)
    shop.connector.say(mia, "one")
    mia.until(lambda told: ("text", "echo: one") in told)
    shop.connector.say(mia, "bye")
    shop.ended(mia)
    trace = shop.trace(mia)
    assert trace[0] == "chats:create"
    wanted = ["chats:create", "invitations:new", "invitations:accept", "messages:new", "system:info", "chats:close"]
    assert [trace.index(trigger) for trigger in wanted] == sorted(trace.index(trigger) for trigger in wanted)
    assert trace.count("chats:close") == trace.count("system:info") == 1


def test_a_person_who_leaves_is_not_told_that_the_chat_ended(shop: Bridge, robots: Robots, mia: Person):
    robots.come(shop.hyper, shop.room)
    shop.connector.escalate(mia)
    mia.until(lambda told: ("joined", "Robot 1") in told)
    shop.connector.leave(mia)
    shop.ended(mia)
    assert not mia.heard("closed")
    assert [call.body["data"]["userId"] for call in shop.receiver.log.calls if call.trigger == "chats:close"] == [
        mia.user_id
    ]
    until(lambda: shop.hyper.available(shop.room) == 1)


def test_with_nobody_there_no_chat_begins(shop: Bridge, mia: Person):
    until(lambda: not shop.hyper.is_online(shop.room))
    shop.connector.escalate(mia)
    assert mia.told == [("nobody", None)]
    assert shop.hyper.find_user(mia.external_id) is None


def test_a_chat_that_nobody_takes_is_ended_by_its_client(shop: Bridge, mia: Person):
    """Somebody was there a moment ago. The search tells that it found nobody; the connector deletes the chat, as the system."""
    until(lambda: not shop.hyper.is_online(shop.room))
    user = shop.hyper.sign_up(mia.name, mia.external_id)
    shop.connector.persons[mia.external_id] = mia
    mia.user_id = user["id"]
    mia.chat_id = mia.last_chat_id = shop.hyper.begin_chat(shop.room, user["id"])["id"]
    assert shop.hyper.assign(mia.chat_id) is None
    shop.ended(mia)
    trace = shop.trace(mia)
    assert trace.index("forever:alone") < trace.index("chats:close")
    assert mia.heard("closed")[0]["userId"] == "system"
    assert shop.hyper.user(mia.user_id)["chats"] == []


def test_the_chat_of_an_agent_who_declines_goes_to_the_next(shop: Bridge, robots: Robots, mia: Person):
    robots.come(shop.hyper, shop.room, count=2, decline=1)
    shop.connector.escalate(mia)
    first = mia.heard("ringing")[0]["name"]
    mia.until(lambda told: any(kind == "joined" for kind, _ in told))
    assert mia.heard("joined")[0] != first
    assert shop.trace(mia).count("invitations:new") == 2
    assert "forever:alone" not in shop.trace(mia)
    shop.connector.leave(mia)
    shop.ended(mia)


def test_when_everybody_declines_the_search_ends_and_may_begin_again(shop: Bridge, robots: Robots, mia: Person):
    robots.come(shop.hyper, shop.room, count=2, decline=2)
    shop.connector.escalate(mia)
    mia.until(lambda told: any(kind == "closed" for kind, _ in told))
    assert shop.trace(mia).count("invitations:new") == 2
    assert shop.trace(mia).count("forever:alone") == 1
    shop.connector.escalate(mia)
    mia.until(lambda told: any(kind == "joined" for kind, _ in told))
    shop.connector.leave(mia)
    shop.ended(mia)


def test_the_chat_of_an_agent_who_vanishes_comes_to_another(shop: Bridge, robots: Robots, mia: Person):
    robots.come(shop.hyper, shop.room, count=2, vanish=1)
    shop.connector.escalate(mia)
    mia.until(lambda told: len([kind for kind, _ in told if kind == "joined"]) == 2, 60)
    assert len(set(mia.heard("joined"))) == 2
    shop.connector.say(mia, "Are you still there?")
    mia.until(lambda told: ("text", "echo: Are you still there?") in told)
    shop.connector.leave(mia)
    shop.ended(mia)


def test_who_listens_for_it_chooses_the_agent(shop: Bridge, robots: Robots, mia: Person):
    """The rule would take the one with more free slots; with equal ones, either. The receiver names each in turn."""
    robots.come(shop.hyper, shop.room, count=2)
    agents = shop.hyper.call("GET", "agents/", query={"roomId": shop.room})["agents"]
    for robot in [agent for agent in agents if agent["name"] in ("Robot 1", "Robot 2")]:
        chooser = Receiver(lambda call, named=robot["id"]: {"agent": {"id": named}})
        hook = shop.hyper.call("POST", "webhooks/", {"events": ["chats:assign"], "target": chooser.url})["webhook"]
        shop.connector.escalate(mia)
        assert mia.heard("ringing")[-1]["id"] == robot["id"]
        asked = [call for call in chooser.log.calls if call.trigger == "chats:assign"]
        assert [chat_of(call.body["data"]) for call in asked] == [mia.last_chat_id]
        assert chooser.log.faults == []
        shop.hyper.call("DELETE", f"webhooks/{hook['id']}")
        chooser.stop()
        shop.connector.leave(mia)
        shop.ended(mia)


def test_files_go_both_ways(shop: Bridge, robots: Robots, mia: Person, picture: bytes):
    """After an upload the connector sends its form with every read: nothing of it may matter."""
    robots.come(shop.hyper, shop.room)
    shop.connector.escalate(mia)
    mia.until(lambda told: ("joined", "Robot 1") in told)
    media = shop.connector.send(mia, "boots.png", picture, "image/png")
    assert media["name"] == "boots.png"
    assert media["size"] == len(picture)
    assert media["senderId"] == mia.user_id
    mia.until(lambda told: any(kind == "file" for kind, _ in told))
    name, kind, content = mia.heard("file")[0]
    assert (name, kind) == ("boots.png", "image/png")
    assert content.startswith(picture[:8])
    shop.connector.say(mia, "like this one")
    mia.until(lambda told: ("text", "echo: like this one") in told)
    shop.connector.leave(mia)
    shop.ended(mia)


def test_a_file_that_is_not_allowed_is_refused_in_their_words(shop: Bridge, robots: Robots, mia: Person):
    robots.come(shop.hyper, shop.room)
    shop.connector.escalate(mia)
    with pytest.raises(Refused) as refused:
        shop.connector.send(mia, "run.exe", b"MZ\x90\x00" * 40, "application/x-msdownload")
    assert (refused.value.code, refused.value.message) == (403, "File type is not allowed")
    shop.hyper.last_form = None
    shop.connector.leave(mia)
    shop.ended(mia)


def test_a_user_who_exists_is_found_and_changed(shop: Bridge, mia: Person):
    first = shop.hyper.sign_up("Mia", mia.external_id)
    with pytest.raises(Refused) as refused:
        shop.hyper.call("POST", "users/", {"name": "Mia", "externalId": mia.external_id}, secretly=False)
    assert refused.value.code == 409
    assert isinstance(refused.value.code, int)
    second = shop.hyper.sign_up("Mia Keller", mia.external_id, extraInfo={"plan": "gold"})
    assert second["id"] == first["id"]
    assert (second["name"], second["extraInfo"]) == ("Mia Keller", {"plan": "gold"})


def test_a_user_has_one_chat_at_a_time(shop: Bridge, robots: Robots, mia: Person):
    robots.come(shop.hyper, shop.room)
    shop.connector.escalate(mia)
    with pytest.raises(Refused) as refused:
        shop.hyper.begin_chat(shop.room, mia.user_id)
    assert refused.value.message == "User already has a chat"
    assert shop.hyper.user(mia.user_id)["chats"] == [mia.chat_id]
    shop.connector.leave(mia)
    shop.ended(mia)
    again: dict[str, Any] = shop.hyper.begin_chat(shop.room, mia.user_id)
    shop.hyper.close(again["id"])
