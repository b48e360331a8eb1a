"""Profiles: customers and agents as apps and programs see them.

GET  /profiles                  programs: ?name=, ?email=, ?phoneNumber=, ?id= or any member of the profiles; the newest 1,000
GET, PUT, PATCH, DELETE  /profiles/{id}

An app sees and changes its own profile, and sees the agents of its own chats. What a program names and nobody knows is made.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import TextField
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from chats.actions import profiles
from chats.errors import Forbidden, Invalid, NotFound
from chats.models import Customer, ForeignCustomer, Participant
from contactcenter.models import Registration, Team

from .callers import Caller
from .door import Door
from .etags import check_match, etag_of
from .names import AGENT, agent_id, find_agent, iso
from .outgoing import file_words
from .spaces import visible_chats
from .teams import INDIVIDUAL, reply_as, row_of

MOST = 1000
MOST_FILTERS, LONGEST_KEY = 5, 50
OWN = {"name": "name", "email": "email", "phoneNumber": "phone"}  # member → the customer's own field
NOT_YOURS = "A session's token opens its own profile only."
UNKNOWN = "There is no such profile."


def ensure_profile(caller: Caller, profile_id: str, now: datetime) -> ForeignCustomer:
    """The customer's profile of this id, made when it is unknown. Raises Invalid for what can be no id (an agent's, say)."""
    return profiles.ensure_profile(
        caller.registration, profile_id, actor=caller.actor, now=now, adopts=caller.is_program
    )


class ProfilesView(Door):
    allows_apps = True

    def get(self, request: Request) -> Response:
        """Profiles, the newest first."""
        rows = ForeignCustomer.objects.filter(registration=self.caller.registration, external_id__isnull=False)
        if self.caller.profile is not None:
            rows = rows.filter(pk=self.caller.profile.pk)
        rows = filtered(rows.exclude(facts__has_key="deletedOn"), request.query_params.dict())
        found = rows.select_related("customer").order_by("-customer__created_at", "pk")[:MOST]
        return Response([profile_shape(row) for row in found])


class ProfileView(Door):
    allows_apps = True

    def get(self, request: Request, profile_id: str) -> Response:
        """One profile."""
        if profile_id.startswith(AGENT):
            return self.entity(self.agent(profile_id))
        return self.show(self.find(profile_id))

    def put(self, request: Request, profile_id: str) -> Response:
        """Replace it."""
        return self.change(profile_id, merges=False)

    def patch(self, request: Request, profile_id: str) -> Response:
        """Merge members into it; null removes one."""
        return self.change(profile_id, merges=True)

    @transaction.atomic
    def delete(self, request: Request, profile_id: str) -> Response:
        """Forget its own words and end its sessions."""
        if not self.caller.is_program:
            raise Forbidden("A session's token does not open this.")
        found = self.find(profile_id)
        profiles.forget_profile(found, actor=self.caller.actor, now=self.now, check=self.check)
        return Response(status=204)

    def change(self, profile_id: str, *, merges: bool) -> Response:
        said = {key: value for key, value in self.body().items() if key != "id" and not key.startswith("_")}
        profiles.check_profile(said)
        with transaction.atomic():  # nothing is made of what is refused
            found = self.find(profile_id, makes=self.caller.is_program)
            changed = profiles.change_profile(
                found, said, merges=merges, actor=self.caller.actor, now=self.now, check=self.check
            )
        return self.show(changed)

    def find(self, profile_id: str, *, makes: bool = False) -> ForeignCustomer:
        """Raises NotFound; Forbidden for an app that names another's."""
        own = self.caller.profile
        if own is not None and own.external_id != profile_id:
            raise Forbidden(NOT_YOURS)
        if profile_id.startswith(AGENT):
            raise Forbidden("Agents' profiles are kept by the contact center.")
        if makes:
            return ensure_profile(self.caller, profile_id, self.now)
        rows = ForeignCustomer.objects.filter(registration=self.caller.registration, external_id=profile_id)
        found = rows.exclude(facts__has_key="deletedOn").select_related("customer").first()
        if found is None:
            raise NotFound(UNKNOWN)
        return found

    def check(self, row: ForeignCustomer) -> None:
        check_match(self.request, core_shape(row))

    def show(self, row: ForeignCustomer) -> Response:
        answer = self.entity(core_shape(row))
        answer.headers["Last-Modified"] = core_shape(row)["_updatedOn"]
        answer.data = profile_shape(row)
        return answer

    def agent(self, profile_id: str) -> dict[str, Any]:
        """An agent: of the center for programs, of its own chats for an app. Raises NotFound."""
        found = find_agent(self.caller.registration, profile_id)
        if found is None:
            raise NotFound(UNKNOWN)
        if self.caller.is_program:
            return {"id": agent_id(found), "name": found.name, "email": found.user.email}
        chats = visible_chats(self.caller).order_by("-started_at")
        met = Participant.objects.filter(agent=found, joined_at__isnull=False, chat__in=chats.values("pk"))
        last = met.order_by("-joined_at").select_related("chat__team").first()
        if last is None:
            raise NotFound(UNKNOWN)
        return agent_shape(self.caller.registration, found, last.chat.team)


def filtered(rows: Any, wanted: dict[str, str]) -> Any:
    """Those whose members are these; raises Invalid for what is no member's name."""
    if len(wanted) > MOST_FILTERS:
        raise Invalid(fields={"query": f"has at most {MOST_FILTERS} members."})
    for number, (key, value) in enumerate(wanted.items()):
        if not key.isidentifier() or len(key) > LONGEST_KEY or "\0" in value:
            raise Invalid(fields={"query": "names members of profiles and their values."})
        if key == "id":
            rows = rows.filter(external_id=value)
        elif key in OWN:
            rows = rows.filter(**{f"customer__{OWN[key]}__iexact": value})
        else:
            # As text: SQLite would compare it with JSON.
            member = Cast(KeyTextTransform(key, KeyTransform("profile", "facts")), TextField())
            rows = rows.alias(**{f"member_{number}": member}).filter(**{f"member_{number}": value})
    return rows


def core_shape(row: ForeignCustomer) -> dict[str, Any]:
    """The profile without what changes by itself: its ETag's. The customer's own fields where staff have changed them since."""
    facts, customer = row.facts, row.customer
    said: dict[str, Any] = dict(facts.get("profile") or {})
    named = profiles.own_fields(said)
    for member, field in OWN.items():
        value = getattr(customer, field)
        if value and value != named.get(field) and (member not in said or field in named):
            said[member] = value
    made = iso(customer.created_at)
    return {
        **said,
        "id": row.external_id,
        "_createdOn": facts.get("createdOn") or made,
        "_createdBy": facts.get("createdBy") or f"session:{row.external_id}",
        "_updatedOn": facts.get("updatedOn") or made,
        "_updatedBy": facts.get("updatedBy") or f"session:{row.external_id}",
    }


def profile_shape(row: ForeignCustomer) -> dict[str, Any]:
    customer: Customer = row.customer
    return core_shape(row) | {"_lastActivityOn": iso(customer.last_seen_at or customer.created_at)}


def agent_shape(registration: Registration, agent: Agent, team: Team) -> dict[str, Any]:
    """As customers see who answers: the team, unless it answers as individuals (replyAs)."""
    if reply_as(registration, team) == INDIVIDUAL:
        return {"id": agent_id(agent), "name": agent.name}
    row = row_of(registration, team)
    avatar = (row.facts.get("settings") or {}).get("avatarUrl") if row else None
    return {"id": agent_id(agent), "name": team.name} | ({"avatarUrl": avatar} if avatar else {})


def tell_space(sender: Any, foreign: ForeignCustomer, what: str, now: datetime, **_: Any) -> None:
    """actions.profiles.changed: the space's web hooks hear of it."""
    registration: Registration = foreign.registration
    if registration.protocol == Registration.Protocol.COMAPI and foreign.external_id:
        shape = core_shape(foreign)
        payload = {"id": foreign.external_id} if what == "delete" else shape
        revision = profiles.revision_of(foreign)
        file_words(registration, f"profile.{what}", payload, now=now, revision=revision, etag=etag_of(shape))


ROUTES: list[tuple[str, type[Door], str]] = [
    ("profiles", ProfilesView, "profiles"),
    ("profiles/{profile_id}", ProfileView, "profile"),
]
