"""Who hears HyperChat's words, and what is remembered of that."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chats.models import Webhook
from chats.protocols.hyperchat.subscribers import Wanted, body_of, call, hears, hooks_of
from contactcenter.models import Application, Registration
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import make_hook

pytestmark = [pytest.mark.django_db, pytest.mark.both]

AT = datetime(2026, 3, 2, 9, 0, 0, 700_000, tzinfo=UTC)


@cases(
    ("events", "is_heard"),
    [
        (["messages:new"], True),
        (["chats:close", "messages:new"], True),
        (["*"], True),
        (["messages"], False),
        (["messages:*"], False),
        (["messages:read"], False),
        (["MESSAGES:NEW"], False),
    ],
)
def test_a_trigger_is_heard_by_its_name_or_with_all(events, is_heard):
    assert hears(Webhook(events=events), "messages:new") is is_heard


def test_a_body_has_four_members_and_whole_seconds(direct):
    hook = make_hook(direct)
    assert body_of(hook, "chats:close", {"chatId": "x"}, AT) == {
        "trigger": "chats:close",
        "appId": "app-direct",
        "data": {"chatId": "x"},
        "created_at": 1772442000,
    }
    chat_id = uuid4()
    filed = call(hook, chat_id, "chats:close", {}, AT)
    assert (filed.webhook, filed.chat_id, filed.event) == (hook, chat_id, "chats:close")


def test_the_web_hooks_of_a_registration_stand_in_the_order_of_their_making(direct, queued):
    first, second = make_hook(direct, "chats:assign"), make_hook(direct)
    make_hook(direct, "chats:close")
    make_hook(queued)
    assert hooks_of([direct.registration.pk], "chats:assign") == [first, second]


def test_deleted_unverified_and_switched_off_ones_hear_nothing(direct):
    make_hook(direct, verified_at=None)
    make_hook(direct, is_active=False)
    make_hook(direct, disabled_at=AT)
    make_hook(direct, deleted_at=AT)
    assert hooks_of([direct.registration.pk], "messages:new") == []


@cases("row", [Registration, Application])
def test_what_is_switched_off_takes_its_web_hooks_with_it(direct, row):
    make_hook(direct)
    row.objects.update(is_active=False)
    assert hooks_of([direct.registration.pk], "messages:new") == []
    assert Wanted().registrations("messages:new") == frozenset()


def test_web_hooks_in_our_words_are_not_asked(direct):
    registration = direct.registration
    Webhook.objects.create(center=registration.center, application=registration.application, events=["*"])
    assert Wanted().registrations("messages:new") == frozenset()


def test_many_questions_are_one_query(direct, django_assert_num_queries):
    make_hook(direct, "users:activity")
    wanted = Wanted(seconds=1000)
    with django_assert_num_queries(1):
        assert wanted.registrations("users:activity") == {direct.registration.pk}
        assert wanted.registrations("users:activity") == {direct.registration.pk}
        assert wanted.registrations("messages:read") == frozenset()


def test_that_nobody_listens_is_remembered_too(db, django_assert_num_queries):
    wanted = Wanted(seconds=1000)
    with django_assert_num_queries(1):
        assert {wanted.registrations("users:activity") for _ in range(5)} == {frozenset()}


def test_a_change_is_seen_when_the_memory_is_old_or_told_to_forget(direct):
    lasting, brief = Wanted(seconds=1000), Wanted(seconds=0)
    assert (lasting.registrations("messages:read"), brief.registrations("messages:read")) == (frozenset(), frozenset())
    make_hook(direct)
    assert brief.registrations("messages:read") == {direct.registration.pk}
    assert lasting.registrations("messages:read") == frozenset()
    lasting.forget()
    assert lasting.registrations("messages:read") == {direct.registration.pk}
