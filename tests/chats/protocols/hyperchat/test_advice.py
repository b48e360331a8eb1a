"""chats:assign: the application's server names the agent, or does not."""

import contextlib
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection

from chats.actions.offer import decline_invitation
from chats.models import Chat, Delivery, Invitation
from chats.protocols.hyperchat import advice
from chats.protocols.hyperchat.advice import advise, ids_in
from chats.protocols.hyperchat.moves import slow_places
from chats.routing.search import search_agent
from contactcenter import longpoll
from tests.cases import cases
from tests.chats.outbox.receiver import Receiver
from tests.chats.protocols.hyperchat.conftest import make_hook
from tests.conftest import make_agent, make_chat, online

pytestmark = pytest.mark.django_db

AGENT = "01890000-0000-7000-8000-000000000001"


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def asked(direct, receiver):
    """A web hook of `direct` that wants to be asked."""
    hook = make_hook(direct, "chats:assign")
    hook.url = receiver.url
    hook.save()
    return hook


@pytest.fixture
def team(ann, bob, now):
    """Ann has three free slots, Bob two: by itself the search asks Ann first."""
    return online(ann, now), online(bob, now)


def names(receiver, agent_id, status=200):
    body = json.dumps({"agent": {"id": str(agent_id)}}).encode()
    receiver.answer = lambda call: (status, {}, body)


def assign(place, chat):
    return place.server.get(f"chats/{chat.pk}/assign").json()["agent"]


# The answer -----------------------------------------------------------------------------------------------------------


@cases(
    "answer",
    [
        {"agent": {"id": AGENT}},
        {"agent": AGENT},
        {"agentId": AGENT},
        {"agent_id": AGENT},
        {"userId": AGENT},
        {"user": {"id": AGENT, "name": "Ann"}},
        {"id": AGENT},
        {"data": {"agent": {"id": AGENT}}},
        {"result": {"agentId": AGENT}},
        AGENT,
        f" {AGENT}\n",
        AGENT.replace("-", ""),
    ],
)
def test_an_agent_s_id_is_found_wherever_it_may_stand(answer):
    assert list(ids_in(answer)) == [UUID(AGENT)]


@cases(
    "answer",
    [
        None,
        True,
        7,
        [],
        {},
        "",
        "Ann",
        [AGENT],
        {"agent": None},
        {"agent": {"id": 7}},
        {"agent": ["x"]},
        {"success": True},
        {"agentId": "not-an-id-but-of-thirty-six-signs-..."},
        {"data": {"data": {"data": {"data": {"id": AGENT}}}}},
    ],
)
def test_anything_else_names_nobody(answer):
    assert list(ids_in(answer)) == []


# The call -------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_who_is_named_gets_the_chat(direct, team, receiver, asked):
    names(receiver, team[1].pk)
    chat = direct.chat(language="de")
    assert assign(direct, chat)["id"] == str(team[1].pk)
    (call,) = receiver.calls
    assert call.json == {
        "trigger": "chats:assign",
        "appId": direct.app_id,
        "data": {"chatId": str(chat.pk), "creator": str(chat.customer_id), "room": "1", "lang": "de"},
        "created_at": call.json["created_at"],
    }
    mark = hmac.new(asked.secret.encode(), call.body, hashlib.sha256).hexdigest()
    assert call.headers["x-hook-signature"] == mark
    assert not Delivery.objects.filter(event="chats:assign").exists()


def test_at_each_jump_it_is_asked_again(direct, team, receiver, asked, now):
    ann, bob = team
    names(receiver, bob.pk)
    chat = direct.chat()
    assign(direct, chat)
    decline_invitation(bob, chat.invitations.get().pk, now=now)
    names(receiver, ann.pk)
    assert search_agent(chat.pk, now + timedelta(seconds=1)) == ann
    assert len(receiver.calls) == 2


@cases(
    "answer",
    [
        (200, {}, b""),
        (200, {}, b"{}"),
        (200, {}, b"<html>"),
        (200, {}, b"\xff\xfe"),
        (200, {}, b"[" * 5000),
        (200, {}, b'{"agent": {"id": "01890000-0000-7000-8000-000000000001"}}'),
        (204, {}, b""),
        (302, {"Location": "http://127.0.0.1:1/"}, b""),
        (404, {}, b""),
        (500, {}, b"broken"),
    ],
)
def test_without_a_fit_answer_the_search_goes_on_by_itself(direct, team, receiver, asked, answer):
    receiver.answer = lambda call: answer
    assert assign(direct, direct.chat())["id"] == str(team[0].pk)


def test_a_word_in_a_refusal_counts_for_nothing(direct, team, receiver, asked):
    names(receiver, team[1].pk, status=500)
    assert assign(direct, direct.chat())["id"] == str(team[0].pk)


def test_who_does_not_answer_in_time_was_asked_in_vain(direct, team, receiver, asked, monkeypatch):
    monkeypatch.setattr(advice, "SECONDS", 0.3)
    answered = threading.Event()

    def answer(_call):
        answered.wait(20)
        return 200

    receiver.answer = answer
    assert assign(direct, direct.chat())["id"] == str(team[0].pk)
    answered.set()


def test_where_nobody_listens_the_search_goes_on_by_itself(direct, team):
    hook = make_hook(direct, "chats:assign")
    assert hook.url.endswith(":9/hook")
    assert assign(direct, direct.chat())["id"] == str(team[0].pk)


def test_an_agent_who_is_away_or_of_another_team_or_center_is_not_offered_it(direct, acme, team, gil, receiver, asked):
    away = make_agent(acme, "Zoe")
    other = make_agent(acme, "Tim", teams=[acme.sales])
    for agent in (away, other, gil):
        names(receiver, agent.pk)
        chat = direct.chat()
        assert assign(direct, chat)["id"] in {str(one.pk) for one in team}
        assert not Invitation.objects.filter(agent=agent).exists()


def test_the_first_who_names_somebody_is_heard(direct, team, receiver, asked):
    """The older web hook has no opinion, the younger one has."""
    bob = team[1]
    hook = make_hook(direct, "chats:assign")
    hook.url = receiver.url + "/second"
    hook.save()
    body = json.dumps({"agentId": str(bob.pk)}).encode()
    receiver.answer = lambda call: (200, {}, body if call.path.endswith("second") else b"{}")
    assert assign(direct, direct.chat())["id"] == str(bob.pk)
    assert [call.path for call in receiver.calls] == ["/hook", "/hook/second"]


# Who is asked ---------------------------------------------------------------------------------------------------------


def test_another_application_s_server_is_not_asked(queued, direct, team, receiver):
    hook = make_hook(queued, "chats:assign")
    hook.url = receiver.url
    hook.save()
    assign(direct, direct.chat())
    assert receiver.calls == []


def test_who_does_not_want_to_be_asked_is_not(direct, team, receiver, asked):
    asked.events = ["chats:create", "messages:new"]
    asked.save()
    assert advise(direct.chat()) is None
    assert receiver.calls == []


def test_chats_of_the_web_site_are_nobodys(asked, acme, now, receiver, django_assert_num_queries):
    chat = make_chat(acme, now).chat
    with django_assert_num_queries(0):
        assert advise(chat) is None
    assert receiver.calls == []


def test_while_others_wait_for_their_answers_a_call_holds_no_thread(direct, team, receiver, asked):
    """The edge calls such a view again in a moment (contactcenter.longpoll)."""
    names(receiver, team[1].pk)
    chat = direct.chat()
    with contextlib.ExitStack() as stack:
        while slow_places.acquire(blocking=False):
            stack.callback(slow_places.release)
        answer = direct.server.get(f"chats/{chat.pk}/assign")
        assert longpoll.HEADER in answer
        assert receiver.calls == []
    assert assign(direct, chat)["id"] == str(team[1].pk)


@pytest.mark.django_db(transaction=True)
def test_nobody_is_asked_within_a_transaction(direct, team, receiver, asked):
    seen = []

    def ask(*_args, **_options):
        seen.append(connection.in_atomic_block)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(advice, "ask", ask)
        assign(direct, direct.chat())
    assert seen == [False]


def test_a_chat_that_is_gone_is_asked_for_in_vain(direct, asked, receiver):
    assert search_agent(uuid4(), direct.registration.created_at) is None
    assert advise(Chat(pk=uuid4(), is_foreign=True)) is None
    assert receiver.calls == []
