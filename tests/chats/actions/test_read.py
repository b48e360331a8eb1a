"""What an agent has read, and what that leaves unread."""

import pytest
from django.db import OperationalError, connection

from chats.actions.post import Post, post_message
from chats.actions.read import mark_read
from chats.models import Chat, Participant
from tests.conftest import make_held_chat


def test_a_cursor_moves_only_together_with_the_count_of_what_is_unread(acme, ann, now):
    held = make_held_chat(acme, ann, now)
    post_message(Post(held.chat.pk, held.customer.pk, "m1", "Hello?"), now=now)
    reader = Participant.objects.get(chat=held.chat, agent=ann)
    head = Chat.objects.get(pk=held.chat.pk).index

    def break_off(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and '"unread"' in sql:
            raise OperationalError("the database went away")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(break_off), pytest.raises(OperationalError):
        mark_read(reader, head)
    mark_read(reader, head)  # the client says it again

    assert Chat.objects.get(pk=held.chat.pk).unread == 0
