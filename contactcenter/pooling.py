"""Connections that lie in a pool, and whether one is still alive when it is taken out."""

import select
import time
from typing import Any

from psycopg import Connection, Cursor

TRUSTED_SECONDS = 5.0  # a network that swallows everything is noticed by asking alone


class PooledConnection(Connection[Any]):
    """Spares most of the pool's checks: each is a round trip, which costs a request as much as a look-up.

    A server that went away has closed its end: that is seen here without asking.
    """

    proven_at = 0.0

    def execute(self, query: Any, *args: Any, **options: Any) -> Cursor[Any]:
        if query != "":  # all that psycopg_pool's check_connection says
            return super().execute(query, *args, **options)
        now = time.monotonic()
        if now - self.proven_at < TRUSTED_SECONDS and not self.has_news():
            return self.cursor()
        proven = super().execute(query, *args, **options)
        self.proven_at = now
        return proven

    def has_news(self) -> bool:
        """Whether the server has said something unasked. On an idle connection that is its end."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))
