"""When keys and passwords of programs were last used: written at most once a minute, so that a busy program does not rewrite its row."""

from datetime import datetime, timedelta

from contactcenter.models import Application, ApplicationPassword

NOTED_EVERY = timedelta(minutes=1)


def note_used(key: Application | ApplicationPassword, now: datetime) -> None:
    if key.last_used_at is None or key.last_used_at < now - NOTED_EVERY:
        type(key)._default_manager.filter(pk=key.pk).update(last_used_at=now)
