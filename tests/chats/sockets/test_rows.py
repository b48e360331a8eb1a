"""What desks are shown is loaded as the queryset would load it."""

import pytest

from chats.models import Chat
from chats.shapes import chat_for_staff, for_staff
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
