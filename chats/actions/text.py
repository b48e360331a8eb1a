"""What a text may be."""

from django.utils.formats import number_format
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from chats.errors import Invalid, TooLarge

MAX_TEXT = 10_000  # characters
# Put into words by whoever reads the refusal: the thread that stores messages speaks nobody's language.
_MOST = lazy(number_format, str)(MAX_TEXT, force_grouping=True)
_TOO_LONG = format_lazy(_("A message has at most {count} characters."), count=_MOST)


def check_text(text: str) -> None:
    """Raises TooLarge, or Invalid for what no database or client can keep: NUL and lone surrogates. Nothing else is changed or refused."""
    if len(text) > MAX_TEXT:
        raise TooLarge(_TOO_LONG)
    if "\x00" in text:
        raise Invalid(fields={"text": _("This text holds a character that cannot be stored.")})
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid(fields={"text": _("This text holds a character that cannot be stored.")}) from None
