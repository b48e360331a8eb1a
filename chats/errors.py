"""How a rule says no: a code for programs and a sentence for people. Each door turns codes into its own words and statuses."""

import math
from typing import Any

from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """A rule refused; nothing was changed. Subclasses name the code; `message` may say more than the default."""

    code = "invalid"
    default: Any = _("This cannot be done.")

    def __init__(
        self, message: Any = None, *, fields: dict[str, Any] | None = None, retry_after: float | None = None
    ) -> None:
        self.message = message or self.default
        self.fields = fields
        self.retry_after = retry_after  # seconds
        super().__init__(str(self.message))

    def as_dict(self) -> dict[str, Any]:
        """{code, message, fields?, retry_after?} as frames and REST show it."""
        shown: dict[str, Any] = {"code": self.code, "message": str(self.message)}
        if self.fields:
            shown["fields"] = {name: str(why) for name, why in self.fields.items()}
        if self.retry_after is not None:
            # Never "at once", and never a moment too soon.
            shown["retry_after"] = max(math.ceil(self.retry_after * 10) / 10, 0.1)
        return shown


class Invalid(Refused):
    code = "invalid"
    default = _("Something in this request is not right.")


class Unauthorized(Refused):
    code = "unauthorized"
    default = _("Sign in first.")


class Forbidden(Refused):
    code = "forbidden"
    default = _("You may not do this.")


class NotFound(Refused):
    code = "not_found"
    default = _("There is no such thing.")


class Gone(Refused):
    code = "gone"
    default = _("This has ended in the meantime.")


class Closed(Refused):
    code = "closed"
    default = _("This chat has ended.")


class Conflict(Refused):
    code = "conflict"
    default = _("This was already done differently.")


class Full(Refused):
    code = "full"
    default = _("There is no free slot. Close a chat first.")


class Blocked(Refused):
    code = "blocked"
    default = _("You cannot start a chat here.")


class OutsideHours(Refused):
    code = "outside_hours"
    default = _("We are closed at the moment. Leave a message and we will answer.")


class TooLarge(Refused):
    code = "too_large"
    default = _("This is too large.")


class TooMany(Refused):
    code = "too_many"
    default = _("That was too fast. Wait a moment and try again.")


class Unavailable(Refused):
    code = "unavailable"
    default = _("We cannot store anything right now. Try again in a moment.")


class Failed(Refused):
    """Our fault; what went wrong is in the log."""

    code = "failed"
    default = _("Something went wrong here. Try again.")
