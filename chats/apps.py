"""The upper floor: conversations. Who listens to what is said in a chat is named here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatsConfig(AppConfig):
    name = "chats"
    verbose_name = _("Chats")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import tasks, wake

        self.waker = wake.Waker(tasks.publish)
        _name_speakers()
        _name_carriers()
        _listen_within_transactions()
        self._listen_after_commits()
        _listen_at_once()

    def _listen_after_commits(self) -> None:
        """A listener can only be late."""
        from . import due, events
        from .actions import connectors
        from .live import listen
        from .protocols.hyperchat import places
        from .routing import engine

        due.work_due.connect(self._wake, dispatch_uid="wake")
        events.committed.connect(listen.announce_records, dispatch_uid="live")
        events.committed.connect(connectors.tell_owed, dispatch_uid="connectors")
        connectors.owed.connect(listen.announce_owed, dispatch_uid="live")
        connectors.changed.connect(listen.announce_owed, dispatch_uid="live_changed")
        engine.routed.connect(places.routed, dispatch_uid="hyperchat")

    def _wake(self, sender: Any, task: str, id: UUID, **_: Any) -> None:
        self.waker.wake(task, id)


def _route_anew(sender: Any, agent_id: UUID, now: datetime, **_: Any) -> None:
    from .due import ask_routing_for_agent
    from .routing.sweeps import settle_seat

    settle_seat(agent_id)
    ask_routing_for_agent(agent_id, now)


def _name_speakers() -> None:
    """In whose words web hooks hear of events, and who is asked whom to offer a chat."""
    from .outbox import filing, ours
    from .protocols.comapi import outgoing as comapi
    from .protocols.hyperchat import advice
    from .protocols.hyperchat import outgoing as hyperchat
    from .routing import search

    filing.speakers[filing.OURS] = ours.speak
    filing.speakers["hyperchat"] = hyperchat.speak
    filing.speakers["comapi"] = comapi.speak
    search.advisers.append(advice.advise)


def _name_carriers() -> None:
    """Whose networks we speak."""
    from .carriers.mail.provider import Mail
    from .carriers.mail.service.provider import MailService
    from .carriers.messenger.provider import Messenger
    from .carriers.push.carrier import Push
    from .carriers.registry import PROVIDERS
    from .carriers.twilio.carrier import Twilio

    PROVIDERS["twilio"] = Twilio()
    PROVIDERS["mail"] = Mail()
    PROVIDERS["mail_service"] = MailService()
    PROVIDERS["messenger"] = Messenger()
    PROVIDERS["push"] = Push()


def _listen_within_transactions() -> None:
    """A listener that raises undoes it."""
    from agents import signals

    from . import events
    from .actions import connectors, conversations, customers, profiles
    from .carriers import filing as carriers
    from .carriers.push import filing as push
    from .live import listen
    from .outbox import filing
    from .protocols.comapi import conversations as comapi_conversations
    from .protocols.comapi import presence_events
    from .protocols.comapi import profiles as comapi_profiles
    from .protocols.genesys import lines
    from .protocols.hyperchat import places

    events.recorded.connect(filing.file_records, dispatch_uid="outbox")
    events.recorded.connect(places.forget_places, dispatch_uid="hyperchat")
    events.recorded.connect(lines.write_records, dispatch_uid="genesys")
    events.recorded.connect(carriers.file_records, dispatch_uid="carriers")
    events.recorded.connect(push.file_records, dispatch_uid="push")
    events.recorded.connect(connectors.write_owed, dispatch_uid="connectors")

    signals.availability_changed.connect(_route_anew, dispatch_uid="route_anew")
    signals.availability_changed.connect(listen.announce_availability, dispatch_uid="live")
    signals.availability_changed.connect(presence_events.file_presence, dispatch_uid="comapi")

    customers.changed.connect(profiles.follow_customer, dispatch_uid="profiles")
    profiles.changed.connect(comapi_profiles.tell_space, dispatch_uid="comapi")
    profiles.changed.connect(listen.announce_profile, dispatch_uid="live")
    conversations.changed.connect(comapi_conversations.tell_space, dispatch_uid="comapi")
    conversations.changed.connect(listen.announce_conversation, dispatch_uid="live")


def _listen_at_once() -> None:
    """To what is never stored."""
    from . import events
    from .live import listen
    from .protocols.genesys import lines
    from .protocols.hyperchat import whispers

    events.whispered.connect(listen.announce_whisper, dispatch_uid="live")
    events.whispered.connect(whispers.hear, dispatch_uid="hyperchat")
    events.whispered.connect(lines.write_whisper, dispatch_uid="genesys")
