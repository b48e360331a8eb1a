"""What a caller of HyperChat may reach."""

from uuid import uuid4

import pytest

from agents.models import Membership
from chats.errors import Forbidden, Invalid, NotFound
from chats.protocols.hyperchat.callers import Caller, Proof
from chats.protocols.hyperchat.reach import Reach, as_id, part_in
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import online

pytestmark = pytest.mark.django_db


def reach_of(place, proof=Proof.SECRET, user=None):
    return Reach(Caller(place.registration, proof, user))


@cases(
    "value", [None, "", 5, [], {}, "x", "{" + "0" * 30 + "}", "0" * 31, "0" * 33, "g" * 32, "\0" * 36, "０" * 33, True]
)
def test_what_is_no_id_is_none(value):
    assert as_id(value) is None


def test_an_id_may_come_without_its_hyphens():
    value = uuid4()
    assert as_id(str(value)) == as_id(value.hex) == as_id(str(value).upper()) == value


def test_a_server_acts_for_whom_it_names(direct, ann):
    user = direct.user().foreign
    reach = reach_of(direct)
    assert reach.acting(str(user.customer_id)) == user
    assert reach.acting(str(ann.pk)) == ann
    for nobody in (None, ""):
        with pytest.raises(Invalid):
            reach.acting(nobody)
    with pytest.raises(NotFound):
        reach.acting(str(uuid4()))


@cases("proof", [Proof.APP, Proof.DOMAIN])
def test_who_shows_neither_secret_nor_token_acts_for_nobody(direct, ann, proof):
    for user_id in (str(ann.pk), str(direct.user().foreign.customer_id), None):
        with pytest.raises(Forbidden):
            reach_of(direct, proof).acting(user_id)


def test_a_user_acts_for_itself_named_or_not(direct, ann):
    user = direct.user().foreign
    reach = reach_of(direct, Proof.USER, user.customer)
    assert reach.acting(None) == reach.acting(str(user.customer_id)) == user
    for other in (str(ann.pk), "system", "x", 5):
        with pytest.raises(Forbidden):
            reach.acting(other)


def test_a_room_that_was_closed_takes_nothing(direct):
    direct.team.is_active = False
    direct.team.save()
    with pytest.raises(Invalid):
        reach_of(direct).room("1")
    assert reach_of(direct).room(2) == direct.second


@pytest.mark.both
def test_an_agent_sees_each_chat_once(direct, ann, now):
    """Held, offered, waiting for one of its teams: also where several of them are true."""
    held, waiting = direct.held_chat(online(ann, now)), direct.chat()
    direct.server.get(f"chats/{waiting.pk}/assign")
    chats = list(reach_of(direct, Proof.USER, ann).chats().values_list("pk", flat=True))
    assert sorted(chats) == sorted([held.pk, waiting.pk])


def test_who_takes_part_and_who_does_not(direct, ann, bob, now):
    user = direct.user().foreign
    chat = direct.held_chat(online(ann, now), user)
    assert part_in(chat, user).kind == "customer"
    assert part_in(chat, ann).agent == ann
    for other in (bob, direct.user().foreign):
        with pytest.raises(Forbidden):
            part_in(chat, other)


def test_who_only_left_a_note_takes_no_part(direct, ann, sue, now):
    chat = direct.held_chat(online(ann, now))
    chat.participants.create(center=chat.center, agent=sue, kind="agent", name="Sue")
    with pytest.raises(Forbidden):
        part_in(chat, sue)


@pytest.mark.both
def test_an_agent_reaches_the_customers_of_its_chats_alone(direct, ann, bob, now):
    mine, waits, others, idle = (direct.user().foreign for _ in range(4))
    direct.held_chat(online(ann, now), mine)
    direct.chat(waits)
    Membership.objects.filter(agent=ann, team=direct.second).delete()
    direct.held_chat(online(bob, now), others, room=direct.room2)
    reach = reach_of(direct, Proof.USER, ann)
    for known in (mine, waits):
        assert reach.customer(str(known.customer_id)) == known
    for unknown in (others, idle):
        with pytest.raises(NotFound):
            reach.customer(str(unknown.customer_id))
    assert reach_of(direct).customers().count() == 4, "a server knows all"


def test_an_agent_changes_no_customer_of_others(direct, ann):
    other = direct.user("Mia", external_id="crm-1").foreign
    answer = direct.as_agent(ann).put(f"users/{other.customer_id}", {"name": "Eve", "externalId": "crm-2"})
    assert is_error(answer, 404)
    other.refresh_from_db()
    assert (other.external_id, other.customer.name) == ("crm-1", "Mia")
