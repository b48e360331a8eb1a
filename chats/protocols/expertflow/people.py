"""Who takes part in a conversation, under which id.

The customer's id is random and its client's proof (with the conversation's): it is said to that client alone. Agents go by their own id.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from chats.models import ForeignChat, Participant

CUSTOMER, AGENT, BOT = "Customer", "Agent", "Bot"
SYSTEM_ID = "system"
ME = "participant"  # the fact that keeps the customer's id


def new_person() -> dict[str, str]:
    """The facts of a conversation that begins: its customer's id."""
    return {ME: str(uuid4())}


def customer_id(foreign: ForeignChat) -> str:
    return str(foreign.facts.get(ME, ""))


def person(shown_id: str, name: str, kind: str) -> dict[str, Any]:
    """{id, name, type, firstName}: the last is what readers of the history show (client)."""
    return {"id": shown_id, "name": name, "type": kind, "firstName": name}


@dataclass
class Conversation:
    """A chat as its client knows it: enough to tell each of its events. `agents`: our participant → the agent, learned as they join."""

    id: str
    account: str
    me: str
    name: str  # the customer's
    house: str  # who says automatic messages
    agents: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, foreign: ForeignChat) -> "Conversation":
        """Of a row with its chat, the chat's participants, and its center."""
        known = cls(foreign.external_id, foreign.account, customer_id(foreign), "", foreign.chat.center.name)
        for part in foreign.chat.participants.all():
            if part.kind == Participant.Kind.CUSTOMER:
                known.name = part.name
            else:
                known.agents[str(part.pk)] = str(part.agent_id)
        return known

    def sender_of(self, event: dict[str, Any]) -> dict[str, Any]:
        """Who did it; of an event as customers see it (chats.shapes.event_for_customer)."""
        sender = event["sender"]
        if sender["kind"] == "customer":
            return person(self.me, sender["name"], CUSTOMER)
        part_id = sender.get("id", "")
        if not part_id:
            return self.system()
        kind = BOT if sender["kind"] == "bot" else AGENT
        return person(self.agents.get(part_id, part_id), sender["name"], kind)

    def customer(self) -> dict[str, Any]:
        return person(self.me, self.name, CUSTOMER)

    def system(self) -> dict[str, Any]:
        return person(SYSTEM_ID, self.house, BOT)

    def learn(self, event: dict[str, Any]) -> None:
        """Who joins tells by that who its participant is."""
        if event["type"] == "agent.joined" and event["sender"].get("id"):
            self.agents[event["sender"]["id"]] = event["data"]["agent"]

    def part_shown(self, part: Participant) -> dict[str, Any]:
        if part.kind == Participant.Kind.CUSTOMER:
            return person(self.me, part.name, CUSTOMER)
        return person(str(part.agent_id), part.name, BOT if part.kind == Participant.Kind.BOT else AGENT)
