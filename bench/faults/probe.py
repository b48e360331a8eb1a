"""Looks into the database four times a second while faults go on, and reads what the checker needs at the end."""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

from .database import Database, Errors, Row, seconds_ago
from .facts import Facts
from .recount import ALWAYS, AT_THE_END

EVERY = 0.25  # seconds
LEAVING = 15  # seconds of a lease that is left when a client has gone: such agents are offered nothing
ASK_AGAIN = 20  # seconds for which an agent who let a chat go is passed over
LATE = 15  # seconds after which something that is due is late: sweeps run every 2 to 10 s

OVERFULL = """
SELECT o.agent_id, count(*) AS used, a.capacity FROM chats_occupation o JOIN agents_agent a ON a.id = o.agent_id
GROUP BY o.agent_id, a.capacity HAVING count(*) > a.capacity"""

# Free slots beside which somebody waits. Nobody in these runs asks for a language or a skill, so every member of the team fits.
FORGOTTEN = """
SELECT s.id AS slot_id FROM agents_slot s
JOIN agents_membership m ON m.agent_id = s.agent_id JOIN agents_presence p ON p.agent_id = m.agent_id
WHERE NOT s.is_retired AND NOT EXISTS (SELECT 1 FROM chats_occupation o WHERE o.slot_id = s.id)
AND p.status = 'online' AND p.lease_until > %s
AND EXISTS (
  SELECT 1 FROM chats_chat c
  WHERE c.team_id = m.team_id AND c.state IN ('searching', 'queued')
  AND NOT EXISTS (SELECT 1 FROM chats_occupation o WHERE o.chat_id = c.id)
  AND NOT EXISTS (SELECT 1 FROM chats_invitation i WHERE i.chat_id = c.id AND i.agent_id = m.agent_id AND i.ended_at > %s)
  AND NOT EXISTS (SELECT 1 FROM chats_event e JOIN chats_participant q ON q.chat_id = e.chat_id AND q.agent_id = m.agent_id
                  WHERE e.chat_id = c.id AND e.type = 'agent.left' AND e.at > %s))"""

DUTIES = {  # what is due, and has been for LATE seconds
    "queue": "SELECT id FROM chats_queue WHERE routing_due_at <= %s",
    "chat": "SELECT id FROM chats_chat WHERE due_at <= %s AND state <> 'closed'",
    "invitation": "SELECT id FROM chats_invitation WHERE state = 'pending' AND expires_at <= %s",
    "delivery": "SELECT id FROM chats_delivery WHERE sent_at IS NULL AND failed_at IS NULL AND due_at <= %s",
    "transcript": "SELECT id FROM chats_transcriptrequest WHERE sent_at IS NULL AND failed_at IS NULL AND due_at <= %s",
}
GIVEN_UP = {
    "delivery given up": "SELECT id FROM chats_delivery WHERE failed_at IS NOT NULL",
    # Of whom nobody knows whether the mail server took the mail: it is told as failed, and never sent twice.
    "transcript given up": "SELECT id FROM chats_transcriptrequest WHERE failed_at IS NOT NULL AND error NOT LIKE 'The mail server may have taken it%%'",
}
EVENTS = """
SELECT e.chat_id, e.position, e."index", e.type, e.sender_kind, e.text, e.client_id, z.slug AS center, e.at,
CASE WHEN e.type LIKE 'invitation.%%' OR e.type LIKE 'agent.%%' THEN e.data END AS data
FROM chats_event e JOIN contactcenter_contactcenter z ON z.id = e.center_id ORDER BY e.chat_id, e.position"""
CHATS = """
SELECT c.id AS chat_id, c.position, c."index", c.state, c.team_id, EXISTS (SELECT 1 FROM chats_search s WHERE s.chat_id = c.id) AS is_steered
FROM chats_chat c"""
REQUESTS = "SELECT email, chat_id, sent_at IS NOT NULL AS is_sent FROM chats_transcriptrequest"
PENDING = "SELECT count(*) AS pending FROM chats_delivery WHERE sent_at IS NULL AND failed_at IS NULL"


class Probe(threading.Thread):
    """`overfull`: agents seen above their capacity; `longest`: slot → seconds for which it stood free while somebody waited, since `is_healed`.

    These seconds are looks in a row, a quarter of a second each: where the machine is so busy that looking takes longer, everything else does, too.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.overfull: dict[str, Row] = {}
        self.longest: dict[str, float] = {}
        self.drifted: set[str] = set()
        self.looks = 0
        self.is_healed = False
        self._waiting: dict[str, float] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                with self.database.connected() as connection:
                    while not self._ended.wait(EVERY):
                        self._look(connection)
            except Errors:  # it is away: that is the point of the run
                self._waiting.clear()
                self._ended.wait(EVERY)

    def stop(self) -> None:
        self._ended.set()
        self.join(30)

    def _look(self, connection: object) -> None:
        self.looks += 1
        self.overfull |= {str(row["agent_id"]): row for row in self.database.rows(connection, OVERFULL)}
        self._recount(connection, ALWAYS)
        if not self.is_healed:
            return
        asked = seconds_ago(-LEAVING), seconds_ago(ASK_AGAIN + 1), seconds_ago(ASK_AGAIN + 1)
        found = {str(row["slot_id"]) for row in self.database.rows(connection, FORGOTTEN, *asked)}
        self._waiting = {slot: self._waiting.get(slot, -EVERY) + EVERY for slot in found}
        for slot, seconds in self._waiting.items():
            self.longest[slot] = max(self.longest.get(slot, 0), seconds)

    def _recount(self, connection: object, queries: tuple[str, ...]) -> None:
        for query in queries:
            self.drifted |= {f"{row['what']} of {row['id']}" for row in self.database.rows(connection, query)}

    def facts(self, late_seconds: float = LATE) -> Facts:
        """What stands in the database at one moment: rules go on closing chats meanwhile."""
        with self.database.snapshot() as connection:
            rows = self.database.rows
            late = {name: rows(connection, query, seconds_ago(late_seconds)) for name, query in DUTIES.items()}
            late |= {name: rows(connection, query) for name, query in GIVEN_UP.items()}
            self._recount(connection, AT_THE_END)
            return Facts(
                events=[_plain(row) for row in rows(connection, EVENTS)],
                chats=rows(connection, CHATS),
                overfull=[*self.overfull.values(), *rows(connection, OVERFULL)],
                waited=self.longest,
                drifted=sorted(self.drifted),
                read=time.time(),
                requests=rows(connection, REQUESTS),
                late=[f"{name} {row['id']}" for name, found in late.items() for row in found],
            )

    def pending(self) -> int:
        """Calls that are still to be made."""
        return int(self.database.all(PENDING)[0]["pending"])

    def heads(self) -> dict[str, int]:
        """chat → the last number that its customer may see."""
        return {str(row["chat_id"]): row["index"] for row in self.database.all(CHATS)}


def _plain(event: Row) -> Row:
    """An event with the moment in seconds since 1970, and with its agent and invitation."""
    data: Any = event.pop("data") or {}
    data = json.loads(data) if isinstance(data, str) else data
    at = event["at"]
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) else at
    return event | {"at": moment.timestamp(), "agent": data.get("agent"), "invitation": data.get("invitation")}
