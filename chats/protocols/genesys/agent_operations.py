"""What an agent does in a chat: operationName → action (HTCC API, Chat operations).

A chat has one owner, whose slot it occupies. Invite asks a colleague to join without a slot. When the owner leaves and others are in the chat,
the first of them with a free slot becomes the owner; an owner who leaves alone ends it, as a customer's session ends there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from agents.models import Agent, Disposition
from chats.actions.close import close_by_agent, dispose_chat
from chats.actions.data import MOST_DATA, change_data
from chats.actions.guests import decline_guest, invite_guest, join_as_guest, leave_as_guest, leave_to_guests
from chats.actions.offer import accept_invitation, decline_invitation
from chats.actions.post import Post
from chats.actions.show import show_typing
from chats.actions.transfer import transfer_to_agent, transfer_to_team
from chats.doors.storing import store_post
from chats.errors import Closed, Gone, Invalid
from chats.models import Chat
from chats.sockets import fields

from .agent_reach import COMPLETED, Place, as_id, named_agent, named_team
from .door import Missing, UnknownOperation
from .wishes import checked, required

NAME, TEXT = fields.text(1000), fields.text(10_000)
USER_DATA = fields.plain(MOST_DATA)
KEYS = fields.list_of(fields.text(200, 1), 100)


@dataclass(frozen=True)
class Call:
    """One operation: by whom, in which chat, with what."""

    place: Place
    body: dict[str, Any]
    now: datetime

    @property
    def seat(self) -> Agent:
        return self.place.agent

    @property
    def chat(self) -> Chat:
        return self.place.chat


def run(name: str, call: Call) -> None:
    """Raises UnknownOperation, and what the operation raises. What has ended already may be completed again."""
    operation = OPERATIONS.get(name)
    if operation is None:
        raise UnknownOperation(NOT_HERE.get(name))
    if call.place.state == COMPLETED and name not in AFTERWARDS:
        raise Closed("This chat has ended.")
    operation(call)


def _accept(call: Call) -> None:
    """The nickname is not taken: customers know agents by the names of their seats."""
    if call.place.invitation:
        accept_invitation(call.seat, call.place.invitation.pk, now=call.now)
    elif call.place.is_asked:
        join_as_guest(call.seat, call.chat.pk, now=call.now)


def _reject(call: Call) -> None:
    if call.place.invitation:
        decline_invitation(call.seat, call.place.invitation.pk, now=call.now)
    elif call.place.is_asked:
        decline_guest(call.seat, call.chat.pk, now=call.now)
    else:
        raise Gone("You have accepted this chat. Leave it instead.")


def _send(call: Call, *, is_note: bool) -> None:
    """There is no id by which a repeat could be known: each request says something new."""
    text = checked(call.body, "text", TEXT)
    if not text:
        raise Missing("text is required.")
    _say(call, text, is_note=is_note)


def _type(call: Call, *, active: bool) -> None:
    show_typing(call.place.seat(), active=active)


@transaction.atomic
def _transfer(call: Call) -> None:
    """`text` is said to the customer before."""
    uri, queue = checked(call.body, "targetUri", NAME), checked(call.body, "queueName", NAME)
    if bool(uri) == bool(queue):
        raise Missing("targetUri or queueName is required.")
    _say_before(call)
    if uri:
        transfer_to_agent(call.seat, call.chat.pk, named_agent(call.seat, uri), now=call.now)
    else:
        transfer_to_team(call.seat, call.chat.pk, named_team(call.chat, queue), now=call.now)


def _invite(call: Call) -> None:
    target = named_agent(call.seat, required(call.body, "targetUri", NAME))
    invite_guest(call.seat, call.chat.pk, target, now=call.now)


@transaction.atomic
def _leave(call: Call) -> None:
    if call.place.state == COMPLETED:
        return
    _say_before(call)
    if call.place.is_owner and _others(call):
        leave_to_guests(call.seat, call.chat.pk, now=call.now)
    elif call.place.is_owner:
        close_by_agent(call.seat, call.chat.pk, now=call.now)
    else:
        leave_as_guest(call.seat, call.chat.pk, now=call.now)


@transaction.atomic
def _complete(call: Call) -> None:
    """The end for everybody; only its owner ends a chat."""
    if call.place.state == COMPLETED:
        return
    _say_before(call)
    close_by_agent(call.seat, call.chat.pk, now=call.now)


def _dispose(call: Call) -> None:
    """`disposition` (or dispositionCode): one of the center's, by name or id."""
    name = checked(call.body, "dispositionCode", NAME) or required(call.body, "disposition", NAME)
    known = Disposition.objects.filter(center_id=call.chat.center_id, is_active=True)
    disposition = known.filter(Q(pk=as_id(name)) | Q(name=name)).first()
    if disposition is None:
        raise Invalid(fields={"disposition": "There is no such disposition."})
    dispose_chat(call.seat, call.chat.pk, disposition=disposition, now=call.now)


def _put_data(call: Call) -> None:
    change_data(call.seat, call.chat.pk, put=_user_data(call), now=call.now)


def _drop_data(call: Call) -> None:
    """`keys`, a list of names; or userData, of which the names count."""
    names = checked(call.body, "keys", KEYS) or list(_user_data(call))
    change_data(call.seat, call.chat.pk, drop=names, now=call.now)


def _look(call: Call) -> None:
    """Which chat the agent looks at is nobody else's business here."""


def _user_data(call: Call) -> dict[str, Any]:
    data: dict[str, Any] = checked(call.body, "userData", USER_DATA, default={})
    if not data:
        raise Missing("userData is required.")
    return data


def _say_before(call: Call) -> None:
    text = checked(call.body, "text", TEXT)
    if text.strip():
        _say(call, text, is_note=False)


def _say(call: Call, text: str, *, is_note: bool) -> None:
    store_post(Post(call.chat.pk, call.place.seat().pk, str(uuid4()), text, is_note=is_note), call.now)


def _others(call: Call) -> bool:
    return any(one.is_guest for one in call.chat.participants.all())


OPERATIONS: dict[str, Callable[[Call], None]] = {
    "Accept": _accept,
    "Reject": _reject,
    "SendMessage": partial(_send, is_note=False),
    "SendToAgents": partial(_send, is_note=True),
    "SendStartTypingNotification": partial(_type, active=True),
    "SendStopTypingNotification": partial(_type, active=False),
    "Transfer": _transfer,
    "Invite": _invite,
    "Leave": _leave,
    "LeaveAndComplete": _leave,
    "Complete": _complete,
    "SetDisposition": _dispose,
    "AttachUserData": _put_data,
    "UpdateUserData": _put_data,
    "DeleteUserData": _drop_data,
    "SetInFocus": _look,
}
AFTERWARDS = frozenset({"Complete", "Leave", "LeaveAndComplete", "SetInFocus", "SetDisposition"}) | {
    "AttachUserData",
    "UpdateUserData",
    "DeleteUserData",
}
# Known to the product, not here.
NOT_HERE = {
    "Consult": "Consultations are not offered here. Invite the colleague, and write with SendToAgents.",
    "SendUrl": "Addresses are not pushed here. Send the address as a message.",
    "SendCustomNotice": "Notices are not offered here. Send a message.",
    "SendCustomNoticeToAgents": "Notices are not offered here. Use SendToAgents.",
    "SendNicknameUpdatedNotice": "Agents are called by the names of their seats.",
    "SendStartTypingToAgentsNotification": "Only customers and agents of the chat see typing.",
    "SendStopTypingToAgentsNotification": "Only customers and agents of the chat see typing.",
}
