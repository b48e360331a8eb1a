"""Cursors: read and delivered. They stand on the participants' rows, never in the log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from chats.events import MessagePosted, Whisper, whisper
from chats.models import Chat, Participant


def mark_read(participant: Participant, index: int) -> None:
    """Everything up to this index was read (and so delivered). Never goes back, never past the head.

    A guest's reading says nothing: the chat's own agent may not have seen it yet.
    """
    if participant.is_guest:
        return
    is_customer = participant.kind == Participant.Kind.CUSTOMER
    moved = _move(participant, index, "read_index") if is_customer else _read_by_agent(participant, index)
    if moved:
        _tell(participant, "read", moved)


def mark_delivered(participant: Participant, index: int) -> None:
    """Everything up to this index has reached a client."""
    moved = _move(participant, index, "delivered_index")
    if moved:
        _tell(participant, "delivered", moved)


def renew_leases(participants: Iterable[UUID], *, until: datetime) -> None:
    """Customers' participants whose clients gave a sign of life: one statement for all of a process.

    The rows are locked in one order: two processes that renew the same ones never wait for each other in a circle.
    """
    rows = Participant.objects.filter(pk__in=list(participants)).order_by("pk").select_for_update(no_key=True)
    with transaction.atomic(savepoint=False):
        Participant.objects.filter(pk__in=rows.values("pk")).update(lease_until=until)


def _move(participant: Participant, index: int, field: str) -> int:
    """The index that the cursor moved to, or 0."""
    with transaction.atomic():
        head = Chat.objects.filter(pk=participant.chat_id).values_list("index", flat=True).get()
        index = min(index, head)
        values = {field: index}
        behind = Q(**{f"{field}__lt": index})
        if field == "read_index":
            Participant.objects.filter(pk=participant.pk, delivered_index__lt=index).update(delivered_index=index)
        return index if Participant.objects.filter(behind, pk=participant.pk).update(**values) else 0


@transaction.atomic
def _read_by_agent(participant: Participant, index: int) -> int:
    """Move the cursor and count what is unread anew from the log, with the chat's row locked: a cursor that has moved alone would never be counted."""
    chat = Chat.objects.filter(pk=participant.chat_id).locked().get()
    moved = _move(participant, index, "read_index")
    if moved and chat.agent_id == participant.agent_id:
        counted = chat.events.filter(type=MessagePosted.type, sender_kind="customer", index__gt=moved)
        Chat.objects.filter(pk=chat.pk).update(unread=counted.aggregate(n=Count("position"))["n"])
    return moved


def _tell(participant: Participant, kind: str, index: int) -> None:
    side = "customer" if participant.kind == Participant.Kind.CUSTOMER else "agent"
    whisper(participant.chat_id, Whisper(kind, {"kind": side, "index": index}))
