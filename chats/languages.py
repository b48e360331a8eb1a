"""In which of our languages somebody is spoken to: refusals at the doors, for customers and for staff."""

from django.conf import settings
from django.http import parse_cookie
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header


def spoken(*tags: str) -> str:
    """The first of these tags (en, de-AT …; empty ones are passed over) that we speak; empty when it is none of them.

    Only our own: each language that Django is asked for stays in memory, and the tags come from outside.
    """
    for tag in tags:
        try:
            if tag:
                return str(get_supported_language_variant(tag.lower().replace("_", "-")))
        except LookupError:
            continue
    return ""


def accepted_language(header: str) -> str:
    """What an Accept-Language header asks for; empty when we speak none of it."""
    return spoken(*(tag for tag, _weight in parse_accept_lang_header(header) if tag != "*"))


def chosen_language(cookies: str) -> str:
    """What somebody has chosen on our own pages, from a Cookie header; empty when nothing."""
    return spoken(parse_cookie(cookies).get(settings.LANGUAGE_COOKIE_NAME, ""))
