"""Chats over HyperChat: begun, listed, read, changed, ended."""

from uuid import uuid4

import pytest

from chats.events import ChatTransferred
from chats.models import Chat, Event, ForeignChat, Search
from contactcenter.models import Team
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import make_chat, online

pytestmark = pytest.mark.django_db


def begin(place, user, **fields):
    return place.server.post("chats", {"room": place.room, "creator": str(user.foreign.customer_id), **fields})


@pytest.mark.both
def test_a_chat_is_begun_with_room_and_creator(direct):
    user = direct.user()
    answer = begin(direct, user, source=3, lang="en", externalId="abc")
    assert answer.status_code == 200
    chat = Chat.objects.get()
    assert answer.json() == {
        "chat": {
            "id": str(chat.pk),
            "creator": str(user.foreign.customer_id),
            "room": "1",
            "source": 3,
            "lang": "en",
            "externalId": "abc",
            "status": "waiting",
            "inQueue": False,
            "created": int(chat.started_at.timestamp()),
        }
    }
    assert (chat.team, chat.channel) == (direct.team, direct.registration.channel)
    assert chat.participants.get().lease_until is None  # nobody asks a program for signs of life


def test_a_direct_chat_is_offered_to_nobody_until_asked(direct, ann, now):
    online(ann, now)
    begin(direct, direct.user())
    assert Search.objects.get().started_at is None
    assert not Chat.objects.get().invitations.exists()


def test_a_queued_chat_waits_for_its_team(queued):
    answer = begin(queued, queued.user()).json()["chat"]
    assert (answer["status"], answer["inQueue"]) == ("waiting", True)
    assert not Search.objects.exists()
    assert Chat.objects.get().state == Chat.State.QUEUED


@cases("source", [3, "3", 0, 1.5, "facebook", True])
def test_trap_1_the_source_comes_back_with_its_json_type(direct, source):
    chat = begin(direct, direct.user(), source=source).json()["chat"]
    assert (chat["source"], type(chat["source"])) == (source, type(source))
    again = direct.server.get(f"chats/{chat['id']}").json()["chat"]["source"]
    assert (again, type(again)) == (source, type(source))


@cases("room", [2, "2"])
def test_rooms_may_be_numbers_and_come_back_as_they_were_sent(direct, room):
    chat = begin(direct, direct.user(), room=room).json()["chat"]
    assert (chat["room"], type(chat["room"])) == (room, type(room))
    assert Chat.objects.get().team == direct.second


def test_without_a_source_it_is_the_chat_channel(direct):
    assert begin(direct, direct.user()).json()["chat"]["source"] == 3


@pytest.mark.both
def test_a_user_with_an_open_chat_is_refused_another(direct):
    user = direct.user()
    begin(direct, user)
    answer = begin(direct, user)
    assert is_error(answer, 409)
    assert answer.json()["error"]["message"] == "User already has a chat"
    assert Chat.objects.count() == 1


def test_after_its_end_the_user_may_begin_another(direct):
    user = direct.user()
    first = begin(direct, user).json()["chat"]["id"]
    direct.server.delete(f"chats/{first}")
    assert begin(direct, user).status_code == 200


def test_a_first_message_and_a_history_may_come_along(direct):
    user = direct.user()
    begin(
        direct,
        user,
        message="Hello",
        history=[
            {"sender": "assistant", "type": "text", "message": "How can I help?", "created": 1700000000},
            {"sender": str(user.foreign.customer_id), "type": "text", "message": "An agent!", "created": 1700000005},
        ],
    )
    types = list(Event.objects.order_by("position").values_list("type", flat=True))
    assert types == ["chat.started", "history.imported", "chat.queued", "message.posted"]
    entries = Event.objects.get(type="history.imported").data["entries"]
    assert [(entry["kind"], entry["text"]) for entry in entries] == [
        ("bot", "How can I help?"),
        ("customer", "An agent!"),
    ]


def test_a_user_begins_its_own_chat_with_its_token(direct):
    user = direct.user()
    answer = direct.as_user(user.token).post("chats", {"room": "1"})
    assert answer.json()["chat"]["creator"] == str(user.foreign.customer_id)


def test_a_user_begins_no_chat_for_another(direct):
    mia, tom = direct.user(), direct.user("Tom")
    answer = direct.as_user(mia.token).post("chats", {"room": "1", "creator": str(tom.foreign.customer_id)})
    assert is_error(answer, 403)
    assert not Chat.objects.exists()


def test_the_application_id_alone_and_the_domain_key_begin_nothing(direct):
    body = {"room": "1", "creator": str(direct.user().foreign.customer_id)}
    assert is_error(direct.page.post("chats", body), 403)
    assert is_error(direct.keyed.post("chats", body), 403)
    assert not Chat.objects.exists()


@cases("room", ["3", "", " ", True, 1.0, "support", "None", -1])
def test_an_unknown_room_is_refused(direct, room):
    assert is_error(begin(direct, direct.user(), room=room), 400)
    assert not Chat.objects.exists()


def test_an_agent_begins_no_chat(direct, ann):
    answer = direct.server.post("chats", {"room": "1", "creator": str(ann.pk)})
    assert is_error(answer, 400)


def test_outside_opening_hours_no_chat_begins(direct):
    Team.objects.filter(pk=direct.team.pk).update(always_open=False)
    assert is_error(begin(direct, direct.user()), 409)


# Lists ----------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_chats_are_listed_newest_first_and_by_filters(queued, ann, now):
    waiting = queued.chat(external_id="w")
    active = queued.held_chat(ann, external_id="a")
    closed = queued.chat(room="2", external_id="c")
    queued.server.delete(f"chats/{closed.pk}")

    def ids(query=""):
        return [chat["externalId"] for chat in queued.server.get(f"chats/?{query}").json()["chats"]]

    assert ids() == ["c", "a", "w"]
    assert ids("status=waiting") == ["w"]
    assert ids("status=active") == ["a"]
    assert ids("status=closed") == ["c"]
    assert ids("room=2") == ["c"]
    assert ids(f"creator={active.customer_id}") == ["a"]
    assert ids("externalId=w") == ["w"]
    assert ids("limit=1&page=2") == ["a"]
    assert ids("room=9") == ids("creator=x") == ids(f"creator={uuid4()}") == ids("page=9") == []
    assert waiting.pk


@cases(
    "query",
    ["status=x", "limit=0", "limit=201", "limit=x", "page=0", "page=1001", "page=1e3", "room=%00", "externalId=%00"],
)
def test_an_odd_filter_is_refused(queued, query):
    assert is_error(queued.server.get(f"chats?{query}"), 400)


def test_the_list_shows_nobody_elses_chats(direct, queued, foreign):
    mine = direct.chat()
    queued.chat()
    foreign.chat()
    assert [chat["id"] for chat in direct.server.get("chats").json()["chats"]] == [str(mine.pk)]


def test_a_page_of_chats_takes_few_queries(direct, django_assert_max_num_queries):
    for _ in range(5):
        direct.chat()
    with django_assert_max_num_queries(6):
        assert len(direct.server.get("chats").json()["chats"]) == 5


# One ------------------------------------------------------------------------------------------------------------------


def test_a_chat_is_read_with_what_is_asked_for(direct, ann, now):
    user = direct.user("Mia")
    chat = direct.held_chat(online(ann, now), user.foreign, text="Hello")
    shown = direct.server.get(f"chats/{chat.pk}?fields=users,watchers,%20history,nonsense").json()["chat"]
    assert [one["name"] for one in shown["users"]] == ["Mia", "Ann"]
    assert [bool(one["providerId"]) for one in shown["users"]] == [False, True]
    assert shown["watchers"] == []
    assert "Hello" in [entry["message"] for entry in shown["history"]]
    assert not {"users", "watchers", "history"} & set(direct.server.get(f"chats/{chat.pk}").json()["chat"])


@pytest.mark.both
def test_a_chat_is_read_after_its_end(direct):
    chat = direct.chat()
    direct.server.delete(f"chats/{chat.pk}")
    shown = direct.server.get(f"chats/{chat.pk}/").json()["chat"]
    assert (shown["status"], shown["inQueue"]) == ("closed", False)


def test_a_customer_reads_its_own_chat_alone(direct):
    mia, tom = direct.user(), direct.user("Tom")
    chat = direct.chat(mia.foreign)
    assert direct.as_user(mia.token).get(f"chats/{chat.pk}").status_code == 200
    assert is_error(direct.as_user(tom.token).get(f"chats/{chat.pk}"), 404)


def test_an_agent_reads_chats_that_it_has_that_wait_for_it_or_that_it_had(direct, ann, bob, acme, now):
    held, waiting, sales = direct.held_chat(online(ann, now)), direct.chat(), direct.chat(room="2")
    bobs, anns = direct.as_agent(bob), direct.as_agent(ann)
    assert is_error(bobs.get(f"chats/{held.pk}"), 404)
    assert is_error(bobs.get(f"chats/{sales.pk}"), 404)  # another team's
    assert bobs.get(f"chats/{waiting.pk}").status_code == 200
    assert [anns.get(f"chats/{chat.pk}").status_code for chat in (held, waiting, sales)] == [200, 200, 200]
    anns.delete(f"chats/{held.pk}")
    assert anns.get(f"chats/{held.pk}").json()["chat"]["status"] == "closed"


# Changed --------------------------------------------------------------------------------------------------------------


def test_language_source_and_external_id_are_changed(direct):
    chat = direct.chat()
    changed = direct.server.put(f"chats/{chat.pk}", {"lang": "de", "source": "9", "externalId": 77}).json()["chat"]
    assert (changed["lang"], changed["source"], changed["externalId"], changed["room"]) == ("de", "9", "77", "1")
    same = direct.server.put(f"chats/{chat.pk}", {"unknown": 1, "lang": None, "source": None}).json()["chat"]
    assert same == changed


def test_another_room_passes_the_chat_on(queued, ann, now):
    chat = queued.held_chat(online(ann, now))
    changed = queued.server.put(f"chats/{chat.pk}", {"room": 2}).json()["chat"]
    assert (changed["room"], changed["status"]) == (2, "waiting")
    assert chat.events.filter(type=ChatTransferred.type).count() == 1
    # The same once more moves nothing.
    queued.server.put(f"chats/{chat.pk}", {"room": 2})
    assert chat.events.filter(type=ChatTransferred.type).count() == 1


def test_a_chat_is_not_passed_on_to_what_is_no_room_or_after_its_end(queued):
    chat = queued.chat()
    assert is_error(queued.server.put(f"chats/{chat.pk}", {"room": "9", "lang": "de"}), 400)
    queued.server.delete(f"chats/{chat.pk}")
    assert is_error(queued.server.put(f"chats/{chat.pk}", {"room": "2", "lang": "de"}), 409)
    assert Chat.objects.get().language == ""


def test_a_chat_that_was_passed_on_to_a_team_without_a_room_is_still_ours(direct, acme):
    chat = direct.chat()
    direct.registration.rooms.filter(foreign_id="1").delete()
    assert direct.server.get(f"chats/{chat.pk}").json()["chat"]["room"] == str(direct.team.pk)


def test_users_change_no_chat(direct):
    user = direct.user()
    chat = direct.chat(user.foreign)
    assert is_error(direct.as_user(user.token).put(f"chats/{chat.pk}", {"lang": "de"}), 403)


# Ended ----------------------------------------------------------------------------------------------------------------


def closing(chat):
    return chat.events.get(type="chat.closed").data


@pytest.mark.both
@cases("body", [None, {}, {"userId": "system"}, {"userId": None}])
def test_with_nobody_named_the_system_ends_the_chat(direct, ann, now, body):
    chat = direct.held_chat(online(ann, now))
    assert direct.server.delete(f"chats/{chat.pk}", body).json() == {"success": True}
    assert closing(chat) == {"by": "system", "reason": "done"}


def test_a_waiting_chat_that_the_program_gives_up_was_not_answered(direct):
    chat = direct.chat()
    direct.server.delete(f"chats/{chat.pk}")
    assert closing(chat) == {"by": "system", "reason": "unanswered"}


@cases("in_query", [True, False])
def test_the_customer_ends_the_chat_named_in_the_body_or_the_query(direct, in_query):
    chat = direct.chat()
    user_id = str(chat.customer_id)
    path = f"chats/{chat.pk}?userId={user_id}" if in_query else f"chats/{chat.pk}"
    assert direct.server.delete(path, None if in_query else {"userId": user_id}).json() == {"success": True}
    assert closing(chat)["by"] == "customer"


def test_the_agent_ends_its_own_chat_and_a_supervisor_any(direct, ann, bob, sue, now):
    first, second = direct.held_chat(online(ann, now)), direct.held_chat(ann)
    assert is_error(direct.server.delete(f"chats/{first.pk}", {"userId": str(bob.pk)}), 403)
    assert direct.server.delete(f"chats/{first.pk}", {"userId": str(ann.pk)}).status_code == 200
    assert direct.server.delete(f"chats/{second.pk}", {"userId": str(sue.pk)}).status_code == 200
    assert [closing(chat)["by"] for chat in (first, second)] == ["agent", "agent"]


@pytest.mark.both
def test_ending_twice_is_harmless(direct, ann, bob, now):
    chat = direct.held_chat(online(ann, now))
    for user_id in (str(ann.pk), "system", str(chat.customer_id), str(bob.pk)):
        assert direct.server.delete(f"chats/{chat.pk}", {"userId": user_id}).json() == {"success": True}
    assert chat.events.filter(type="chat.closed").count() == 1


def test_a_token_ends_chats_as_its_own_user_alone(direct, ann, now):
    user = direct.user()
    chat = direct.held_chat(online(ann, now), user.foreign)
    own = direct.as_user(user.token)
    for other in (str(ann.pk), "system", str(uuid4())):
        assert is_error(own.delete(f"chats/{chat.pk}", {"userId": other}), 403)
    assert own.delete(f"chats/{chat.pk}").json() == {"success": True}
    assert closing(chat)["by"] == "customer"


def test_a_customer_of_another_chat_ends_nothing(direct):
    chat, other = direct.chat(), direct.chat()
    assert is_error(direct.server.delete(f"chats/{chat.pk}", {"userId": str(other.customer_id)}), 403)
    assert is_error(direct.server.delete(f"chats/{chat.pk}", {"userId": str(uuid4())}), 404)
    assert Chat.objects.open().count() == 2


def test_trap_5_a_closed_chat_leaves_the_users_chats(direct):
    user = direct.user()
    chat = direct.chat(user.foreign)
    path = f"users/{user.foreign.customer_id}"
    assert direct.server.get(path).json()["user"]["chats"] == [str(chat.pk)]
    direct.server.delete(f"chats/{chat.pk}")
    assert direct.server.get(path).json()["user"]["chats"] == []


def test_trap_6_an_old_upload_sent_with_a_delete_is_no_body(direct):
    chat = direct.chat()
    garbage = b"--b\r\nContent-Disposition: form-data; name=media; filename=x\r\n\r\n..."
    client = direct.server
    for method, path in (("GET", f"chats/{chat.pk}"), ("GET", "chats"), ("DELETE", f"chats/{chat.pk}")):
        for kind in ("multipart/form-data; boundary=b", "multipart/form-data"):
            answer = client.client.generic(method, f"/v1/{path}", garbage, content_type=kind, headers=client.headers)
            assert answer.status_code == 200, answer.content
    assert closing(chat)["by"] == "system"


# Other applications' --------------------------------------------------------------------------------------------------

ROUTES = [
    ("GET", "chats/{id}"),
    ("PUT", "chats/{id}"),
    ("DELETE", "chats/{id}"),
    ("GET", "chats/{id}/assign"),
    ("POST", "chats/{id}/toinbox"),
    ("GET", "chats/{id}/messages"),
    ("POST", "chats/{id}/messages"),
    ("GET", "chats/{id}/history"),
    ("GET", "chats/{id}/history?format=csv"),
    ("POST", "chats/{id}/history"),
    ("GET", "chats/{id}/users"),
    ("POST", "chats/{id}/join"),
    ("PUT", "chats/{id}/leave"),
]


@cases(("method", "path"), ROUTES)
def test_another_applications_chat_is_not_found(direct, queued, foreign, ann, now, method, path):
    """Neither a sibling's of the same center nor another center's; with the secret and with a user's token."""
    chats = [queued.held_chat(online(ann, now)), foreign.chat()]
    before = Event.objects.count()
    bodies = {"history": [], "sender": "system", "message": "x", "userId": str(ann.pk), "lang": "de"}
    for chat in chats:
        for caller in (direct.server, direct.as_user(direct.user().token), direct.as_agent(ann)):
            answer = caller.call(method, path.replace("{id}", str(chat.pk)), None if method == "GET" else bodies)
            assert is_error(answer, 404) or (caller is not direct.server and is_error(answer, 403)), answer.content
    assert Event.objects.count() == before


@cases("odd", ["x", "0", "null", "%00", "%2e%2e", "a" * 100, "' OR 1=1 --", "%F0%9F%98%80", "[]"])
def test_an_odd_id_of_a_chat_is_not_found(direct, odd):
    for method, path in ROUTES:
        body = None if method == "GET" else {"history": [], "sender": "system"}
        assert is_error(direct.server.call(method, path.replace("{id}", odd), body), 404), path


def test_chats_of_our_own_doors_are_not_found(direct, acme, now):
    own = make_chat(acme, now).chat
    assert is_error(direct.server.get(f"chats/{own.pk}"), 404)
    assert not ForeignChat.objects.exists()
