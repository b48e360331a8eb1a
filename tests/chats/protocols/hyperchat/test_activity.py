"""Typing over HyperChat."""

import pytest

from chats.actions.close import close_chat
from chats.events import whispered
from chats.models import Chat, Event
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import online

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    """What is whispered meanwhile: (kind of the sender, active)."""
    found = []

    def hear(sender, chat_id, whisper, **_):
        found.append((whisper.data["sender"]["kind"], whisper.data["active"]))

    whispered.connect(hear)
    yield found
    whispered.disconnect(hear)


@pytest.mark.both
@cases(("kind", "active"), [("writing", True), ("not-writing", False), ("stop-writing", False)])
def test_the_other_side_hears_who_writes(direct, ann, now, heard, kind, active):
    heard.clear()
    chat = direct.held_chat(online(ann, now))
    before = Event.objects.count()
    for user_id in (chat.customer_id, ann.pk):
        answer = direct.server.post(f"users/{user_id}/activity", {"type": kind, "chatId": str(chat.pk)})
        assert answer.json() == {"success": True}
    assert heard == [("customer", active), ("agent", active)]
    assert Event.objects.count() == before


def test_a_token_writes_as_its_own_user_alone(direct, ann, now, heard):
    user = direct.user()
    chat = direct.held_chat(online(ann, now), user.foreign)
    body = {"type": "writing", "chatId": str(chat.pk)}
    assert direct.as_user(user.token).post(f"users/{chat.customer_id}/activity", body).status_code == 200
    assert is_error(direct.as_user(user.token).post(f"users/{ann.pk}/activity", body), 403)
    assert is_error(direct.page.post(f"users/{chat.customer_id}/activity", body), 403)
    assert heard == [("customer", True)]


def test_who_is_not_in_the_chat_is_not_heard(direct, ann, bob, now, heard):
    chat, other = direct.held_chat(online(ann, now)), direct.chat()
    body = {"type": "writing", "chatId": str(chat.pk)}
    for user_id in (bob.pk, other.customer_id):
        assert is_error(direct.server.post(f"users/{user_id}/activity", body), 403)
    direct.server.put(f"chats/{chat.pk}/leave", {"userId": str(ann.pk)})
    assert is_error(direct.server.post(f"users/{ann.pk}/activity", body), 403)
    assert heard == []


def test_another_applications_chat_or_user_is_not_found(direct, foreign, queued, heard):
    mine, theirs = direct.chat(), foreign.chat()
    sibling = queued.chat()
    for user_id, chat_id in (
        (mine.customer_id, theirs.pk),
        (theirs.customer_id, mine.pk),
        (sibling.customer_id, mine.pk),
        (mine.customer_id, sibling.pk),
        ("x", mine.pk),
        ("system", mine.pk),
        (mine.customer_id, "x"),
    ):
        body = {"type": "writing", "chatId": str(chat_id)}
        assert is_error(direct.server.post(f"users/{user_id}/activity", body), 404)
    assert heard == []


def test_in_a_closed_chat_nobody_is_heard(direct, ann, now, heard):
    chat = direct.held_chat(online(ann, now))
    close_chat(Chat.objects, chat.pk, reason="done", now=now)
    body = {"type": "writing", "chatId": str(chat.pk)}
    assert direct.server.post(f"users/{chat.customer_id}/activity", body).json() == {"success": True}
    assert heard == []


@cases(
    "change",
    [
        {"type": "sleeping"},
        {"type": None},
        {"type": 1},
        {"type": ["writing"]},
        {"chatId": None},
        {"chatId": ""},
        {"chatId": []},
        {"chatId": {"id": 1}},
    ],
)
def test_an_odd_activity_is_refused(direct, heard, change):
    chat = direct.chat()
    body = {"type": "writing", "chatId": str(chat.pk), **change}
    assert is_error(direct.server.post(f"users/{chat.customer_id}/activity", body), 400)
    assert heard == []
