"""Push notices and the processes that tell them: sweeps, killed workers, two at once."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from chats import tasks
from chats.carriers.push import notices
from chats.carriers.push.notices import Notices
from chats.models import AppSession, PushNotice
from chats.outbox.courier import Courier
from chats.outbox.lanes import LEASE
from tests.chats.carried import say
from tests.chats.carriers.push.conftest import APNS, make_session, the_notice, wait_for

pytestmark = pytest.mark.django_db


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_the_sweep_tells_what_is_due_though_the_first_try_fails(talk, google, apple, space, courier, now, monkeypatch):
    monkeypatch.setattr(notices, "courier", courier)
    monkeypatch.setattr(notices, "WAITS", (0.01,))
    make_session(space.registration, talk.profile, APNS, now)
    google.says, apple.says = [(500, b"<html>")], [(503, "ServiceUnavailable")]
    say(talk.part, "Hello", now)
    PushNotice.objects.update(due_at=now)
    tasks.sweep_push_notices()
    google.receiver.wait_for(3)  # a token, a failure, and again
    wait_for(lambda: len(apple.taken) == 1)
    assert courier.stop(20)
    tasks.sweep_push_notices()
    assert courier.stop(20)
    assert (len(google.taken), len(apple.taken)) == (1, 1)
    assert {(row.state, row.attempts_made, row.error) for row in PushNotice.objects.all()} == {("sent", 2, "")}


WORKER = """
import sys, threading, django
django.setup()
from chats.carriers.push.notices import courier
courier.poke(__import__("uuid").UUID(sys.argv[1]))
threading.Event().wait(60)
"""


def begin_worker(session: AppSession) -> Any:
    config = connection.settings_dict
    url = f"postgres://{config['USER']}@{config['HOST']}:{config['PORT']}/{config['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1"}
    return subprocess.Popen([sys.executable, "-c", WORKER, str(session.pk)], env=environment)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_had_claimed_is_told_by_another_under_the_same_name(talk, google, courier, now):
    say(talk.part, "Hello", now)
    PushNotice.objects.update(due_at=now)
    google.may_answer.clear()
    worker = begin_worker(talk.session)
    try:
        google.receiver.wait_for(2, 60)
        courier.poke(talk.session.pk)  # nobody takes what another has claimed
        assert courier.stop(20)
        assert len(google.receiver.calls) == 2
    finally:
        worker.kill()
        worker.wait()
    google.may_answer.set()
    row = the_notice()
    assert (row.sent_at, row.attempts_made, row.leased_until > timezone.now()) == (None, 0, True)
    PushNotice.objects.update(leased_until=row.leased_until - LEASE)
    courier.poke(talk.session.pk)
    wait_for(lambda: the_notice().sent_at)
    assert len({call.json["message"]["android"]["notification"]["tag"] for call in google.sends()}) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_couriers_tell_each_message_once(talk, google, now):
    for number in range(12):
        say(talk.part, f"{number}", now)
    PushNotice.objects.update(due_at=now)
    couriers = [Courier(Notices(), seconds=5) for _each in range(2)]
    for _again in range(3):
        for courier in couriers:
            courier.poke(talk.session.pk)
    wait_for(lambda: not PushNotice.objects.pending().exists())
    assert all(courier.stop(20) for courier in couriers)
    assert [one["notification"]["body"] for one in google.taken] == [str(number) for number in range(12)]


# The house around it --------------------------------------------------------------------------------------------------
