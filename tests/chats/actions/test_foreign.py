"""Customers and chats that clients of a foreign API make."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections, transaction

from chats.actions.close import close_chat
from chats.actions.customers import merge_customers
from chats.actions.foreign import begin_foreign_chat, change_customer, change_foreign_chat, make_customer
from chats.actions.sessions import find_session
from chats.errors import Blocked, Conflict, NotFound, OutsideHours
from chats.events import recorded
from chats.models import Chat, Customer, CustomerSession, ForeignChat, ForeignCustomer, Queue, Search
from contactcenter.models import Application, Channel, Registration
from tests.conftest import MARKER, make_chat
from tests.conftest import make_customer as plain_customer


def register(world: SimpleNamespace, *, uses_queue: bool = True, name: str = "app") -> Registration:
    application = Application.objects.create(center=world.center, name=name)
    channel = Channel.objects.create(center=world.center, kind=Channel.Kind.API, name=name)
    return Registration.objects.create(
        center=world.center, application=application, channel=channel, uses_queue=uses_queue
    )


@pytest.fixture
def app(acme: SimpleNamespace) -> Registration:
    return register(acme)


@pytest.mark.both
def test_a_customer_is_made_with_a_session_of_the_registrations_channel(app, now):
    fields = {"name": "Mia", "email": "mia@example.com", "data": {"plan": "gold"}}
    made = make_customer(app, fields, external_id="c-1", facts={"extraInfo": {"plan": "gold"}}, now=now)
    customer = Customer.objects.get(pk=made.foreign.customer_id)
    assert (customer.name, customer.email, customer.data) == ("Mia", "mia@example.com", {"plan": "gold"})
    assert (made.foreign.external_id, made.foreign.facts) == ("c-1", {"extraInfo": {"plan": "gold"}})
    session = find_session(made.token, now)
    assert session is not None
    assert (session.customer_id, session.channel_id) == (customer.pk, app.channel_id)


def test_an_external_id_proves_nothing_to_other_doors(app, acme, now):
    known = Customer.objects.create(center=acme.center, external_id="c-1", is_identified=True)
    made = make_customer(app, {"name": "Eve"}, external_id="c-1", now=now)
    assert made.foreign.customer_id != known.pk
    customer = made.foreign.customer
    assert customer.external_id is None
    assert not customer.is_identified


@pytest.mark.both
def test_a_taken_external_id_is_refused_and_nothing_is_left_of_the_try(app, now):
    make_customer(app, {"name": "Mia"}, external_id="c-1", now=now)
    with pytest.raises(Conflict, match="User already exists"):
        make_customer(app, {"name": "Eve"}, external_id="c-1", now=now)
    assert Customer.objects.count() == ForeignCustomer.objects.count() == CustomerSession.objects.count() == 1


def test_two_applications_may_use_the_same_external_id(app, acme, now):
    other = register(acme, name="other")
    make_customer(app, {"name": "Mia"}, external_id="c-1", now=now)
    make_customer(other, {"name": "Max"}, external_id="c-1", now=now)
    assert ForeignCustomer.objects.filter(external_id="c-1").count() == 2


def test_customers_without_an_external_id_do_not_collide(app, now):
    for name in ("Mia", "Max"):
        make_customer(app, {"name": name}, now=now)
    assert ForeignCustomer.objects.filter(external_id=None).count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_that_want_one_external_id_at_once_one_gets_it(app, now):
    def make(number: int) -> str:
        try:
            make_customer(app, {"name": str(number)}, external_id="c-1", now=now)
        except Conflict:
            return "taken"
        finally:
            connections.close_all()
        return "made"

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(make, range(4)))
    assert sorted(outcomes) == ["made", "taken", "taken", "taken"]
    assert Customer.objects.count() == 1


def test_what_is_named_changes_and_the_rest_stays(app, now):
    foreign = make_customer(app, {"name": "Mia"}, external_id="c-1", facts={"nickname": "M", "a": 1}, now=now).foreign
    changed = change_customer(foreign, {"email": "mia@example.com"}, facts={"a": 2}, now=now)
    changed.refresh_from_db()
    assert (changed.customer.name, changed.customer.email) == ("Mia", "mia@example.com")
    assert (changed.external_id, changed.facts) == ("c-1", {"nickname": "M", "a": 2})


def test_an_external_id_can_be_changed_and_taken_away(app, now):
    foreign = make_customer(app, {"name": "Mia"}, external_id="c-1", now=now).foreign
    assert change_customer(foreign, {}, external_id="c-2", now=now).external_id == "c-2"
    assert change_customer(foreign, {}, external_id="", now=now).external_id is None
    make_customer(app, {"name": "Max"}, external_id="c-2", now=now)


@pytest.mark.both
def test_another_customers_external_id_is_refused_and_the_name_stays(app, now):
    make_customer(app, {"name": "Mia"}, external_id="c-1", now=now)
    other = make_customer(app, {"name": "Max"}, external_id="c-2", now=now).foreign
    with pytest.raises(Conflict):
        change_customer(other, {"name": "Moritz"}, external_id="c-1", now=now)
    other.refresh_from_db()
    assert (other.external_id, other.customer.name) == ("c-2", "Max")


@pytest.mark.both
def test_a_chat_begins_with_its_foreign_row_and_waits_in_the_queue(app, acme, now):
    foreign = make_customer(app, {"name": "Mia"}, now=now).foreign
    facts = {"room": 7, "source": 3}
    started = begin_foreign_chat(
        app, foreign, team=acme.sales, facts=facts, external_id="t-1", language="de", text="hello", now=now
    )
    chat = Chat.objects.get(pk=started.chat.pk)
    assert (chat.team_id, chat.channel_id, chat.language, chat.last_text) == (
        acme.sales.pk,
        app.channel_id,
        "de",
        "hello",
    )
    assert chat.state == Chat.State.QUEUED
    assert chat.is_foreign
    assert (chat.foreign.registration_id, chat.foreign.external_id, chat.foreign.facts) == (app.pk, "t-1", facts)
    assert started.participant.lease_until is None
    assert not Search.objects.exists()
    assert Queue.objects.get(team=acme.sales).routing_due_at is not None


def test_without_a_queue_it_waits_for_its_client_to_search(acme, now):
    app = register(acme, uses_queue=False)
    foreign = make_customer(app, {"name": "Mia"}, now=now).foreign
    chat = begin_foreign_chat(app, foreign, team=acme.support, facts={}, now=now).chat
    assert not Search.objects.get(chat=chat).is_running
    assert not Queue.objects.filter(routing_due_at__isnull=False).exists()


def test_who_hears_of_the_start_finds_the_foreign_row(app, acme, now):
    heard: list[bool] = []

    def listen(records: list[Any], **_: Any) -> None:
        heard.append(ForeignChat.objects.filter(chat_id=records[0].chat.pk).exists())

    recorded.connect(listen)
    try:
        foreign = make_customer(app, {"name": "Mia"}, now=now).foreign
        begin_foreign_chat(app, foreign, team=acme.support, facts={}, now=now)
    finally:
        recorded.disconnect(listen)
    assert heard == [True]


@pytest.mark.both
def test_who_has_an_open_chat_gets_no_second_one(app, acme, now):
    foreign = make_customer(app, {"name": "Mia"}, now=now).foreign
    first = begin_foreign_chat(app, foreign, team=acme.support, facts={}, now=now).chat
    with pytest.raises(Conflict) as refused:
        begin_foreign_chat(app, foreign, team=acme.support, facts={}, text="again", now=now)
    assert str(refused.value.message) == "User already has a chat"
    assert [chat.last_text for chat in Chat.objects.all()] == [""]
    close_chat(Chat.objects, first.pk, reason=Chat.CloseReason.DONE, now=now)
    second = begin_foreign_chat(app, foreign, team=acme.support, facts={}, now=now).chat
    assert second.pk != first.pk


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_chats_at_once_one_begins(app, acme, now):
    foreign = make_customer(app, {"name": "Mia"}, now=now).foreign

    def begin(_number: int) -> str:
        try:
            begin_foreign_chat(app, foreign, team=acme.support, facts={}, now=now)
        except Conflict as refused:
            return str(refused.message)
        finally:
            connections.close_all()
        return "begun"

    with ThreadPoolExecutor(3) as threads:
        outcomes = list(threads.map(begin, range(3)))
    assert sorted(outcomes) == ["User already has a chat", "User already has a chat", "begun"]
    assert Chat.objects.count() == ForeignChat.objects.count() == 1


def test_blocked_customers_and_closed_teams_are_refused_as_everywhere(app, acme, now):
    foreign = make_customer(app, {"name": "Mia", "is_blocked": True}, now=now).foreign
    with pytest.raises(Blocked):
        begin_foreign_chat(app, foreign, team=acme.support, facts={}, now=now)
    acme.support.always_open = False
    acme.support.save()
    other = make_customer(app, {"name": "Max"}, now=now).foreign
    with pytest.raises(OutsideHours):
        begin_foreign_chat(app, other, team=acme.support, facts={}, now=now)
    assert not ForeignChat.objects.exists()


def test_a_chats_own_words_can_be_changed_even_after_its_end(app, acme, now):
    foreign = make_customer(app, {"name": "Mia"}, now=now).foreign
    chat = begin_foreign_chat(app, foreign, team=acme.support, facts={"room": 7, "source": 3}, now=now).chat
    close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.DONE, now=now)
    change_foreign_chat(Chat.objects, chat.pk, external_id="t-2", facts={"source": "3"}, language="fr", now=now)
    chat = Chat.objects.select_related("foreign").get(pk=chat.pk)
    assert (chat.foreign.external_id, chat.foreign.facts) == ("t-2", {"room": 7, "source": "3"})
    assert chat.language == "fr"


def test_another_language_has_a_waiting_chat_routed_anew(app, acme, now):
    foreign = make_customer(app, {"name": "Mia"}, now=now).foreign
    chat = begin_foreign_chat(app, foreign, team=acme.support, facts={}, now=now).chat
    Queue.objects.update(routing_due_at=None)
    change_foreign_chat(Chat.objects, chat.pk, language="fr", now=now + timedelta(seconds=5))
    assert Queue.objects.get(team=acme.support).routing_due_at is not None


def test_a_chat_out_of_reach_is_not_found(app, globex, acme, now):
    chat = make_chat(globex, now, subject=MARKER).chat
    with pytest.raises(NotFound):
        change_foreign_chat(acme.center.chats, chat.pk, language="fr", now=now)


def test_a_merged_customer_stays_known_to_the_foreign_api(app, acme, now):
    foreign = make_customer(app, {"name": "Mia"}, external_id="c-1", now=now).foreign
    other = plain_customer(acme, "Mia Miller")
    with transaction.atomic():
        merge_customers(foreign.customer, other)
    foreign.refresh_from_db()
    assert (foreign.customer_id, foreign.external_id) == (other.pk, "c-1")


def test_of_two_that_the_foreign_api_knows_both_stay(app, now):
    one = make_customer(app, {"name": "Mia"}, external_id="c-1", now=now).foreign
    two = make_customer(app, {"name": "Mia"}, external_id="c-2", now=now).foreign
    merge_customers(one.customer, two.customer)
    for foreign, customer_id in ((one, one.customer_id), (two, two.customer_id)):
        foreign.refresh_from_db()
        assert foreign.customer_id == customer_id
