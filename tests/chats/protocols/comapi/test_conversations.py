"""Conversations of apps: chats come and go in them; one open chat for one customer, numbers without holes, nobody else's."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from agents.models import Agent
from chats.actions.close import close_by_agent
from chats.actions.post import Post, post_message
from chats.actions.read import mark_read
from chats.events import whispered
from chats.models import Chat, Conversation, Customer, Event, ForeignCustomer, Participant, SpaceChat
from contactcenter.models import OpeningHours
from tests.cases import cases

from .conftest import TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.both]

ID = f"{TEAM}_mia"


def text(said):
    return {"parts": [{"type": "text/plain", "data": said, "size": len(said)}], "metadata": {"n": 1}}


def say(app, said="Hello", conversation=ID):
    answer = app.post(f"conversations/{conversation}/messages", text(said))
    assert answer.status_code == 200, answer.content
    return answer.json()


def events_of(app, start=0, conversation=ID):
    return app.get(f"conversations/{conversation}/events", **{"from": start, "limit": 100}).json()


def answer(agent: Agent, chat: Chat, said="We are here") -> None:
    part = Participant.objects.get(chat=chat, agent=agent)
    post_message(Post(chat.pk, part.pk, f"a{chat.position}{said}", said), now=timezone.now())


def unhurried():
    Chat.objects.update(pace_at=None)


def test_a_conversation_goes_on_through_two_chats(space, ann):
    app = space.app("mia")
    made = app.post("conversations", {"id": "talk", "name": "Help", "roles": {"owner": {"canSend": True}}})
    assert made.status_code == 201, made.content
    assert made.json()["name"] == "Help"
    assert not Chat.objects.exists()

    first = say(app, "My parcel", "talk")
    assert first["eventId"] == 0
    chat = Chat.objects.get()
    assert (chat.team.name, chat.channel_id, chat.is_foreign) == ("Support", space.registration.channel_id, True)
    held = space.held(chat.pk, ann)
    answer(ann, held)
    mark_read(Participant.objects.get(chat=chat, agent=ann), 99)
    listed = events_of(app, conversation="talk")
    assert [one["conversationEventId"] for one in listed] == list(range(len(listed)))
    names = [one["name"] for one in listed]
    assert names[0] == "conversationMessage.sent"
    assert "conversationMessage.read" in names
    close_by_agent(ann, chat.pk, now=timezone.now())

    again = say(app, "Another thing", "talk")
    assert Chat.objects.count() == 2
    assert Chat.objects.open().count() == 1
    page = app.get("conversations/talk/messages", limit=100).json()
    said = [one["parts"][0]["data"] for one in page["messages"]]
    assert said[0] == "Another thing"
    assert said[-2:] == ["We are here", "My parcel"]
    assert page["messages"][0]["sentEventId"] == again["eventId"] == page["latestEventId"]
    assert (page["earliestEventId"], page["messages"][-1]["metadata"]) == (0, {"n": 1})
    context = page["messages"][-1]["context"]
    assert (context["conversationId"], context["from"]["id"], context["chatId"]) == ("talk", "mia", str(chat.pk))
    assert page["messages"][-1]["statusUpdates"]
    ids = [one["id"] for one in page["messages"]]
    assert len(ids) == len(set(ids))


def test_pages_go_backwards_as_the_sdk_asks(space):
    app = space.app("mia")
    for number in range(7):
        unhurried()
        say(app, f"m{number}")
    found, start = [], None
    for _page in range(10):
        query = {"limit": 3} | ({} if start is None else {"from": start})
        page = app.get(f"conversations/{ID}/messages", **query).json()
        found += [one["parts"][0]["data"] for one in page["messages"]]
        start = page["earliestEventId"] - 1
        if start <= 0:
            break
    # The SDK never asks for event 0 alone.
    assert found[:6] == [f"m{number}" for number in (6, 5, 4, 3, 2, 1)]
    everything = app.get(f"conversations/{ID}/messages", limit=100).json()
    assert len(everything["messages"]) == 7


def test_its_own_name_is_enough_for_an_app(space, acme):
    app = space.app("mia")
    assert app.get(f"conversations/{ID}").status_code == 200
    assert app.get("conversations/sales_mia").json()["id"] == "sales_mia"
    for unknown in (f"{TEAM}_tom", "nobody_mia", "_mia", "mia", f"{TEAM}_mia_mia", "x"):
        assert app.get(f"conversations/{unknown}").status_code == 404
    say(app, "Hello", "sales_mia")
    assert Chat.objects.get().team == acme.sales
    assert Conversation.objects.count() == 2


def test_a_message_in_another_conversation_takes_the_open_chat_there(space):
    app = space.app("mia")
    say(app, "first")
    say(app, "second", "sales_mia")
    say(app, "third")
    assert Chat.objects.count() == 1
    assert [one["payload"]["parts"][0]["data"] for one in events_of(app)] == ["first", "third"]
    assert [one["conversationEventId"] for one in events_of(app)] == [0, 1]
    other = events_of(app, conversation="sales_mia")
    assert [one["payload"]["context"]["conversationId"] for one in other] == ["sales_mia"]


def test_who_comes_after_hours_is_taken(space, acme):
    acme.support.closed_message = ""
    OpeningHours.objects.filter(team=acme.support).delete()
    OpeningHours.objects.create(
        center=acme.center,
        team=acme.support,
        weekday=(timezone.now() + timedelta(days=3)).weekday(),
        opens="09:00",
        closes="10:00",
    )
    say(space.app("mia"), "Anybody?")
    assert Chat.objects.open().count() == 1


def test_what_greets_stands_below_the_first_message(space, acme):
    acme.support.greeting = "Hi there"
    acme.support.save()
    app = space.app("mia")
    say(app, "Hello")
    assert [one["payload"]["parts"][0]["data"] for one in events_of(app)] == ["Hello", "Hi there"]


def test_a_chat_that_a_program_began_comes_into_its_apps_conversation(space):
    chat = space.chat("mia")
    space.post(f"chats/{chat['id']}/messages", text("From a bot"))
    assert space.get(f"chats/{chat['id']}/events", **{"from": 0, "limit": 10}).json()[0]["eventId"]
    app = space.app("mia")
    listed = app.get("conversations").json()
    assert [one["id"] for one in listed] == [ID]
    assert [one["payload"]["parts"][0]["data"] for one in events_of(app)] == ["From a bot"]
    assert say(app)["eventId"] == 1
    assert Chat.objects.count() == 1
    assert space.get(f"chats/{chat['id']}").json()["context"]["conversationId"] == ID


def test_reading_and_typing_reach_the_other_side(space, ann):
    app = space.app("mia")
    say(app)
    chat = space.held(Chat.objects.get().pk, ann)
    answer(ann, chat)
    sent = [one for one in events_of(app) if one["name"] == "conversationMessage.sent"][-1]
    heard = []

    def hear(sender, chat_id, whisper, **_):
        heard.append((whisper.kind, whisper.data))

    whispered.connect(hear)
    try:
        assert app.post(f"conversations/{ID}/typing", {}).status_code == 204
        assert app.delete(f"conversations/{ID}/typing").status_code == 204
        report = [{"messageIds": [sent["payload"]["messageId"]], "status": "read", "timestamp": "2026-01-01T00:00:00Z"}]
        assert app.post(f"conversations/{ID}/messages/statusupdates", report).status_code == 200
    finally:
        whispered.disconnect(hear)
    assert [kind for kind, _data in heard] == ["typing", "typing", "read"]
    assert chat.participants.get(kind="customer").read_index > 0
    marks = [(one["name"], one["payload"]["profileId"]) for one in events_of(app)[-2:]]
    assert marks == [("conversationMessage.delivered", "mia"), ("conversationMessage.read", "mia")]


def test_two_take_part(space, ann):
    app = space.app("mia")
    say(app)
    assert app.get(f"conversations/{ID}/participants").json() == [{"id": "mia", "role": "owner"}]
    space.held(Chat.objects.get().pk, ann)
    agent = f"PLATFORMUSER\\{ann.user.email}"
    both = [{"id": "mia", "role": "owner"}, {"id": agent, "role": "participant"}]
    assert app.get(f"conversations/{ID}/participants").json() == both
    assert app.post(f"conversations/{ID}/participants", both).status_code == 201
    assert app.post(f"conversations/{ID}/participants", [{"id": "tom"}]).status_code == 409
    assert app.post("conversations", {"id": "c", "participants": [{"id": "tom"}]}).status_code == 409
    assert space.post("conversations", {"id": "c", "participants": [{"id": "mia"}, {"id": "tom"}]}).status_code == 409
    three = [{"id": "mia"}, {"id": agent}, {"id": TEAM}]
    assert app.post("conversations", {"id": "c", "participants": three}).status_code == 409
    assert not ForeignCustomer.objects.filter(external_id="tom").exists()
    pair = [{"id": "mia"}, {"id": agent}]
    assert space.post("conversations", {"id": "c", "participants": pair}).status_code == 201
    assert app.get("conversations/c").status_code == 200
    assert app.call("DELETE", f"conversations/{ID}/participants?id=tom").status_code == 409
    assert app.call("DELETE", f"conversations/{ID}/participants?id=mia").status_code == 204
    assert app.get(f"conversations/{ID}").status_code == 404


def test_changed_deleted_and_there_again(space):
    app = space.app("mia")
    body = {"id": "talk", "name": "Help", "isPublic": True}
    etag = app.post("conversations", body).headers["ETag"]
    assert app.post("conversations", body).status_code == 409
    changed = app.put("conversations/talk", {"name": "Other", "description": "d"}, headers={"if-match": etag})
    assert (changed.json()["name"], changed.json()["isPublic"]) == ("Other", True)
    assert app.put("conversations/talk", {"name": "Third"}, headers={"if-match": etag}).status_code == 412
    assert app.get("conversations").json()[0]["_etag"] == changed.headers["ETag"]
    say(app, "Hello", "talk")
    assert app.get("conversations/talk").headers["ETag"] == changed.headers["ETag"]  # messages do not change it
    assert app.get("conversations/talk").json()["latestSentEventId"] == 0
    assert app.delete("conversations/talk").status_code == 204
    assert Chat.objects.get().close_reason == "customer_left"
    for path in ("", "/messages?limit=1", "/events?from=0&limit=1", "/participants"):
        assert app.get(f"conversations/talk{path}").status_code == 404
    assert app.post("conversations/talk/messages", text("x")).status_code == 404
    assert app.get("conversations").json() == []
    assert app.post("conversations", body).status_code == 201
    assert len(events_of(app, conversation="talk")) == 1


def test_nobody_elses(space, other):
    mia, tom = space.app("mia"), space.app("tom")
    say(mia)
    for caller, status in ((tom, 404), (other, 404)):
        for method, tail, body in [
            ("GET", "", None),
            ("PUT", "", {"name": "x"}),
            ("DELETE", "", None),
            ("GET", "/participants", None),
            ("POST", "/participants", [{"id": "tom"}]),
            ("DELETE", "/participants?id=mia", None),
            ("GET", "/messages?limit=5", None),
            ("POST", "/messages", text("x")),
            ("GET", "/events?from=0&limit=5", None),
            ("POST", "/messages/statusupdates", []),
            ("POST", "/typing", {}),
            ("DELETE", "/typing", None),
        ]:
            assert caller.call(method, f"conversations/{ID}{tail}", body).status_code == status, (method, tail)
    assert tom.get("conversations", profileId="mia").status_code == 403
    assert tom.get("conversations", scope="participant").json() == []
    assert tom.post("conversations", {"id": ID}).status_code == 409
    assert mia.get("conversations", scope="public").json() == []
    assert [one["id"] for one in space.get("conversations", profileId="mia").json()] == [ID]
    assert other.get("conversations").json() == []


def test_programs_speak_for_either_side(space):
    app = space.app("mia")
    app.get(f"conversations/{ID}")
    path = f"conversations/{ID}/messages"
    assert space.post(path, text("Hello from us")).status_code == 409  # no chat is open
    assert not Chat.objects.exists()
    assert space.post(path, {**text("Hi"), "direction": "inbound"}).status_code == 200
    assert space.post(path, {**text("Hello"), "from": {"profileId": "bot", "name": "Bo"}}).status_code == 200
    directions = [one["payload"]["context"]["direction"] for one in events_of(app)]
    assert directions == ["inbound", "outbound"]
    assert app.post(path, {**text("x"), "from": {"profileId": "tom"}}).status_code == 403


@cases(
    "body",
    [
        {},
        [],
        5,
        {"parts": 5},
        {"parts": []},
        {"parts": [{}]},
        {"parts": [{"type": "text/plain", "data": " "}]},
        {"parts": [{"type": 5, "data": "x"}]},
        {"parts": [{"type": "text/plain", "data": "x" * 100_000}]},
        b'{"parts": [{"data": "\\ud800"}]}',
        b"{",
    ],
)
def test_odd_messages_begin_no_chat(space, body):
    app = space.app("mia")
    assert app.post(f"conversations/{ID}/messages", body).status_code == 400
    assert not Chat.objects.exists()


@cases(
    "body",
    [
        [],
        {"id": 5},
        {"id": ""},
        {"id": "a/b"},
        {"id": "x" * 201},
        {"name": ["x"]},
        {"name": "x" * 201},
        {"roles": 5},
        {"roles": {"a": "x" * 3000}},
        {"isPublic": "perhaps"},
        {"participants": "mia"},
        {"participants": [5]},
        {"participants": [{"id": None}]},
    ],
)
def test_odd_conversations_are_refused(space, body):
    app = space.app("mia")
    answer = app.post("conversations", body)
    # A number is taken for its digits, as everywhere.
    assert answer.status_code == (201 if body in ({"id": 5},) else 400), answer.content
    app.get(f"conversations/{ID}")
    if isinstance(body, dict) and "id" not in body and "participants" not in body:
        assert app.put(f"conversations/{ID}", body).status_code == 400


@cases("query", [{"from": "-1"}, {"from": "x"}, {"limit": "x"}, {"limit": "-5"}, {"from": "9" * 30, "limit": "5"}])
def test_odd_pages_are_refused_or_empty(space, query):
    app = space.app("mia")
    for tail in ("messages", "events"):
        assert app.get(f"conversations/{ID}/{tail}", **query).status_code in (200, 400)


def test_events_beyond_the_end_are_none(space):
    app = space.app("mia")
    say(app)
    assert events_of(app, start=10**12) == []
    assert len(events_of(app, start=0)) == 1
    assert app.get(f"conversations/{ID}/messages", **{"from": 10**12, "limit": 5}).json()["latestEventId"] == 0


@pytest.mark.django_db(transaction=True)
def test_simultaneous_first_messages_begin_one_chat(space):
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time")
    app = space.app("mia")
    statuses, barrier = [], threading.Barrier(5)

    def write(number):
        barrier.wait()
        where = ID if number % 2 else "sales_mia"
        statuses.append(app.post(f"conversations/{where}/messages", text(f"m{number}")).status_code)
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert statuses == [200] * 5
    assert Chat.objects.count() == SpaceChat.objects.count() == 1
    assert Event.objects.filter(type="message.posted").count() == 5
    assert Customer.objects.filter(foreign__external_id="mia").count() == 1
    told = [*events_of(app), *events_of(app, conversation="sales_mia")]
    assert sorted(one["payload"]["parts"][0]["data"] for one in told) == [f"m{number}" for number in range(5)]
    for where in (ID, "sales_mia"):
        numbers = [one["conversationEventId"] for one in events_of(app, conversation=where)]
        assert numbers == list(range(len(numbers)))
