"""Messages over HyperChat: said, read, marked."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from chats.actions.close import close_chat
from chats.actions.post import BURST, Post, post_message
from chats.events import MessagePosted
from chats.models import Chat, Event, Participant
from chats.protocols.hyperchat.shapes import message_id
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.compiling import compiled
from tests.conftest import online

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(direct, ann, now):
    """A chat that Ann has: chat, user (with its token)."""

    class Talk:
        place = direct
        user = direct.user("Mia")
        chat = direct.held_chat(online(ann, now), user.foreign)
        agent = ann
        path = f"chats/{chat.pk}/messages"
        mia = str(user.foreign.customer_id)

    return Talk


def said(chat):
    return list(chat.events.filter(type=MessagePosted.type).values_list("text", flat=True))


@pytest.mark.both
def test_a_message_is_said_for_the_customer(talk):
    body = {"chatId": str(talk.chat.pk), "sender": talk.mia, "message": "Hello"}
    answer = talk.place.server.post(talk.path, body)
    event = talk.chat.events.get(type=MessagePosted.type)
    assert answer.status_code == 200
    assert answer.json() == {
        "message": {
            "id": message_id(talk.chat.pk, event.index),
            "chat": str(talk.chat.pk),
            "sender": talk.mia,
            "type": "text",
            "message": "Hello",
            "created": int(event.at.timestamp()),
            "read": [],
        }
    }
    assert event.sender.kind == Participant.Kind.CUSTOMER


def test_a_message_is_said_for_the_agent_that_has_the_chat(talk):
    answer = talk.place.server.post(talk.path, {"sender": str(talk.agent.pk), "message": "Hi"})
    assert answer.json()["message"]["sender"] == str(talk.agent.pk)


def test_an_agent_that_does_not_have_the_chat_says_nothing(talk, bob):
    assert is_error(talk.place.server.post(talk.path, {"sender": str(bob.pk), "message": "Hi"}), 403)
    talk.place.server.put(f"chats/{talk.chat.pk}/leave", {"userId": str(talk.agent.pk)})
    assert is_error(talk.place.server.post(talk.path, {"sender": str(talk.agent.pk), "message": "Hi"}), 403)
    assert said(talk.chat) == []


def test_the_system_speaks_for_servers_alone(talk):
    answer = talk.place.server.post(talk.path, {"sender": "system", "message": "One moment"})
    assert answer.json()["message"]["sender"] == "system"
    assert is_error(talk.place.as_user(talk.user.token).post(talk.path, {"sender": "system", "message": "Boo"}), 403)
    assert said(talk.chat) == ["One moment"]


def test_a_customer_speaks_before_an_agent_is_there(queued):
    user = queued.user()
    chat = queued.chat(user.foreign)
    answer = queued.server.post(f"chats/{chat.pk}/messages", {"sender": str(user.foreign.customer_id), "message": "Hi"})
    assert answer.json()["message"]["message"] == "Hi"


def test_a_token_speaks_for_its_own_user_alone(talk, bob):
    mia, ann = talk.place.as_user(talk.user.token), talk.place.as_agent(talk.agent)
    assert mia.post(talk.path, {"message": "I"}).json()["message"]["sender"] == talk.mia
    assert ann.post(talk.path, {"message": "you"}).json()["message"]["sender"] == str(talk.agent.pk)
    assert is_error(mia.post(talk.path, {"sender": str(talk.agent.pk), "message": "x"}), 403)
    assert is_error(ann.post(talk.path, {"sender": talk.mia, "message": "x"}), 403)
    assert is_error(talk.place.page.post(talk.path, {"sender": talk.mia, "message": "x"}), 403)
    assert said(talk.chat) == ["I", "you"]


@pytest.mark.both
def test_a_repeat_with_the_same_client_id_is_harmless(talk):
    body = {"sender": talk.mia, "message": "Hello", "clientId": "c-1"}
    first = talk.place.server.post(talk.path, body).json()
    assert talk.place.server.post(talk.path, body).json() == first
    assert is_error(talk.place.server.post(talk.path, {**body, "message": "Other"}), 409)
    assert said(talk.chat) == ["Hello"]


def test_without_a_client_id_everything_is_said_anew(talk):
    for _ in range(2):
        talk.place.server.post(talk.path, {"sender": talk.mia, "message": "ok"})
    assert said(talk.chat) == ["ok", "ok"]


@cases("text", ["", " ", "\n\t", None])
def test_an_empty_message_is_refused(talk, text):
    for sender in (talk.mia, "system", str(talk.agent.pk)):
        assert is_error(talk.place.server.post(talk.path, {"sender": sender, "message": text}), 400)
    assert said(talk.chat) == []


def test_a_message_beyond_our_limit_is_refused(talk):
    assert is_error(talk.place.server.post(talk.path, {"sender": talk.mia, "message": "x" * 10_001}), 413)
    assert talk.place.server.post(talk.path, {"sender": talk.mia, "message": "x" * 10_000}).status_code == 200


@cases("text", ["  kept as it is  \n", "<b>&amp;</b>", "=1+1", "😀", "٣", "12"])
def test_a_text_is_kept_as_it_was_sent(talk, text):
    assert talk.place.server.post(talk.path, {"sender": talk.mia, "message": text}).json()["message"]["message"] == text


def test_a_number_is_a_text(talk):
    assert talk.place.server.post(talk.path, {"sender": talk.mia, "message": 42}).json()["message"]["message"] == "42"


@cases("other", [str(uuid4()), "x", 5])
def test_a_body_that_names_another_chat_is_refused(talk, other):
    assert is_error(talk.place.server.post(talk.path, {"chatId": other, "sender": talk.mia, "message": "x"}), 400)


def test_a_closed_chat_takes_no_message(talk, now):
    close_chat(Chat.objects, talk.chat.pk, reason="done", now=now)
    for sender in (talk.mia, "system", str(talk.agent.pk)):
        assert is_error(talk.place.server.post(talk.path, {"sender": sender, "message": "x"}), 409)


def test_who_writes_too_fast_is_told_when_to_come_again(talk):
    Chat.objects.filter(pk=talk.chat.pk).update(pace_at=timezone.now() + BURST + timedelta(seconds=30))
    answer = talk.place.server.post(talk.path, {"sender": talk.mia, "message": "x"})
    assert is_error(answer, 429)
    assert int(answer["Retry-After"]) >= 1


def test_a_user_of_another_chat_or_application_says_nothing(talk, queued, foreign):
    other = talk.place.chat()
    assert is_error(talk.place.server.post(talk.path, {"sender": str(other.customer_id), "message": "x"}), 403)
    for stranger in (queued.user(), foreign.user()):
        body = {"sender": str(stranger.foreign.customer_id), "message": "x"}
        assert is_error(talk.place.server.post(talk.path, body), 404)
    assert is_error(talk.place.server.post(talk.path, {"message": "x"}), 400)


# Read -----------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_messages_are_read_in_their_order_without_what_is_for_staff_alone(talk, now):
    server = talk.place.server
    server.post(talk.path, {"sender": talk.mia, "message": "one"})
    seat = talk.chat.participants.get(agent=talk.agent)
    post_message(Post(talk.chat.pk, seat.pk, "n", "a private note", is_note=True), now=now)
    server.post(talk.path, {"sender": str(talk.agent.pk), "message": "two"})
    found = server.get(talk.path).json()["messages"]
    assert [(one["sender"], one["message"]) for one in found] == [(talk.mia, "one"), (str(talk.agent.pk), "two")]
    assert talk.place.as_user(talk.user.token).get(talk.path).json()["messages"] == found


def test_words_of_the_team_are_the_systems(direct):
    direct.team.greeting = "Welcome"
    direct.team.save()
    chat = direct.chat()
    found = direct.server.get(f"chats/{chat.pk}/messages").json()["messages"]
    assert [(one["sender"], one["message"]) for one in found] == [("system", "Welcome")]


def test_messages_are_read_after_the_end(talk, now):
    talk.place.server.post(talk.path, {"sender": talk.mia, "message": "one"})
    close_chat(Chat.objects, talk.chat.pk, reason="done", now=now)
    assert len(talk.place.server.get(talk.path).json()["messages"]) == 1


@pytest.mark.both
def test_a_message_is_marked_as_read_with_all_before_it(talk):
    server = talk.place.server
    first, second = [
        server.post(talk.path, {"sender": talk.mia, "message": text}).json()["message"]["id"] for text in ("one", "two")
    ]
    answer = server.put(f"messages/{second}/read", {"userId": str(talk.agent.pk)}).json()
    assert answer["user"]["id"] == str(talk.agent.pk)
    assert answer["message"] | {"read": []} == {**answer["message"], "id": second, "read": []}
    assert answer["message"]["read"] == [str(talk.agent.pk)]
    marks = {one["id"]: one["read"] for one in server.get(talk.path).json()["messages"]}
    assert marks == {first: [str(talk.agent.pk)], second: [str(talk.agent.pk)]}
    assert Chat.objects.get(pk=talk.chat.pk).unread == 0


def test_a_reader_never_goes_back(talk):
    server = talk.place.server
    ids = [
        server.post(talk.path, {"sender": str(talk.agent.pk), "message": text}).json()["message"]["id"]
        for text in ("one", "two")
    ]
    own = talk.place.as_user(talk.user.token)
    own.put(f"messages/{ids[1]}/read")
    own.put(f"messages/{ids[0]}/read", {"user": talk.mia})
    assert [one["read"] for one in server.get(talk.path).json()["messages"]] == [[talk.mia], [talk.mia]]


@cases(
    "odd",
    ["x", "0", "-", "{chat}-0", "{chat}-99", "{chat}-1", "{chat}-999999999999", "{chat}-٣", "{chat}-", "{chat}", "{chat}-2.x",
     "{chat}-1e1", "%00", "a" * 100, "{other}-1"],
)  # fmt: skip
def test_what_is_no_message_is_not_read(talk, foreign, odd):
    other = foreign.chat(text="Hello")
    odd = odd.replace("{chat}", talk.chat.pk.hex).replace("{other}", other.pk.hex)
    assert is_error(talk.place.server.put(f"messages/{odd}/read", {"userId": str(talk.agent.pk)}), 404)
    assert not Participant.objects.filter(read_index__gt=0).exists()


def test_who_is_not_in_the_chat_reads_nothing(talk, bob):
    sent = talk.place.server.post(talk.path, {"sender": talk.mia, "message": "one"}).json()["message"]["id"]
    assert is_error(talk.place.server.put(f"messages/{sent}/read", {"userId": str(bob.pk)}), 403)
    assert is_error(talk.place.server.put(f"messages/{sent}/read"), 400)
    assert is_error(talk.place.as_user(talk.user.token).put(f"messages/{sent}/read", {"userId": str(bob.pk)}), 403)


# Odd bodies -----------------------------------------------------------------------------------------------------------

BODIES = [
    b"null", b"[]", b"0", b'"text"', b"true", b"{", b"}", b"{'a':1}", b"[1,", b"NaN", b"Infinity", b"\xff\xfe", b"\x80abc",
    b'{"sender":"{mia}","message":NaN}', b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 30 + b"1" + b"}" * 30,
    b'{"sender":"{mia}","message":"\\ud800"}', b'{"sender":"{mia}","message":"a\\u0000b"}', b'{"sender":"{mia}","message":"a\\u0000"}',
    b'{"sender":"{mia}","message":1e999}', b'{"sender":"{mia}","message":' + b"9" * 5000 + b"}", b'{"sender":"{mia}","message":{}}',
    b'{"sender":"{mia}","message":[]}', b'{"sender":"{mia}","message":{"url":"/media/1"}}', b'{"sender":"{mia}","message":true}',
    b'{"sender":"{mia}"}', b'{"sender":[],"message":"x"}', b'{"sender":{"id":"{mia}"},"message":"x"}', b'{"sender":null,"message":"x"}',
    b'{"sender":"","message":"x"}', b'{"sender":"\\u0000","message":"x"}', b'{"sender":"' + b"x" * 101 + b'","message":"x"}',
    b'{"sender":"{mia}","message":"x","clientId":[]}', b'{"sender":"{mia}","message":"x","clientId":"' + b"c" * 65 + b'"}',
    b'{"sender":"{mia}","message":"x","clientId":"\\u0000"}', b'{"sender":"{mia}","message":"x","chatId":{}}', b'{"\\ud800":1}',
    b"\xef\xbb\xbf{}", b'{"sender":"{mia}","message":"x"} trailing', b"<xml/>", b"sender=1&message=2",
]  # fmt: skip


@cases("number", range(len(BODIES)))
def test_a_message_with_a_broken_body_is_refused(talk, number):
    body = BODIES[number].replace(b"{mia}", talk.mia.encode())
    before = Event.objects.count()
    for caller in (talk.place.server, talk.place.as_user(talk.user.token)):
        answer = caller.call("POST", talk.path, body)
        # Without a sender a token speaks for itself; then the text is what is wrong, or nothing is.
        if answer.status_code == 200:
            assert caller is not talk.place.server
            assert b"{" in body
            before += 1
            continue
        assert answer.status_code in (400, 403, 404, 413), answer.content
        assert is_error(answer, answer.status_code)
        assert b"Traceback" not in answer.content
    assert Event.objects.count() == before


@cases("kind", ["text/plain", "application/xml", "", "x", "application/json; charset=latin1", "image/png"])
def test_json_is_read_whatever_the_content_type_says(talk, kind):
    caller = talk.place.server
    body = f'{{"sender":"{talk.mia}","message":"Hello"}}'
    answer = caller.client.generic("POST", f"/v1/{talk.path}", body, content_type=kind, headers=caller.headers)
    assert answer.json()["message"]["message"] == "Hello"


def test_a_form_is_a_body_too(talk):
    answer = talk.place.server.upload(talk.path, sender=talk.mia, message="Hello")
    assert answer.json()["message"]["message"] == "Hello"


@cases("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "X" * 50])
def test_another_method_is_refused(talk, method):
    answer = talk.place.server.call(method, talk.path)
    assert is_error(answer, 405)
    assert "POST" in answer["Allow"]
    assert said(talk.chat) == []


@pytest.mark.both
def test_a_message_compiles_no_query(talk):
    mia = talk.place.as_user(talk.user.token)
    for said in ("One", "Two"):
        with compiled() as texts:
            assert mia.post(talk.path, {"message": said}).status_code == 200
            assert talk.place.server.post(talk.path, {"sender": talk.mia, "message": said}).status_code == 200
    assert texts == []
