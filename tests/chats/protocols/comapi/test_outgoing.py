"""What the web hooks of an API space are told: the exact body of every event, to whom, in which order; and what never leaves."""

import hashlib
import hmac
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Presence
from agents.presence import set_status, sign_in
from chats.actions.close import close_by_agent
from chats.actions.guests import invite_guest, join_as_guest, leave_as_guest
from chats.actions.hold import pick_chat, reopen_chat
from chats.actions.post import Post, post_message, post_messages
from chats.actions.read import mark_read
from chats.actions.transfer import leave_chat, transfer_to_agent, transfer_to_team
from chats.events import all_event_types
from chats.models import Chat, Conversation, Delivery, Event, Participant, SpaceChat, Webhook
from chats.outbox.calling import Calls
from chats.outbox.courier import Courier
from chats.protocols.comapi.catalogue import OFFERS
from chats.protocols.comapi.names import iso, message_id
from chats.protocols.comapi.outgoing import WORDS, file_words
from contactcenter.models import ApiSpace, ApplicationTeam, Team
from tests.cases import cases
from tests.chats.outbox.receiver import Receiver
from tests.conftest import make_chat, make_customer, online

from .conftest import TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.both]
ANN = "PLATFORMUSER\\ann@example.com"


def hook(space, *events, filters=None, **fields):
    """One that hears all, unless events are named."""
    names = list(events or OFFERS)
    subscriptions = [{"type": one, "filters": filters or []} for one in names]
    return Webhook.objects.create(
        center=space.center,
        application=space.application,
        registration=space.registration,
        url="http://127.0.0.1:9/hook",
        events=names,
        facts={"subscriptions": subscriptions},
        **fields,
    )


def bodies(*names):
    """All that was filed, in its order."""
    found = [one.payload for one in Delivery.objects.order_by("number")]
    return [one for one in found if one["name"] in names] if names else found


def told():
    return [(one["name"], one.get("payload")) for one in bodies()]


def say(chat_id, text, agent=None, *, is_note=False, **fields):
    sender = Participant.objects.get(chat=chat_id, agent=agent)
    posted = post_message(
        Post(sender.chat_id, sender.pk, f"c-{text}", text, is_note=is_note, **fields), now=timezone.now()
    )
    return Event.objects.get(chat=chat_id, position=posted.position)


# The table ------------------------------------------------------------------------------------------------------------


def test_every_event_has_a_row_and_no_row_is_of_no_event():
    assert set(WORDS) == {kind.type for kind in all_event_types()}
    assert {row.name for rows in WORDS.values() for row in rows} <= set(OFFERS)


def test_nothing_that_only_staff_see_is_told_in_the_table():
    private = {kind.type for kind in all_event_types() if not kind.is_public}
    assert {row.name for one in private for row in WORDS[one]} == {"chat.channelUpdated"}


# Bodies ---------------------------------------------------------------------------------------------------------------


def test_a_chat_that_begins_is_told_in_an_envelope(space):
    ApiSpace.objects.update(account_number=77)
    webhook = hook(space, "chat.create")
    shown = space.chat(description="Where is it?", context={"order": 7})
    delivery = Delivery.objects.get()
    assert (delivery.webhook, str(delivery.chat_id), delivery.event) == (webhook, shown["id"], "chat.create")
    body = delivery.payload
    assert body == {
        "eventId": body["eventId"],
        "accountId": 77,
        "apiSpaceId": space.registration.foreign_id,
        "name": "chat.create",
        "payload": {
            "id": shown["id"],
            "name": "Parcel",
            "description": "Where is it?",
            "teamId": TEAM,
            "channelId": "appMessaging",
            "participants": [{"profileId": "mia", "role": "participant"}],
            "context": {"order": 7, "conversationId": "Customer_Services_mia"},
        },
        "revision": 1,
        "etag": body["etag"],
        "timestamp": shown["_createdOn"],
    }
    assert body["etag"] == space.get(f"chats/{shown['id']}")["ETag"]


def test_a_chat_that_came_another_way_is_told_too(space, acme, now):
    hook(space)
    customer = make_customer(acme, "Tom")
    chat = make_chat(acme, now, customer, text="Hello").chat
    (name, created), (_, said) = told()
    assert name == "chat.create"
    assert (created["id"], created["teamId"]) == (str(chat.pk), TEAM)
    assert created["participants"] == [{"profileId": str(customer.pk), "role": "participant"}]
    assert said["context"]["from"] == {"id": str(customer.pk)}


def test_what_the_customer_says_is_inbound_and_what_an_agent_says_goes_to_the_customer(space, ann):
    chat = space.held(space.chat()["id"], ann)
    hook(space, "chatMessage.sent")
    asked, answered = say(chat.pk, "Where?"), say(chat.pk, "Here", ann)
    inbound, outbound = bodies()
    shared = {"chatId": str(chat.pk), "teamId": TEAM}
    assert inbound["payload"] == {
        "id": str(message_id(asked)),
        "metadata": {},
        "context": {
            "from": {"id": "mia"},
            **shared,
            "sentBy": "session:mia",
            "sentOn": iso(asked.at),
            "direction": "inbound",
        },
        "parts": [{"name": "body", "type": "text/plain", "data": "Where?", "size": 6}],
    }
    assert outbound["payload"]["context"] == {
        "from": {"id": ANN},
        **shared,
        "sentBy": "interactive:ann@example.com",
        "sentOn": iso(answered.at),
        "direction": "outbound",
        "to": {"id": "mia"},
    }
    assert "etag" not in inbound
    assert inbound["timestamp"] == iso(asked.at)


def test_what_nobody_in_particular_says_is_outbound(space, acme):
    Team.objects.filter(pk=acme.support.pk).update(greeting="Welcome")
    hook(space, "chatMessage.sent")
    space.chat()
    (body,) = bodies()
    assert body["payload"]["context"]["direction"] == "outbound"
    assert body["payload"]["parts"][0]["data"] == "Welcome"


def test_an_agent_who_comes_and_goes_is_a_participant(space, ann, now):
    chat_id = space.chat()["id"]
    hook(space)
    space.held(chat_id, ann)
    leave_chat(ann, Chat.objects.get(pk=chat_id).pk, now=now)
    member = {"id": chat_id, "profileId": ANN, "role": "agent"}
    assert told() == [("chat.participantAdded", member), ("chat.participantRemoved", member)]


def test_a_guest_is_none_of_the_two_participants(space, acme, ann, bob, now):
    online(ann, now)
    online(bob, now)
    chat = make_chat(acme, now).chat
    pick_chat(ann, chat.pk, now=now)
    hook(space)
    invite_guest(ann, chat.pk, bob, now=now)
    join_as_guest(bob, chat.pk, now=now)
    leave_as_guest(bob, chat.pk, now=now)
    assert told() == []


def test_another_team_is_told_by_its_name(space, acme, ann, now):
    chat = space.held(space.chat()["id"], ann)
    hook(space, "chat.teamUpdated")
    transfer_to_team(ann, chat.pk, acme.sales, now=now)
    assert told() == [("chat.teamUpdated", {"id": str(chat.pk), "teamId": "sales"})]


def test_a_colleague_of_the_same_team_is_no_other_team(space, ann, bob, now):
    chat = space.held(space.chat()["id"], ann)
    online(bob, now)
    hook(space, "chat.teamUpdated")
    transfer_to_agent(ann, chat.pk, bob, now=now)
    assert told() == []


def test_a_chat_that_is_closed_says_how_long_it_was_open_and_whether_words_were_left_out(space, acme):
    Team.objects.filter(pk=acme.support.pk).update(closing="Bye")
    hook(space, "chat.closed", "chatMessage.sent")
    for bypass in (False, True):
        chat_id = space.chat()["id"]
        assert space.put(f"chats/{chat_id}/close", {"bypassMessage": bypass}).status_code == 200
        closed = bodies("chat.closed")[-1]["payload"]
        chat = Chat.objects.get(pk=chat_id)
        lasted = int((chat.closed_at - chat.started_at).total_seconds())
        assert closed == {"id": chat_id, "teamId": TEAM, "bypassMessage": bypass, "closeTimeSecs": lasted}
    assert [name for name, _ in told()] == ["chatMessage.sent", "chat.closed", "chat.closed"]


def test_a_chat_that_is_open_again_is_updated(space, ann, now):
    chat = space.held(space.chat()["id"], ann)
    close_by_agent(ann, chat.pk, now=now)
    hook(space, "chat.update")
    reopen_chat(ann, chat.pk, now=now)
    ((_, payload),) = told()
    assert (payload["id"], payload["name"]) == (str(chat.pk), "Parcel")
    assert payload["status"] != "closed"


def test_a_chat_that_is_deleted_is_told_last_and_then_never_again(space):
    chat_id = space.chat()["id"]
    hook(space)
    assert space.delete(f"chats/{chat_id}").status_code == 204
    names = [name for name, _ in told()]
    assert names[-1] == "chat.delete"
    payload = bodies("chat.delete")[0]["payload"]
    assert (payload["id"], payload["by"]) == (chat_id, f"access:{space.registration.application_id}")


def test_a_name_that_changes_is_told(space):
    chat_id = space.chat()["id"]
    hook(space)
    space.put(f"chats/{chat_id}", {"name": "Two parcels"})
    ((name, payload),) = told()
    assert (name, payload["name"], payload["teamId"]) == ("chat.update", "Two parcels", TEAM)


# What never leaves ----------------------------------------------------------------------------------------------------


def test_notes_and_what_staff_alone_see_never_leave(space, ann, sue, now):
    chat = space.held(space.chat()["id"], ann)
    hook(space)
    say(chat.pk, "He is angry", ann, is_note=True)
    space.app().post(f"chats/{chat.pk}/typing")
    close_by_agent(ann, chat.pk, comment="A secret of ours", now=now)
    assert [name for name, _ in told()] == ["chat.closed"]
    assert "angry" not in str(bodies())
    assert "secret" not in str(bodies())


# Bots, conversations, reports ------------------------------------------------------------------------------------------


def test_what_a_bot_says_is_told_as_it_said_it(space):
    chat_id = space.chat()["id"]
    hook(space, "chatMessage.sent")
    parts = [{"name": "answer", "type": "text/plain", "data": "Hello", "size": 5}]
    said = {
        "parts": parts,
        "from": {"profileId": "bot", "name": "Robby"},
        "metadata": {"n": 1},
        "direction": "outbound",
    }
    answer = space.post(f"chats/{chat_id}/messages", said)
    assert answer.status_code == 200, answer.content
    ((_, payload),) = told()
    assert (payload["id"], payload["parts"], payload["metadata"]) == (answer.json()["id"], parts, {"n": 1})
    context = payload["context"]
    assert (context["from"], context["to"], context["direction"]) == ({"id": "bot"}, {"id": "mia"}, "outbound")
    assert context["sentBy"] == f"access:{space.registration.application_id}"


def test_a_chat_of_a_conversation_is_told_in_app_messagings_words_too(space, ann, now):
    chat = space.held(space.chat()["id"], ann)
    known = SpaceChat.objects.get(chat=chat)
    known.conversation = Conversation.objects.create(
        center=space.center, registration=space.registration, profile=space.profile("mia"), external_id="talk"
    )
    known.save()
    hook(space, "conversationMessage.sent", "conversationMessage.read", filters=[])
    event = say(chat.pk, "Here", ann)
    mark_read(Participant.objects.get(chat=chat, agent=None), event.index)
    assert space.get(f"chats/{chat.pk}/events", **{"from": 0, "limit": 9}).status_code == 200
    sent, read = bodies()
    assert sent["payload"]["id"] == read["payload"]["messageId"] == str(message_id(event))
    assert sent["payload"]["context"] == {
        "from": {"id": ANN},
        "conversationId": "talk",
        "sentBy": "interactive:ann@example.com",
        "sentOn": iso(event.at),
    }
    assert (read["name"], read["payload"]["conversationId"]) == ("conversationMessage.read", "talk")
    assert read["payload"]["profileId"] == "mia"
    space.get(f"chats/{chat.pk}/events", **{"from": 0, "limit": 9})
    assert len(bodies()) == 2


# To whom --------------------------------------------------------------------------------------------------------------


def test_only_what_was_asked_for_is_told_and_nothing_while_a_hook_is_off(space):
    hook(space, "chat.closed")
    hook(space, is_active=False)
    hook(space, deleted_at=timezone.now())
    space.chat()
    assert told() == []


def test_of_another_center_nothing_is_heard(space, other):
    hook(space)
    other.chat("gus")
    assert told() == []


def test_a_space_whose_application_is_bound_to_teams_hears_of_theirs_alone(space, acme, now):
    hook(space, "chat.create")
    ApplicationTeam.objects.create(center=acme.center, application=space.application, team=acme.support)
    make_chat(acme, now, team=acme.sales)
    assert told() == []
    make_chat(acme, now, team=acme.support)
    assert len(told()) == 1


@cases(
    ("filters", "count"),
    [
        ([], 2),
        ([("direction", "inbound")], 1),
        ([("direction", "outbound"), ("direction", "inbound")], 2),
        ([("direction", "inbound"), ("teamId", TEAM)], 1),
        ([("direction", "inbound"), ("teamId", "sales")], 0),
        ([("chatId", "x")], 0),
        ([("never", "offered")], 0),
    ],
)
def test_filters_are_honoured(space, ann, filters, count):
    chat = space.held(space.chat()["id"], ann)
    hook(space, "chatMessage.sent", filters=[{"name": name, "value": value} for name, value in filters])
    say(chat.pk, "Where?")
    say(chat.pk, "Here", ann)
    assert len(told()) == count


def test_two_hooks_hear_of_one_event_under_one_id_and_two_events_have_two(space):
    hook(space, "chat.create")
    hook(space)
    space.chat("mia")
    space.chat("tom")
    ids = [one["eventId"] for one in bodies("chat.create")]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_many_messages_cost_no_more_queries_than_one(space, ann, acme, now):
    hook(space, "chatMessage.sent")
    chats = [make_chat(acme, now, make_customer(acme)).chat for _ in range(6)]

    def post(some, mark):
        posts = []
        for chat in some:
            sender = Participant.objects.get(chat=chat)
            posts.append(Post(chat.pk, sender.pk, f"{mark}{chat.pk}", "Hi"))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            post_messages(posts, now=now)
        return len(queries)

    assert post(chats, "b") <= post(chats[:1], "a") + 1
    assert len(bodies("chatMessage.sent")) == 7


# Words that no log says -----------------------------------------------------------------------------------------------


def test_other_parts_of_the_door_file_their_own_words(space, now):
    hook(space)
    with transaction.atomic():
        file_words(space.registration, "profile.update", {"id": "mia"}, now=now, revision=3, etag='"x"')
        file_words(space.registration, "conversationMessage.sent", {"id": "m"}, now=now)
    first, second = bodies()
    assert (first["payload"], first["revision"], first["etag"], first["timestamp"]) == (
        {"id": "mia"},
        3,
        '"x"',
        iso(now),
    )
    assert {"revision", "etag"}.isdisjoint(second)
    assert first["eventId"] != second["eventId"]


# Presence -------------------------------------------------------------------------------------------------------------


def test_presence_names_the_agent_at_the_top_and_says_no_more(space, ann, now):
    hook(space)
    online(ann, now)
    Presence.objects.filter(agent=ann).update(status=Presence.Status.OFFLINE)
    for status in (Presence.Status.ONLINE, Presence.Status.ONLINE, Presence.Status.AWAY, Presence.Status.OFFLINE):
        set_status(ann, status, now)
    assert [one["name"] for one in bodies()] == ["presence.available", "presence.away", "presence.offline"]
    body = bodies()[0]
    assert body == {
        "eventId": body["eventId"],
        "accountId": 1,
        "apiSpaceId": space.registration.foreign_id,
        "name": "presence.available",
        "profileId": ANN,
        "timestamp": iso(now),
    }


def test_presence_of_another_center_or_of_a_team_that_is_not_the_applications_is_not_told(space, acme, bob, gil, now):
    hook(space)
    set_status(gil, Presence.Status.ONLINE, now)
    ApplicationTeam.objects.create(center=acme.center, application=space.application, team=acme.sales)
    set_status(bob, Presence.Status.ONLINE, now)
    assert told() == []


def test_who_signs_in_again_is_there_with_the_status_of_before(space, ann, now):
    Presence.objects.filter(agent=ann).update(status=Presence.Status.AWAY)
    hook(space, "presence.available", "presence.away")
    sign_in(ann, now)
    sign_in(ann, now)
    assert [one["name"] for one in bodies()] == ["presence.away"]


# All the way ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_a_program_registers_for_arrives_signed_and_in_order(space, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    receiver, courier = Receiver(), Courier(Calls(), seconds=5)
    try:
        subscriptions = [{"type": one} for one in ("chat.create", "chatMessage.sent", "chat.closed")]
        said = {"name": "Bot", "url": receiver.url, "secret": "sixteen letters!", "subscriptions": subscriptions}
        made = space.basic.post("webhooks", said)
        assert made.status_code == 201, made.content
        chat_id = space.chat()["id"]
        for text in ("one", "two"):
            parts = [{"type": "text/plain", "data": text}]
            space.post(f"chats/{chat_id}/messages", {"parts": parts, "from": {"profileId": "bot"}})
        space.put(f"chats/{chat_id}/close")
        courier.poke(UUID(made.json()["id"]))
        found = receiver.wait_for(4)
    finally:
        assert courier.stop(20)
        receiver.stop()
    assert [call.json["name"] for call in found] == ["chat.create", *["chatMessage.sent"] * 2, "chat.closed"]
    assert [call.json["payload"]["parts"][0]["data"] for call in found[1:3]] == ["one", "two"]
    for call in found:
        mark = hmac.new(b"sixteen letters!", call.body, hashlib.sha1).hexdigest()
        assert call.headers["x-comapi-signature"] == mark
