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
        from agents import signals

        from . import due, events, tasks, wake
        from .actions import connectors, conversations, profiles
        from .carriers import filing as carriers_filing
        from .carriers.mail.provider import Mail
        from .carriers.mail.service.provider import MailService
        from .carriers.messenger.provider import Messenger
        from .carriers.push import filing as push_filing
        from .carriers.push.carrier import Push
        from .carriers.registry import PROVIDERS
        from .carriers.twilio.carrier import Twilio
        from .live import listen
        from .outbox import filing, ours
        from .protocols.comapi import conversations as comapi_conversations
        from .protocols.comapi import outgoing as comapi_words
        from .protocols.comapi import presence_told
        from .protocols.comapi import profiles as comapi_profiles
        from .protocols.genesys import lines as genesys_lines
        from .protocols.hyperchat import advice, outgoing, places, whispers
        from .routing import engine, search

        self.waker = wake.Waker(tasks.publish)

        # In whose words web hooks hear of events.
        filing.speakers[filing.OURS] = ours.speak
        filing.speakers["hyperchat"] = outgoing.speak
        filing.speakers["comapi"] = comapi_words.speak

        # Whose networks we speak.
        PROVIDERS["twilio"] = Twilio()
        PROVIDERS["mail"] = Mail()
        PROVIDERS["mail_service"] = MailService()
        PROVIDERS["messenger"] = Messenger()
        PROVIDERS["push"] = Push()

        # Who is asked whom to offer a chat.
        search.advisers.append(advice.advise)

        # Within the transaction: a listener that raises undoes it.
        events.recorded.connect(filing.file_records, dispatch_uid="outbox")
        events.recorded.connect(places.forget_places, dispatch_uid="hyperchat")
        signals.availability_changed.connect(_route_anew, dispatch_uid="route_anew")
        signals.availability_changed.connect(listen.announce_availability, dispatch_uid="live")
        signals.availability_changed.connect(presence_told.file_presence, dispatch_uid="comapi")

        events.recorded.connect(genesys_lines.write_records, dispatch_uid="genesys")
        events.recorded.connect(carriers_filing.file_records, dispatch_uid="carriers")
        events.recorded.connect(push_filing.file_records, dispatch_uid="push")
        events.recorded.connect(connectors.write_owed, dispatch_uid="connectors")
        profiles.changed.connect(comapi_profiles.tell_space, dispatch_uid="comapi")
        profiles.changed.connect(listen.announce_profile, dispatch_uid="live")
        conversations.changed.connect(comapi_conversations.tell_space, dispatch_uid="comapi")
        conversations.changed.connect(listen.announce_conversation, dispatch_uid="live")

        # After the commit: a listener can only be late.
        due.work_due.connect(self._wake, dispatch_uid="wake")
        events.committed.connect(listen.announce_records, dispatch_uid="live")
        events.committed.connect(connectors.tell_owed, dispatch_uid="connectors")
        connectors.owed.connect(listen.announce_owed, dispatch_uid="live")
        connectors.changed.connect(listen.announce_owed, dispatch_uid="live_changed")
        engine.routed.connect(places.routed, dispatch_uid="hyperchat")

        # At once: what is never stored.
        events.whispered.connect(listen.announce_whisper, dispatch_uid="live")
        events.whispered.connect(whispers.hear, dispatch_uid="hyperchat")
        events.whispered.connect(genesys_lines.write_whisper, dispatch_uid="genesys")

    def _wake(self, sender: Any, task: str, id: UUID, **_: Any) -> None:
        self.waker.wake(task, id)


def _route_anew(sender: Any, agent_id: UUID, now: datetime, **_: Any) -> None:
    from .due import ask_routing_for_agent
    from .routing.sweeps import settle_seat

    settle_seat(agent_id)
    ask_routing_for_agent(agent_id, now)
