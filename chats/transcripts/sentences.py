"""What happened in a chat, as sentences in the language that is active."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chats.models import Event

# What is said stands in the log as text; what happened is put into a sentence by the table below.
SAID = frozenset({"message.posted", "note.posted", "customer.reminded"})
# Told to nobody: how an agent was found, what was offered to whom, the start, which the head of the page says, and what was said before
# the chat, which stands above it.
SILENT = frozenset(
    {
        "chat.started",
        "chat.queued",
        "routing.decided",
        "invitation.offered",
        "invitation.accepted",
        "invitation.declined",
        "invitation.expired",
        "invitation.withdrawn",
        "guest.invited",
        "guest.declined",
        "customer.updated",
        "chat.updated",
        "history.imported",
    }
)


def _closed(event: Event) -> str:
    if event.data.get("by") == "customer":
        return _("The customer ended the chat.")
    if event.data.get("by") == "agent" and event.sender_name:
        return _("%(name)s ended the chat.") % {"name": event.sender_name}
    return _("The chat ended.")


def _transferred(event: Event) -> str:
    return _("The chat was passed on to %(team)s.") % {"team": event.data.get("team_name") or event.data.get("team")}


def _disposed(event: Event) -> str:
    what = event.data.get("disposition") or _("no category")
    return _with_comment(_("Filed as: %(what)s") % {"what": what}, event.data.get("comment", ""))


def _surveyed(event: Event) -> str:
    rating = event.data.get("rating")
    head = ngettext("Rated with %(count)d star", "Rated with %(count)d stars", rating or 0) % {"count": rating or 0}
    return _with_comment(head if rating else _("Commented"), event.data.get("comment", ""))


def _with_comment(head: str, comment: str) -> str:
    return f"{head} – {comment}" if comment else head


SENTENCES: dict[str, Callable[[Event], str]] = {
    "agent.joined": lambda event: _("%(name)s joined the chat.") % {"name": event.data.get("name", "")},
    "agent.left": lambda event: _("%(name)s left the chat.") % {"name": event.data.get("name", "")},
    "chat.transferred": _transferred,
    "chat.moved": lambda event: _("The chat went on by %(name)s.") % {"name": event.data.get("name", "")},
    "message.resent": lambda _event: _("A message was sent again."),
    "message.failed": lambda event: _("A message did not arrive: %(why)s") % {"why": event.data.get("error", "")},
    "search.failed": lambda _event: _("Nobody was free."),
    "chat.closed": _closed,
    "chat.reopened": lambda _event: _("The chat was opened again."),
    "chat.disposed": _disposed,
    "chat.erased": lambda _event: _("The customer was erased, with all that was said."),
    "survey.answered": _surveyed,
}
