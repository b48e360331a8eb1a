"""The demo's ended chats, played through the ordinary actions at times of this morning."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from agents.models import Agent, Disposition
from chats.actions.close import close_by_agent
from chats.actions.locking import lock_open_chat
from chats.actions.offer import accept_invitation, offer_chat
from chats.actions.post import Post, post_message
from chats.actions.read import mark_read
from chats.actions.start import Start, start_chat
from chats.actions.survey import answer_survey
from chats.events import RoutingDecided
from chats.models import Customer, Participant
from contactcenter.models import Channel, ContactCenter, Team

from .content import TALKS

PAUSE = timedelta(seconds=23)  # between two lines


def play_morning(center: ContactCenter, channel: Channel, teams: dict[str, Team], now: datetime) -> None:
    """Let each talk of the table happen."""
    agents = {agent.user.username: agent for agent in center.agents.select_related("user")}
    for number, talk in enumerate(TALKS[center.slug]):
        _play(center, channel, teams[talk["team"]], agents[talk["agent"]], talk, number, now)


def _play(
    center: ContactCenter, channel: Channel, team: Team, agent: Agent, talk: dict[str, Any], number: int, now: datetime
) -> None:
    at = now - timedelta(minutes=talk["ago"])
    name, email, language = talk["customer"]
    customer = Customer.objects.create(center=center, name=name, email=email, language=language, created_at=at)
    path, title = talk["page"]
    first, *rest = talk["lines"]
    start = Start(
        client_id=f"demo-{number}",
        team=team,
        text=first[1],
        language=language,
        page_url=settings.BASE_URL + path,
        page_title=title,
    )
    started = start_chat(channel, customer, start, now=at)
    seat = _accept(center, started.chat.pk, agent, at + PAUSE)
    at += PAUSE
    for line, (who, text) in enumerate(rest):
        at += PAUSE
        sender = started.participant if who == "c" else seat
        post_message(Post(started.chat.pk, sender.pk, f"demo-{number}-{line}", text, is_note=who == "n"), now=at)
    mark_read(seat, 99)
    mark_read(started.participant, 99)
    disposition = Disposition.objects.filter(center=center, name=talk["disposition"]).first()
    close_by_agent(agent, started.chat.pk, disposition=disposition, now=at + PAUSE)
    if talk["rating"]:
        answer_survey(started.participant, rating=talk["rating"], comment="", now=at + 2 * PAUSE)


def _accept(center: ContactCenter, chat_id: Any, agent: Agent, at: datetime) -> Participant:
    chat = lock_open_chat(center.chats, chat_id)
    decided = RoutingDecided(
        team=str(chat.team_id),
        strategy=chat.team.strategy,
        chosen=str(agent.pk),
        eligible=[{"agent": str(agent.pk), "name": agent.name, "free": agent.capacity}],
    )
    invitation = offer_chat(chat, agent, reason=chat.team.strategy, before=(decided,), now=at - timedelta(seconds=9))
    accept_invitation(agent, invitation.pk, now=at)
    return Participant.objects.get(chat=chat, agent=agent)
