"""From a request's thread to the process's poster and back."""

from datetime import datetime

from django.db import connection

from chats.actions.post import Post, Posted, post_message
from chats.errors import Refused, Unavailable
from chats.sockets.poster import poster

STORED_WITHIN = 15  # seconds; the poster itself gives up on a chat that others hold after five


def store_post(post: Post, now: datetime) -> Posted:
    """By the process's poster, which commits for everybody at once; within somebody's transaction, in that one. Raises a Refused."""
    if connection.in_atomic_block:
        return post_message(post, now=now)
    try:
        outcome = poster.submit(post).result(STORED_WITHIN)
    except TimeoutError:
        raise Unavailable from None
    if isinstance(outcome, Refused):
        raise outcome
    return outcome
