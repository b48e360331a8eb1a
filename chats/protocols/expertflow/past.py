"""The history of an account (getMessagesByRefId, as Expertflow's public history page reads it): for the center's own programs."""

import math
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from chats.errors import Invalid, Unauthorized
from chats.models import Event, ForeignChat
from chats.shapes import event_for_customer
from contactcenter.models import Registration

from .door import Door
from .people import Conversation
from .shapes import SAID, chat_message

PLAIN = "!*'()"  # what encodeURIComponent leaves as it is (ECMA-262) and quote() does not
PAGE_SIZE, MOST_PAGE_SIZE, MOST_PAGE = 50, 200, 100_000
LONGEST_ACCOUNT = 200


class Past(Door):
    def get(self, request: Request) -> Response:
        said = request.query_params.dict()
        caller = self.admit(said)
        if not caller.is_proven:
            raise Unauthorized("Show the application's secret.")
        account = read_account(said.get("refId", ""))
        page, size = read_number(said, "page", 1, MOST_PAGE), read_number(said, "pageSize", PAGE_SIZE, MOST_PAGE_SIZE)
        said_there = messages_of(caller.registration, account)
        rows = list(said_there[(page - 1) * size : page * size])
        return Response({"messages": shown(rows[::-1]), "metaData": {"totalMessages": said_there.count()}})


def read_account(value: str) -> str:
    """Raises Invalid. The public page does not encode it, so that the + of a phone number arrives as a blank."""
    value = value.rstrip()
    account = "+" + value[1:].strip() if value.startswith(" ") else value
    if not account or len(account) > LONGEST_ACCOUNT or "\0" in account:
        raise Invalid(fields={"refId": "Name the account."})
    return account


def read_number(said: dict[str, Any], name: str, default: int, most: int) -> int:
    """From 1 to `most`; what is beyond is cut. Raises Invalid."""
    try:
        number = float(said.get(name) or default)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise Invalid(fields={name: "Say a number."})
    return int(min(max(number, 1), most))


def messages_of(registration: Registration, account: str) -> "QuerySet[Event]":
    """What customers see of all chats of the account, the newest first: chat by chat, each in the order of its log."""
    of_account = Event.objects.filter(chat__foreign__registration=registration, chat__foreign__account=account)
    return of_account.filter(index__isnull=False, type__in=SAID).order_by("-chat__started_at", "-chat_id", "-index")


def shown(events: list[Event]) -> list[dict[str, Any]]:
    """In three queries for any number of them."""
    rows = ForeignChat.objects.filter(chat__in={event.chat_id for event in events})
    rows = rows.select_related("chat__center").prefetch_related("chat__participants")
    # The customer goes by the account: its id in the conversation is its own client's proof.
    known = {row.chat_id: replace(Conversation.of(row), me=row.account) for row in rows}
    return [past_message(known[event.chat_id], event) for event in events]


def past_message(conversation: Conversation, event: Event) -> dict[str, Any]:
    """A message as live, but its text URI-encoded and its files with a preview under the name that the page reads (client)."""
    message = chat_message(conversation, event_for_customer(event))
    message["text"] = quote(event.text, safe=PLAIN)
    for file in message["attachments"]:
        # The page links to it, whatever kind of file it is.
        file["_thumbnailUrl"] = file["thumbnailUrl"] or file["contentUrl"]
    return message
