"""What a customer says about a chat after its end."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chats.errors import Conflict, Invalid, NotFound
from chats.events import SurveyAnswered, record
from chats.models import Chat, Participant

from .locking import lock_chat
from .text import check_text


@transaction.atomic
def answer_survey(participant: Participant, *, rating: int | None, comment: str, now: datetime) -> Chat:
    """Rating 1–5 and a comment, once the chat has ended. A later answer replaces an earlier one. Raises Invalid, Conflict, NotFound (the customer was erased)."""
    if rating is not None and rating not in range(1, 6):
        raise Invalid(fields={"rating": _("Choose 1 to 5.")})
    check_text(comment)
    chat = lock_chat(Chat.objects, participant.chat_id)
    if chat.is_open:
        raise Conflict(_("The chat has not ended yet."))
    if chat.customer.erased_at is not None:
        raise NotFound
    if (chat.rating, chat.rating_comment) == (rating, comment):
        return chat
    chat.rating, chat.rating_comment = rating, comment
    record(chat, SurveyAnswered(rating=rating, comment=comment), sender=participant, now=now)
    return chat
