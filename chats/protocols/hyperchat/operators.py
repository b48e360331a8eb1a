"""Operators of the installation: the only ones who make applications, by HTTP Basic with an application password of theirs."""

from dataclasses import dataclass
from typing import ClassVar

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from chats.doors.passwords import person_of, read_basic
from chats.errors import Forbidden, Unauthorized
from contactcenter.models import User

from .callers import LONGEST, Proof


@dataclass(frozen=True)
class Operator:
    """DRF keeps it as request.user."""

    user: User
    proof: Proof = Proof.OPERATOR

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True


class OperatorAuthentication(BaseAuthentication):
    """`Authorization: Basic`; nobody where that is not sent."""

    def authenticate(self, request: Request) -> tuple[Operator, None] | None:
        scheme, _space, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        if not encoded.isascii() or len(encoded) > LONGEST:
            raise Unauthorized
        person = person_of(request, *read_basic(encoded.strip()), timezone.now())
        if not person.is_operator:
            raise Forbidden("Only operators")
        return Operator(person), None
