"""Celery tasks: load by id, one call. Each may run twice or never: the obligation is a row, and `sweep` finds what was missed.

Schedules stand in contactcenter.celery. `publish` is how the waker asks for one of them.
"""

from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from . import files
from .actions import connectors, offer, tend, welcome
from .carriers import dispatches
from .carriers.mail import reading as mailboxes
from .carriers.push import notices
from .outbox import courier, retention
from .routing import engine, search, sweeps

EXPIRES = 60  # seconds after which a wake-up that no worker took is worthless: sweeps have done its work


@shared_task
def route_team(team_id: str) -> None:
    engine.route_team(UUID(team_id), timezone.now())


@shared_task
def expire_invitation(invitation_id: str) -> None:
    offer.expire_invitation(UUID(invitation_id), now=timezone.now())


@shared_task
def tend_chat(chat_id: str) -> None:
    tend.tend_chat(UUID(chat_id), now=timezone.now())


@shared_task
def say_welcome(space_chat_id: str) -> None:
    welcome.say_welcome(UUID(space_chat_id), now=timezone.now())


@shared_task
def continue_search(search_id: str) -> None:
    search.continue_search(UUID(search_id), timezone.now())


@shared_task
def mail_transcript(request_id: str) -> None:
    # Here, because the typesetter behind it is large and every process imports this module.
    from .transcripts.mail import send_transcript

    send_transcript(UUID(request_id), timezone.now())


@shared_task
def remove_file(removal_id: str) -> None:
    files.remove_file(UUID(removal_id))


@shared_task
def deliver(webhook_id: str) -> None:
    courier.courier.poke(UUID(webhook_id))


@shared_task
def dispatch(channel_id: str) -> None:
    dispatches.courier.poke(UUID(channel_id))


@shared_task
def sweep_dispatches() -> None:
    """As with deliveries: networks may take their time."""
    dispatches.sweep(timezone.now())


@shared_task
def sweep_push_notices() -> None:
    """As with deliveries. Each is due a moment after its message, so nothing wakes for it."""
    notices.sweep(timezone.now())


@shared_task
def read_mailbox(carrier_id: str) -> None:
    mailboxes.read_mailbox(UUID(carrier_id), timezone.now())


@shared_task
def sweep_mailboxes() -> None:
    """A task for each mailbox that is to be read: mail servers may take their time, and whoever reads one claims it."""
    for carrier_id in mailboxes.due_mailboxes(timezone.now()):
        publish("read_mailbox", str(carrier_id))


@shared_task
def sweep() -> None:
    """Everything of chats that is due."""
    sweeps.sweep(timezone.now())


@shared_task
def sweep_searches() -> None:
    """A task for each search that is due: advisers are slow, and whoever goes on with a search claims it."""
    for search_id in search.due_searches(timezone.now()):
        publish("continue_search", str(search_id))


@shared_task
def sweep_places() -> None:
    """Who waits learns of another place in the queue."""
    from .protocols.hyperchat import places

    places.sweep_places(timezone.now())


@shared_task
def sweep_transcripts() -> None:
    """A task for each transcript that is due: a mail server may take its time, and it claims what it sends."""
    from .transcripts.mail import due_transcripts

    for request_id in due_transcripts(timezone.now()):
        publish("mail_transcript", str(request_id))


@shared_task
def sweep_connectors() -> None:
    """Connectors whose server died are away."""
    connectors.note_absent(timezone.now())


@shared_task
def sweep_deliveries() -> None:
    """Only asks for the calls: receivers may take their time, and this worker also routes chats."""
    courier.sweep(timezone.now())


@shared_task
def tidy() -> None:
    sweeps.tidy(timezone.now())
    retention.tidy(timezone.now())
    notices.tidy(timezone.now())
    files.sweep_unsent_uploads(timezone.now())
    files.sweep_early(timezone.now())
    files.sweep_removals()


def publish(task: str, row_id: str) -> None:
    """Put a task into the broker's queue. May hang for seconds or raise what the broker raises.

    The app is named by the settings: Celery's own notion of the current app differs from thread to thread.
    """
    app: Any = import_string(settings.CELERY_APP)
    app.send_task(f"{__name__}.{task}", args=[row_id], expires=EXPIRES, ignore_result=True)
