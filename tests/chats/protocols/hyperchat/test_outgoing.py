"""What HyperChat's web hooks are told: the exact body of every trigger, to whom, in which order."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from chats.actions.close import close_by_agent, close_by_customer, close_chat
from chats.actions.hold import pick_chat, reopen_chat
from chats.actions.offer import accept_invitation, decline_invitation, offer_chat
from chats.actions.post import Post, post_message
from chats.actions.search import begin_search
from chats.actions.tend import tend_chat
from chats.actions.transfer import leave_chat, transfer_to_team
from chats.events import all_event_types
from chats.files.store import store_attachment
from chats.models import Chat, Customer, Delivery, Event, ForeignCustomer, Invitation
from chats.protocols.hyperchat.outgoing import WORDS, speak
from chats.protocols.hyperchat.shapes import message_id, message_shapes
from chats.routing.search import search_agent
from contactcenter.models import Team
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import make_hook, make_place
from tests.conftest import make_chat, online

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def cast(direct, ann, bob, now):
    """Ann is there, and one web hook of `direct` hears all."""
    online(ann, now)
    return SimpleNamespace(place=direct, hook=make_hook(direct), ann=ann, bob=bob)


def told(chat: Chat | None = None) -> list[tuple[str, Any]]:
    """(trigger, data) of all that was filed, in its order."""
    filed = Delivery.objects.order_by("number")
    return [(one.event, one.payload["data"]) for one in (filed.filter(chat=chat) if chat else filed)]


def since(count: int) -> list[tuple[str, Any]]:
    return told()[count:]


def offered(chat: Chat, agent: Any, now: datetime) -> Invitation:
    with transaction.atomic():
        return offer_chat(Chat.objects.locked().get(pk=chat.pk), agent, reason="test", now=now)


def said(chat: Chat, text: str, agent: Any = None, files: tuple[Any, ...] = ()) -> Event:
    sender = chat.participants.get(agent=agent)
    posted = post_message(Post(chat.pk, sender.pk, f"c-{text}", text, tuple(files)), now=timezone.now())
    return Event.objects.get(chat=chat, position=posted.position)


# The table ------------------------------------------------------------------------------------------------------------


def test_every_event_has_a_row_and_no_row_is_of_no_event():
    assert set(WORDS) == {kind.type for kind in all_event_types()}


# Bodies ---------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_call_names_trigger_application_data_and_time(cast, now):
    chat = cast.place.chat(facts={"source": 3}, language="de", external_id="T-7")
    delivery = Delivery.objects.get()
    assert (delivery.webhook, delivery.chat_id, delivery.event) == (cast.hook, chat.pk, "chats:create")
    assert delivery.payload == {
        "trigger": "chats:create",
        "appId": cast.place.app_id,
        "data": {
            "chatId": str(chat.pk),
            "creator": str(chat.customer_id),
            "room": "1",
            "source": 3,
            "lang": "de",
            "externalId": "T-7",
        },
        "created_at": int(chat.started_at.timestamp()),
    }


def test_room_and_source_keep_the_type_in_which_they_came(cast):
    cast.place.chat(facts={"room": 1, "source": "3"})
    (_, data), *_ = told()
    assert (data["room"], data["source"]) == (1, "3")


def test_what_the_customer_writes_with_the_chat_follows_its_making(cast):
    chat = cast.place.chat(text="Hello")
    (first, _), (second, data) = told()
    assert (first, second) == ("chats:create", "messages:new")
    assert data["message"]["message"] == "Hello"
    assert data["message"]["sender"] == str(chat.customer_id)


def test_a_message_is_told_with_its_id_chat_sender_and_type(cast):
    chat = cast.place.held_chat(cast.ann)
    before = len(told())
    event = said(chat, "I am here", cast.ann)
    assert since(before) == [
        (
            "messages:new",
            {
                "message": {
                    "id": message_id(chat.pk, event.index),
                    "chat": str(chat.pk),
                    "sender": str(cast.ann.pk),
                    "type": "text",
                    "message": "I am here",
                    "created": int(event.at.timestamp()),
                    "read": [],
                }
            },
        )
    ]


def test_a_text_with_a_file_is_told_as_two_messages(cast, now):
    chat = cast.place.held_chat(cast.ann)
    customer = chat.participants.get(agent=None)
    file = store_attachment(chat, customer, SimpleUploadedFile("cat.txt", b"a cat", "text/plain"), now)
    before = len(told())
    event = said(chat, "Look", files=(file.pk,))
    text, media = (data["message"] for _, data in since(before))
    assert (text["type"], text["message"]) == ("text", "Look")
    assert media["type"] == "media"
    assert [text["id"], media["id"]] == [shape["id"] for shape in message_shapes(event, chat)]
    assert media["message"]["url"] == f"/media/{file.pk}"


def test_greeting_and_reminder_are_said_by_the_system(cast, acme, now):
    Team.objects.filter(pk=acme.support.pk).update(greeting="Welcome", reminder="Still there?")
    cast.place.team.refresh_from_db()
    cast.place.chat()
    (_, greeting) = told()[1]
    assert (greeting["message"]["sender"], greeting["message"]["message"]) == ("system", "Welcome")


@pytest.mark.both
def test_an_invitation_names_chat_and_agent(cast, now):
    chat = cast.place.chat()
    offered(chat, cast.ann, now)
    assert told()[1:] == [("invitations:new", {"chatId": str(chat.pk), "userId": str(cast.ann.pk)})]


@pytest.mark.both
def test_an_agent_who_accepts_is_told_as_accepting_and_joining(cast, now):
    chat = cast.place.chat()
    invitation = offered(chat, cast.ann, now)
    before = len(told())
    accept_invitation(cast.ann, invitation.pk, now=now)
    agent = {"chatId": str(chat.pk), "userId": str(cast.ann.pk)}
    assert since(before) == [("invitations:accept", agent), ("chats:join", agent), ("users:join", agent)]


def test_an_agent_who_comes_without_an_invitation_is_told_the_same_way(cast, now):
    chat = cast.place.chat()
    pick_chat(cast.ann, chat.pk, now=now)
    assert [trigger for trigger, _ in told()[1:]] == ["invitations:accept", "chats:join", "users:join"]


def test_an_invitation_that_is_declined_says_nothing_of_its_own(cast, now):
    chat = cast.place.chat()
    invitation = offered(chat, cast.ann, now)
    before = len(told())
    decline_invitation(cast.ann, invitation.pk, now=now)
    assert since(before) == []


@pytest.mark.both
def test_an_agent_who_leaves_is_told(cast, now):
    chat = cast.place.held_chat(cast.ann)
    before = len(told())
    leave_chat(cast.ann, chat.pk, now=now)
    assert since(before) == [("chats:leave", {"chatId": str(chat.pk), "userId": str(cast.ann.pk)})]


def test_a_transfer_is_told_as_leaving_alone(cast, acme, now):
    chat = cast.place.held_chat(cast.ann)
    before = len(told())
    transfer_to_team(cast.ann, chat.pk, acme.sales, note="wants to buy", now=now)
    assert since(before) == [("chats:leave", {"chatId": str(chat.pk), "userId": str(cast.ann.pk)})]


def test_a_search_that_finds_nobody_is_told(direct, bob, now):
    make_hook(direct)
    chat = direct.chat()
    begin_search(Chat.objects, chat.pk, now=now)
    assert search_agent(chat.pk, now) is None
    assert told()[1:] == [("forever:alone", {"chatId": str(chat.pk)})]


def closed(chat: Chat, user: Any, **more: Any) -> list[tuple[str, Any]]:
    """The ticket comes first: clients forget the chat with its end."""
    return [
        ("system:info", {"chatId": str(chat.pk), "data": {"ticketId": str(chat.pk)}}),
        ("chats:close", {"chatId": str(chat.pk), "userId": str(user), **more}),
    ]


@pytest.mark.both
def test_a_chat_that_its_customer_ends(cast, now):
    chat = cast.place.held_chat(cast.ann)
    before = len(told())
    close_by_customer(chat.participants.get(agent=None), now=now)
    assert since(before) == closed(chat, chat.customer_id)


def test_a_chat_that_its_agent_ends(cast, now):
    chat = cast.place.held_chat(cast.ann)
    before = len(told())
    close_by_agent(cast.ann, chat.pk, comment="all well", now=now)
    assert since(before) == closed(chat, cast.ann.pk)


def test_a_supervisor_who_took_no_part_ends_a_chat_as_the_system(cast, sue, now):
    chat = cast.place.held_chat(cast.ann)
    before = len(told())
    close_by_agent(sue, chat.pk, now=now)
    assert since(before) == closed(chat, "system")


def test_closing_words_are_told_before_the_end(cast, acme, now):
    Team.objects.filter(pk=acme.support.pk).update(closing="Goodbye")
    chat = cast.place.held_chat(cast.ann)
    before = len(told())
    close_by_agent(cast.ann, chat.pk, now=now)
    (first, data), *rest = since(before)
    assert (first, data["message"]["sender"], data["message"]["message"]) == ("messages:new", "system", "Goodbye")
    assert rest == closed(chat, cast.ann.pk)


@cases(
    ("reason", "more"),
    [
        ("done", {}),
        ("unanswered", {}),
        ("operator", {}),
        ("idle", {"extraData": {"reason": "inactivity"}}),
        ("customer_left", {"extraData": {"reason": "inactivity"}}),
    ],
)
def test_a_chat_that_a_rule_ends_says_why(cast, now, reason, more):
    chat = cast.place.chat()
    close_chat(Chat.objects, chat.pk, reason=reason, now=now)
    assert told()[1:] == closed(chat, "system", **more)


def test_a_chat_that_goes_silent_is_closed_for_inactivity(cast, acme, now):
    """The whole way: the team's rule notices, reminds, and ends."""
    Team.objects.filter(pk=acme.support.pk).update(reminder="Still there?")
    chat = cast.place.held_chat(cast.ann)
    said(chat, "What is your number?", cast.ann)
    before = len(told())
    later = now
    for _ in range(50):
        chat.refresh_from_db()
        if not chat.is_open:
            break
        later = max(later + timedelta(seconds=1), chat.due_at)
        tend_chat(chat.pk, now=later)
    assert since(before)[-2:] == closed(chat, "system", extraData={"reason": "inactivity"})
    assert any(data.get("message", {}).get("message") == "Still there?" for _, data in since(before))


def test_a_reopened_chat_is_told_as_its_agents_joining(cast, now):
    chat = cast.place.held_chat(cast.ann)
    close_by_agent(cast.ann, chat.pk, now=now)
    before = len(told())
    reopen_chat(cast.ann, chat.pk, now=now)
    assert [trigger for trigger, _ in since(before)] == ["invitations:accept", "chats:join", "users:join"]


def test_notes_and_imported_lines_stay_in_the_house(cast, now):
    chat = cast.place.held_chat(cast.ann)
    before = len(told())
    seat = chat.participants.get(agent=cast.ann)
    post_message(Post(chat.pk, seat.pk, "n-1", "a difficult one", is_note=True), now=now)
    assert since(before) == []


# To whom --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_only_what_was_asked_for_is_filed(cast):
    cast.hook.delete()
    make_hook(cast.place, "messages:new", "chats:close")
    chat = cast.place.chat(text="Hello")
    close_chat(Chat.objects, chat.pk, reason="done", now=timezone.now())
    assert [trigger for trigger, _ in told()] == ["messages:new", "chats:close"]


def test_two_web_hooks_each_hear_their_own(cast):
    other = make_hook(cast.place, "messages:new")
    cast.place.chat(text="Hello")
    heard = Delivery.objects.order_by("number").values_list("webhook", "event")
    assert list(heard) == [
        (cast.hook.pk, "chats:create"),
        (cast.hook.pk, "messages:new"),
        (other.pk, "messages:new"),
    ]


def test_another_application_hears_nothing(cast, queued, foreign):
    make_hook(queued)
    make_hook(foreign)
    cast.place.chat(text="Hello")
    assert set(Delivery.objects.values_list("webhook", flat=True)) == {cast.hook.pk}


def test_a_chat_of_the_web_site_is_no_application_s(cast, acme, now):
    make_chat(acme, now, text="Hello")
    assert told() == []


@cases("fields", [{"verified_at": None}, {"is_active": False}, {"disabled_at": timezone.now()}])
def test_who_may_not_be_called_is_not_filed_for(direct, fields):
    make_hook(direct, **fields)
    direct.chat()
    assert told() == []


def test_an_access_that_is_switched_off_is_told_nothing(cast):
    chat = cast.place.chat()
    registration = cast.place.registration
    registration.is_active = False
    registration.save()
    close_chat(Chat.objects, chat.pk, reason="done", now=timezone.now())
    assert [trigger for trigger, _ in told()] == ["chats:create"]


def test_one_batch_of_two_applications_goes_to_each_its_own(acme, cast, django_assert_num_queries):
    other = make_place(acme, "other", uses_queue=True)
    hooks = [cast.hook, make_hook(other)]
    chats = [cast.place.chat(), other.chat()]
    records = [
        SimpleNamespace(chat=chat, event=chat.events.filter(type="chat.started").get()) for chat in reversed(chats)
    ]
    with django_assert_num_queries(1):
        filed = speak(hooks, records)
    assert [(one.webhook, one.chat_id) for one in filed] == [(hooks[1], chats[1].pk), (hooks[0], chats[0].pk)]


def test_nothing_is_asked_where_no_chat_is_foreign(cast, acme, now, django_assert_num_queries):
    chat = make_chat(acme, now).chat
    event = chat.events.filter(type="chat.started").get()
    with django_assert_num_queries(0):
        assert speak([cast.hook], [SimpleNamespace(chat=chat, event=event)]) == []


def test_after_a_merge_the_creator_is_who_stayed(cast, acme, now):
    user = cast.place.user("Mia").foreign
    chat = cast.place.chat(user)
    stays = Customer.objects.create(center=acme.center, name="Mia M.")
    Chat.objects.filter(pk=chat.pk).update(customer=stays)
    ForeignCustomer.objects.filter(pk=user.pk).update(customer=stays)
    close_by_customer(chat.participants.get(agent=None), now=now)
    assert told()[-1][1]["userId"] == str(stays.pk)


# In the transaction ---------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_what_is_rolled_back_was_never_filed(cast, now):
    chat = cast.place.chat()
    before = len(told())
    with pytest.raises(RuntimeError), transaction.atomic():
        close_chat(Chat.objects, chat.pk, reason="done", now=now)
        raise RuntimeError
    assert since(before) == []
