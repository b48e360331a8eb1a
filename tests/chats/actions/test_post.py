"""Posting: numbers, replays, refusals, each item for itself."""

from datetime import timedelta

import pytest

from chats.actions.close import close_by_customer
from chats.actions.locking import seat_in_chat
from chats.actions.post import Post, Posted, post_message, post_messages
from chats.errors import Closed, Conflict, Forbidden, Invalid, NotFound, TooLarge, TooMany
from chats.models import Chat, Event
from tests.conftest import make_chat, make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def post(where, sender, text="Hello", client_id="c1", **more):
    return Post(where.pk, sender.pk, client_id, text, **more)


def test_a_message_gets_the_next_numbers_and_moves_the_head(acme, ann, now):
    held = make_held_chat(acme, ann, now)
    before = Chat.objects.get(pk=held.chat.pk)
    posted = post_message(post(held.chat, held.customer), now=now)
    after = Chat.objects.get(pk=held.chat.pk)
    assert (posted.position, posted.index) == (before.position + 1, before.index + 1)
    assert (after.position, after.index, after.unread) == (posted.position, posted.index, before.unread + 1)
    assert (after.last_text, after.last_sender_kind, after.last_customer_at) == ("Hello", "customer", now)
    event = Event.objects.get(chat=held.chat, position=posted.position)
    assert (event.type, event.text, event.sender_kind, event.sender_name) == (
        "message.posted",
        "Hello",
        "customer",
        "Mia",
    )


def test_a_retry_gets_the_first_answer_and_stores_nothing(acme, now):
    started = make_chat(acme, now)
    first = post_message(post(started.chat, started.participant), now=now)
    again = post_message(post(started.chat, started.participant), now=now + timedelta(seconds=9))
    assert again == Posted(first.chat_id, "c1", first.position, first.index, now, replayed=True)
    assert Event.objects.filter(chat=started.chat, client_id="c1").count() == 1


def test_the_same_id_with_another_body_is_refused(acme, now):
    started = make_chat(acme, now)
    post_message(post(started.chat, started.participant), now=now)
    with pytest.raises(Conflict):
        post_message(post(started.chat, started.participant, text="Other"), now=now)


def test_a_batch_folds_repeats_keeps_order_and_refuses_item_by_item(acme, ann, now):
    held = make_held_chat(acme, ann, now)
    other = make_chat(acme, now)
    outcomes = post_messages(
        [
            post(held.chat, held.customer, "1", "a"),
            post(held.chat, held.agent, "2", "b"),
            post(held.chat, held.customer, "1", "a"),
            post(held.chat, held.customer, "", "d"),
            post(other.chat, held.customer, "stranger in this chat", "e"),
            post(other.chat, other.participant, "\x00", "f"),
            post(other.chat, other.participant, "x" * 10_001, "g"),
            post(held.chat, held.agent, "secret", "h", is_note=True),
            post(held.chat, held.customer, "secret", "i", is_note=True),
            post(other.chat, other.participant, "3", "j"),
        ],
        now=now,
    )
    kinds = [outcome.index if isinstance(outcome, Posted) else type(outcome) for outcome in outcomes]
    head = outcomes[0].index
    assert kinds[:3] == [head, head + 1, head]
    assert kinds[3:9] == [Invalid, NotFound, Invalid, TooLarge, None, Forbidden]
    assert outcomes[2].replayed
    assert isinstance(outcomes[9], Posted)
    positions = list(Event.objects.filter(chat=held.chat).values_list("position", flat=True))
    assert positions == list(range(1, len(positions) + 1))


def test_a_note_is_seen_by_staff_alone(acme, ann, now):
    held = make_held_chat(acme, ann, now)
    posted = post_message(post(held.chat, held.agent, "careful", is_note=True), now=now)
    assert posted.index is None
    assert "careful" not in [event.text for event in held.chat.events.public()]
    assert Chat.objects.get(pk=held.chat.pk).last_text != "careful"


def test_a_closed_chat_takes_no_message(acme, now):
    started = make_chat(acme, now)
    close_by_customer(started.participant, now=now)
    with pytest.raises(Closed):
        post_message(post(started.chat, started.participant), now=now)


def test_an_agent_writes_only_where_the_chat_is_theirs(acme, ann, bob, now):
    held = make_held_chat(acme, ann, now)
    with pytest.raises(Forbidden):
        post_message(post(held.chat, seat_in_chat(held.chat, bob)), now=now)


def test_sixty_messages_a_minute_and_no_more(acme, now):
    started = make_chat(acme, now)
    for n in range(60):
        post_message(post(started.chat, started.participant, "x", f"c{n}"), now=now)
    with pytest.raises(TooMany) as refused:
        post_message(post(started.chat, started.participant, "x", "late"), now=now)
    assert 0 < refused.value.retry_after <= 1
    post_message(post(started.chat, started.participant, "x", "late"), now=now + timedelta(seconds=1))
