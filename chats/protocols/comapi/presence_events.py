"""Agents come and go: presence.available, presence.away, presence.offline, for the web hooks of their center's API spaces."""

from datetime import datetime
from typing import Any
from uuid import UUID

from agents.models import Agent, Presence
from chats.models import Webhook
from chats.outbox.filing import file
from contactcenter.models import Registration
from contactcenter.models.ids import new_id

from .envelopes import Word, envelope
from .names import agent_id as name_of
from .presence import AVAILABLE, AWAY, OFFLINE, agent_shape
from .subscribers import calls, may_hear, spaces_of

NAMES = tuple(f"presence.{status}" for status in (AVAILABLE, AWAY, OFFLINE))


def file_presence(sender: Any, agent_id: UUID, now: datetime, **_: Any) -> None:
    """agents.signals.availability_changed, within its transaction: the status as GET /presence shows it. One query where nobody listens.

    A change of slots is none of presence. Nobody says when an agent's client was lost: of that GET alone tells.
    """
    if sender is not Presence:
        return
    hooks = _hooks(agent_id)
    hearing = [one for one in hooks if any(may_hear(one, name) for name in NAMES)]
    if not hearing:
        return
    agent = Agent.objects.select_related("user", "presence").get(pk=agent_id)
    teams = set(agent.memberships.values_list("team_id", flat=True))
    word = Word(name=f"presence.{agent_shape(agent, now)['status']}", id=new_id(), at=now, profile=name_of(agent))
    spaces = spaces_of({one.registration for one in hearing if one.registration})
    filed = []
    for one in hearing:
        own = {row.team_id for row in one.application.application_teams.all()}
        if one.registration is not None and (not own or own & teams):
            body = envelope(one.registration, spaces[one.registration.pk], word)
            filed += calls([one], body, None)
    file(filed)


def _hooks(agent_id: UUID) -> list[Webhook]:
    live = Webhook.objects.live().filter(registration__protocol=Registration.Protocol.COMAPI)
    live = live.filter(center_id__in=Agent.objects.filter(pk=agent_id).values("center_id"))
    live = live.select_related("application", "registration").prefetch_related("application__application_teams")
    return list(live.defer("secret", "old_secret").order_by("created_at", "id"))
