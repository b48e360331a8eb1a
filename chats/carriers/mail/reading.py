"""Reading mailboxes: by one worker at a time (a lease), from where the last visit ended (a bookmark).

Both stand in Carrier.bookmark:

    {"of": whose mailbox, "validity": UIDVALIDITY, "uid": the last one that was passed over, "later": uids that wait, "day": of the last visit,
     "lease": until when it is being read, "due": not before, "failures": since the last visit that went well}  (moments in seconds since 1970)

The bookmark moves after the commit of what a mail caused. Whoever dies in between leads to the same mail again, which is known by its id.
"""

import time
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chats.actions.start import default_team
from chats.models import Carrier

from .imap import Mailbox, opened
from .taking import Later, take
from .wire import Trouble

log = structlog.get_logger(__name__)

VISIT_SECONDS = 60.0  # after which no further mail is begun
END_SECONDS = 90.0  # after which the server is no longer listened to
LEASE = timedelta(seconds=180)  # more than a visit can take
WAITS = (15, 30, 60, 120, 300, 900)  # seconds after the first failure, the second …
MOST_LATER = 500  # mails that wait before nothing new is read


class _LeaseLost(Exception):
    """Another worker reads this mailbox now."""


def due_mailboxes(now: datetime) -> list[UUID]:
    """The ids of carriers that `read_mailbox` should be called with."""
    rows = Carrier.objects.filter(provider=Carrier.Provider.MAIL, is_active=True)
    rows = rows.filter(channel__is_active=True, center__is_active=True).only("settings", "bookmark")
    return [row.pk for row in rows if row.settings.get("imap_host") and _is_free(row.bookmark, now)]


def read_mailbox(carrier_id: UUID, now: datetime) -> int:
    """Take in what is new; how many mails were passed over. Harmless when called twice, by anybody, at any time."""
    carrier = _claim(carrier_id, now)
    if carrier is None:
        return 0
    visit = _Visit(carrier)
    try:
        visit.make()
        visit.end("", now)
    except Trouble as trouble:
        visit.end(str(trouble), now)
    except _LeaseLost:
        log.warning("a mailbox was read for too long", carrier=str(carrier.pk))
    return visit.passed


def _is_free(bookmark: dict[str, Any], now: datetime) -> bool:
    return max(bookmark.get("lease", 0), bookmark.get("due", 0)) <= now.timestamp()


def _claim(carrier_id: UUID, now: datetime) -> Carrier | None:
    if carrier_id not in due_mailboxes(now):
        return None
    with transaction.atomic():
        carrier = Carrier.objects.select_for_update(no_key=True).get(pk=carrier_id)
        if not _is_free(carrier.bookmark, now):
            return None  # another was faster
        carrier.bookmark["lease"] = (now + LEASE).timestamp()
        carrier.save(update_fields=["bookmark"])
    return Carrier.objects.select_related("channel__center", "channel__team").get(pk=carrier_id)


class _Visit:
    """One connection to one mailbox. `passed`: mails that need no other visit."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.mark: dict[str, Any] = carrier.bookmark
        self.lease = self.mark["lease"]
        self.passed = 0
        self.slow: set[str] = set()

    def make(self) -> None:
        if default_team(self.carrier.channel) is None:
            raise Trouble(_("No team takes the chats of this mailbox."))
        begun = time.monotonic()
        with opened(self.carrier.settings, self.carrier.secrets, begun + END_SECONDS) as box:
            self._find_place(box)
            waiting = list(self.mark["later"])
            fresh = box.after(self.mark["uid"]) if len(waiting) < MOST_LATER else []
            for uid in [*waiting, *fresh]:
                is_full = uid not in waiting and len(self.mark["later"]) >= MOST_LATER
                if is_full or time.monotonic() > begun + VISIT_SECONDS:
                    break
                self._pass(box, uid)
        self.mark["day"] = timezone.now().date().isoformat()

    def end(self, error: str, now: datetime) -> None:
        """Give the mailbox back; after trouble, not to be asked for a while."""
        failures = self.mark.get("failures", 0) + 1 if error else 0
        had_trouble = bool(self.mark.get("failures"))
        wait = WAITS[min(failures, len(WAITS)) - 1] if failures else 0
        self.mark |= {"failures": failures, "due": (now + timedelta(seconds=wait)).timestamp() if wait else 0}
        fields: dict[str, Any] = {"checked_at": now}
        if error or had_trouble:
            fields |= Carrier.trouble(error, now)
        if error and error[:300] != self.carrier.error:  # said once
            log.warning("a mailbox cannot be read", carrier=str(self.carrier.pk), why=error)
        self.mark["lease"], mine = 0, self.lease
        self._save(mine, **fields)

    def _find_place(self, box: Mailbox) -> None:
        """Where the bookmark lies; in a mailbox that is new, or numbered anew, before what came lately. What is known already does no harm."""
        of = "/".join(str(self.carrier.settings.get(name, "")) for name in ("imap_host", "imap_user", "folder"))
        is_known = self.mark.get("of") == of
        if is_known and self.mark.get("validity") == box.validity:
            return
        newest = box.newest()
        # A day earlier: servers count days in their own time zone.
        day = date.fromisoformat(self.mark["day"]) if is_known else self.carrier.created_at.date()
        found = box.since(day - timedelta(days=1), only_unread=not is_known)
        later = [uid for uid in found if uid <= newest]
        self.mark |= {"of": of, "validity": box.validity, "uid": newest, "later": later}
        self.mark.setdefault("day", timezone.now().date().isoformat())
        self._save(self.lease)

    def _pass(self, box: Mailbox, uid: int) -> None:
        """Take one mail, then move the bookmark. One that cannot be taken yet waits, and holds up only its own sender's."""
        raw, is_whole = box.fetch(uid)
        self.mark["uid"] = max(self.mark["uid"], uid)
        later = [each for each in self.mark["later"] if each != uid]
        try:
            was_taken = self._take(raw, is_whole)
        except Later as waits:
            self.slow.add(waits.sender)
            self.mark["later"] = [*later, uid] if uid not in self.mark["later"] else self.mark["later"]
            self._save(self.lease)
            return
        self.mark["later"] = later
        self._save(self.lease)
        self.passed += 1
        if was_taken:
            box.mark_read(uid)

    def _take(self, raw: bytes, is_whole: bool) -> bool:
        """Nothing comes of a mail that was deleted meanwhile."""
        channel = self.carrier.channel
        return bool(raw) and take(channel, raw, is_whole=is_whole, slow=self.slow, now=timezone.now())

    @transaction.atomic
    def _save(self, lease: float, **fields: Any) -> None:
        row = Carrier.objects.select_for_update(no_key=True).get(pk=self.carrier.pk)
        if row.bookmark.get("lease") != lease:
            raise _LeaseLost
        Carrier.objects.filter(pk=row.pk).update(bookmark=self.mark, **fields)
