"""Queries that are compiled once give what their querysets give."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import AbstractUser
from django.db import connection, models
from django.db.models import Count, F, Q
from django.db.models.signals import post_init, pre_init
from django.test.utils import CaptureQueriesContext

from chats.models import Chat, Customer, Participant
from contactcenter.prepared import Prepared, PreparedValues, among, found_together

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def chat_of(customer_name, place, now, **fields):
    customer = Customer.objects.create(center=place.center, name=customer_name)
    return Chat.objects.create(
        center=place.center, customer=customer, team=place.support, channel=place.channel, started_at=now, **fields
    )


def same(rows, queryset):
    """The same rows with the same values, related ones too."""
    wanted = list(queryset)
    shown = [{name: value for name, value in vars(row).items() if name != "_state"} for row in rows]
    assert shown == [{name: value for name, value in vars(row).items() if name != "_state"} for row in wanted]
    for row, other in zip(rows, wanted, strict=True):
        assert row._state.db == other._state.db
        assert not row._state.adding
        assert row._state.fields_cache == other._state.fields_cache
    return wanted


def test_rows_are_those_of_the_queryset_each_time_with_other_values(acme, globex, now):
    ours, theirs = chat_of("Carla", acme, now), chat_of("Ciro", globex, now, subject="Änderung")

    def make(chat, since):
        chats = Chat.objects.filter(pk=chat, started_at__gte=since)
        return chats.select_related("customer", "agent", "team__center")

    prepared = Prepared(make)
    for chat in (ours, theirs, ours, theirs):
        assert same(prepared.rows(chat.pk, now), make(chat.pk, now)) == [chat]
        assert prepared.rows(chat.pk, now + timedelta(seconds=1)) == []
    found = prepared.first(ours.pk, now)
    with CaptureQueriesContext(connection) as asked:
        assert (found.customer.name, found.agent, found.team.center) == ("Carla", None, acme.center)
    assert not asked.captured_queries
    assert prepared.first(uuid4(), now) is None


def test_subqueries_alternatives_orders_and_slices_take_values_too(acme, now):
    for name in ("Carla", "Ciro", "Cleo"):
        chat = chat_of(name, acme, now, unread=len(name))
        Participant.objects.create(center=acme.center, chat=chat, kind="customer", name=name)

    def make(name, least):
        named = Participant.objects.filter(name=name).values("chat_id")
        chats = Chat.objects.filter(Q(pk__in=named) | Q(unread__gte=least)).annotate(called=F("customer__name"))
        return chats.order_by("-customer__name")[:2]

    for name, least in (("Carla", 5), ("Ciro", 9), ("Cleo", 4), ("nobody", 5)):
        rows = Prepared(make).rows(name, least)
        same(rows, make(name, least))
        assert [row.called for row in rows] == [row.called for row in make(name, least)]


def test_several_ids_are_one_argument_however_many_there_are(acme, now):
    chats = [chat_of(name, acme, now) for name in ("Carla", "Ciro", "Cleo")]
    customers = [chat.customer_id for chat in chats]
    prepared = Prepared(lambda ids: Chat.objects.filter(customer__in=among(ids)).order_by("customer__name"))
    for several in ([], customers[:1], customers, [*customers, uuid4()]):
        same(prepared.rows(several), Chat.objects.filter(customer__in=several).order_by("customer__name"))


def test_several_ids_are_looked_up_before_other_tables_are_joined():
    """PostgreSQL puts a subselect in order with eight tables at most."""
    text = Prepared(lambda ids: Chat.objects.filter(pk__in=among(ids))).plan().text
    assert ("= ANY(%s::uuid[])" in text) == (connection.vendor == "postgresql")


def test_values_are_those_of_the_queryset(acme, now):
    chats = [chat_of(name, acme, now, skills=[name], data={"name": name}) for name in ("Carla", "Ciro")]

    def make(ids, since):
        found = Chat.objects.filter(pk__in=ids, started_at__gte=since).order_by("customer__name")
        return found.values_list("pk", "skills", "data__name", "started_at").annotate(parts=Count("participants"))

    prepared, ids = PreparedValues(lambda ids, since: make(among(ids), since)), [chat.pk for chat in chats]
    for several in (ids, ids[1:], []):
        assert prepared.tuples(several, now) == list(make(several, now))
    assert prepared.tuples(ids, now + timedelta(seconds=1)) == []


def test_columns_that_were_left_out_are_read_when_they_are_wanted(acme, now):
    chat = chat_of("Carla", acme, now, subject="Boots")
    found = Prepared(lambda chat: Chat.objects.filter(pk=chat).only("state")).first(chat.pk)
    assert found.get_deferred_fields()
    assert found.subject == "Boots"


def test_it_is_compiled_once_and_logged_like_every_query(acme, now):
    chat, made = chat_of("Carla", acme, now), []

    def make(chat_id):
        made.append(chat_id)
        return Chat.objects.filter(pk=chat_id)

    prepared = Prepared(make)
    with CaptureQueriesContext(connection) as asked:
        assert [prepared.first(chat.pk) for _time in range(4)] == [chat] * 4
    assert len(made) == 1
    assert len(asked.captured_queries) == 4


def test_several_queries_are_asked_together(acme, globex, now):
    ours, theirs = chat_of("Carla", acme, now), chat_of("Ciro", globex, now, subject="Parcel")
    rows = Prepared(lambda chat: Chat.objects.filter(pk=chat).select_related("customer"))
    values = PreparedValues(lambda chat: Chat.objects.filter(pk=chat), "subject", "customer__name")
    chats, facts = found_together((rows, [(ours.pk,), (uuid4(),)]), (values, [(theirs.pk,), (ours.pk,), (uuid4(),)]))
    assert [[chat.customer.name for chat in rows.made(found)] for found in chats] == [["Carla"], []]
    assert [values.made(found) for found in facts] == [[("Parcel", "Ciro")], [("", "Carla")], []]
    assert found_together((rows, []), (values, [(ours.pk,)]))[0] == []
    assert chats[0] == found_together((rows, [(ours.pk,)]))[0][0]
    Chat.objects.filter(pk=ours.pk).update(subject="Boots")
    assert chats[0] != found_together((rows, [(ours.pk,)]))[0][0]


def test_each_line_of_values_finds_its_own_in_order(acme, globex, now):
    """Texts, numbers and times among the values; two lines that are alike; one that finds several, and one that finds none."""
    for name, place, length in (("Ciro", acme, 2), ("Carla", acme, 3), ("Cleo", acme, 1), ("Cosmo", globex, 3)):
        chat_of(name, place, now, unread=length, subject="50 % off")
    unread = PreparedValues(
        lambda center, least, since, subject: (
            Chat.objects.filter(
                center=center, unread__gte=least, started_at__gte=since, subject=subject, state="queued"
            )
            .order_by("-unread")
            .values_list("unread", "customer__name")
        )
    )
    Chat.objects.update(state="queued")
    ours, theirs = (acme.center.pk, 2, now, "50 % off"), (globex.center.pk, 1, now, "50 % off")
    late, other = (acme.center.pk, 2, now + timedelta(seconds=1), "50 % off"), (acme.center.pk, 2, now, "'; --")
    wanted = [[(3, "Carla"), (2, "Ciro")], [], [(3, "Cosmo")], [], [(3, "Carla"), (2, "Ciro")]]
    (found,) = found_together((unread, [ours, late, theirs, other, ours]))
    assert [unread.made(rows) for rows in found] == wanted


@pytest.mark.postgres
def test_however_many_lines_are_one_statement():
    chats, several = (
        Prepared(lambda chat: Chat.objects.filter(pk=chat)),
        Prepared(lambda ids: Chat.objects.filter(pk__in=among(ids))),
    )
    assert [len(chats.plan().asked_all([(uuid4(),)] * size)) for size in (0, 1, 40)] == [0, 1, 1]
    assert len(several.plan().asked_all([([uuid4()],), ([uuid4()],)])) == 2


def test_rows_need_no_constructor():
    """What `new_instance` takes for granted of our models."""
    for model in apps.get_models():
        if model.__module__.split(".")[0] in ("contactcenter", "agents", "chats"):
            assert model.__init__ in (models.Model.__init__, AbstractUser.__init__), model
            assert not pre_init.has_listeners(model), model
            assert not post_init.has_listeners(model), model
