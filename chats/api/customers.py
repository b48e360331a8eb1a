"""Customers as staff see and change them."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.customers import block_customer, merge_customers, unblock_customer, update_customer
from chats.actions.erase import erase_customer
from chats.errors import Forbidden, Invalid

from . import asked, shown
from .chats import STAFF
from .door import Door, read
from .pagination import page
from .principals import ApplicationCaller
from .render import chat_for, chats_for, customer_in_full
from .schema import described, listing
from .scope import as_id, find_customer, visible_chats, visible_customers


class Customers(Door):
    callers = {"GET": STAFF}

    @described("Customers, newest first", query=asked.SearchQuery, gives=listing(shown.Customer))
    def get(self, request: Request) -> Response:
        query = read(asked.SearchQuery, request.query_params)
        customers = visible_customers(self.caller).filter(merged_into=None, erased_at=None)
        words = query.get("search", "").strip()
        if words:
            named = Q(name__icontains=words) | Q(email__icontains=words) | Q(phone__icontains=words)
            customers = customers.filter(named | Q(external_id=words) | Q(pk=as_id(words)))
        return Response(page(request, customers, "-created_at", customer_in_full, query))


class OneCustomer(Door):
    callers = {"GET": STAFF, "PATCH": STAFF, "DELETE": (ApplicationCaller,)}

    @described("One customer", gives=shown.Customer)
    def get(self, request: Request, customer_id: UUID) -> Response:
        return Response(customer_in_full(find_customer(self.caller, customer_id)))

    @described("Change a customer", asks=asked.EditCustomer, gives=shown.Customer)
    def patch(self, request: Request, customer_id: UUID) -> Response:
        body = read(asked.EditCustomer, request.data)
        customer = find_customer(self.caller, customer_id)
        return Response(customer_in_full(update_customer(customer, body, now=self.now)))

    @described("Erase a customer for good: what is kept of the person, and every word of the chats")
    def delete(self, request: Request, customer_id: UUID) -> Response:
        customer = find_customer(self.caller, customer_id)
        if self.caller.team_ids is not None:
            raise Forbidden(_("Only an application of all teams may erase a customer."))
        erase_customer(customer, by=self.caller.application, now=self.now)
        return Response(status=204)


class ChatsOfCustomer(Door):
    callers = {"GET": STAFF}

    @described("A customer's chats that one may see, newest first", page=asked.PageQuery, gives=listing(shown.AnyChat))
    def get(self, request: Request, customer_id: UUID) -> Response:
        customer = find_customer(self.caller, customer_id)
        chats = chats_for(self.caller, visible_chats(self.caller).filter(customer=customer))
        return Response(page(request, chats, "-started_at", self._shape))

    def _shape(self, chat: Any) -> dict[str, Any]:
        return chat_for(self.caller, chat, self.now)


class Block(Door):
    callers = {"POST": STAFF}

    @described("End the customer's chat and take no more", asks=asked.Block, gives=shown.Customer)
    def post(self, request: Request, customer_id: UUID) -> Response:
        body = read(asked.Block, request.data)
        customer = find_customer(self.caller, customer_id)
        until, reason = body.get("until"), body.get("reason", "")
        return Response(customer_in_full(block_customer(customer, until=until, reason=reason, now=self.now)))


class Unblock(Door):
    callers = {"POST": STAFF}

    @described("Let the customer write again", gives=shown.Customer)
    def post(self, request: Request, customer_id: UUID) -> Response:
        return Response(customer_in_full(unblock_customer(find_customer(self.caller, customer_id))))


class Merge(Door):
    callers = {"POST": STAFF}

    @described("Two records of one person become one", asks=asked.Merge, gives=shown.Customer)
    def post(self, request: Request, customer_id: UUID) -> Response:
        body = read(asked.Merge, request.data)
        customer = find_customer(self.caller, customer_id)
        into = visible_customers(self.caller).filter(pk=body["into"]).first()
        if into is None:
            raise Invalid(fields={"into": _("There is no such customer.")})
        return Response(customer_in_full(merge_customers(customer, into)))
