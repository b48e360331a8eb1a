"""Accounts of staff: sign-in rules as allauth asks for them, invitations by mail, and the end of sessions."""

import smtplib
from functools import partial
from typing import Any
from urllib.parse import urljoin

import structlog
from allauth.account import app_settings as account_settings
from allauth.account import signals as account_signals
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa import signals as mfa_signals
from django.conf import settings
from django.contrib.auth import signals as auth_signals
from django.contrib.auth import update_session_auth_hash
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from . import audit
from .administration.access import centers_of
from .models import ContactCenter, User

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Nobody makes an account for themselves: an operator or a center's admin gives seats."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def closed_page(request: HttpRequest) -> HttpResponse:
    """Stands where allauth lets people change their addresses: a person's address comes from the center, and seats are given by it."""
    raise Http404


def find_person(email: str) -> User | None:
    """The person who reads that mailbox, if one is known.

    An address that somebody only claims (typed into an account, never proven) gives nobody's seat away.
    """
    proven = EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first()
    if proven:
        known: User = proven.user
        return known
    for user in User.objects.filter(email__iexact=email).order_by("date_joined"):
        is_claimed = EmailAddress.objects.filter(user=user, email__iexact=email, verified=False).exists()
        if not user.has_usable_password() or not is_claimed:
            return user
    return None


def new_user(username: str, *, email: str = "", name: str = "") -> User:
    """An account without a password; the name to sign in gets a number when it is taken."""
    wanted, number = username[:140], 1
    while User.objects.filter(username__iexact=username).exists():
        number += 1
        username = f"{wanted}-{number}"
    user = User(username=username, email=email, first_name=name[:150])
    user.set_unusable_password()
    user.save()
    return user


def send_welcome(user: User, center: ContactCenter) -> None:
    """Mail the person that they have a seat, with a link to set a password where there is none yet; after the commit."""
    if user.email:
        transaction.on_commit(partial(_mail_welcome, user, center))


def _mail_welcome(user: User, center: ContactCenter) -> None:
    context = {"user": user, "center": center, "link": urljoin(settings.BASE_URL, "/desk/"), "is_new": False}
    if not user.has_usable_password():
        context |= {"link": password_link(user), "is_new": True}
    with translation.override(center.language):
        subject = " ".join(render_to_string("administration/welcome_subject.txt", context).split())
        body = render_to_string("administration/welcome.txt", context)
    try:
        EmailMultiAlternatives(subject, body, to=[user.email]).send()
    except (OSError, smtplib.SMTPException):
        log.exception("welcome mail failed", user=str(user.pk))


def password_link(user: User) -> str:
    """Where the person sets a password; works once and for PASSWORD_RESET_TIMEOUT seconds."""
    token = account_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": token})
    return urljoin(settings.BASE_URL, path)


def end_sessions(user: User, *, but: HttpRequest | None = None) -> None:
    """Sign the person out everywhere, sockets included, but for the session of the request `but`."""
    User.objects.filter(pk=user.pk).update(session_version=F("session_version") + 1)
    user.refresh_from_db(fields=["session_version"])
    if but is not None and getattr(but, "user", None) == user:
        update_session_auth_hash(but, user)


def listen() -> None:
    """Connect what follows to the signals of Django and allauth; called once, when the app is ready."""
    auth_signals.user_logged_in.connect(_signed_in)
    auth_signals.user_logged_out.connect(_signed_out)
    auth_signals.user_login_failed.connect(_sign_in_failed)
    for signal, action in [
        (account_signals.password_changed, "password changed"),
        (account_signals.password_set, "password set"),
        (account_signals.password_reset, "password reset"),
        (mfa_signals.authenticator_added, "second factor added"),
        (mfa_signals.authenticator_removed, "second factor removed"),
    ]:
        signal.connect(partial(_credentials_changed, action), weak=False)


def _signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    audit.note("signed in", request=request, user=user, center=_only_center(user))


def _signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        audit.note("signed out", request=request, user=user, center=_only_center(user))


def _sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    typed = credentials.get("username") or credentials.get("email") or "?"
    audit.note("sign-in failed", request=request, actor=str(typed))


def _only_center(user: User) -> ContactCenter | None:
    """Whose audit log tells of a person's account: the center's where there is but one, else only the operators'."""
    found = list(centers_of(user, as_admin=False)[:2])
    return found[0] if len(found) == 1 else None


def _credentials_changed(action: str, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Whoever knew the old password, or got in without the new factor, is out."""
    audit.note(action, request=request, user=user, center=_only_center(user))
    end_sessions(user, but=request)
