"""Their words and ours.

Statuses: www.twilio.com/docs/messaging/api/message-resource. Errors: www.twilio.com/docs/api/errors. Stop words: those that Twilio takes for
long codes unless the account says otherwise; OptOutType comes with Advanced Opt-Out alone.
"""

import re

from chats.carriers.dispatches import STOPPED_WORDS
from chats.models import Dispatch

STOPS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"})
STARTS = frozenset({"start", "yes", "unstop"})
WHOLE_WORD = re.compile(r"\W*(\w+)\W*")

# What is not here says nothing that we note: queued, sending, sent …
FATES = {
    "delivered": Dispatch.Fate.DELIVERED,
    "read": Dispatch.Fate.READ,
    "undelivered": Dispatch.Fate.LOST,
    "failed": Dispatch.Fate.LOST,
    "canceled": Dispatch.Fate.LOST,
}

STOP_CODE = "21610"
ERRORS = {
    "21211": "This is not a phone number that can get messages.",
    "21408": "Our account may not send to this country.",
    "21602": "A message needs a text or a file.",
    "21606": "Our number cannot send to this one.",
    "21608": "Our account is on trial: it sends to numbers alone that were verified.",
    STOP_CODE: STOPPED_WORDS,
    "21612": "Our number cannot reach this one.",
    "21614": "This number is not a mobile phone.",
    "21617": "The text is too long for one message.",
    "21620": "The file could not be fetched.",
    "30001": "Too many messages wait at the provider.",
    "30002": "Our account is suspended.",
    "30003": "The phone is off or out of reach.",
    "30004": "The phone's owner or network blocks messages.",
    "30005": "This number is unknown, or not in use any more.",
    "30006": "This is a landline, or its network cannot be reached.",
    "30007": "The network took the message for unwanted advertising.",
    "30008": "The network gave no reason.",
    "30034": "Our number is not registered for messages from programs in the United States.",
}
UNKNOWN = "The message did not arrive."


def sentence_of(code: str, theirs: str = "") -> str:
    """Why a message failed, for staff: ours for a known code, else what the provider says, with its code to look up."""
    known = ERRORS.get(code) or theirs or UNKNOWN
    return f"{known} ({code})" if code else known


def wish_of(text: str, said: str) -> str:
    """stop, start or nothing. `said`: OptOutType, by which the provider knows also the words of other languages."""
    if said:
        return {"STOP": "stop", "START": "start"}.get(said, "")
    found = WHOLE_WORD.fullmatch(text)
    word = found[1].lower() if found else ""
    if word in STOPS:
        return "stop"
    return "start" if word in STARTS else ""
