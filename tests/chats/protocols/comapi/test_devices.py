"""One device, whoever claims it: also when two do at the same moment."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from chats.actions.app_sessions import set_push
from chats.models import AppSession

PUSH = {"fcm": {"package": "com.acme", "registrationId": "one-phone"}}
MANY = 6


@pytest.mark.django_db(transaction=True)
def test_of_several_who_claim_a_token_at_once_one_has_it(space):
    for profile_id in map(str, range(MANY)):
        space.app(profile_id)
    barrier, wrong = threading.Barrier(MANY), []

    def claim(session):
        try:
            barrier.wait(30)
            set_push(session, PUSH, now=timezone.now())
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    sessions = AppSession.objects.select_related("profile__customer", "profile__registration", "registration")
    threads = [threading.Thread(target=claim, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert AppSession.objects.exclude(push={}).count() == 1
