"""Surveys: where a customer rates a chat, on a page of ours. The vendor's surveys have ids; ours is one, under any id."""

from rest_framework.request import Request
from rest_framework.response import Response

from chats.errors import Invalid
from chats.surveys import survey_link

from . import asked_users as asked
from .callers import Proof
from .door import Door

ANYBODY = frozenset({Proof.APP, Proof.USER, Proof.SECRET})


class Survey(Door):
    access = {"GET": ANYBODY}

    def get(self, request: Request, row_id: str) -> Response:
        """`sourceType` and `sourceId`, in the query or, as one connector sends them, as a JSON body: the ticket is the chat."""
        query = self.read(asked.Survey, self.query())
        if not query["source"]:
            query = self.read(asked.Survey)
        if query["type"] not in ("", "ticket"):
            raise Invalid("Only tickets have surveys")
        chat = self.reach.chat(query["source"])
        return Response({"survey": {"id": row_id, "url": survey_link(chat)}})
