"""Tasks do one call each, and may run twice."""

import os
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chats import tasks
from chats.files.early import keep_early, read_early
from chats.files.store import UNSENT_LIFE, store_attachment
from chats.models import Attachment, Chat, Invitation, Participant, Queue, Search
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


def test_files_that_nobody_sent_go_when_it_is_tidied(acme, now, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    chat = make_chat(acme, now).chat
    part = chat.participants.get(kind=Participant.Kind.CUSTOMER)
    ages = (UNSENT_LIFE * 2, UNSENT_LIFE / 2)
    _old, young = [store_attachment(chat, part, SimpleUploadedFile("a.txt", b"words"), now - age) for age in ages]
    early, _kind, _size = keep_early(acme.center.pk, part.pk, SimpleUploadedFile("a.txt", b"words"))
    os.utime(tmp_path / early.place, (0, 0))
    tasks.tidy()
    assert Attachment.objects.get() == young
    assert read_early(early) is None
