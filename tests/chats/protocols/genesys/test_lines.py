"""Our events as lines of a numbering of their own: every event has its row, typing counts, nothing has a hole."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone

from chats.actions.customers import update_customer
from chats.actions.guests import invite_guest, join_as_guest, leave_as_guest
from chats.actions.post import Post, post_message, post_messages
from chats.actions.show import show_typing as whisper_typing
from chats.doors.aside import aside
from chats.events import CustomerUpdated, HistoryImported, NotePosted, RoutingDecided, all_event_types, record
from chats.models import Attachment, Chat, ForeignLine, Participant
from chats.protocols.genesys import lines
from chats.protocols.genesys.lines import TABLE, known_as, show_typing
from tests.conftest import make_chat, make_held_chat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forget() -> None:
    lines._is_ours.cache_clear()


def types(talk):
    return [(one[1], one[2]) for one in talk.told()]


# The table ------------------------------------------------------------------------------------------------------------


def test_every_event_of_the_log_has_its_row():
    assert set(TABLE) == {kind.type for kind in all_event_types()}


def test_only_what_customers_may_see_has_lines():
    silent = {kind.type for kind in all_event_types() if not kind.is_public}
    assert {name for name in silent if TABLE[name] is not lines._silent} == set()


@pytest.mark.both
def test_what_staff_say_among_themselves_takes_no_number(shop, ann, now):
    talk = shop.request().held_by(ann)
    with transaction.atomic():
        chat = Chat.objects.filter(pk=talk.row.pk).locked().get()
        seat = talk.seat(ann)
        record(chat, NotePosted(text="secret"), sender=seat, now=now)
        record(chat, CustomerUpdated(changed={"email": "secret@example.com"}), now=now)
        record(chat, RoutingDecided(team="secret", strategy="secret", chosen=None), now=now)
        record(
            chat, HistoryImported(entries=[{"kind": "bot", "name": "secret", "text": "secret", "at": None}]), now=now
        )
    talk.answered(ann, "Hi")
    assert talk.told("index=4") == [(4, "Text", "Ann", "Hi")]
    assert "secret" not in str(talk.messages("index=0"))


def test_a_file_is_told_by_its_name(shop, ann, now):
    talk = shop.request().held_by(ann)
    seat = talk.seat(ann)
    file = Attachment.objects.create(
        center=talk.row.center,
        chat=talk.row,
        uploader=seat,
        name="bill.pdf",
        content_type="application/pdf",
        size=3,
        file="x",
    )
    post_message(Post(talk.row.pk, seat.pk, "c", "Your bill", (file.pk,)), now=now)
    assert talk.told("index=4") == [(4, "Text", "Ann", "Your bill"), (5, "Text", "Ann", "bill.pdf")]


@pytest.mark.both
def test_guests_join_and_leave_like_agents(shop, ann, bob):
    talk = shop.request().held_by(ann)
    now = timezone.now()
    for _ in range(2):
        invite_guest(ann, talk.row.pk, bob, now=now)
        join_as_guest(bob, talk.row.pk, now=now)
        leave_as_guest(bob, talk.row.pk, now=now)
    invite_guest(ann, talk.row.pk, bob, now=now)
    join_as_guest(bob, talk.row.pk, now=now)
    talk.do("Complete")
    assert types(talk)[3:] == [
        *[("ParticipantJoined", "Bob"), ("ParticipantLeft", "Bob")] * 2,
        ("ParticipantJoined", "Bob"),
        ("ParticipantLeft", "Ann"),
        ("ParticipantLeft", "Bob"),
        ("ParticipantLeft", "Mia"),
    ]
    assert [one["participantId"] for one in talk.state()["participants"]] == ["1", "2", "3", "4"]


# Typing ---------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_only_a_change_of_who_types_is_a_line(shop, ann):
    talk = shop.request().held_by(ann)
    for active in (True, True, False, False, True):
        talk.typed(ann, active)
    assert types(talk)[3:] == [("TypingStarted", "Ann"), ("TypingStopped", "Ann"), ("TypingStarted", "Ann")]


def test_two_may_type_at_once(shop, ann):
    talk = shop.request().held_by(ann)
    talk.typed(ann, True)
    talk.do("SendStartTypingNotification")
    talk.typed(ann, False)
    talk.do("SendStopTypingNotification")
    assert types(talk)[3:] == [
        ("TypingStarted", "Ann"),
        ("TypingStarted", "Mia"),
        ("TypingStopped", "Ann"),
        ("TypingStopped", "Mia"),
    ]


@pytest.mark.both
def test_who_has_said_it_types_no_longer(shop, ann):
    talk = shop.request().held_by(ann)
    talk.typed(ann, True)
    talk.say("Are you there?")
    talk.answered(ann, "Yes")
    talk.typed(ann, False)
    talk.answered(ann, "Here")
    assert [one[1:] for one in talk.told("index=4")] == [
        ("TypingStarted", "Ann"),
        ("Text", "Mia", "Are you there?"),
        ("TypingStopped", "Ann"),
        ("Text", "Ann", "Yes"),
        ("Text", "Ann", "Here"),
    ]


def test_who_leaves_while_typing_begins_anew_later(shop, ann):
    talk = shop.request().held_by(ann)
    talk.do("SendStartTypingNotification")
    talk.do("Complete")
    assert talk.foreign.facts["typing"] == []
    talk.do("SendStopTypingNotification")
    assert types(talk)[-1] == ("ParticipantLeft", "Mia")


def test_whoever_takes_no_part_is_not_seen_typing(shop, ann, bob, now):
    talk = shop.request().held_by(ann)
    noting = Participant.objects.create(center=talk.row.center, chat=talk.row, agent=bob, kind="agent", name="Bob")
    whisper_typing(noting, active=True)
    show_typing(talk.row.pk, sender_kind="agent", sender_id=str(uuid4()), active=True)
    show_typing(uuid4(), sender_kind="agent", sender_id=str(noting.pk), active=True)
    assert len(talk.told()) == 3


def test_in_a_chat_that_has_ended_nobody_types(shop, ann):
    talk = shop.request().held_by(ann)
    talk.do("Complete")
    before = talk.told()
    talk.typed(ann, True)
    assert talk.told() == before


# What it costs --------------------------------------------------------------------------------------------------------


def test_chats_of_other_doors_have_no_lines_and_cost_no_query(acme, ann, shop, now, django_assert_num_queries):
    held = make_held_chat(acme, ann, now)
    event = held.chat.events.last()
    with django_assert_num_queries(0):
        lines.write_records([type("Record", (), {"chat": held.chat, "event": event})()])
    said = {"sender_kind": "agent", "sender_id": str(held.agent.pk)}
    show_typing(held.chat.pk, **said, active=True)
    with django_assert_num_queries(0):
        show_typing(held.chat.pk, **said, active=False)
    assert not ForeignLine.objects.exists()


@pytest.mark.both
def test_a_batch_of_many_chats_numbers_each_for_itself(shop, acme, ann, now):
    talks = [shop.request(f"Mia{number}").held_by(ann) for number in range(2)]
    plain = make_chat(acme, now)
    posts = [Post(plain.chat.pk, plain.participant.pk, "c", "plain")]
    for number in range(3):
        for talk in talks:
            customer = talk.row.participants.get(kind="customer")
            posts.append(Post(talk.row.pk, customer.pk, f"c{number}", f"{number}"))
    with transaction.atomic():
        post_messages(posts, now=now)
    for number, talk in enumerate(talks):
        assert talk.told("index=4") == [(at, "Text", f"Mia{number}", str(at - 4)) for at in (4, 5, 6)]
        assert talk.foreign.head == 6
    assert ForeignLine.objects.count() == 12


def test_what_is_undone_leaves_no_line(shop, now):
    talk = shop.request()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        customer = talk.row.participants.get(kind="customer")
        post_message(Post(talk.row.pk, customer.pk, "c", "gone"), now=now)
        raise ZeroDivisionError
    assert len(talk.told()) == 2
    talk.say("kept")
    assert talk.told("index=3") == [(3, "Text", "Mia", "kept")]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_who_write_and_type_at_once_leave_no_hole(shop, ann):
    with transaction.atomic():
        talk = shop.request().held_by(ann)
    chat_id, seat = talk.row.pk, talk.seat(ann)
    customer = talk.row.participants.get(kind="customer")

    def act(number: int) -> None:
        try:
            if number % 2:
                show_typing(chat_id, sender_kind="agent", sender_id=str(seat.pk), active=number % 4 == 1)
            else:
                post_message(Post(chat_id, customer.pk, f"c{number}", str(number)), now=talk.row.started_at)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(act, range(40)))
    kept = list(ForeignLine.objects.order_by("number").values_list("number", "type"))
    assert [number for number, _ in kept] == list(range(1, len(kept) + 1))
    assert sum(kind == "Text" for _, kind in kept) == 20
    assert talk.foreign.head == len(kept)


@pytest.mark.django_db(transaction=True)
def test_typing_of_sockets_is_written_off_the_event_loop(shop, ann):
    with transaction.atomic():
        talk = shop.request().held_by(ann)
    seat = talk.seat(ann)

    async def whisper() -> None:
        whisper_typing(seat, active=True)

    asyncio.run(whisper())
    aside._thread.submit(int).result(10)  # what was asked before is done by then
    assert types(talk)[3:] == [("TypingStarted", "Ann")]


# Who says it ----------------------------------------------------------------------------------------------------------


def test_a_customer_keeps_the_nickname_whatever_staff_call_them(shop, now):
    talk = shop.request("mia99", userData={"FirstName": "Mia"})
    update_customer(talk.row.customer, {"name": "Mia Miller"}, now=now)
    talk.say("Hi")
    assert talk.told("index=3") == [(3, "Text", "mia99", "Hi")]


def test_a_nickname_of_the_system_or_an_agent_makes_nobody_either(shop, ann):
    talk = shop.request("system").held_by(ann)
    talk.say("I am the system")
    assert talk.messages("index=4")[0]["from"] == {"nickname": "system", "participantId": "1", "type": "Customer"}


def test_facts_of_a_chat_that_begins_name_its_customer():
    assert known_as("James") == {
        "participants": {"Customer": {"nickname": "James", "participantId": "1", "type": "Customer"}}
    }


def test_a_link_is_told_by_its_name(shop, ann, now):
    talk = shop.request().held_by(ann)
    links = (
        {"type": "", "name": "Map", "url": "https://a.example/1"},
        {"type": "", "name": " ", "url": "https://b.example/2"},
    )
    post_message(Post(talk.row.pk, talk.seat(ann).pk, "l", "Here", links=links), now=now)
    assert [one[-1] for one in talk.told("index=0")[-3:]] == ["Here", "Map", "b.example"]
    assert Chat.objects.get(pk=talk.row.pk).last_text == "Here"
    post_message(Post(talk.row.pk, talk.seat(ann).pk, "m", "", links=links), now=now)
    assert Chat.objects.get(pk=talk.row.pk).last_text == "Map, b.example"
