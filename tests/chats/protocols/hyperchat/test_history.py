"""The history over HyperChat: as JSON, as CSV, imported."""

import csv
import io
from datetime import timedelta

import pytest

from chats.actions.close import close_chat
from chats.actions.history import MOST_IMPORTS
from chats.actions.post import Post, post_message
from chats.models import Chat, Event
from chats.protocols.hyperchat.history import as_csv
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import online

pytestmark = pytest.mark.django_db

WIDGETS = [
    {"sender": "assistant", "type": "text", "message": "How can I help?", "created": 1700000000},
    {"sender": "user", "type": "text", "message": "I want an agent", "created": "1700000005"},
    {"sender": "assistant", "type": "object", "message": '{"message":"Which?","options":[{"label":"A"},{"label":"B"}]}', "created": 1700000010000},
]  # fmt: skip


@pytest.fixture
def talk(direct, ann, now):
    user = direct.user("Mia")
    chat = direct.held_chat(online(ann, now), user.foreign, text="Hello")
    seat = chat.participants.get(agent=ann)
    post_message(Post(chat.pk, seat.pk, "n", "a private note", is_note=True), now=now)
    post_message(Post(chat.pk, seat.pk, "m", "Good day", ()), now=now)
    return chat, user


@pytest.mark.both
def test_the_history_is_what_the_customer_may_see(direct, talk, ann):
    chat, user = talk
    found = direct.server.get(f"chats/{chat.pk}/history").json()["history"]
    assert [(one["type"], one["sender"], one["senderName"], one["message"]) for one in found] == [
        ("text", str(chat.customer_id), "Mia", "Hello"),
        ("event", str(ann.pk), "Ann", "Ann joined the chat."),
        ("text", str(ann.pk), "Ann", "Good day"),
    ]
    assert direct.as_user(user.token).get(f"chats/{chat.pk}/history?format=json").json()["history"] == found
    assert all(isinstance(one["created"], int) for one in found)


def test_the_history_is_read_after_the_end_with_the_old_token(direct, talk, now):
    chat, user = talk
    close_chat(Chat.objects, chat.pk, reason="done", now=now)
    found = direct.as_user(user.token).get(f"chats/{chat.pk}/history").json()["history"]
    assert (found[-1]["type"], found[-1]["event"], found[-1]["message"]) == ("event", "chat.closed", "The chat ended.")


def test_what_happened_is_told_in_the_chats_language(direct, talk):
    chat = talk[0]
    Chat.objects.filter(pk=chat.pk).update(language="de")
    found = direct.server.get(f"chats/{chat.pk}/history").json()["history"]
    assert found[1]["message"] != "Ann joined the chat."
    assert "Ann" in found[1]["message"]


@pytest.mark.both
def test_what_a_widget_imports_stands_before_all_else(direct, talk):
    chat, user = talk
    answer = direct.as_user(user.token).post(f"chats/{chat.pk}/history", {"history": WIDGETS})
    assert answer.status_code == 200
    found = answer.json()["history"]
    assert [(one["sender"], one["message"], one["created"]) for one in found[:3]] == [
        ("assistant", "How can I help?", 1700000000),
        (str(chat.customer_id), "I want an agent", 1700000005),
        ("assistant", "Which?\n– A\n– B", 1700000010),
    ]
    assert found[3]["message"] == "Hello"
    assert direct.server.get(f"chats/{chat.pk}/history").json()["history"] == found


def test_the_entries_may_be_the_body_itself(direct, talk):
    chat = talk[0]
    assert direct.server.post(f"chats/{chat.pk}/history", WIDGETS).json()["history"][0]["message"] == "How can I help?"


def test_importing_the_same_twice_changes_nothing(direct, talk):
    chat = talk[0]
    first = direct.server.post(f"chats/{chat.pk}/history", WIDGETS).json()
    assert direct.server.post(f"chats/{chat.pk}/history", WIDGETS).json() == first
    assert chat.events.filter(type="history.imported").count() == 1


def test_an_agent_is_named_by_servers_alone(direct, talk, bob):
    chat, user = talk
    entry = [{"sender": str(bob.pk), "message": "I am Bob"}]
    assert direct.server.post(f"chats/{chat.pk}/history", entry).json()["history"][0]["senderName"] == "Bob"
    direct.as_user(user.token).post(f"chats/{chat.pk}/history", [{**entry[0], "message": "Me too"}])
    kinds = [event.data["entries"][0]["kind"] for event in chat.events.filter(type="history.imported")]
    assert kinds == ["agent", "customer"]


def test_an_agent_of_another_center_is_nobody_here(direct, talk, gil):
    chat = talk[0]
    answer = direct.server.post(f"chats/{chat.pk}/history", [{"sender": str(gil.pk), "message": "x"}])
    assert answer.json()["history"][0]["sender"] == str(chat.customer_id)
    assert "Gil" not in answer.content.decode()


def test_a_closed_chat_takes_no_history(direct, talk, now):
    chat = talk[0]
    close_chat(Chat.objects, chat.pk, reason="done", now=now)
    assert is_error(direct.server.post(f"chats/{chat.pk}/history", WIDGETS), 409)


@cases(
    ("message", "text"),
    [
        ('{"message":"x"}', "x"), ({"message": "x", "options": "none"}, "x"), ({"message": "x", "options": [1, {}, {"label": 2}]}, "x\n– 2"),
        ("{broken", "{broken"), ("[1]", "[1]"), (7, "7"), ({"url": "/media/1"}, "/media/1"), ({"name": "a.pdf", "url": "u"}, "a.pdf"),
        ("x" * 3000, "x" * 2000), ("=1+1", "=1+1"), ("{" * 3000, "{" * 2000),
    ],
)  # fmt: skip
def test_an_object_becomes_lines_and_a_long_text_is_cut(direct, talk, message, text):
    chat = talk[0]
    answer = direct.server.post(f"chats/{chat.pk}/history", [{"sender": "assistant", "message": message}])
    assert answer.json()["history"][0]["message"] == text


@cases(
    "created",
    [None, "", "yesterday", -1, 0, 10**18, "9" * 400, [], {}, True, "1e400", "-inf", 253402300800, 4102444800000],
)
def test_a_time_that_is_none_is_the_chats_start(direct, talk, created):
    chat = talk[0]
    answer = direct.server.post(
        f"chats/{chat.pk}/history", [{"sender": "assistant", "message": "x", "created": created}]
    )
    assert answer.json()["history"][0]["created"] == int(chat.started_at.timestamp())


@cases(
    "body",
    [{}, {"history": None}, {"history": "x"}, {"history": {}}, {"history": [1]}, {"history": [None]}, {"history": [[]]}, 5, "x",
     {"history": [{"sender": {}, "message": "x"}]}, {"history": [{"message": "x" * 30_000}]}, [{"sender": "x" * 201}],
     [{"message": "x"}] * 151, [{"message": {"message": "x" * 30_000}}]],
)  # fmt: skip
def test_an_odd_history_is_refused_whole(direct, talk, body):
    chat = talk[0]
    before = Event.objects.count()
    assert is_error(direct.server.post(f"chats/{chat.pk}/history", body), 400)
    assert Event.objects.count() == before


@cases("body", [[], {"history": []}, [{}], [{"message": ""}], [{"sender": None, "message": None}]])
def test_a_history_without_words_changes_nothing(direct, talk, body):
    chat = talk[0]
    before = Event.objects.count()
    assert direct.server.post(f"chats/{chat.pk}/history", body).status_code == 200
    assert Event.objects.count() == before


# CSV ------------------------------------------------------------------------------------------------------------------


def table(answer):
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8"))))


@pytest.mark.both
def test_the_history_as_csv(direct, talk, ann, now):
    chat = talk[0]
    seat = chat.participants.get(agent=ann)
    post_message(Post(chat.pk, seat.pk, "u", 'Ünïcode, "quotes"\nand lines 😀'), now=now + timedelta(seconds=1))
    answer = direct.server.get(f"chats/{chat.pk}/history?format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="chat-{chat.pk}.csv"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    head, *rows = table(answer)
    assert head == ["created", "sender", "senderName", "type", "message"]
    assert [row[2:] for row in rows] == [
        ["Mia", "text", "Hello"],
        ["Ann", "event", "Ann joined the chat."],
        ["Ann", "text", "Good day"],
        ["Ann", "text", 'Ünïcode, "quotes"\nand lines 😀'],
    ]
    assert rows[0][0].endswith("Z")


@cases("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\n=1", '=HYPERLINK("x")'])
def test_no_cell_is_a_formula(text):
    row = {"created": 0, "sender": text, "senderName": text, "type": "text", "message": text}
    cells = next(csv.reader(io.StringIO(as_csv([row]).partition("\r\n")[2])))
    assert cells == ["1970-01-01T00:00:00Z", f"'{text}", f"'{text}", "text", f"'{text}"]


def test_a_file_is_its_name_in_csv():
    row = {
        "created": 0,
        "sender": "a",
        "senderName": "b",
        "type": "media",
        "message": {"name": "=x.pdf", "url": "/media/1"},
    }
    assert "'=x.pdf" in as_csv([row])


@cases("form", ["xml", "", "%00", "CSV"])
def test_another_format_is_json(direct, talk, form):
    chat = talk[0]
    assert direct.server.get(f"chats/{chat.pk}/history?format={form}").json()["history"]


@cases("accept", ["text/csv", "image/png", "x", "application/xml;q=0.1"])
def test_what_the_client_accepts_does_not_matter(direct, talk, accept):
    chat = talk[0]
    assert direct.server.get(f"chats/{chat.pk}/history", Accept=accept).status_code == 200


@pytest.mark.both
def test_a_chat_takes_only_so_many_imports(direct):
    user = direct.user()
    chat = direct.chat(user.foreign)
    client = direct.as_user(user.token)
    for number in range(MOST_IMPORTS):
        lines = [{"sender": "user", "type": "text", "message": f"line {number}"}]
        assert client.post(f"chats/{chat.pk}/history", {"history": lines}).status_code == 200
    assert is_error(client.post(f"chats/{chat.pk}/history", {"history": WIDGETS}), 409)
    again = client.post(f"chats/{chat.pk}/history", {"history": lines})
    assert again.status_code == 200, "what is there already is no further import"
    assert Event.objects.filter(chat=chat, type="history.imported").count() == MOST_IMPORTS
