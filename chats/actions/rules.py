"""Inbound rules: what happens to a message that comes in over a channel, before anybody reads it.

A rule fits when its channel, our address and one of its keywords fit; the oldest goes first. Who writes a message asks `rules_for`,
begins a new chat with `team_of`, and calls `follow` once the message is written.

action_data  startChat: {} (the team is the row's own); replyMessage: {"messageParts": [{type, data, url …}]};
             profileUpdate: {"profileUpdate": [{propertyName, propertyValue}]}
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from unicodedata import category
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from chats.errors import Conflict, NotFound
from chats.events import MessagePosted, record
from chats.models import Chat, Customer, ForeignCustomer, InboundRule
from contactcenter.models import Channel, ContactCenter, Registration, Team

from .customers import update_customer
from .data import MOST_DATA
from .profiles import change_profile, own_fields
from .text import MAX_TEXT
from .welcome import AUTOMATED

SMS, EMAIL, FACEBOOK, APP = "sms", "email", "fbMessenger", "appMessaging"
# As rules name them; for the last two no channel of ours exists, yet rules for them are kept and given back.
CHANNELS = (SMS, FACEBOOK, APP, EMAIL, "whatsApp", "rcs")
KINDS = {Channel.Kind.SMS: SMS, Channel.Kind.EMAIL: EMAIL, Channel.Kind.FACEBOOK: FACEBOOK, Channel.Kind.APP: APP}
ANY = "*"
MOST_RULES = 500  # of one center
# Two programs that answer each other would never end.
MOST_REPLIES, REPLY_SPAN = 10, timedelta(minutes=5)
OWN = {"name": "name", "email": "email", "phoneNumber": "phone"}  # property → the customer's own field
MARK = "rule:"  # begins the client_id of what a rule says

Check = Callable[[InboundRule], None]


# Following them -------------------------------------------------------------------------------------------------------


def rules_for(channel: Channel, text: str, *, registration: Registration | None = None) -> list[InboundRule]:
    """Those that fit a message with this text on the center's channel, oldest first; at most one that starts a chat.

    registration: of an app's message; the rules of other accesses are none of its business. Rules of accesses that are switched off rest.
    """
    name = KINDS.get(Channel.Kind(channel.kind))
    if name is None:
        return []
    live = Q(registration=None) | Q(registration__is_active=True, registration__application__is_active=True)
    rows = InboundRule.objects.filter(live, center_id=channel.center_id, channel=name).select_related(
        "team", "registration"
    )
    if registration is not None:
        rows = rows.filter(Q(registration=None) | Q(registration=registration))
    found = [
        row for row in rows[:MOST_RULES] if _is_for(row, channel) and is_named(row.keyword, text) and _is_whole(row)
    ]
    starting = [row for row in found if row.action == InboundRule.Action.START_CHAT]
    return [row for row in found if row not in starting[1:]]


def team_of(rules: Iterable[InboundRule]) -> Team | None:
    """Whose a new chat becomes; None: the channel's own."""
    return next((rule.team for rule in rules if rule.action == InboundRule.Action.START_CHAT), None)


def silent(rules: Iterable[InboundRule]) -> list[InboundRule]:
    """All but those that answer."""
    return [rule for rule in rules if rule.action != InboundRule.Action.REPLY]


def follow(rules: Sequence[InboundRule], chat: Chat, *, now: datetime) -> None:
    """Note and answer what the rules say, once the message is written; within its transaction, the customer's and the chat's row locked.

    The chat's row is read again: it is as the database has it after this.
    """
    changes = [rule for rule in rules if rule.action == InboundRule.Action.UPDATE]
    for rule in changes:
        _note(rule, chat.customer, now)
    if changes:
        chat.refresh_from_db()
    replies = [rule for rule in rules if rule.action == InboundRule.Action.REPLY]
    if not replies or not chat.is_open or _is_loop(chat, now):
        return
    # Said by a program, so that the customer still waits for a person: neither the status nor the figures change.
    said = [
        MessagePosted(
            text=text_of(rule.action_data), client_id=f"{MARK}{rule.pk.hex[:12]}:{chat.position}"[:64], facts=AUTOMATED
        )
        for rule in replies
    ]
    record(chat, *said, now=now)


def text_of(action_data: dict[str, Any]) -> str:
    """What a reply says: its parts of text, and the addresses of the others, below each other."""
    parts = action_data.get("messageParts") or []
    return "\n".join(line for part in parts if (line := _line(part)))[:MAX_TEXT]


def is_named(keywords: str, text: str) -> bool:
    """Whether one of the keywords (with commas between) stands in the text, in any case and as a word; none at all fits every text."""
    wanted = [word for one in keywords.split(",") if (word := " ".join(one.split()).casefold())]
    said = " ".join(text.split()).casefold()
    return not wanted or any(re.search(_pattern(word), said) for word in wanted)


def _pattern(word: str) -> str:
    """Nothing of a longer word; but several scripts know no blanks between words (Lo: Chinese, Thai …)."""
    before = r"(?<!\w)" if _is_spaced(word[0]) else ""
    after = r"(?!\w)" if _is_spaced(word[-1]) else ""
    return before + re.escape(word) + after


def _is_spaced(sign: str) -> bool:
    return sign.isalnum() and category(sign) != "Lo"


def is_own_address(channel: Channel, wanted: str) -> bool:
    """Whether the text is our address on this channel: a number, a mailbox, a page by its id or its name."""
    has_name = channel.kind in (Channel.Kind.FACEBOOK, Channel.Kind.APP)
    own = [channel.address, channel.name] if has_name else [channel.address]
    return _spelled(channel.kind, wanted) in [_spelled(channel.kind, one) for one in own if one]


def _is_for(rule: InboundRule, channel: Channel) -> bool:
    return rule.inbound.strip() == ANY or is_own_address(channel, rule.inbound)


def _spelled(kind: str, address: str) -> str:
    """In one spelling: numbers are often entered without their plus."""
    if kind == Channel.Kind.SMS and (digits := re.sub(r"[\s()+./-]", "", address)).isdecimal():
        return digits
    return address.strip().casefold()


def _is_whole(rule: InboundRule) -> bool:
    """Whether it can be followed: its team may have been switched off since."""
    if rule.action == InboundRule.Action.START_CHAT:
        return rule.team is not None and rule.team.is_active
    return rule.action != InboundRule.Action.REPLY or bool(text_of(rule.action_data).strip())


def _note(rule: InboundRule, customer: Customer, now: datetime) -> None:
    """What the space has a profile for stands there; else with the customer. Too much is left out: the message matters more."""
    said = {one["propertyName"]: one["propertyValue"] for one in rule.action_data.get("profileUpdate") or []}
    known = None
    if rule.registration_id:
        rows = ForeignCustomer.objects.filter(registration_id=rule.registration_id, customer=customer)
        known = rows.exclude(external_id=None).select_related("customer").first()
    if known is not None:
        change_profile(known, said, merges=True, actor=f"rule:{rule.pk}", now=now)
        return
    own = own_fields(said)
    rest = {name: value for name, value in said.items() if OWN.get(name) not in own}
    fits = len(json.dumps(customer.data | rest).encode()) <= MOST_DATA
    update_customer(customer, own | ({"data": rest} if rest and fits else {}), now=now)


def _is_loop(chat: Chat, now: datetime) -> bool:
    late = chat.events.filter(sender=None, client_id__startswith=MARK, at__gt=now - REPLY_SPAN)
    return late.count() >= MOST_REPLIES


def _line(part: dict[str, Any]) -> str:
    is_text = str(part.get("type") or "text/plain").startswith("text/")
    return str((part.get("data") if is_text else "") or part.get("url") or "")


# Keeping them ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_rule(center: ContactCenter, fields: dict[str, Any], *, by: str, now: datetime) -> InboundRule:
    """`fields`: registration, channel, inbound, keyword, action, team, action_data. Raises Conflict when there are too many."""
    # Of two at the same moment the second waits here, and counts the first one's.
    ContactCenter.objects.select_for_update(no_key=True).get(pk=center.pk)
    if center.inbound_rules.count() >= MOST_RULES:
        raise Conflict(f"A contact center has at most {MOST_RULES} rules.")
    stood = {"created_at": now, "created_by": by, "updated_at": now, "updated_by": by}
    return InboundRule.objects.create(center=center, **fields, **stood)


@transaction.atomic
def change_rule(
    rules: Any, rule_id: UUID, fields: dict[str, Any], *, check: Check, by: str, now: datetime
) -> InboundRule:
    """`check` sees the row as it is now, locked, and raises when the caller has read another. Raises NotFound."""
    rule = _locked(rules, rule_id, check)
    for name, value in fields.items():
        setattr(rule, name, value)
    rule.updated_at, rule.updated_by = now, by
    rule.save()
    return rule


@transaction.atomic
def remove_rule(rules: Any, rule_id: UUID, *, check: Check) -> None:
    """Raises NotFound, and what `check` raises."""
    _locked(rules, rule_id, check).delete()


def _locked(rules: Any, rule_id: UUID, check: Check) -> InboundRule:
    rule: InboundRule | None = rules.filter(pk=rule_id).select_for_update(of=("self",)).first()
    if rule is None:
        raise NotFound("There is no such rule.")
    check(rule)
    return rule
