"""App Messaging: conversations, as customers' apps keep them.

Two take part: the customer, and our side, which is whoever answers. A conversation's numbers count its events from 0 through all its chats.
An app sees its own; programs see all of the space. DELETE ends the chat that is open in it. Nothing here is public (scope=public is empty).
"""

from typing import Any, ClassVar
from uuid import uuid4

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.conversations import change_conversation, delete_conversation, make_conversation
from chats.actions.profiles import check_id
from chats.errors import Conflict, Forbidden, Invalid
from chats.models import Chat, Conversation, ForeignCustomer, SpaceChat, SpaceLine

from .asked_conversations import MOST_PARTICIPANTS, ConversationForm, ConversationList, ConversationNew, Member
from .conversation_chats import adopt_strays, conversations_of, find_conversation, number_all, team_named
from .door import Door
from .etags import check_match, etag_of
from .lines import SENT
from .names import agent_id, find_agent, find_team, iso
from .outgoing import file_words
from .profiles import ensure_profile, parts_of

MOST = 1000
OWNER, PARTICIPANT = "owner", "participant"
PAIR = "Two take part in a conversation: the customer, and our side."
RIGHTS = {"canSend": True, "canAddParticipants": True, "canRemoveParticipants": True}
ROLES = {OWNER: RIGHTS, PARTICIPANT: RIGHTS}


class Conversations(Door):
    allows_apps = True
    asks: ClassVar = {"POST": ConversationNew}
    queries: ClassVar = {"GET": ConversationList}

    def get(self, request: Request) -> Response:
        """Conversations, the newest first."""
        asked = self.read_query(ConversationList)
        profile_id, own = asked.get("profileId"), self.caller.profile
        if own is not None and profile_id and profile_id != own.external_id:
            raise Forbidden("A session sees the conversations of its own profile.")
        if asked.get("scope") == "public":
            return Response([])
        if own is not None:
            own.registration = self.caller.registration
            adopt_strays(self.caller.registration, own, self.now)
        rows = conversations_of(self.caller).order_by("-created_at", "-pk")
        rows = rows.filter(profile__external_id=profile_id) if profile_id else rows
        shapes = [core_shape(row) for row in rows[:MOST]]
        return Response([shape | {"_etag": etag_of(shape)} for shape in shapes])

    def post(self, request: Request) -> Response:
        """Make one, for an app's own profile or for the customer whom a program names."""
        said = self.read(ConversationNew)
        external_id = said.get("id") or str(uuid4())
        check_id(external_id, "id")
        with transaction.atomic():  # what is refused makes no profile
            profile = self.owner(said)
            facts = {name: said[name] for name in ("name", "description", "roles", "isPublic") if said.get(name)}
            made = make_conversation(
                profile,
                external_id,
                team=team_named(self.caller.registration, external_id, profile),
                facts=facts,
                actor=self.caller.actor,
                now=self.now,
            )
        return self.entity(core_shape(made), changed_at=made.updated_at, status=201)

    def owner(self, said: dict[str, Any]) -> ForeignCustomer:
        """The customer among the participants. Raises Conflict for a third, Invalid where none is named."""
        own = self.caller.profile
        names = {one["id"] for one in said.get("participants") or []} - {own.external_id if own else None}
        ours = {name for name in names if self.is_ours(name)}
        customers = names - ours
        if len(ours) > 1 or len(customers) > (0 if own else 1):
            raise Conflict(PAIR)
        if own is None and not customers:
            raise Invalid(fields={"participants": "Name the customer."})
        profile = own or ensure_profile(self.caller, customers.pop(), self.now)
        profile.registration = self.caller.registration
        return profile

    def is_ours(self, name: str) -> bool:
        """A team, or an agent. An app learns nothing of agents whom its customer has not met."""
        if find_team(self.caller.registration, name):
            return True
        agent = find_agent(self.caller.registration, name)
        return agent is not None and (self.caller.is_program or parts_of(self.caller, agent).exists())


class ConversationDoor(Door):
    """Of one conversation."""

    allows_apps = True

    def conversation(self, conversation_id: str) -> Conversation:
        """Raises NotFound."""
        return find_conversation(self.caller, conversation_id, self.now)

    def check(self, row: Conversation) -> None:
        check_match(self.request, core_shape(row))

    def open_chat(self, row: Conversation) -> SpaceChat | None:
        """The chat that is open in it."""
        open_ones = SpaceChat.objects.loaded().filter(conversation=row).exclude(chat__state=Chat.State.CLOSED)
        return open_ones.first()


class OneConversation(ConversationDoor):
    asks: ClassVar = {"PUT": ConversationForm}

    def get(self, request: Request, conversation_id: str) -> Response:
        """One conversation."""
        return self.show(self.conversation(conversation_id))

    def put(self, request: Request, conversation_id: str) -> Response:
        """Another name, description, roles."""
        row, said = self.conversation(conversation_id), self.read(ConversationForm)
        facts = {name: value for name, value in said.items() if value is not None}
        return self.show(change_conversation(row, facts, actor=self.caller.actor, check=self.check, now=self.now))

    def delete(self, request: Request, conversation_id: str) -> Response:
        """It is there no more; the chat that is open in it ends."""
        row = self.conversation(conversation_id)
        reason = Chat.CloseReason.DONE if self.caller.is_program else Chat.CloseReason.CUSTOMER_LEFT
        delete_conversation(row, reason=reason, actor=self.caller.actor, check=self.check, now=self.now)
        return Response(status=204)

    def show(self, row: Conversation) -> Response:
        answer = self.entity(core_shape(row), changed_at=row.updated_at)
        number_all(row, self.now)
        last = SpaceLine.objects.filter(conversation=row, kind=SENT).order_by("-conversation_number").first()
        moving = {"participantCount": 2 if (known := self.open_chat(row)) and known.chat.agent_id else 1}
        answer.data = core_shape(row) | moving | ({"latestSentEventId": last.conversation_number} if last else {})
        return answer


class Participants(ConversationDoor):
    def get(self, request: Request, conversation_id: str) -> Response:
        """The customer, and the agent if one has the chat."""
        row = self.conversation(conversation_id)
        found = [{"id": row.profile.external_id, "role": OWNER}]
        known = self.open_chat(row)
        if known is not None and known.chat.agent is not None and known.chat.state == Chat.State.ACTIVE:
            found.append({"id": agent_id(known.chat.agent), "role": PARTICIPANT})
        return Response(found)

    def post(self, request: Request, conversation_id: str) -> Response:
        """Those who take part are in it already; there is no room for a third."""
        row = self.conversation(conversation_id)
        body = request.data if isinstance(request.data, list) else [request.data]
        if len(body) > MOST_PARTICIPANTS:
            raise Conflict(PAIR)
        asked = Member(data=body, many=True)
        asked.is_valid(raise_exception=True)
        known = self.open_chat(row)
        agent = known.chat.agent if known is not None else None
        present = {row.profile.external_id} | ({agent_id(agent)} if agent is not None else set())
        if {one["id"] for one in asked.validated_data} - present:
            raise Conflict(PAIR)
        return Response(status=201)

    def delete(self, request: Request, conversation_id: str) -> Response:
        """The customer leaves: as DELETE of the conversation. Agents leave by the chat."""
        row = self.conversation(conversation_id)
        names = set(request.query_params.getlist("id"))
        if not names:
            raise Invalid(fields={"id": "Name who leaves."})
        if names != {row.profile.external_id}:
            raise Conflict("The customer alone leaves a conversation.")
        reason = Chat.CloseReason.CUSTOMER_LEFT
        delete_conversation(row, reason=reason, actor=self.caller.actor, check=lambda _row: None, now=self.now)
        return Response(status=204)


def core_shape(row: Conversation) -> dict[str, Any]:
    """The conversation without what messages change: its ETag's."""
    facts = row.facts
    return {
        "id": row.external_id,
        "name": facts.get("name") or (row.team.name if row.team else row.external_id),
        "description": facts.get("description", ""),
        "roles": facts.get("roles") or ROLES,
        "isPublic": bool(facts.get("isPublic")),
        "_createdOn": iso(row.created_at),
        "_createdBy": facts.get("createdBy", ""),
        "_updatedOn": iso(row.updated_at),
        "_updatedBy": facts.get("updatedBy", ""),
    }


def tell_space(sender: Any, conversation: Conversation, what: str, now: Any, **_: Any) -> None:
    """actions.conversations.changed: the space's web hooks hear of it."""
    shape = core_shape(conversation)
    payload = {"id": conversation.external_id, "date": iso(now)} if what == "delete" else shape
    registration, revision = conversation.registration, conversation.revision
    file_words(registration, f"conversation.{what}", payload, now=now, revision=revision, etag=etag_of(shape))
    if what == "create":
        who = {"conversationId": conversation.external_id, "profileId": conversation.profile.external_id}
        file_words(registration, "conversation.participantAdded", who | {"role": OWNER}, now=now, revision=revision)


ROUTES: list[tuple[str, type[Door], str]] = [
    ("conversations", Conversations, "conversations"),
    ("conversations/{conversation_id}", OneConversation, "conversation"),
    ("conversations/{conversation_id}/participants", Participants, "conversation-participants"),
]
