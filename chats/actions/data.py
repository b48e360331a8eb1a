"""A chat's custom data, changed by its agents."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from chats.errors import Forbidden, TooLarge
from chats.events import ChatUpdated, record
from chats.models import Chat

from .locking import lock_chat

MOST_DATA = 16_384  # bytes as JSON


@transaction.atomic
def change_data(
    agent: Agent, chat_id: UUID, *, put: dict[str, Any] | None = None, drop: Iterable[str] = (), now: datetime
) -> Chat:
    """Set the values of `put`, take the names of `drop` out. Open to the chat's agent (also after its end), its guests, and supervisors.

    Raises Forbidden, TooLarge, NotFound. What is as wanted already is no event.
    """
    chat = lock_chat(agent.center.chats, chat_id)
    part = chat.participants.filter(agent=agent).first()
    if chat.agent_id != agent.pk and not agent.is_supervisor and not (part and part.is_guest):
        raise Forbidden(_("Only those who are in the chat may change its data."))
    dropped = set(drop)
    wanted = {name: value for name, value in (chat.data | (put or {})).items() if name not in dropped}
    changed = {name: value for name, value in wanted.items() if name not in chat.data or chat.data[name] != value}
    changed |= {name: None for name in chat.data if name not in wanted}
    if not changed:
        return chat
    if len(json.dumps(wanted).encode()) > MOST_DATA:
        raise TooLarge(_("Custom data are 16 KB at most."))
    chat.data = wanted
    record(chat, ChatUpdated(changed=changed), sender=part, now=now)
    return chat
