"""Fresh ids, for clients that keep rows of their own."""

from uuid import uuid4

from rest_framework.request import Request
from rest_framework.response import Response

from .callers import SERVER
from .door import Door


class NewId(Door):
    access = {"GET": SERVER}

    def get(self, request: Request) -> Response:
        return Response({"id": uuid4().hex})
