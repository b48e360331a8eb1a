"""The chat message service: who speaks, what is kept of it, pages and events, and that our desk sees the same."""

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.actions.close import close_chat
from chats.actions.post import BURST, Post, post_message
from chats.actions.read import mark_read
from chats.models import Attachment, Chat, Event, Participant
from chats.shapes import event_for_customer
from contactcenter.models import RegistrationTeam
from tests.cases import cases
from tests.chats.api.world import png

pytestmark = [pytest.mark.django_db, pytest.mark.both]

BOT = {"profileId": "bot-1", "name": "Robby"}
ANN = "PLATFORMUSER\\ann@example.com"


def text(data, **members):
    return {"type": "text/plain", "data": data, **members}


def send(caller, chat_id, *parts, status=200, **said):
    answer = caller.post(f"chats/{chat_id}/messages", {"parts": [text("hello")] if not parts else list(parts), **said})
    assert answer.status_code == status, answer.content
    return answer.json()


def page(caller, chat_id, **query):
    answer = caller.get(f"chats/{chat_id}/messages", **{"limit": 100, **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


def newest(chat_id):
    return Event.objects.filter(chat_id=chat_id, type="message.posted").latest("position")


@pytest.fixture
def chat(space):
    space.profile("mia")
    return space.chat()["id"]


# Who speaks -----------------------------------------------------------------------------------------------------------


def test_a_bot_speaks_for_our_side_under_its_own_name(space, chat):
    sent = send(space, chat, text("hi"), **{"from": BOT})
    event = newest(chat)
    assert (event.sender, event.sender_kind, event.sender_name, event.text) == (None, "bot", "Robby", "hi")
    assert "facts" not in event_for_customer(event)["data"]
    shown = page(space, chat)
    assert shown == {
        "earliestEventId": 0,
        "latestEventId": 0,
        "messages": [
            {
                "id": sent["id"],
                "sentEventId": 0,
                "metadata": {},
                "context": {
                    "from": {"id": "bot-1", "name": "Robby"},
                    "chatId": chat,
                    "conversationId": "Customer_Services_mia",
                    "sentBy": f"access:{space.application.pk}",
                    "sentOn": shown["messages"][0]["context"]["sentOn"],
                    "direction": "outbound",
                },
                "parts": [{"type": "text/plain", "data": "hi"}],
                "statusUpdates": {},
            }
        ],
        "orphanedEvents": [],
    }
    assert sent["eventId"] == 0


def test_an_app_speaks_as_its_customer_alone(space, chat):
    app = space.app("mia")
    assert send(app, chat, text("hello"), direction="outbound", **{"from": {"profileId": "mia"}})["eventId"] == 0
    event = newest(chat)
    assert (event.sender_kind, event.sender_name) == ("customer", "Mia")
    assert page(app, chat)["messages"][0]["context"] | {"sentOn": ""} == {
        "from": {"id": "mia", "name": "Mia"},
        "chatId": chat,
        "conversationId": "Customer_Services_mia",
        "sentBy": "session:mia",
        "sentOn": "",
        "direction": "inbound",
    }
    send(app, chat, status=403, **{"from": {"profileId": "bot-1"}})
    send(space.app("tim"), chat, status=404)
    assert Event.objects.filter(chat_id=chat, type="message.posted").count() == 1


@cases("said", [{"from": {"profileId": "mia"}}, {"direction": "inbound"}, {"from": BOT, "direction": "inbound"}])
def test_a_program_carries_what_the_customer_says(space, chat, said):
    send(space, chat, text("where is it?"), **said)
    row = space.row_of(chat)
    assert newest(chat).sender_kind == "customer"
    assert (row.unread, row.waiting_since is not None) == (1, True)
    context = page(space, chat)["messages"][0]["context"]
    assert (context["from"]["id"], context["direction"]) == ("mia", "inbound")


@cases("name", [ANN, "ann@example.com"])
def test_an_agent_who_has_the_chat_speaks_as_such(space, chat, ann, name):
    space.held(chat, ann)
    send(space, chat, text("here"), **{"from": {"profileId": name}})
    event = newest(chat)
    assert (event.sender_kind, event.sender.agent_id, event.sender_name) == ("agent", ann.pk, "Ann")
    assert page(space, chat)["messages"][0]["context"]["from"] == {"id": ANN, "name": "Ann"}
    assert space.get(f"chats/{chat}").json()["status"] == "replied"


def test_nobody_speaks_as_an_agent_who_does_not_have_the_chat(space, chat, ann, bob):
    send(space, chat, status=409, **{"from": {"profileId": ANN}})
    space.held(chat, ann)
    send(space, chat, status=409, **{"from": {"profileId": "PLATFORMUSER\\bob@example.com"}})
    refused = send(space, chat, status=400, **{"from": {"profileId": "PLATFORMUSER\\nobody@example.com"}})
    assert refused["validationFailures"][0]["paramName"] == "from.profileId"
    send(space, chat, status=400, direction="inbound", **{"from": {"profileId": ANN}})
    assert not Event.objects.filter(chat_id=chat, type="message.posted").exists()


def test_a_bot_that_is_called_as_an_agent_is_stays_a_bot(space, chat, ann):
    send(space, chat, **{"from": {"profileId": "ann", "name": "Ann the bot"}})
    assert newest(chat).sender_kind == "bot"


def test_customers_see_the_teams_name_where_it_replies_as_a_team(space, chat, ann):
    space.held(chat, ann)
    send(space, chat, **{"from": {"profileId": ANN}})
    app = space.app("mia")
    assert page(app, chat)["messages"][0]["context"]["from"]["name"] == "Support"
    facts = {"appMessaging": {"replyAs": "individual"}}
    RegistrationTeam.objects.filter(registration=space.registration).update(facts=facts)
    assert page(app, chat)["messages"][0]["context"]["from"]["name"] == "Ann"


def test_an_automatic_message_is_nobodys_answer(space, chat, ann):
    def state():
        row = space.row_of(chat)
        return space.get(f"chats/{chat}").json()["status"], row.waiting_since, row.last_agent_at, row.first_answered_at

    send(space, chat, direction="inbound")
    before = state()
    assert before[0] == "new"
    send(space, chat, text("We will be with you soon."), isAutomatedSend=True, **{"from": BOT})
    send(space, chat, text("Soon."), isAutomatedSend=True, **{"from": {"profileId": ANN}})
    assert state() == before
    assert [one["context"]["from"]["name"] for one in page(space, chat)["messages"][:2]] == ["Ann", "Robby"]
    send(space, chat, **{"from": BOT})
    status, waiting_since, last_agent_at, first_answered_at = state()
    assert (status, waiting_since) == ("replied", None)
    assert last_agent_at == first_answered_at is not None
    send(space, chat, direction="inbound")
    assert state()[0] == "new"


def test_a_customer_who_is_too_fast_is_told_when_to_come_again(space, chat):
    Chat.objects.filter(pk=chat).update(pace_at=timezone.now() + BURST)
    answer = space.post(f"chats/{chat}/messages", {"parts": [text("again")], "direction": "inbound"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    send(space, chat, **{"from": BOT})  # our side may


# What is said ---------------------------------------------------------------------------------------------------------


def test_what_came_beside_the_text_is_given_back_as_it_was(space, chat):
    parts = [
        text("one", name="body", size=3),
        {"type": "text/html", "data": "<b>two</b>"},
        {"type": "image/png", "name": "Map", "url": "https://maps.example/1.png", "size": 12},
        {"type": "application/json", "data": '{"card": 1}'},
    ]
    said = {"metadata": {"ticket": 7, "tags": [None, 1.5]}, "alert": {"title": "News", "platforms": {"fcm": {}}}}
    send(space, chat, *parts, **said, **{"from": BOT}, body="ignored", more={"un": "known"})
    event = newest(chat)
    assert event.text == "one\n<b>two</b>"
    assert event.data["links"] == [{"type": "image/png", "name": "Map", "url": "https://maps.example/1.png"}]
    shown = page(space, chat)["messages"][0]
    assert shown["parts"] == parts
    assert {name: shown[name] for name in said} == said


def test_what_was_said_elsewhere_has_parts_too(space, chat, ann):
    row = space.held(chat, ann)
    part = Participant.objects.get(chat=row, agent=ann)
    link = {"type": "video/mp4", "name": "Film", "url": "https://films.example/1"}
    post_message(Post(row.pk, part.pk, "c", "grüß", links=(link,)), now=timezone.now())
    shown = page(space, chat)["messages"][0]
    assert shown["parts"] == [{"name": "body", "type": "text/plain", "data": "grüß", "size": 6}, link]
    assert shown["context"]["sentBy"] == "interactive:ann@example.com"


@cases(
    "said, expected",
    [
        ({"body": "only this"}, "only this"),
        ({"parts": [], "body": "only this"}, "only this"),
        ({"parts": [{"data": "no type"}]}, "no type"),
        ({"parts": [{"type": "application/json", "data": '{"a": 1}'}]}, '{"a": 1}'),
        ({"parts": [text("a", url=None, size="x")], "from": None, "metadata": None, "alert": None}, "a"),
    ],
)
def test_less_than_the_documentation_wants_is_taken(space, chat, said, expected):
    assert space.post(f"chats/{chat}/messages", said).status_code == 200
    assert newest(chat).text == expected


@cases(
    "said",
    [
        {},
        [],
        {"parts": None},
        {"parts": "text"},
        {"parts": ["text"]},
        {"parts": [{}]},
        {"parts": [text("")]},
        {"parts": [text("  \n ")]},
        {"parts": [text(5)]},
        {"parts": [text({"a": 1})]},
        {"parts": [text("x" * 10_001)]},
        {"parts": [text("x" * 6_000), text("x" * 6_000)]},
        {"parts": [text("x")] * 51},
        {"parts": [text("x", name="n" * 201)]},
        {"parts": [text("x", name=["n"])]},
        {"parts": [{"type": "t" * 101, "data": "x"}]},
        {"parts": [{"type": "image/png", "url": "javascript:alert(1)"}]},
        {"parts": [{"type": "image/png", "url": "https://good.example@evil.example/"}]},
        {"parts": [{"type": "image/png", "url": "https://a.example/"}] * 11},
        {"parts": [{"type": "image/png", "data": "not base64!"}]},
        {"parts": [{"type": "image/png", "data": "data:image/png"}]},
        {"parts": [{"type": "image/png", "data": ""}]},
        {"parts": [{"type": "image/png", "data": b64encode(b"no picture").decode(), "name": "a.png"}]},
        {"parts": [{"type": "text/x", "data": b64encode(b"MZ\0\0").decode(), "url": "data:x;base64,TVoAAA=="}] * 60},
        {"parts": [text("x")], "from": "mia"},
        {"parts": [text("x")], "from": {}},
        {"parts": [text("x")], "from": {"profileId": ["a"]}},
        {"parts": [text("x")], "from": {"profileId": "p" * 201}},
        {"parts": [text("x")], "direction": "sideways"},
        {"parts": [text("x")], "isAutomatedSend": "perhaps"},
        {"parts": [text("x")], "alert": "News"},
        {"parts": [text("x")], "metadata": {"much": "x" * 70_000}},
    ],
)
def test_odd_messages_are_refused_and_nothing_is_kept(space, chat, said):
    answer = space.post(f"chats/{chat}/messages", said)
    assert answer.status_code == 400, answer.content
    assert answer.json()["validationFailures"][0].keys() == {"paramName", "message"}
    assert not Event.objects.filter(chat_id=chat, type="message.posted").exists()
    assert not Attachment.objects.exists()


@cases(
    "raw", [b'{"parts":[{"data":"\\u0000"}]}', b'{"parts":[{"data":"\\ud800"}]}', b'{"metadata":1e999}', b"{", b"\xff"]
)
def test_what_no_database_keeps_is_refused(space, chat, raw):
    assert space.post(f"chats/{chat}/messages", raw).status_code == 400


def test_a_chat_that_has_ended_takes_no_more(space, chat, other):
    send(other, chat, status=404)
    close_chat(Chat.objects, UUID(chat), reason=Chat.CloseReason.DONE, now=timezone.now())
    for said in ({"from": BOT}, {"direction": "inbound"}):
        send(space, chat, status=409, **said)
    picture = {"type": "image/png", "data": b64encode(png()).decode()}
    send(space, chat, picture, status=409)
    assert not Attachment.objects.exists()
    assert page(space, chat)["messages"] is not None
    assert space.delete(f"chats/{chat}").status_code == 204
    for path in (f"chats/{chat}/messages", "chats/nonsense/messages", f"chats/{uuid4()}/messages"):
        assert space.post(path, {"parts": [text("x")]}).status_code == 404
        assert space.get(path, limit=1).status_code == 404


# Pages and events -----------------------------------------------------------------------------------------------------


def test_pages_go_back_to_the_beginning_without_gap_or_double(space, chat):
    for number in range(7):
        send(space, chat, text(f"m{number}"), **{"from": BOT})
    seen, start = [], {}
    while True:
        shown = page(space, chat, limit=3, **start)
        seen += [one["parts"][0]["data"] for one in shown["messages"]]
        if shown["earliestEventId"] <= 0:
            break
        start = {"from": shown["earliestEventId"] - 1}
    assert seen == [f"m{number}" for number in range(6, -1, -1)]
    assert page(space, chat, limit=1, **{"from": 10**15})["latestEventId"] == 6
    assert [one["sentEventId"] for one in page(space.basic, chat, limit=2, **{"from": 3})["messages"]] == [3, 2]


def test_reports_whose_message_is_on_another_page_are_orphaned(space, chat):
    app = space.app("mia")
    for _ in range(2):
        send(space, chat, **{"from": BOT})
    mark_read(space.row_of(chat).participants.get(kind="customer"), 99)
    send(app, chat, text("thanks"))
    whole = page(space, chat)
    assert whole["orphanedEvents"] == []
    assert [list(one["statusUpdates"]) for one in whole["messages"]] == [[], ["mia"], ["mia"]]
    assert whole["messages"][1]["statusUpdates"]["mia"]["status"] == "read"
    last = page(space, chat, limit=2)
    first = page(space, chat, limit=1, **{"from": last["earliestEventId"] - 1})
    assert (first["earliestEventId"], first["latestEventId"]) == (0, 0)
    orphans = last["orphanedEvents"]
    assert [one["data"]["name"] for one in orphans] == ["delivered", "read"]
    assert orphans[0]["data"]["payload"] | {"timestamp": ""} == {
        "messageId": first["messages"][0]["id"],
        "chatId": chat,
        "conversationId": "Customer_Services_mia",
        "isPublicConversation": False,
        "profileId": "mia",
        "timestamp": "",
    }
    assert {one["id"] for one in orphans} == {one["data"]["eventId"] for one in orphans}


def test_a_chat_without_messages_has_an_empty_page(space, chat):
    assert page(space, chat) == {"earliestEventId": 0, "latestEventId": 0, "messages": [], "orphanedEvents": []}
    assert space.get(f"chats/{chat}/events", limit=5, **{"from": 0}).json() == []


def test_events_come_in_order_in_both_known_forms(space, chat):
    send(space, chat, text("hi"), metadata={"a": 1}, **{"from": BOT})
    mark_read(space.row_of(chat).participants.get(kind="customer"), 99)
    found = space.get(f"chats/{chat}/events", limit=10, **{"from": 0}).json()
    assert [(one["id"], one["name"]) for one in found] == [
        (0, "chatMessage.sent"),
        (1, "chatMessage.delivered"),
        (2, "chatMessage.read"),
    ]
    sent, delivered, _read = found
    message = page(space, chat)["messages"][0]
    assert sent["payload"] == {
        "messageId": message["id"],
        "metadata": {"a": 1},
        "context": message["context"],
        "parts": message["parts"],
    }
    assert sent["data"] == {"name": "sent", "payload": sent["payload"], "eventId": 0, "profileId": "bot-1"}
    assert delivered["payload"]["profileId"] == "mia"
    assert len({one["eventId"] for one in found}) == 3
    assert space.get(f"chats/{chat}/events", limit=1, **{"from": 1}).json() == [delivered]
    assert space.get(f"chats/{chat}/events", limit=0, **{"from": 0}).json() == []
    assert space.get(f"chats/{chat}/events", limit=10**9, **{"from": 10**15}).json() == []


@cases(
    "path, query",
    [
        *(
            ("messages", query)
            for query in ({}, {"limit": 0}, {"limit": 101}, {"limit": "x"}, {"limit": 1, "from": -1})
        ),
        ("messages", {"limit": 1, "from": "\0"}),
        *(("events", query) for query in ({}, {"limit": 5}, {"from": 0}, {"limit": -1, "from": 0})),
    ],
)
def test_odd_questions_are_refused(space, chat, path, query):
    answer = space.get(f"chats/{chat}/{path}", **query)
    assert answer.status_code == 400
    assert answer.json()["validationFailures"]


def test_a_page_takes_as_many_queries_for_many_messages_as_for_one(space, chat, ann):
    def queries(path, **query):
        space.get(path, **query)  # numbers what is new
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert space.get(path, **query).status_code == 200
        return len(caught)

    row = space.held(chat, ann)
    part = Participant.objects.get(chat=row, agent=ann)
    asked = [(f"chats/{chat}/messages", {"limit": 100}), (f"chats/{chat}/events", {"limit": 100, "from": 0})]
    send(space, chat, direction="inbound")
    send(space, chat, **{"from": BOT})
    few = [queries(path, **query) for path, query in asked]
    for number in range(20):
        post_message(Post(row.pk, part.pk, f"n{number}", "one more"), now=timezone.now() + timedelta(seconds=number))
        send(space, chat, **{"from": BOT})
    assert [queries(path, **query) for path, query in asked] == few


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_who_speak_at_once_each_get_a_number_of_their_own(space, chat):
    app = space.app("mia")

    def work(number):
        try:
            caller, said = [(app, {}), (space, {"from": BOT}), (space.basic, {"direction": "inbound"})][number % 3]
            return send(caller, chat, text(f"m{number}"), **said)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        sent = list(pool.map(work, range(18)))
    assert sorted(one["eventId"] for one in sent) == list(range(18))
    shown = {one["id"]: (one["sentEventId"], one["parts"][0]["data"]) for one in page(space, chat)["messages"]}
    assert shown == {one["id"]: (one["eventId"], f"m{number}") for number, one in enumerate(sent)}
