"""What customers' pages ask, from the request to the end, over HTTP."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from chats.actions.close import close_by_agent, close_chat
from chats.actions.hold import reopen_chat
from chats.actions.start import CUSTOMER_LEASE
from chats.actions.tend import tend_chat
from chats.actions.transfer import leave_chat, transfer_to_team
from chats.models import Chat, Customer, Event, Participant
from contactcenter import longpoll
from contactcenter.models import Team
from tests.cases import cases
from tests.chats.protocols.genesys.conftest import is_error
from tests.compiling import compiled

pytestmark = pytest.mark.django_db
ALL_FOUR = ["SendMessage", "SendStartTypingNotification", "SendStopTypingNotification", "Complete"]


# RequestChat ----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_request_is_answered_with_an_id_and_its_path(shop):
    answer = shop.page.post(
        "chats", {"operationName": "RequestChat", "nickname": "James", "subject": "Question about relativity"}
    )
    said = answer.json()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert list(said) == ["id", "statusCode", "path"]
    assert UUID(said["id"]).version == 4
    assert (said["path"], said["statusCode"]) == (f"/api/v2/chats/{said['id']}", 0)
    assert answer.content.decode().startswith('{\n  "id": "')


@pytest.mark.both
def test_the_chat_waits_for_an_agent_of_the_default_team(shop, acme):
    chat = shop.request("James", "Relativity").row
    assert (chat.state, chat.team, chat.subject) == ("queued", acme.support, "Relativity")
    assert (chat.customer.name, chat.channel) == ("James", shop.registration.channel)
    assert chat.is_foreign


def test_each_request_is_a_customer_and_a_chat_of_its_own(shop):
    first, second = shop.request(), shop.request()
    assert first.id != second.id
    assert Customer.objects.count() == Chat.objects.count() == 2


# Talking --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_whole_chat_as_the_page_sees_it(shop, ann, acme):
    Team.objects.filter(pk=acme.support.pk).update(greeting="Welcome!", closing="Good bye.")
    talk = shop.request("James")
    assert talk.state() == {
        "id": talk.id,
        "state": "WaitingForAgent",
        "capabilities": ALL_FOUR,
        "participants": [
            {"nickname": "James", "participantId": "1", "type": "Customer"},
            {"nickname": "system", "participantId": "2", "type": "External"},
        ],
    }
    talk.say("Hello?")
    talk.held_by(ann)
    talk.typed(ann, True)
    talk.answered(ann, "Hello James")
    assert talk.do("SendStartTypingNotification").json() == {"statusCode": 0}
    assert talk.do("SendStopTypingNotification").json() == {"statusCode": 0}
    talk.say("Bye")
    assert talk.state()["state"] == "Chatting"
    assert talk.do("Complete").json() == {"statusCode": 0}
    assert talk.told() == [
        (1, "ParticipantJoined", "James"),
        (2, "ParticipantJoined", "system"),
        (3, "Text", "system", "Welcome!"),
        (4, "Text", "James", "Hello?"),
        (5, "ParticipantJoined", "Ann"),
        (6, "TypingStarted", "Ann"),
        (7, "TypingStopped", "Ann"),
        (8, "Text", "Ann", "Hello James"),
        (9, "TypingStarted", "James"),
        (10, "TypingStopped", "James"),
        (11, "Text", "James", "Bye"),
        (12, "Text", "system", "Good bye."),
        (13, "ParticipantLeft", "Ann"),
        (14, "ParticipantLeft", "James"),
    ]
    ended = talk.state()
    assert (ended["state"], ended["capabilities"]) == ("Idle", [])
    assert ended["participants"][2] == {"nickname": "Ann", "participantId": "3", "type": "Agent"}
    assert (talk.row.state, talk.row.close_reason) == ("closed", "done")


def test_a_message_says_who_in_texts_alone(shop, ann):
    talk = shop.request().held_by(ann)
    talk.answered(ann, "Hi")
    assert talk.messages("index=4") == [
        {"from": {"nickname": "Ann", "participantId": "3", "type": "Agent"}, "index": 4, "type": "Text", "text": "Hi"}
    ]


def test_a_text_is_kept_as_it_was_sent(shop):
    talk = shop.request()
    for text in ["  two blanks  ", "<b>bold</b>", "Grüße 🙂\nnext", "x" * 10_000, '{"a":1}', "مرحبا"]:
        talk.say(text)
        assert talk.messages()[-1]["text"] == text
    assert Event.objects.filter(type="message.posted").count() == 6


def test_the_same_text_twice_is_two_messages(shop):
    talk = shop.request()
    talk.say("Hello")
    talk.say("Hello")
    assert [one[3] for one in talk.told() if one[1] == "Text"] == ["Hello", "Hello"]


@cases(
    ("parameters", "status", "code"),
    [
        ({}, 400, 1),
        ({"text": None}, 400, 1),
        ({"text": ""}, 400, 1),
        ({"text": "  \n"}, 400, 10),
        ({"text": 5}, 400, 10),
        ({"text": ["a"]}, 400, 10),
        ({"text": {"a": 1}}, 400, 10),
        ({"text": True}, 400, 10),
        ({"text": "x" * 10_001}, 413, 10),
    ],
)
def test_what_is_no_message_is_refused(shop, parameters, status, code):
    talk = shop.request()
    assert is_error(talk.do("SendMessage", **parameters), status, code)
    assert len(talk.told()) == 2


def test_who_writes_too_fast_is_told_to_wait(shop):
    talk = shop.request()
    Chat.objects.filter(pk=talk.row.pk).update(pace_at=timezone.now() + timedelta(hours=1))
    answer = talk.do("SendMessage", text="Hello")
    assert is_error(answer, 429, 3)
    assert int(answer["Retry-After"]) > 60
    assert len(talk.told()) == 2


@pytest.mark.both
def test_staff_see_what_the_customer_types(shop, monkeypatch):
    heard = []
    monkeypatch.setattr("chats.live.listen.hub.announce_all", heard.extend)
    talk = shop.request()
    talk.do("SendStartTypingNotification", text="Wher")
    staff = [payload for topic, payload in heard if topic == f"staff:{talk.row.pk}" and payload.get("what") == "typing"]
    assert (staff[0]["data"]["active"], staff[0]["data"]["text"]) == (True, "Wher")


def test_a_preview_that_is_no_text_is_refused(shop):
    talk = shop.request()
    assert is_error(talk.do("SendStartTypingNotification", text={"a": 1}), 400, 10)
    assert len(talk.told()) == 2


# The end --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
@cases("operation", ["SendMessage", *ALL_FOUR[1:]])
def test_nothing_is_done_in_a_chat_that_has_ended(shop, operation):
    talk = shop.request()
    talk.do("Complete")
    before = talk.told()
    assert before[-1] == (3, "ParticipantLeft", "Mia")
    assert is_error(talk.do(operation, text="Hello?"), 400, 2)
    assert talk.told() == before


def test_an_agent_who_completes_ends_it_for_the_customer_too(shop, ann):
    talk = shop.request().held_by(ann)
    close_by_agent(ann, talk.row.pk, now=timezone.now())
    assert talk.told()[-2:] == [(4, "ParticipantLeft", "Ann"), (5, "ParticipantLeft", "Mia")]
    assert talk.state()["state"] == "Idle"


def test_a_chat_that_nobody_answered_ends_with_a_sentence_of_the_system(shop, acme):
    Team.objects.filter(pk=acme.support.pk).update(mode="direct", on_nobody="close", closing="Write to us.")
    talk = shop.request()
    tend_chat(talk.row.pk, now=timezone.now() + timedelta(seconds=61))
    assert talk.told()[2:] == [
        (3, "Text", "system", "Nobody is free at the moment."),
        (4, "Text", "system", "Write to us."),
        (5, "ParticipantLeft", "Mia"),
    ]


def test_an_agent_who_reopens_the_chat_brings_the_customer_back(shop, ann):
    talk = shop.request().held_by(ann)
    talk.do("Complete")
    reopen_chat(ann, talk.row.pk, now=timezone.now())
    assert talk.told()[5:] == [(6, "ParticipantJoined", "Mia"), (7, "ParticipantJoined", "Ann")]
    assert (talk.state()["state"], talk.state()["capabilities"]) == ("Chatting", ALL_FOUR)


# Agents come and go ---------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_after_a_transfer_another_agent_joins(shop, ann, bob, acme):
    talk = shop.request(endpoint="sales").held_by(ann)
    transfer_to_team(ann, talk.row.pk, acme.support, now=timezone.now())
    assert talk.state()["state"] == "WaitingForAgent"
    talk.held_by(bob)
    assert talk.told()[2:] == [
        (3, "ParticipantJoined", "Ann"),
        (4, "ParticipantLeft", "Ann"),
        (5, "ParticipantJoined", "Bob"),
    ]
    names = {one["nickname"]: one["participantId"] for one in talk.state()["participants"]}
    assert names == {"Mia": "1", "system": "2", "Ann": "3", "Bob": "4"}


def test_an_agent_who_comes_back_is_the_same_participant(shop, ann):
    talk = shop.request().held_by(ann)
    leave_chat(ann, talk.row.pk, now=timezone.now())
    talk.held_by(ann)
    assert [one["from"]["participantId"] for one in talk.messages("index=3")] == ["3", "3", "3"]


# Being there ----------------------------------------------------------------------------------------------------------


def lease(talk):
    return Participant.objects.get(chat=talk.row, kind="customer").lease_until


@pytest.mark.both
@cases("path", ["chats/{id}", "chats/{id}/messages", "me/chat/{id}", "me/chats/{id}/messages"])
def test_who_polls_is_there(shop, path):
    talk = shop.request()
    Participant.objects.filter(chat=talk.row).update(lease_until=timezone.now())
    before = timezone.now()
    shop.page.get(path.replace("{id}", talk.id))
    assert lease(talk) >= before + CUSTOMER_LEASE


def test_who_polls_each_second_writes_no_row_each_second(shop):
    talk = shop.request()
    before = lease(talk)
    talk.messages()
    assert lease(talk) == before


def test_who_stops_polling_is_reminded_by_the_system_and_then_goes_idle(shop, ann, acme):
    Team.objects.filter(pk=acme.support.pk).update(away_reminder_seconds=60, away_close_seconds=300)
    talk = shop.request().held_by(ann)
    gone_at = lease(talk)
    for seconds in (60, 300):
        at = gone_at + timedelta(seconds=seconds + 1)
        Chat.objects.filter(pk=talk.row.pk).update(due_at=at)
        tend_chat(talk.row.pk, now=at)
    assert talk.told()[3:] == [
        (4, "Text", "system", "Are you still there?"),
        (5, "ParticipantLeft", "Ann"),
        (6, "ParticipantLeft", "Mia"),
    ]
    assert talk.state()["state"] == "Idle"
    assert talk.row.close_reason == "customer_left"


@cases("path", ["chats/{id}", "chats/{id}/messages", "chats/{id}/messages?index=9"])
def test_a_poll_that_has_nothing_new_asks_one_question(shop, path, django_assert_num_queries):
    talk = shop.request()
    talk.messages()
    page = shop.page
    with django_assert_num_queries(1):
        page.get(path.replace("{id}", talk.id))


def test_a_chat_that_has_ended_renews_no_lease(shop):
    talk = shop.request()
    close_chat(Chat.objects, talk.row.pk, reason="operator", now=timezone.now())
    Participant.objects.filter(chat=talk.row).update(lease_until=None)
    talk.messages()
    assert lease(talk) is None


# Addresses ------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_all_addresses_of_a_chat_answer_alike_with_and_without_a_slash(shop, ann):
    talk = shop.request().held_by(ann)
    one = {
        shop.page.get(f"{path}/{talk.id}{end}").content
        for path in ("chats", "me/chat", "me/chats")
        for end in ("", "/")
    }
    assert len(one) == 1
    paths = [
        f"{path}/{talk.id}/messages{end}?index=0" for path in ("chats", "me/chat", "me/chats") for end in ("", "/")
    ]
    assert len({shop.page.get(path).content for path in paths}) == 1
    body = {"operationName": "RequestChat", "nickname": "Mia", "subject": "x"}
    assert shop.page.post("chats/", body).status_code == 200
    assert shop.page.post(f"chats/{talk.id}/", {"operationName": "SendMessage", "text": "Hi"}).status_code == 200


# Waiting for an answer ------------------------------------------------------------------------------------------------


def test_an_empty_answer_may_be_held_back(shop):
    talk = shop.request()
    path = f"chats/{talk.id}/messages"
    assert longpoll.HEADER not in shop.page.get(f"{path}?wait=20")  # there was something
    held = shop.page.get(f"{path}?wait=20")
    assert held[longpoll.HEADER] == f"customer:{talk.row.pk};20"
    assert held.json() == {"messages": [], "statusCode": 0}
    assert shop.page.get(f"{path}?wait=600&index=9")[longpoll.HEADER].endswith(";25")
    for odd in ["", "0", "-1", "x", "nan", "inf", "1e999", "[]"]:
        assert longpoll.HEADER not in shop.page.get(f"{path}?wait={odd}"), odd


def test_nothing_is_held_back_in_a_chat_that_has_ended(shop):
    talk = shop.request()
    talk.do("Complete")
    talk.messages()
    assert longpoll.HEADER not in shop.page.get(f"chats/{talk.id}/messages?wait=20")


def test_the_later_rounds_of_a_wait_are_no_signs_of_life(shop):
    talk = shop.request()
    Participant.objects.filter(chat=talk.row).update(lease_until=None)
    shop.page.get(f"chats/{talk.id}/messages", X_Long_Poll_Round="1")
    assert lease(talk) is None


@cases("what", ["customer's text", "agent's text", "typing"])
def test_a_wait_ends_with_every_kind_of_line(shop, ann, monkeypatch, django_capture_on_commit_callbacks, what):
    heard = []
    monkeypatch.setattr("chats.live.hub.is_wanted", lambda topic: True)
    monkeypatch.setattr("chats.live.hub.announce_all", heard.extend)
    talk = shop.request().held_by(ann)
    with django_capture_on_commit_callbacks(execute=True):
        if what == "typing":
            talk.typed(ann, True)
        elif what == "agent's text":
            talk.answered(ann, "Hi")
        else:
            talk.say("Hi")
    # A whisper wakes nobody: the edge waits for events and hints.
    assert {said["kind"] for topic, said in heard if topic == f"customer:{talk.row.pk}"} & {"event", "hint"}


@pytest.mark.both
def test_a_message_and_an_empty_poll_compile_no_query(shop):
    talk = shop.request()
    talk.say("One")
    shop.page.get(f"chats/{talk.id}/messages?index=100")
    with compiled() as texts:
        talk.say("Two")
        shop.page.get(f"chats/{talk.id}/messages?index=100")
    assert texts == []
