"""Where a chat stands in the queue, as HyperChat's web hooks are told when it changes."""

from datetime import timedelta

import pytest
from django.db import transaction

from chats.actions.close import close_chat
from chats.actions.hold import pick_chat
from chats.actions.offer import accept_invitation, offer_chat
from chats.actions.transfer import leave_chat
from chats.models import Chat, Delivery, ForeignChat, Queue
from chats.protocols.hyperchat import places
from chats.protocols.hyperchat.places import place_shape, sweep_places, tell_places
from chats.routing.engine import route_team
from chats.tasks import sweep_places as sweep_task
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import make_hook
from tests.conftest import make_chat, online

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(queued):
    """Three chats that wait, and a web hook that wants to hear where."""
    make_hook(queued, "queues:update")
    return [queued.chat() for _ in range(3)]


def told(chat=None):
    """What was filed, of one chat or of all, in its order."""
    rows = Delivery.objects.filter(event="queues:update").order_by("number")
    return [row.payload["data"] for row in (rows.filter(chat=chat) if chat else rows)]


def ahead(chat):
    return [data["data"]["queuePosition"] for data in told(chat)]


@pytest.mark.both
def test_each_is_told_how_many_are_ahead(queued, line, now):
    assert tell_places(queued.team.pk, now) == 3
    assert told() == [
        {
            "chatId": str(chat.pk),
            "userId": str(chat.customer_id),
            "data": {"queuePosition": number, "estimatedWaitingTime": None},
        }
        for number, chat in enumerate(line)
    ]
    delivery = Delivery.objects.filter(event="queues:update").first()
    assert delivery.payload["trigger"] == "queues:update"
    assert (delivery.payload["appId"], delivery.payload["created_at"]) == (queued.app_id, int(now.timestamp()))


def test_over_the_api_a_client_reads_the_same(queued, line, now):
    tell_places(queued.team.pk, now)
    for chat in line:
        assert queued.server.get(f"queues/update/{chat.pk}").json() == told(chat)[0]


def test_the_expected_wait_is_told_in_seconds(queued, line, now):
    Queue.objects.filter(team=queued.team).update(seconds_per_chat=40.0, moved_at=now)
    tell_places(queued.team.pk, now)
    assert [data["data"]["estimatedWaitingTime"] for data in told()] == [40, 80, 120]


@pytest.mark.both
def test_what_has_not_changed_is_not_told_again(queued, line, now):
    assert tell_places(queued.team.pk, now) == 3
    assert tell_places(queued.team.pk, now + timedelta(seconds=60)) == 0
    assert len(told()) == 3


@pytest.mark.both
def test_when_one_leaves_those_behind_move_up(queued, line, now):
    tell_places(queued.team.pk, now)
    close_chat(Chat.objects, line[0].pk, reason="done", now=now)
    assert tell_places(queued.team.pk, now) == 2
    assert [ahead(chat) for chat in line] == [[0], [1, 0], [2, 1]]


def test_the_router_tells_after_its_run(queued, line, ann, now):
    online(ann, now)
    Queue.objects.filter(team=queued.team).update(routing_due_at=now)
    assert route_team(queued.team.pk, now) == 3
    assert [ahead(chat) for chat in line] == [[0], [1], [2]]
    first = line[0].invitations.get()
    accept_invitation(ann, first.pk, now=now)
    route_team(queued.team.pk, now)
    assert [ahead(chat) for chat in line] == [[0], [1, 0], [2, 1]]


def test_a_listener_that_fails_does_not_stop_the_router(queued, line, ann, now, monkeypatch):
    online(ann, now)

    def fail(*_args):
        raise RuntimeError("no places")

    monkeypatch.setattr(places, "tell_places", fail)
    Queue.objects.filter(team=queued.team).update(routing_due_at=now)
    assert route_team(queued.team.pk, now) == 3
    assert Queue.objects.get(team=queued.team).routing_due_at is None


@pytest.mark.both
def test_the_sweep_tells_what_no_run_has_told(queued, line, acme, now):
    other = queued.chat(room=queued.room2)
    assert sweep_places(now) == 4
    assert ahead(other) == [0]
    assert sweep_places(now) == 0


def test_the_task_looks_at_all(line):
    sweep_task()
    assert len(told()) == 3


def test_a_team_at_which_something_is_broken_does_not_stop_the_others(queued, line, acme, now, monkeypatch):
    other = queued.chat(room=queued.room2)
    real = places.queue_places

    def broken(team_id, at):
        if team_id == queued.team.pk:
            raise RuntimeError("broken")
        return real(team_id, at)

    monkeypatch.setattr(places, "queue_places", broken)
    assert sweep_places(now) == 1
    assert [data["chatId"] for data in told()] == [str(other.pk)]


@pytest.mark.both
def test_who_comes_back_is_told_the_place_even_if_it_is_the_old_one(queued, ann, now):
    make_hook(queued, "queues:update")
    chat = queued.chat()
    tell_places(queued.team.pk, now)
    pick_chat(online(ann, now), chat.pk, now=now)
    leave_chat(ann, chat.pk, now=now)
    assert ForeignChat.objects.get(chat=chat).told_position is None
    assert tell_places(queued.team.pk, now) == 1
    assert ahead(chat) == [0, 0]


def test_a_chat_on_offer_still_stands_in_the_line(queued, line, ann, now):
    online(ann, now)
    with transaction.atomic():
        offer_chat(Chat.objects.locked().get(pk=line[0].pk), ann, reason="test", now=now)
    tell_places(queued.team.pk, now)
    assert [ahead(chat) for chat in line] == [[0], [1], [2]]


def test_chats_of_others_are_ahead_but_are_not_told(queued, acme, now):
    make_hook(queued, "queues:update")
    make_chat(acme, now - timedelta(minutes=5))
    chat = queued.chat()
    assert tell_places(queued.team.pk, now) == 1
    assert ahead(chat) == [1]


def test_chats_that_are_searched_for_stand_in_no_line(direct, now):
    make_hook(direct)
    direct.chat()
    assert tell_places(direct.team.pk, now) == 0
    assert told() == []


def test_another_application_s_web_hook_hears_nothing(queued, direct, foreign, line, now):
    for place in (direct, foreign):
        make_hook(place)
    Delivery.objects.all().delete()
    tell_places(queued.team.pk, now)
    assert set(Delivery.objects.values_list("webhook__registration", flat=True)) == {queued.registration.pk}


def test_where_nobody_listens_nothing_is_asked(queued, now, django_assert_num_queries):
    queued.chat()
    tell_places(queued.team.pk, now)
    with django_assert_num_queries(0):
        assert tell_places(queued.team.pk, now) == 0
        assert sweep_places(now) == 0


def test_a_long_line_is_told_in_portions(queued, now, monkeypatch):
    monkeypatch.setattr(places, "AT_ONCE", 2)
    make_hook(queued, "queues:update")
    chats = [queued.chat() for _ in range(5)]
    assert tell_places(queued.team.pk, now) == 5
    assert [ahead(chat) for chat in chats] == [[number] for number in range(5)]


def test_who_was_told_by_somebody_else_meanwhile_is_not_told_twice(queued, line, now, monkeypatch):
    real = places.hooks_of

    def slow(*args):
        """Another process comes first, after this one has looked."""
        monkeypatch.setattr(places, "hooks_of", real)
        assert tell_places(queued.team.pk, now) == 3
        return real(*args)

    monkeypatch.setattr(places, "hooks_of", slow)
    assert tell_places(queued.team.pk, now) == 0
    assert len(told()) == 3


def test_who_has_found_an_agent_meanwhile_is_told_no_place(queued, line, ann, now, monkeypatch):
    real = places.hooks_of

    def slow(*args):
        pick_chat(online(ann, now), line[0].pk, now=now)
        return real(*args)

    monkeypatch.setattr(places, "hooks_of", slow)
    assert tell_places(queued.team.pk, now) == 2
    assert ahead(line[0]) == []


@cases(("place", "position"), [(0, 0), (1, 0), (2, 1), (9, 8)])
def test_the_position_counts_who_is_ahead(queued, place, position):
    chat = queued.chat()
    assert place_shape(chat, place, 30)["data"] == {"queuePosition": position, "estimatedWaitingTime": 30}
