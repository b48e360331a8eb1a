"""A chat and its customer's part in it, written by one statement: the ORM would compile two anew for each chat."""

from functools import cache

from django.db import models

from .chat import Chat, Participant
from .hot import Write


def insert_chat(chat: Chat, customer: Participant) -> None:
    _write(Chat).write([_values(chat)], _write(Participant), [_values(customer)])
    for row in (chat, customer):
        row._state.adding = False


@cache
def _write(model: type[models.Model]) -> Write:
    return Write(model, [field.name for field in model._meta.concrete_fields])


def _values(row: models.Model) -> dict[str, object]:
    return {str(field.column): getattr(row, field.attname) for field in row._meta.concrete_fields}
