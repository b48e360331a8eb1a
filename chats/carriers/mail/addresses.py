"""Mail addresses in their one spelling, whichever way mail travels."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from chats.errors import Invalid


class Addresses:
    """What both carriers of mail say of addresses: see chats.carriers.provider.Provider."""

    def own_address(self, value: str) -> str:
        """Raises Invalid."""
        return self.address(value, "")

    def address(self, value: str, own: str) -> str:
        """In lower case. Raises Invalid."""
        wanted = value.strip().lower()
        try:
            validate_email(wanted)
        except ValidationError:
            raise Invalid(fields={"address": _("This is no mail address.")}) from None
        if not wanted.isascii() or len(wanted) > 254 or re.search(r'[\s"]', wanted):
            raise Invalid(fields={"address": _("Mail cannot be sent to this address.")})
        if wanted == own:
            raise Invalid(fields={"address": _("This is our own address.")})
        return wanted
