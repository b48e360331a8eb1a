"""The cast of all tests: two centers, acme and globex; agents ann and bob (acme) and gil (globex); a stranger, eve."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.db import connection, connections, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from agents.models import Agent, Presence
from agents.seats import open_seat
from chats.actions.offer import accept_invitation, offer_chat
from chats.actions.start import Start, Started, start_chat
from chats.doors.socketio.threads import Crew
from chats.doors.throttles import tally
from chats.models import Chat, Customer, Participant
from chats.sockets import threads
from chats.sockets.poster import poster
from contactcenter.models import Channel, ContactCenter, Team, User
from contactcenter.sqlite import base as sqlite
from tests.emptying import empty_tables
from tests.migrated import begin_with_copy

TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[method-assign]
audit_guard = import_module("contactcenter.migrations.0002_audit_is_append_only")
MARKER = "GLOBEX-MARKER"  # stands in every text of globex: nobody of acme may ever see it


@pytest.fixture(autouse=True)
def _fresh_tally() -> None:
    """What was counted and not yet told outlives a test, as the cache does."""
    tally.forget()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """On SQLite nobody waits for the disk: a killed process loses nothing, and no test cuts the power."""
    begin_with_copy()
    if connection.vendor == "sqlite":
        hasty = sqlite.PRAGMAS.replace("synchronous=FULL", "synchronous=OFF")
        connection.settings_dict["OPTIONS"].setdefault("init_command", hasty)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """On SQLite tests clean up by DELETE, which the audit log's triggers forbid. Its own tests put them back."""
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                audit_guard.release(None, SimpleNamespace(connection=connection, execute=cursor.execute))
    yield
    # The database cannot be dropped while a thread of ours still holds a connection.
    poster.stop()
    threads.pool.shutdown()
    threads.shared_pool.shutdown()
    for crew in Crew.everyone:
        crew.pool.shutdown()
    SyncToAsync.single_thread_executor.submit(connections.close_all).result(10)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Slow hashes protect people; here they would take most of the time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def make_center(slug: str, mark: str = "") -> SimpleNamespace:
    """A center with a default team `support`, a second team `sales`, and a web channel."""
    center = ContactCenter.objects.create(slug=slug, name=f"{slug.title()} {mark}".strip())
    teams = [
        Team.objects.create(center=center, key=key, name=f"{key.title()} {mark}".strip(), is_default=key == "support")
        for key in ("support", "sales")
    ]
    channel = Channel.objects.create(
        center=center, name=f"Website {mark}".strip(), allowed_origins=[f"https://www.{slug}.example"]
    )
    return SimpleNamespace(center=center, support=teams[0], sales=teams[1], channel=channel)


def make_agent(place: SimpleNamespace, name: str, *, teams: list[Team] | None = None, **fields: Any) -> Agent:
    """A person with a seat; offline until somebody signs in (see `online`)."""
    user = User.objects.create_user(
        username=name.lower(), email=f"{name.lower()}@example.com", password="correct horse"
    )
    return open_seat(place.center, user, name=name, teams=teams or [place.support], **fields)


def online(agent: Agent, now: datetime, seconds: int = 45) -> Agent:
    Presence.objects.filter(agent=agent).update(
        status=Presence.Status.ONLINE, idle_since=now, lease_until=now + timedelta(seconds=seconds)
    )
    return agent


def make_customer(place: SimpleNamespace, name: str = "Mia") -> Customer:
    return Customer.objects.create(center=place.center, name=name)


def make_chat(place: SimpleNamespace, now: datetime, customer: Customer | None = None, **start: Any) -> Started:
    """A chat that waits in its team's queue."""
    start.setdefault("client_id", f"start-{Chat.objects.count()}")
    return start_chat(place.channel, customer or make_customer(place), Start(**start), now=now)


def make_held_chat(place: SimpleNamespace, agent: Agent, now: datetime, **start: Any) -> SimpleNamespace:
    """A chat that the agent has accepted: chat, customer's and agent's participants."""
    started = make_chat(place, now, **start)
    chat = Chat.objects.get(pk=started.chat.pk)
    with transaction.atomic():
        invitation = offer_chat(chat, agent, reason="test", now=now)
    chat = accept_invitation(agent, invitation.pk, now=now)
    seat = Participant.objects.get(chat=chat, agent=agent)
    return SimpleNamespace(chat=chat, customer=started.participant, agent=seat)


@pytest.fixture
def acme(db: None) -> SimpleNamespace:
    return make_center("acme")


@pytest.fixture
def globex(db: None) -> SimpleNamespace:
    return make_center("globex", MARKER)


@pytest.fixture
def ann(acme: SimpleNamespace) -> Agent:
    return make_agent(acme, "Ann", capacity=3, teams=[acme.support, acme.sales])


@pytest.fixture
def bob(acme: SimpleNamespace) -> Agent:
    return make_agent(acme, "Bob", capacity=2)


@pytest.fixture
def sue(acme: SimpleNamespace) -> Agent:
    """A supervisor of acme."""
    return make_agent(acme, "Sue", role=Agent.Role.SUPERVISOR)


@pytest.fixture
def gil(globex: SimpleNamespace) -> Agent:
    return make_agent(globex, "Gil", role=Agent.Role.ADMIN)


@pytest.fixture
def eve(db: None) -> User:
    """A stranger: a user without a seat."""
    return User.objects.create_user(username="eve", email="eve@example.com", password="correct horse")
