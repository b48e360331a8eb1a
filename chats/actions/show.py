"""What is shown and gone: that somebody types."""

from chats.events import Whisper, whisper
from chats.models import Chat, Participant

LONGEST_PREVIEW = 500


def show_typing(participant: Participant, *, active: bool, text: str = "") -> None:
    """Tell the other side. Staff see what the customer types; the customer only sees that somebody types."""
    sender = {"id": str(participant.pk), "kind": participant.kind, "name": participant.name}
    said = {"sender": sender, "active": active}
    if participant.kind == Participant.Kind.CUSTOMER:
        preview = {"text": text[:LONGEST_PREVIEW]} if active and text else {}
        whisper(participant.chat_id, Whisper("typing", said | preview, to_customer=False))
    else:
        whisper(participant.chat_id, Whisper("typing", said))


def show_typing_of_team(chat: Chat, *, active: bool) -> None:
    """Somebody of our side types who is no participant: a bot, say. All are told, under the team's name."""
    sender = {"id": str(chat.pk), "kind": Participant.Kind.BOT, "name": chat.team.name}
    whisper(chat.pk, Whisper("typing", {"sender": sender, "active": active}))
