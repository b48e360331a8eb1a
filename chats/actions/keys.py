"""When keys and passwords of programs were last used: written at most once a minute, so that a busy program does not rewrite its row."""

from datetime import datetime, timedelta

from contactcenter.models import Application, ApplicationPassword

NOTED_EVERY = timedelta(minutes=1)


def is_stale(key: Application | ApplicationPassword, now: datetime) -> bool:
    """Whether the use is to be noted again."""
    return key.last_used_at is None or key.last_used_at < now - NOTED_EVERY


def note_used(key: Application | ApplicationPassword, now: datetime) -> None:
    type(key)._default_manager.filter(pk=key.pk).update(last_used_at=now)
