"""Users: customers, whom the application's clients make, and agents, who are looked up here as well."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from chats.actions.foreign import change_customer, make_customer
from chats.models import Chat, ForeignCustomer

from . import asked_users as asked
from .callers import PUBLIC, SERVER, USER_OR_SERVER
from .door import Door
from .reach import SYSTEM, Reach
from .shapes import agent_user, system_user, user_shape


class Users(Door):
    access = {"GET": SERVER, "POST": PUBLIC}

    def get(self, request: Request) -> Response:
        """By `externalId`; without one the newest, by page and limit."""
        query = self.read(asked.UsersQuery, self.query())
        known = self.reach.customers().order_by("-customer__created_at", "-pk")
        if "externalId" in request.query_params:
            known = known.filter(external_id=query.get("externalId") or "")
        start = (query["page"] - 1) * query["limit"]
        return Response({"users": users_shape(list(known[start : start + query["limit"]]))})

    def post(self, request: Request) -> Response:
        body = self.read(asked.MakeUser)
        extra = body.get("extraInfo") or {}
        joined = make_customer(
            self.caller.registration,
            _own_fields(body) | {"data": {key: value for key, value in extra.items() if value is not None}},
            external_id=body.get("externalId") or "",
            facts=_facts(body),
            now=self.now,
        )
        return Response({"user": user_shape(joined.foreign, ()), "session": {"token": joined.token}})


class OneUser(Door):
    access = {"GET": USER_OR_SERVER, "PUT": USER_OR_SERVER}

    def get(self, request: Request, row_id: str) -> Response:
        if row_id == SYSTEM:
            return Response({"user": system_user(self.caller.registration.center.name)})
        return Response({"user": any_user(self.reach, self.reach.user(row_id))})

    def put(self, request: Request, row_id: str) -> Response:
        """A customer's own fields; agents are changed at /agents."""
        foreign = self.reach.customer(row_id)
        body = self.read(asked.ChangeUser)
        foreign = change_customer(
            foreign,
            _own_fields(body) | _shown_to_staff(body, foreign.facts.get("extraInfo", {})),
            external_id=body.get("externalId"),
            facts=_facts(body),
            now=self.now,
        )
        return Response({"user": any_user(self.reach, foreign)})


def any_user(reach: Reach, user: ForeignCustomer | Agent) -> dict[str, Any]:
    """A customer or an agent with the open chats that the caller may know of."""
    if isinstance(user, ForeignCustomer):
        return users_shape([user])[0]
    return agent_user(user, open_chats_of(reach, [user.pk]).get(user.pk, ()))


def users_shape(known: list[ForeignCustomer]) -> list[dict[str, Any]]:
    """Customers of one registration, each with its open chats of that registration, in two queries."""
    chats: dict[UUID, list[UUID]] = {}
    for registration_id in {foreign.registration_id for foreign in known}:
        of_them = Chat.objects.open().filter(
            foreign__registration=registration_id, customer__in=[foreign.customer_id for foreign in known]
        )
        for customer_id, chat_id in of_them.values_list("customer_id", "pk"):
            chats.setdefault(customer_id, []).append(chat_id)
    return [user_shape(foreign, chats.get(foreign.customer_id, ())) for foreign in known]


def open_chats_of(reach: Reach, agent_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """By agent: the chats that each has by now, out of those in the caller's reach, the oldest first."""
    held = reach.chats().filter(state=Chat.State.ACTIVE, agent__in=agent_ids).order_by("started_at", "pk")
    found: dict[UUID, list[UUID]] = {}
    for agent_id, chat_id in held.values_list("agent_id", "pk").distinct():
        found.setdefault(agent_id, []).append(chat_id)
    return found


def _own_fields(body: dict[str, Any]) -> dict[str, Any]:
    """What our own customer row keeps: of the contact, an address."""
    found = {"name": body["name"]} if body.get("name") else {}
    if body.get("lang"):
        found["language"] = body["lang"]
    if body.get("contact") and _is_address(body["contact"]):
        found["email"] = body["contact"]
    return found


def _shown_to_staff(body: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The extra information as changes of the custom data, which agents see: what is not there any more goes."""
    if body.get("extraInfo") is None:
        return {}
    return {"data": dict.fromkeys(known) | body["extraInfo"]}


def _facts(body: dict[str, Any]) -> dict[str, Any]:
    """What is given back as it came."""
    return {name: body[name] for name in ("nickname", "contact", "extraInfo") if body.get(name) is not None}


def _is_address(contact: str) -> bool:
    try:
        validate_email(contact)
    except ValidationError:
        return False
    return True
