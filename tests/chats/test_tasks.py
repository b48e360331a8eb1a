"""Tasks do one call each, and may run twice."""

from datetime import timedelta

import pytest

from chats import tasks
from chats.models import Chat, Invitation, Queue, Search
from tests.conftest import make_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_a_team_is_routed_once(acme, ann, now):
    online(ann, now)
    make_chat(acme, now)
    tasks.route_team(str(acme.support.pk))
    tasks.route_team(str(acme.support.pk))
    assert Invitation.objects.pending().count() == 1


def test_an_offer_expires_once_and_only_when_its_time_is_over(acme, ann, now):
    online(ann, now)
    make_chat(acme, now)
    tasks.route_team(str(acme.support.pk))
    offer = Invitation.objects.get()
    tasks.expire_invitation(str(offer.pk))
    assert Invitation.objects.get().state == "pending"
    Invitation.objects.update(expires_at=now)
    for _ in range(2):
        tasks.expire_invitation(str(offer.pk))
    assert Invitation.objects.get().state == "expired"


def test_a_chat_is_tended_only_when_it_is_due(acme, now):
    chat = make_chat(acme, now).chat
    tasks.tend_chat(str(chat.pk))
    assert Chat.objects.get(pk=chat.pk).due_at == chat.due_at
    Chat.objects.update(due_at=now)
    tasks.tend_chat(str(chat.pk))
    assert Chat.objects.get(pk=chat.pk).due_at > now


def test_a_search_goes_on_once_and_the_sweep_finds_one_that_was_missed(acme, ann, now, monkeypatch):
    online(ann, now)
    make_chat(acme, now, is_steered=True)
    search = Search.objects.get()
    Search.objects.update(started_at=now, due_at=now)
    published = []
    monkeypatch.setattr(tasks, "publish", lambda *work: published.append(work))
    tasks.sweep_searches()
    assert published == [("continue_search", str(search.pk))]
    for _ in range(2):
        tasks.continue_search(str(search.pk))
    tasks.sweep_searches()
    assert (Invitation.objects.pending().count(), len(published)) == (1, 1)


def test_unknown_ids_are_harmless(acme):
    for task in (
        tasks.route_team,
        tasks.continue_search,
        tasks.expire_invitation,
        tasks.tend_chat,
        tasks.mail_transcript,
    ):
        task(str(acme.center.pk))


def test_the_sweep_does_what_is_due(acme, ann, now):
    online(ann, now)
    make_chat(acme, now - timedelta(seconds=5))
    Queue.objects.update(routing_due_at=None)
    tasks.sweep()
    assert Invitation.objects.pending().get().agent == ann
    tasks.tidy()
