"""Chats of an API space: begun once, read, listed, changed, closed and deleted, in both dialects; never another center's."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.actions.post import Post, post_message
from chats.models import Chat, Conversation, Customer, Event, ForeignCustomer, Participant, SpaceChat, Webhook
from contactcenter.models import OpeningHours
from tests.cases import cases
from tests.conftest import make_agent, make_chat, make_customer

from .conftest import TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.both]

BODY = {"name": "Parcel", "teamId": TEAM, "channelId": "appMessaging", "participants": [{"id": "mia"}]}
NOWHERE = "7b0ffbb6-7d2a-4a4f-9f63-0d5b5b0b5a11"
MIA, ANN, BOB = {"id": "mia"}, {"id": "PLATFORMUSER\\ann@example.com", "role": "agent"}, {"id": "bob@example.com"}


def say(chat_id, text, now, agent=None):
    parts = Participant.objects.filter(chat=chat_id)
    sender = parts.get(agent=agent) if agent else parts.get(kind="customer")
    post_message(Post(sender.chat_id, sender.pk, text, text), now=now)


def close_team(team, now):
    """Open on another day alone."""
    OpeningHours.objects.create(
        center_id=team.center_id, team=team, weekday=(now.weekday() + 3) % 7, opens="09:00", closes="09:01"
    )


def failures(answer):
    assert answer.status_code == 400, answer.content
    return [one["paramName"] for one in answer.json()["validationFailures"]]


@cases("dialect", ["program", "basic"])
def test_a_program_begins_a_chat_and_reads_it(space, acme, dialect):
    caller = getattr(space, dialect)
    answer = caller.post("chats", {**BODY, "description": "Where is it?", "context": {"order": 7}, "more": [1]})
    shown = answer.json()
    by = f"access:{space.registration.application_id}"
    assert answer.status_code == 201
    assert shown == {
        "id": shown["id"],
        "name": "Parcel",
        "description": "Where is it?",
        "teamId": TEAM,
        "originalTeamId": TEAM,
        "channelId": "appMessaging",
        "status": "new",
        "participants": [{"id": "mia", "role": "participant"}],
        "context": {"order": 7, "conversationId": f"{TEAM}_mia"},
        "_createdOn": shown["_createdOn"],
        "_createdBy": by,
        "_updatedOn": shown["_createdOn"],
        "_updatedBy": by,
    }
    assert answer["Last-Modified"] == shown["_updatedOn"]
    again = caller.get(f"chats/{shown['id']}")
    assert (again.json(), again["ETag"]) == (shown, answer["ETag"])
    assert caller.get("chats").json() == [shown]
    chat = space.row_of(shown["id"])
    assert (chat.is_foreign, chat.foreign.registration, chat.channel) == (
        True,
        space.registration,
        space.registration.channel,
    )
    assert (chat.subject, chat.team, chat.participants.get().lease_until) == ("Parcel", acme.support, None)


def test_a_closed_team_takes_a_programs_chat(space, acme, now):
    close_team(acme.support, now)
    assert space.post("chats", BODY).status_code == 201


@cases(
    "changes, wrong",
    [
        ({"name": None}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": {"a": 1}}, ["name"]),
        ({"name": True}, ["name"]),
        ({"teamId": "Nobody"}, ["teamId"]),
        ({"teamId": ["a"]}, ["teamId"]),
        ({"teamId": "customer_services"}, ["teamId"]),
        ({"channelId": "pigeon"}, ["channelId"]),
        ({"channelId": "sms"}, ["channelId"]),
        ({"channelId": 7}, ["channelId"]),
        ({"description": ["x"]}, ["description"]),
        ({"description": "x" * 10_001}, ["description"]),
        ({"participants": None}, ["participants"]),
        ({"participants": []}, ["participants"]),
        ({"participants": "mia"}, ["participants"]),
        ({"participants": {"id": "mia"}}, ["participants"]),
        ({"participants": ["mia"]}, ["participants.0"]),
        ({"participants": [{}]}, ["participants.0.id"]),
        ({"participants": [{"id": None}]}, ["participants.0.id"]),
        ({"participants": [{"id": "x" * 251}]}, ["participants.0.id"]),
        ({"participants": [{"id": "x" * 201}]}, ["profileId"]),
        ({"participants": [{"id": "a/b"}]}, ["profileId"]),
        ({"participants": [{"id": "mia", "role": "boss"}]}, ["participants.0.role"]),
        ({"participants": [MIA, {"id": "ghost@example.com", "role": "agent"}]}, ["participants"]),
        ({"participants": [{"id": "PLATFORMUSER\\ann@example.com"}]}, ["participants"]),
        ({"context": "x"}, ["context"]),
        ({"context": {"x": "y" * 5000}}, ["context"]),
        ({"context": {"conversationId": "x" * 201}}, ["context.conversationId"]),
        ({"context": {"conversationId": 7}}, ["context.conversationId"]),
        ({"participants": [], "context": {"conversationId": f"{TEAM}_"}}, ["participants"]),
        ({"participants": [], "context": {"conversationId": "Other_mia"}}, ["participants"]),
        ({"name": "a\x00b"}, ["body"]),
    ],
)
def test_an_odd_chat_is_refused_and_leaves_nothing(space, ann, changes, wrong):
    body = {key: value for key, value in (BODY | changes).items() if value is not None}
    assert failures(space.post("chats", body)) == wrong
    assert (Chat.objects.count(), Customer.objects.count()) == (0, 0)


@cases("body", [b"[]", b'"x"', b"{", b"\xff", b'{"name": "\\ud800"}', b'{"name": 1e999}', b"[" * 3000, b"null", b""])
def test_what_is_no_object_is_refused(space, body):
    for method, path in (("POST", "chats"), ("PUT", f"chats/{NOWHERE}"), ("PUT", f"chats/{NOWHERE}/assign")):
        assert space.call(method, path, body).status_code in (400, 404), path


@cases(
    "people, status",
    [
        ([MIA, ANN], 201),
        ([ANN, MIA, MIA], 201),
        ([MIA, {"id": ANN["id"]}], 201),
        ([MIA, {"id": "zoe"}], 409),
        ([MIA, ANN, {"id": "zoe"}], 409),
        ([MIA, ANN, {**BOB, "role": "agent"}], 409),
        ([ANN, {**BOB, "role": "agent"}], 409),
    ],
)
def test_two_take_part_at_most(space, ann, bob, people, status):
    answer = space.post("chats", {**BODY, "participants": people})
    assert answer.status_code == status, answer.content
    assert Chat.objects.count() == (status == 201)
    if status == 201:
        assert answer.json()["participants"] == [{"id": "mia", "role": "participant"}, ANN]
        assert space.row_of(answer.json()["id"]).agent == ann


def test_an_agent_of_another_team_or_without_a_slot_is_not_given_a_chat(space, acme):
    make_agent(acme, "Max", teams=[acme.sales])
    full = make_agent(acme, "Fay", capacity=1)
    body = {**BODY, "participants": [MIA, {"id": "max@example.com", "role": "agent"}]}
    assert failures(space.post("chats", body)) == ["participants"]
    agent = {"id": "PLATFORMUSER\\fay@example.com"}
    space.chat("leo", participants=[{"id": "leo"}, agent])
    assert space.post("chats", {**BODY, "participants": [MIA, agent]}).status_code == 409
    assert Chat.objects.get().agent == full
    assert ForeignCustomer.objects.filter(external_id="mia").count() == 0


def test_a_customer_has_one_open_chat(space, now):
    first = space.chat()
    answer = space.basic.post("chats", BODY)
    assert (answer.status_code, set(answer.json())) == (409, {"message"})
    space.put(f"chats/{first['id']}/close")
    assert space.chat()["id"] != first["id"]
    assert space.chat("zoe")["participants"][0]["id"] == "zoe"


def test_the_conversation_names_the_customer(space, acme):
    shown = space.chat(participants=[], context={"conversationId": f"{TEAM}_mia"})
    assert shown["participants"] == [{"id": "mia", "role": "participant"}]
    assert shown["context"] == {"conversationId": f"{TEAM}_mia"}
    zoe = space.profile("zoe")
    mine = {"center": acme.center, "registration": space.registration, "profile": zoe}
    room = Conversation.objects.create(**mine, external_id="our-room")
    assert failures(
        space.post("chats", {**BODY, "participants": [{"id": "leo"}], "context": {"conversationId": "our-room"}})
    ) == ["context.conversationId"]
    assert space.chat(participants=[], context={"conversationId": "our-room"})["participants"][0]["id"] == "zoe"
    assert room.space_chats.get().registration == space.registration
    assert space.chat("leo")["context"] == {"conversationId": f"{TEAM}_leo"}  # where its app would look for it
    usual = Conversation.objects.create(**{**mine, "profile": space.profile("kim")}, external_id=f"{TEAM}_kim")
    assert space.chat("kim")["context"] == {"conversationId": usual.external_id}


def test_a_blocked_customer_gets_no_chat(space):
    Customer.objects.filter(foreign=space.profile("mia")).update(is_blocked=True)
    assert space.post("chats", BODY).status_code == 403


def test_the_status_goes_from_new_to_replied_to_closed(space, ann, now):
    chat_id = space.chat()["id"]

    def shown():
        return space.get(f"chats/{chat_id}").json()

    assert shown()["status"] == "new"
    space.held(chat_id, ann)
    assert shown()["status"] == "new"
    assert shown()["participants"][1] == ANN
    say(chat_id, "hello", now, ann)
    assert shown()["status"] == "replied"
    say(chat_id, "and now?", now)
    assert shown()["status"] == "new"
    assert space.put(f"chats/{chat_id}/close").json()["status"] == "closed"
    assert shown()["participants"] == [{"id": "mia", "role": "participant"}]


def test_lists_are_filtered_by_profile_state_and_scope(space, acme, ann, bob, now):
    ids = {name: space.chat(name)["id"] for name in ("mia", "leo", "zoe", "kim")}
    web = str(make_chat(acme, now, make_customer(acme, "Web")).chat.pk)
    space.held(ids["leo"], ann)
    space.put(f"chats/{ids['zoe']}/close")
    space.delete(f"chats/{ids['kim']}")

    def found(**query):
        answer = space.get("chats", idsOnly="true", **query)
        assert answer.status_code == 200, answer.content
        return set(answer.json())

    everyone = {ids["mia"], ids["leo"], web}
    assert found() == found(scope="all") == found(scope="") == everyone
    assert found(includeClosed="true") == everyone | {ids["zoe"]}
    assert found(includeDeleted="true") == everyone | {ids["kim"]}
    assert found(includeClosed="1", includeDeleted="1") == everyone | {ids["zoe"], ids["kim"]}
    assert found(profileId="mia") == found(profileId="mia", scope="all") == {ids["mia"]}
    assert found(profileId="zoe") == set()
    assert found(profileId="zoe", includeClosed="true") == {ids["zoe"]}
    assert found(profileId=ANN["id"]) == {ids["leo"]}
    assert (
        found(profileId="PLATFORMUSER\\bob@example.com")
        == found(profileId="nobody")
        == found(profileId=NOWHERE)
        == set()
    )
    assert found(profileId=str(Chat.objects.get(pk=web).customer_id)) == {web}
    assert {one["id"] for one in space.get("chats").json()} == everyone


@cases(
    "query",
    [
        {"scope": "public"},
        {"includeClosed": "perhaps"},
        {"idsOnly": "2"},
        {"profileId": "x" * 251},
        {"profileId": "\0"},
    ],
)
def test_odd_questions_are_refused(space, query):
    assert failures(space.get("chats", **query)) == list(query)


def test_many_chats_ask_no_more_of_the_database_than_few(space, acme, ann, now):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert space.get("chats", includeClosed="true").status_code == 200
        return len(found)

    for number in range(3):
        space.chat(f"one-{number}")
        make_chat(acme, now)
    few = queries()
    for number in range(8):
        chat_id = space.chat(f"two-{number}")["id"]
        make_chat(acme, now)
        if number < 3:
            space.held(chat_id, ann)
    assert queries() == few <= 8
    listed = {one["id"]: one for one in space.get("chats").json()}
    assert len(listed) == 22
    assert SpaceChat.objects.count() == 11  # to be listed leaves no rows
    assert all(space.get(f"chats/{chat_id}").json() == shown for chat_id, shown in listed.items())


def test_an_app_sees_its_own_chats_alone_and_begins_none(space, acme, now):
    mine, others = space.chat("mia")["id"], space.chat("leo")["id"]
    app = space.app("mia")
    assert [one["id"] for one in app.get("chats", scope="all").json()] == [mine]
    assert app.get("chats", profileId="mia", idsOnly="true").json() == [mine]
    assert app.get("chats", profileId="leo").status_code == 403
    assert app.get(f"chats/{mine}").json()["id"] == mine
    assert app.get(f"chats/{others}").status_code == 404
    assert app.post("chats", {**BODY, "participants": [{"id": "kim"}]}).status_code == 403
    for method, path, body in (
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("PUT", "/assign", {"teamId": TEAM}),
        ("PUT", "/close", None),
        ("PUT", "/channel", {"channelId": "appMessaging"}),
    ):
        assert app.call(method, f"chats/{mine}{path}", body).status_code == 403, path
    space.delete(f"chats/{mine}")
    assert app.get("chats", includeDeleted="true", includeClosed="true").json() == []
    assert app.get(f"chats/{mine}", includeDeleted="true").status_code == 404


def test_name_and_description_are_changed_by_who_has_read_the_last_state(space, now):
    answer = space.post("chats", BODY)
    path, etag = f"chats/{answer.json()['id']}", answer["ETag"]
    changed = space.put(path, {"name": "Two", "description": "d"}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["name"], changed.json()["description"]) == (200, "Two", "d")
    assert changed["ETag"] != etag
    assert space.put(path, {"name": "Three"}, headers={"If-Match": etag}).status_code == 412
    assert (
        space.put(path, {"name": "Three"}, headers={"If-Match": f'"x", {changed["ETag"]}'}).json()["description"] == "d"
    )
    assert space.put(path, {"name": "Three", "description": None}).json()["description"] == ""
    assert failures(space.put(path, {"description": "x"})) == ["name"]
    for inner, body in (
        ("/close", None),
        ("/assign", {"teamId": "sales"}),
        ("/channel", {"channelId": "appMessaging"}),
    ):
        assert space.put(path + inner, body, headers={"If-Match": etag}).status_code == 412, inner
    assert space.delete(path, headers={"If-Match": etag}).status_code == 412
    space.put(f"{path}/close")
    assert space.put(path, {"name": "After the end"}).json()["name"] == "After the end"


def test_the_same_again_changes_nothing(space):
    answer = space.post("chats", {**BODY, "description": "d"})
    again = space.put(f"chats/{answer.json()['id']}", {"name": "Parcel", "description": "d"})
    assert again["ETag"] == answer["ETag"]


@cases(
    "body, says", [(None, ["bye"]), ({}, ["bye"]), ({"bypassMessage": False}, ["bye"]), ({"bypassMessage": True}, [])]
)
def test_the_end_is_said_unless_it_is_bypassed(space, acme, ann, body, says):
    acme.support.closing = "bye"
    acme.support.save()
    chat_id = space.chat()["id"]
    space.held(chat_id, ann)
    first = space.put(f"chats/{chat_id}/close", body)
    again = space.put(f"chats/{chat_id}/close", body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (first.json(), first["ETag"]) == (again.json(), again["ETag"])
    said = Event.objects.filter(chat=chat_id, type="message.posted")
    assert [one.text for one in said] == says
    closed = Event.objects.get(chat=chat_id, type="chat.closed")
    assert closed.data == {"by": "system", "reason": "done", **({} if says else {"is_silent": True})}
    assert not hasattr(space.row_of(chat_id), "occupation")


@cases("body", [{"bypassMessage": "perhaps"}, {"bypassMessage": [1]}, {"bypassMessage": 7}])
def test_a_close_with_odd_wishes_closes_nothing(space, body):
    chat_id = space.chat()["id"]
    assert failures(space.put(f"chats/{chat_id}/close", body)) == ["bypassMessage"]
    assert space.row_of(chat_id).is_open


def test_a_deleted_chat_has_ended_without_a_word_and_is_there_no_more(space, acme, ann):
    acme.support.closing = "bye"
    acme.support.save()
    chat_id = space.chat()["id"]
    space.held(chat_id, ann)
    assert space.basic.delete(f"chats/{chat_id}").status_code == 204
    chat = space.row_of(chat_id)
    assert (chat.is_open, chat.events.filter(type="message.posted").exists()) == (False, False)
    row = chat.space_chats.get()
    assert (row.deleted_by, bool(row.deleted_at)) == (f"access:{space.application.pk}", True)
    assert space.get(f"chats/{chat_id}").status_code == 404
    assert space.get(f"chats/{chat_id}", includeDeleted="true").json()["status"] == "closed"
    for method, inner, body in (
        ("DELETE", "", None),
        ("PUT", "", {"name": "x"}),
        ("PUT", "/close", None),
        ("PUT", "/assign", {"teamId": TEAM}),
        ("PUT", "/channel", {"channelId": "appMessaging"}),
        ("POST", "/typing", None),
        ("GET", "/participants", None),
    ):
        assert space.call(method, f"chats/{chat_id}{inner}", body).status_code == 404, (method, inner)
    assert space.chat()["id"] != chat_id


def test_another_centers_chats_and_people_are_not_there(space, other, gil, now):
    theirs = other.chat("mia")
    mine = space.chat("mia")
    for method, inner, body in (
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("PUT", "/assign", {"teamId": TEAM}),
        ("PUT", "/close", None),
        ("PUT", "/channel", {"channelId": "appMessaging"}),
        ("POST", "/typing", None),
        ("DELETE", "/typing", None),
        ("GET", "/participants", None),
    ):
        for caller in (space, space.basic, space.app("mia")):
            assert caller.call(method, f"chats/{theirs['id']}{inner}", body).status_code in (403, 404), (method, inner)
    assert [one["id"] for one in space.get("chats", scope="all").json()] == [mine["id"]]
    customer = str(other.row_of(theirs["id"]).customer_id)
    for query in ({"profileId": customer}, {"profileId": "PLATFORMUSER\\gil@example.com"}):
        assert space.get("chats", **query).json() == []
    people = [{"id": "leo"}, {"id": "PLATFORMUSER\\gil@example.com"}]
    assert failures(space.post("chats", {**BODY, "participants": people})) == ["participants"]
    assert failures(space.put(f"chats/{mine['id']}/assign", {"teamId": TEAM, "agentId": str(gil.pk)})) == ["agentId"]
    # Its customer's id is no customer's here: a profile of that name is a new customer.
    shown = space.chat(customer)
    assert str(space.row_of(shown["id"]).customer_id) != customer
    assert other.get(f"chats/{theirs['id']}").json() == theirs


def test_a_team_that_the_application_may_not_use_has_no_chats_there(space, acme, now):
    space.application.application_teams.create(center=acme.center, team=acme.sales)
    hidden = make_chat(acme, now, team=acme.support).chat
    seen = make_chat(acme, now, team=acme.sales).chat
    assert space.get("chats", idsOnly="true").json() == [str(seen.pk)]
    assert space.get(f"chats/{hidden.pk}").status_code == 404
    assert failures(space.post("chats", BODY)) == ["teamId"]
    assert failures(space.put(f"chats/{seen.pk}/assign", {"teamId": "support"})) == ["teamId"]


@cases("chat_id", ["x", NOWHERE, "0" * 32, "%00", "a%20b", "1" * 300, "{" + NOWHERE[1:-1] + "}"])
def test_an_unknown_chat_is_not_there(space, chat_id):
    assert space.get(f"chats/{chat_id}").status_code == 404
    assert space.put(f"chats/{chat_id}/assign", {"teamId": TEAM}).status_code == 404


def test_a_chat_of_the_website_is_the_spaces_too(space, acme, now):
    chat = make_chat(acme, now, make_customer(acme, "Web")).chat
    shown = space.get(f"chats/{chat.pk}").json()
    assert (shown["name"], shown["channelId"], shown["teamId"]) == ("Web", "appMessaging", TEAM)
    assert shown["_createdBy"] == shown["_updatedBy"] == f"session:{chat.customer_id}"
    assert space.get("chats").json() == [shown]
    assert space.chat(str(chat.customer_id) + "x")["status"] == "new"
    assert space.post("chats", {**BODY, "participants": [{"id": str(chat.customer_id)}]}).status_code == 409


def together(works):
    """What each gives, done by threads that begin at the same moment."""
    found, barrier = [], threading.Barrier(len(works))

    def do(work):
        try:
            barrier.wait()
            found.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(work,)) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    return found


@pytest.mark.postgres
def test_of_many_programs_at_the_same_moment_one_begins_the_chat(transactional_db, space):
    answers = together([lambda one=one: one.post("chats", BODY).status_code for one in (space, space.basic) * 3])
    assert sorted(answers) == [201] + [409] * 5
    assert (Chat.objects.count(), SpaceChat.objects.count(), Customer.objects.count()) == (1, 1, 1)


@pytest.mark.postgres
def test_of_many_who_have_read_the_same_state_one_changes_it(transactional_db, space):
    answer = space.post("chats", BODY)
    path, match = f"chats/{answer.json()['id']}", {"If-Match": answer["ETag"]}
    names = [f"Name {number}" for number in range(5)]
    answers = together([lambda name=name: space.put(path, {"name": name}, headers=match) for name in names])
    assert sorted(one.status_code for one in answers) == [200] + [412] * 4
    assert space.get(path).json() == next(one.json() for one in answers if one.status_code == 200)


@pytest.mark.postgres
def test_of_many_who_assign_it_at_once_one_agent_has_it_in_the_end(transactional_db, space, ann, bob):
    chat_id = space.chat()["id"]
    bodies = [{"teamId": TEAM, "agentId": f"{name}@example.com"} for name in ("ann", "bob") * 3]
    answers = together([lambda body=body: space.put(f"chats/{chat_id}/assign", body).status_code for body in bodies])
    assert set(answers) == {200}
    chat = space.row_of(chat_id)
    assert chat.occupation.agent == chat.agent
    assert chat.participants.joined().count() == 2


def test_web_hooks_hear_what_no_log_says(space):
    names = ["chat.update", "chat.delete", "chat.closed"]
    hook = Webhook.objects.create(
        center=space.center,
        application=space.application,
        registration=space.registration,
        url="http://127.0.0.1:9/hook",
        events=names,
        facts={"subscriptions": [{"type": name, "filters": []} for name in names]},
        verified_at=timezone.now(),
    )
    path = f"chats/{space.chat()['id']}"
    changed = space.put(path, {"name": "Two"}).json()
    space.put(path, {"name": "Two"})
    space.delete(path)
    told = [one.payload for one in hook.deliveries.order_by("number")]
    assert [one["name"] for one in told] == ["chat.update", "chat.closed", "chat.delete"]
    assert told[0]["payload"]["name"] == "Two"
    assert told[1]["payload"]["bypassMessage"] is True
    assert told[2]["payload"] == {"id": changed["id"], "date": told[2]["payload"]["date"], "by": changed["_createdBy"]}


def test_the_day_goes_by_and_last_modified_follows_the_chat(space, ann, now):
    chat_id = space.chat()["id"]
    Chat.objects.filter(pk=chat_id).update(started_at=now - timedelta(days=1), queued_at=now - timedelta(days=1))
    SpaceChat.objects.update(updated_at=now - timedelta(days=1))
    before = space.get(f"chats/{chat_id}")["Last-Modified"]
    space.held(chat_id, ann)
    assert space.get(f"chats/{chat_id}")["Last-Modified"] > before
