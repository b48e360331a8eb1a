"""A chat's log for staff, in plain words."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from chats.api.decisions import decision_shape
from chats.erasure import MARK
from chats.links import link_text
from chats.models import Chat, Event

SHOWN = 1000


@dataclass(frozen=True)
class Line:
    """One event. kind: customer, staff, note or event (a quiet line); details: further sentences."""

    position: int
    at: datetime
    kind: str
    who: str
    text: str
    details: list[str] = field(default_factory=list)


def lines_of(chat: Chat) -> list[Line]:
    """The last thousand lines, oldest first."""
    events = chat.events.order_by("-position")[:SHOWN]
    return [line_of(event) for event in reversed(events)]


def line_of(event: Event) -> Line:
    kind, who, details = "event", event.sender_name, []
    if event.type == "message.posted":
        kind = "customer" if event.sender_kind == "customer" else "staff"
    elif event.type == "note.posted":
        kind = "note"
        if event.sender_kind == "customer":
            # A bot in the customer's client: neither an agent nor what the customer said.
            who = _("%(name)s (customer's side)") % {"name": who}
    elif event.type == "routing.decided":
        details = decision_shape(event)["words"]
    elif event.type == "history.imported":
        details = [f"{entry['name'] or entry['kind']}: {entry['text']}" for entry in event.data["entries"]]
    files = [str(file.get("name", "")) for file in event.data.get("attachments") or []]
    return Line(
        position=event.position,
        at=event.at,
        kind=kind,
        who=who,
        text=sentence(event) if kind == "event" else _words(event),
        details=[
            *details,
            *(_("File: %s") % name for name in files),
            *(_("Link: %s") % link_text(link, ": ") for link in event.data.get("links", [])),
        ],
    )


def _words(event: Event) -> str:
    return _("This message was erased.") if event.data.get(MARK) else event.text


def sentence(event: Event) -> str:
    """What happened."""
    data = event.data
    name = data.get("name") or data.get("team_name") or ""
    sentences = {
        "chat.started": _("The chat started."),
        "chat.queued": _("The chat went into the queue (%s).") % data.get("reason", ""),
        "search.failed": _("Nobody was found."),
        "routing.decided": _("Looked for an agent."),
        "invitation.offered": _("Offered to %s.") % name,
        "invitation.accepted": _("%s accepted.") % name,
        "invitation.declined": _("%s declined.") % name,
        "invitation.expired": _("%s did not answer in time.") % name,
        "invitation.withdrawn": _("The offer to %s was withdrawn.") % name,
        "agent.joined": _("%s joined.") % name,
        "agent.left": _("%s left.") % name,
        "guest.invited": _("%s was asked to join.") % name,
        "guest.declined": _("%s did not want to join.") % name,
        "chat.transferred": _("Passed on to %s.") % name,
        "chat.moved": _("Goes on by %s.") % name,
        "chat.updated": _("The custom data changed."),
        "message.resent": _("A message was sent again."),
        "message.failed": _("A message did not arrive: %s") % data.get("error", ""),
        "customer.reminded": _("The customer was reminded."),
        "customer.updated": _("The customer's data changed."),
        "chat.closed": _("The chat was closed (%s).") % dict(Chat.CloseReason.choices).get(data.get("reason", ""), ""),
        "chat.disposed": _("Marked as: %s") % (data.get("disposition") or data.get("comment") or "–"),
        "chat.erased": _("The customer was erased, with all that was said."),
        "chat.reopened": _("The chat was opened again."),
        "history.imported": _("Lines of an earlier conversation: %s.") % len(data.get("entries", [])),
        "survey.answered": _("Rated %(rating)s. %(comment)s")
        % {"rating": data.get("rating") or "–", "comment": data.get("comment", "")},
    }
    return sentences.get(event.type, event.type)
