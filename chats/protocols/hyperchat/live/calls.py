"""What clients ask: event → the same work that the routes do, with the same checks and answers. A table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.models import Agent
from chats.actions.offer import accept_invitation, decline_invitation
from chats.doors.reading import read
from chats.models import Chat
from chats.protocols.hyperchat.activity import show_activity
from chats.protocols.hyperchat.asked_chats import Assign, BeginChat, ImportHistory, Named
from chats.protocols.hyperchat.asked_messages import Activity, PostMessage, Read
from chats.protocols.hyperchat.asked_users import Invitation
from chats.protocols.hyperchat.chats import begin_chat, end_chat, show_chat
from chats.protocols.hyperchat.history import add_history, history_of
from chats.protocols.hyperchat.invitations import named_invitation
from chats.protocols.hyperchat.members import go_out, join_chat
from chats.protocols.hyperchat.messages import messages_of, read_message, say
from chats.protocols.hyperchat.moves import find_agent
from chats.protocols.hyperchat.places import current_place
from chats.protocols.hyperchat.reach import SHOWN, Reach
from chats.protocols.hyperchat.users import any_user

Answer = dict[str, Any]
MOST_CHATS = 50  # in one answer


@dataclass(frozen=True)
class Ask:
    """One event of a client with a user's token."""

    reach: Reach
    sent: dict[str, Any]
    now: datetime

    @property
    def chat_id(self) -> Any:
        return self.sent.get("chatId") or self.sent.get("id")

    @property
    def chat(self) -> Chat:
        return self.reach.chat(self.chat_id)

    @property
    def user_id(self) -> Any:
        """Whom the event names; nobody means whose token it is."""
        return read(Named, self.sent).get("userId")


def _begin(ask: Ask) -> Answer:
    return {"chat": begin_chat(ask.reach, read(BeginChat, ask.sent), ask.now)}


def _show(ask: Ask) -> Answer:
    return {"chat": show_chat(ask.reach, ask.chat, ask.sent.get("fields"))}


def _assign(ask: Ask) -> Answer:
    return {"agent": find_agent(ask.reach, ask.chat_id, read(Assign, ask.sent), ask.now)}


def _join(ask: Ask) -> Answer:
    """The chat as it is now, with all that a client shows of it."""
    join_chat(ask.reach, ask.chat_id, ask.user_id, ask.now)
    return {"chat": show_chat(ask.reach, ask.chat, "users,history")}


def _leave(ask: Ask) -> Answer:
    go_out(ask.reach, ask.chat_id, ask.user_id, ask.now)
    return {"success": True}


def _close(ask: Ask) -> Answer:
    end_chat(ask.reach, ask.chat_id, ask.user_id, ask.now)
    return {"success": True}


def _say(ask: Ask) -> Answer:
    message = say(ask.reach, ask.chat_id, read(PostMessage, ask.sent), ask.now)
    return {"eventId": message["id"], "message": message}


def _messages(ask: Ask) -> Answer:
    return {"messages": messages_of(ask.chat)}


def _read(ask: Ask) -> Answer:
    said = read(Read, ask.sent)
    return read_message(ask.reach, ask.sent.get("messageId"), said.get("userId") or said.get("user"))


def _activity(ask: Ask) -> Answer:
    show_activity(ask.reach, ask.user_id, read(Activity, ask.sent))
    return {"success": True}


def _import(ask: Ask) -> Answer:
    return {"history": add_history(ask.reach, ask.chat_id, read(ImportHistory, ask.sent)["history"], ask.now)}


def _history(ask: Ask) -> Answer:
    return {"history": history_of(ask.chat)}


def _place(ask: Ask) -> Answer:
    return current_place(ask.chat, ask.now)


def _users_chats(ask: Ask) -> Answer:
    """The open ones. An object by id, also when it is empty."""
    user = ask.reach.acting(ask.user_id)
    chats = ask.reach.chats().select_related(*SHOWN).exclude(state=Chat.State.CLOSED)
    if isinstance(user, Agent):
        chats = chats.filter(agent=user)
    shown = chats.order_by("started_at").distinct()[:MOST_CHATS]
    return {"chats": {str(chat.pk): show_chat(ask.reach, chat, "users") for chat in shown}}


def _me(ask: Ask) -> Answer:
    return {"user": any_user(ask.reach, ask.reach.acting(ask.user_id))}


def _accept(ask: Ask) -> Answer:
    """As if the agent had joined: the chat."""
    invitation = named_invitation(ask.reach, read(Invitation, ask.sent))
    accept_invitation(invitation.agent, invitation.pk, now=ask.now)
    return {"chat": show_chat(ask.reach, ask.reach.chat(str(invitation.chat_id)), "users,history")}


def _reject(ask: Ask) -> Answer:
    invitation = named_invitation(ask.reach, read(Invitation, ask.sent))
    decline_invitation(invitation.agent, invitation.pk, now=ask.now)
    return {"success": True}


# Some names are documented, others are guesses in the same manner (docs/protocols/hyperchat.md).
CALLS: dict[str, Callable[[Ask], Answer]] = {
    "chats:create": _begin,
    "chats:get": _show,
    "chats:assign": _assign,
    "chats:join": _join,
    "chats:leave": _leave,
    "chats:close": _close,
    "chats:history": _history,
    "chats:messages": _messages,
    "messages:new": _say,
    "messages:send": _say,
    "messages:read": _read,
    "history:import": _import,
    "queues:update": _place,
    "users:activity": _activity,
    "users:chats": _users_chats,
    "users:me": _me,
    "invitations:accept": _accept,
    "invitations:reject": _reject,
}
# Their chat is followed from then on: which one it is, as it was before; a new one is None.
FOLLOWED: dict[str, Callable[[Ask], Chat | None]] = {
    "chats:create": lambda _ask: None,
    "chats:join": lambda ask: ask.chat,
    "invitations:accept": lambda ask: named_invitation(ask.reach, read(Invitation, ask.sent)).chat,
}
SLOW = frozenset({"chats:assign"})  # a web hook may be asked first
