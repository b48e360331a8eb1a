"""Reports that messages were delivered or read → the cursors of who received them.

A session reports for its customer. A program reports for the profile that it names (`profileId`, an addition); without one for who the
message is meant for: the chat's customer, or the agent who has the chat. A cursor takes everything before it along.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chats.actions.read import mark_delivered, mark_read
from chats.errors import Forbidden, Invalid
from chats.models import Event, Participant, SpaceChat

from .callers import Caller
from .lines import SENT, catch_up
from .names import as_uuid, find_agent
from .participants import CUSTOMER, Cast

READ = "read"


def report(caller: Caller, known: SpaceChat, updates: list[dict[str, Any]], now: datetime) -> None:
    """`updates`: of asked_messages.StatusUpdate. Messages that are not the chat's are passed over. Raises Forbidden, Invalid."""
    cast = Cast.of(known)
    readers = [_reader(caller, cast, update.get("profileId")) for update in updates]
    catch_up(known, now)  # who has heard of a message by a web hook names one that has no number yet
    for update, reader in zip(updates, readers, strict=True):
        for part, index in _reached(cast, update["messageIds"], reader):
            (mark_read if update["status"] == READ else mark_delivered)(part, index)
            catch_up(known, now, said_at={cast.profile_of_part(part): update["timestamp"]})


def _reader(caller: Caller, cast: Cast, name: str | None) -> Participant | None:
    """In whose name; None where the messages tell it. Raises Forbidden, Invalid for who takes no part."""
    customer = cast.known.chat.participants.get(kind=CUSTOMER)
    is_own = name in (cast.customer, str(cast.known.chat.customer_id))
    if caller.profile is not None:
        if name and not is_own:
            raise Forbidden("profileId is the session's own.")
        return customer
    if not name:
        return None
    if is_own:
        return customer
    agent = find_agent(cast.known.registration, name)
    part = _agents_part(cast.known, agent.pk) if agent else None
    if part is None:
        raise Invalid(fields={"profileId": "Nobody of this chat."})
    return part


def _reached(cast: Cast, ids: Iterable[str], reader: Participant | None) -> Iterable[tuple[Participant, int]]:
    """Who, and up to which index: of these messages those that others have said."""
    known = cast.known
    wanted = {row_id for one in ids if (row_id := as_uuid(one))}
    sent = known.lines.filter(message_id__in=wanted, kind=SENT).values("position")
    said = Event.objects.filter(chat_id=known.chat_id, position__in=sent, index__isnull=False).order_by("index")
    inbound, outbound = 0, 0
    for kind, index in said.values_list("sender_kind", "index"):
        if kind == CUSTOMER:
            inbound = index or 0
        else:
            outbound = index or 0
    customer = reader or known.chat.participants.get(kind=CUSTOMER)
    if outbound and customer.kind == CUSTOMER:
        yield customer, outbound
    agent = reader or (_agents_part(known, known.chat.agent_id) if known.chat.agent_id else None)
    if inbound and agent is not None and agent.kind != CUSTOMER:
        yield agent, inbound


def _agents_part(known: SpaceChat, agent_id: Any) -> Participant | None:
    """Who is in the chat now, or was."""
    parts = known.chat.participants.filter(agent_id=agent_id, joined_at__isnull=False)
    return parts.select_related("agent__user").first()
