"""Phone numbers in their one spelling: E.164 (+4915112345678), short codes as they are, letters for a sender that nobody can answer."""

import re

import phonenumbers
from django.utils.translation import gettext_lazy as _

from chats.errors import Invalid

E164 = re.compile(r"\+[0-9]{5,15}")
SHORT = re.compile(r"[0-9]{3,6}")  # of one country only
# Alphanumeric sender ids: up to eleven characters, one letter at least.
SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")
WRONG = _("Enter a phone number with its country, such as +49 30 1234567.")


def own_number(value: str) -> str:
    """Ours: a number, a short code, a name of letters; nothing where a messaging service chooses. Raises Invalid."""
    value = value.strip()
    if not value or SHORT.fullmatch(value) or SENDER.fullmatch(value):
        return value
    return _spelled(value, None)


def customers_number(value: str, own: str) -> str:
    """A customer's, as a person types it; one without its country is of the country of `own`. Raises Invalid."""
    value = value.strip()
    return value if SHORT.fullmatch(value) else _spelled(value, _region_of(own))


def sender_of(value: str) -> str:
    """Who wrote, as the network says it, which knows better than we what is a number. Raises Invalid for what is none."""
    value = value.strip()
    if any(known.fullmatch(value) for known in (E164, SHORT, SENDER)):
        return value
    raise Invalid(fields={"From": WRONG})


def _spelled(value: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        raise Invalid(fields={"address": WRONG}) from None
    # By its length, not by the ranges in use: those change more often than libraries.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise Invalid(fields={"address": WRONG})
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _region_of(own: str) -> str | None:
    """DE for +49…: of several countries with one code, that of the number, else the main one."""
    try:
        number = phonenumbers.parse(own)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number)
    return region or phonenumbers.region_code_for_country_code(number.country_code or 0)
