"""The house stands as docs/architecture.md says: links and floors point down, every link between centers' rows carries the center."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from chats.models import Chat, Event, Participant
from contactcenter.models import Channel
from contactcenter.models.tenancy import SameCenter
from tests.conftest import make_chat, make_customer

FLOORS = ["contactcenter", "agents", "chats"]
OURS = [model for label in FLOORS for model in apps.get_app_config(label).get_models()]
FREE = {"AuditEntry"}  # outlives what it tells of


def links(model):
    return [field for field in model._meta.get_fields() if (field.many_to_one or field.one_to_one) and field.concrete]


def test_no_link_points_to_a_floor_above():
    for model in OURS:
        for field in links(model):
            target = field.related_model._meta.app_label
            if target in FLOORS:
                assert FLOORS.index(target) <= FLOORS.index(model._meta.app_label), f"{model.__name__}.{field.name}"


def test_every_link_between_rows_of_a_center_is_kept_by_the_database():
    for model in OURS:
        names = {field.name for field in links(model)}
        if "center" not in names or model.__name__ in FREE:
            continue
        kept = {item.field for item in model._meta.constraints if isinstance(item, SameCenter)}
        wanted = {
            field.name
            for field in links(model)
            if field.name != "center"
            and any(other.name == "center" for other in field.related_model._meta.get_fields())
        }
        assert wanted == kept, model.__name__


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_link_across_centers(acme, globex, now):
    started = make_chat(acme, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Chat.objects.filter(pk=started.chat.pk).update(customer=make_customer(globex))
    with pytest.raises(IntegrityError), transaction.atomic():
        Channel.objects.filter(pk=acme.channel.pk).update(team=globex.support)
    with pytest.raises(IntegrityError), transaction.atomic():
        Participant.objects.filter(chat=started.chat).update(center=globex.center)


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_second_event_of_the_same_number(acme, now):
    started = make_chat(acme, now)
    first = Event.objects.get(chat=started.chat, position=1)
    for numbers in ({"position": 1, "index": 99}, {"position": 99, "index": 1}):
        copy = Event(center_id=first.center_id, chat_id=first.chat_id, type="message.posted", at=now, **numbers)
        with pytest.raises(IntegrityError), transaction.atomic():
            Event.objects.bulk_create([copy])


def test_foreign_keys_are_on_in_sqlite(db):
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)
