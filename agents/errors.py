"""How this floor says no."""

from typing import Any

from django.utils.translation import gettext_lazy as _


class TicketRefused(Exception):
    """The ticket is unknown, used, expired, or its owner may not come in any more. One answer for all: it tells a stranger nothing."""

    code = "unauthorized"
    message: Any = _("This ticket is not valid. Get a new one.")
