"""Browser sessions: rows of the database, which is there whenever anything is; with Redis away nobody is signed out, or in again."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    """Django's, but a key that we cannot have made (PostgreSQL refuses to look for a NUL, say) is none."""

    def _validate_session_key(self, key: Any) -> bool:
        return bool(super()._validate_session_key(key)) and key.isascii() and key.isalnum()  # type: ignore[misc]  # missing in the stubs
