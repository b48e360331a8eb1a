"""Where a chat goes: closed, searched on, picked, assigned, transferred, reopened; and what its customer says afterwards."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Disposition
from chats.actions.close import close_by_agent, close_by_customer, close_chat
from chats.actions.hold import assign_chat, pick_chat, reopen_chat
from chats.actions.steer import transfer_by_application
from chats.actions.survey import answer_survey
from chats.actions.tend import search_again
from chats.actions.transfer import transfer_to_agent, transfer_to_team
from chats.errors import Forbidden, Invalid
from chats.models import Chat

from . import asked, shown
from .chats import EVERYBODY, STAFF
from .door import Door, read
from .principals import AgentCaller, ApplicationCaller, CustomerCaller
from .render import fresh_chat
from .schema import described
from .scope import as_id, find_agent, find_chat, find_team, visible_chats, visible_teams


class Close(Door):
    callers = {"POST": EVERYBODY}
    open_to_pages = True

    @described("End the chat", asks=asked.CloseChat, gives=shown.ClosedAt)
    def post(self, request: Request, chat_id: UUID) -> Response:
        caller = self.caller
        body = read(asked.CloseChat, request.data)
        chat = find_chat(caller, chat_id)
        if isinstance(caller, CustomerCaller):
            return Response({"index": close_by_customer(chat.customer_part, now=self.now).index})
        if isinstance(caller, ApplicationCaller):
            closed = close_chat(visible_chats(caller), chat_id, reason=Chat.CloseReason.DONE, now=self.now)
        else:
            disposition = _disposition(caller, body.get("disposition", ""))
            comment = body.get("comment", "")
            closed = close_by_agent(caller.agent, chat_id, disposition=disposition, comment=comment, now=self.now)
        return Response({"position": closed.position})


class Search(Door):
    callers = {"POST": (CustomerCaller,)}
    open_to_pages = True

    @described("Search for an agent again (direct mode)")
    def post(self, request: Request, chat_id: UUID) -> Response:
        search_again(find_chat(self.caller, chat_id).customer_part, now=self.now)
        return Response(status=204)


class Survey(Door):
    callers = {"POST": (CustomerCaller,)}
    open_to_pages = True

    @described("What the customer says after the end", asks=asked.Survey)
    def post(self, request: Request, chat_id: UUID) -> Response:
        body = read(asked.Survey, request.data)
        participant = find_chat(self.caller, chat_id).customer_part
        answer_survey(participant, rating=body.get("rating"), comment=body.get("comment", ""), now=self.now)
        return Response(status=204)


class Pick(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Take a waiting chat by hand", gives=shown.ChatAnswer)
    def post(self, request: Request, chat_id: UUID) -> Response:
        find_chat(self.caller, chat_id)
        pick_chat(self.caller.agent, chat_id, now=self.now)
        return Response({"chat": fresh_chat(self.caller, chat_id, self.now)})


class Assign(Door):
    callers = {"POST": STAFF}

    @described("Give a chat to an agent with a free slot (supervisors, applications)", asks=asked.Assign)
    def post(self, request: Request, chat_id: UUID) -> Response:
        caller = self.caller
        body = read(asked.Assign, request.data)
        find_chat(caller, chat_id)
        if isinstance(caller, AgentCaller) and not caller.agent.is_supervisor:
            raise Forbidden(_("Only a supervisor may assign chats."))
        assign_chat(visible_chats(caller), chat_id, find_agent(caller, body["agent"]), now=self.now)
        return Response(status=204)


class Reopen(Door):
    callers = {"POST": (AgentCaller,)}

    @described("A closed chat becomes ours again", gives=shown.ChatAnswer)
    def post(self, request: Request, chat_id: UUID) -> Response:
        find_chat(self.caller, chat_id)
        reopen_chat(self.caller.agent, chat_id, now=self.now)
        return Response({"chat": fresh_chat(self.caller, chat_id, self.now)})


class Transfer(Door):
    callers = {"POST": STAFF}

    @described("Hand the chat to a team, or offer it to an agent", asks=asked.Transfer)
    def post(self, request: Request, chat_id: UUID) -> Response:
        caller = self.caller
        body = read(asked.Transfer, request.data)
        find_chat(caller, chat_id)
        note = body.get("note", "")
        named = body.get("team")
        team = find_team(visible_teams(caller).filter(is_active=True), named) if named else None
        agent = find_agent(caller, body["agent"]) if body.get("agent") else None
        if isinstance(caller, ApplicationCaller):
            chats = visible_chats(caller)
            transfer_by_application(chats, chat_id, team=team, agent=agent, note=note, now=self.now)
        elif team is not None:
            transfer_to_team(caller.agent, chat_id, team, note=note, now=self.now)
        else:
            transfer_to_agent(caller.agent, chat_id, _known(agent), note=note, now=self.now)
        return Response(status=204)


def _known(agent: Any) -> Any:
    if agent is None:
        raise Invalid(fields={"agent": _("Name a team or an agent.")})
    return agent


def _disposition(caller: AgentCaller, named: str) -> Disposition | None:
    """By id or name. Raises Invalid."""
    if not named:
        return None
    rows = Disposition.objects.filter(center_id=caller.center.pk, is_active=True)
    found = rows.filter(Q(pk=as_id(named)) | Q(name=named)).first()
    if found is None:
        raise Invalid(fields={"disposition": _("Choose one of the list.")})
    return found
