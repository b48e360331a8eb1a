"""What an API space's web hooks are told (the rest of this file follows)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from contactcenter.models import Registration
from contactcenter.models.ids import new_id

from .envelopes import Word
from .subscribers import file_word


def file_words(
    registration: Registration,
    name: str,
    payload: dict[str, Any],
    *,
    chat_id: UUID | None = None,
    now: datetime,
    revision: int | None = None,
    etag: str | None = None,
) -> None:
    """Tell the space's web hooks of what no chat's log says: chat.update, chat.delete, profile.*, conversation.*, conversationMessage.*.

    Call it in the transaction that changes it (with the chat's row locked, if there is a `chat_id`: then it keeps its place among the
    chat's other calls). One query where nobody listens. `name`: of catalogue.OFFERS.
    """
    file_word(
        registration, Word(name=name, id=new_id(), at=now, payload=payload, revision=revision, etag=etag), chat_id
    )
