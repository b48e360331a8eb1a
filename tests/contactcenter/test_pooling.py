"""Connections that lay in the pool."""

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from contactcenter.pooling import PooledConnection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("not __import__('django').db.connection.vendor == 'postgresql'", reason="SQLite has no pool"),
]


@pytest.fixture
def pooled():
    params = connection.get_connection_params()
    for ours in ("pool", "prepare_threshold", "cursor_factory", "context"):
        params.pop(ours, None)
    with PooledConnection.connect(**params, autocommit=True) as made:
        yield made


def test_a_connection_is_asked_about_once_and_then_trusted_for_a_while(pooled, monkeypatch):
    asked = []
    monkeypatch.setattr(psycopg.Connection, "execute", lambda self, query, *args, **options: asked.append(query))
    for _time in range(3):
        ConnectionPool.check_connection(pooled)
    assert asked == [""]
    monkeypatch.setattr("contactcenter.pooling.TRUSTED_SECONDS", 0.0)
    ConnectionPool.check_connection(pooled)
    pooled.execute("SELECT 1")
    assert asked == ["", "", "SELECT 1"]


def test_a_connection_that_the_server_has_ended_is_noticed_at_once(pooled):
    ConnectionPool.check_connection(pooled)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pooled.info.backend_pid])
    # The server answers before the other process has ended.
    while not pooled.has_news():
        pass
    with pytest.raises(psycopg.OperationalError):
        ConnectionPool.check_connection(pooled)
