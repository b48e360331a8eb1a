"""Who may use which admin, and for which center."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db.models import QuerySet
from django.dispatch import Signal
from django.http import HttpRequest

from contactcenter.models import ContactCenter, User

# The floor above knows the seats: receivers return the ids of the centers in which `user` has an active one
# (`as_admin`: as its administrator).
seats_asked = Signal()

SESSION_KEY = "admin_center"


def person_of(request: HttpRequest) -> User | None:
    """Who is signed in."""
    user = request.user
    return user if isinstance(user, User) and user.is_active else None


def centers_of(user: User, *, as_admin: bool) -> QuerySet[ContactCenter]:
    """The active centers where the person has a seat; with `as_admin` those whose admin they may use (an operator: all)."""
    if as_admin and user.is_operator:
        return ContactCenter.objects.filter(is_active=True)
    answers = seats_asked.send(sender=None, user=user, as_admin=as_admin)
    return ContactCenter.objects.filter(
        is_active=True, pk__in=[pk for _receiver, found in answers for pk in found or []]
    )


def chosen_center(request: HttpRequest) -> ContactCenter | None:
    """The center that this session's admin is about: the one chosen, else the only one. Asked anew for each request."""
    known: dict[str, Any] = vars(request)
    if "_chosen_center" not in known:
        known["_chosen_center"] = _choose(request)
    center: ContactCenter | None = known["_chosen_center"]
    return center


def _choose(request: HttpRequest) -> ContactCenter | None:
    user = person_of(request)
    if user is None:
        return None
    allowed = centers_of(user, as_admin=True)
    if wanted := request.session.get(SESSION_KEY):
        found = allowed.filter(pk=wanted).first()
        if found:
            return found
    first = list(allowed[:2])
    return first[0] if len(first) == 1 else None


def choose_center(request: HttpRequest, center: ContactCenter) -> None:
    """Remember it for the session."""
    request.session[SESSION_KEY] = str(center.pk)
    vars(request).pop("_chosen_center", None)


def lacks_second_factor(user: User) -> bool:
    """Whether the person has to set up a second factor before an admin opens. Who has one was asked for it at sign-in."""
    return settings.REQUIRE_ADMIN_MFA and not is_mfa_enabled(user)
