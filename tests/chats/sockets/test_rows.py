"""What desks are shown is loaded as the queryset would load it."""

import pytest
from django.utils import timezone

from chats.models import Chat
from chats.shapes import agent_shape, chat_for_staff, for_staff, with_load
from chats.sockets.board import load_boards
from chats.sockets.rows import load_chats
from tests.chats.carried import carry, hold, make_sms
from tests.conftest import make_chat, make_held_chat

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def test_chats_look_as_their_queryset_gives_them(acme, ann, now):
    carried = carry(make_sms(acme), "+49 1", now)
    hold(carried, ann, now)
    ids = [carried.pk, make_chat(acme, now).chat.pk, make_held_chat(acme, ann, now).chat.pk]
    found = load_chats(ids)
    wanted = {chat.pk: chat for chat in for_staff(Chat.objects.filter(pk__in=ids))}
    assert found.keys() == wanted.keys() == set(ids)
    for chat_id, chat in found.items():
        assert chat_for_staff(chat, viewer_id=ann.pk, now=now) == chat_for_staff(
            wanted[chat_id], viewer_id=ann.pk, now=now
        )


def test_a_boards_agents_look_as_their_queryset_gives_them(acme, globex, ann, bob, sue, now, django_assert_num_queries):
    make_held_chat(acme, ann, now)
    bob.skills, bob.languages = ["billing"], ["de"]
    bob.save()
    agents = with_load(acme.center.agents.active())
    wanted = {agent.pk: agent_shape(agent, now=timezone.now()) for agent in agents}
    load_boards([acme.center.pk])  # the queues are kept from now on
    with django_assert_num_queries(5):
        board = load_boards([acme.center.pk])[acme.center.pk]
    assert board.agents == wanted
    assert board.admits(ann.pk, ann.user.session_version)
