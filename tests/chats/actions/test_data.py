"""Custom data of a chat, changed by those who are in it; and how a chat went, said before or after its end."""

import pytest

from agents.models import Disposition
from chats.actions.close import close_by_agent, dispose_chat
from chats.actions.data import MOST_DATA, change_data
from chats.actions.guests import invite_guest, join_as_guest
from chats.errors import Forbidden, Invalid, NotFound, TooLarge
from chats.models import Chat
from tests.conftest import make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def chat(acme, ann, now):
    return make_held_chat(acme, ann, now, data={"order": 7, "vip": None}).chat


def fresh(chat):
    return Chat.objects.get(pk=chat.pk)


def test_values_are_set_and_taken_out_and_the_log_says_which(ann, chat, now):
    change_data(ann, chat.pk, put={"order": 8, "plan": "gold"}, drop=["vip", "nothing"], now=now)
    assert fresh(chat).data == {"order": 8, "plan": "gold"}
    event = chat.events.get(type="chat.updated")
    assert (event.data, event.index) == ({"changed": {"order": 8, "plan": "gold", "vip": None}}, None)


def test_what_is_so_already_is_no_event(ann, chat, now):
    change_data(ann, chat.pk, put={"order": 7}, drop=["nothing"], now=now)
    assert not chat.events.filter(type="chat.updated").exists()


def test_it_is_the_owners_its_guests_and_supervisors(ann, bob, sue, gil, chat, now):
    with pytest.raises(Forbidden):
        change_data(bob, chat.pk, put={"a": 1}, now=now)
    with pytest.raises(NotFound):
        change_data(gil, chat.pk, put={"a": 1}, now=now)
    invite_guest(ann, chat.pk, bob, now=now)
    with pytest.raises(Forbidden):
        change_data(bob, chat.pk, put={"a": 1}, now=now)
    join_as_guest(bob, chat.pk, now=now)
    change_data(bob, chat.pk, put={"a": 1}, now=now)
    change_data(sue, chat.pk, put={"b": 2}, now=now)
    close_by_agent(ann, chat.pk, now=now)
    change_data(ann, chat.pk, put={"c": 3}, now=now)
    assert fresh(chat).data == {"order": 7, "vip": None, "a": 1, "b": 2, "c": 3}


def test_it_has_a_size(ann, chat, now):
    with pytest.raises(TooLarge):
        change_data(ann, chat.pk, put={"essay": "x" * MOST_DATA}, now=now)
    assert fresh(chat).data == {"order": 7, "vip": None}


def test_how_it_went_is_said_before_or_after_the_end(acme, globex, ann, bob, chat, now):
    sold = Disposition.objects.create(center=acme.center, name="Sold")
    theirs = Disposition.objects.create(center=globex.center, name="Theirs")
    dispose_chat(ann, chat.pk, disposition=sold, now=now)
    assert fresh(chat).disposition == sold
    close_by_agent(ann, chat.pk, now=now)
    assert fresh(chat).disposition == sold  # ending without a word leaves it
    dispose_chat(ann, chat.pk, disposition=None, comment="after all not", now=now)
    assert (fresh(chat).disposition, fresh(chat).comment) == (None, "after all not")
    assert chat.events.filter(type="chat.disposed").count() == 2
    with pytest.raises(Invalid):
        dispose_chat(ann, chat.pk, disposition=theirs, now=now)
    with pytest.raises(Forbidden):
        dispose_chat(bob, chat.pk, disposition=sold, now=now)
