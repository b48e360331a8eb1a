"""The form of a web hook: the rules of chats.actions.hook_rules, each as a sentence at its field."""

from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS

from chats.actions.hook_rules import check_events, check_room
from chats.doors.outgoing import check_target
from chats.errors import Refused
from contactcenter.administration.scope import CenterForm


class WebhookForm(CenterForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """One that its receiver ended shows as off, so that it can be switched on."""
        super().__init__(*args, **kwargs)
        if self.instance.disabled_at is not None:
            self.initial["is_active"] = False

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            self._check(found)
        except Refused as refused:
            for name, sentence in (refused.fields or {NON_FIELD_ERRORS: refused.message}).items():
                self.add_error(name, sentence)
        return found

    def _check(self, found: dict[str, Any]) -> None:
        """Raises Refused. What a saved row does not let one choose is its own."""
        kept = None if self.instance._state.adding else self.instance
        application = kept.application if kept else found.get("application")
        registration = kept.registration if kept else found.get("registration")
        if "url" in found:
            found["url"] = check_target(found["url"])
        if "events" in found:
            found["events"] = check_events(found["events"], registration=registration)
        if "url" in found and application is not None:
            check_room(application, url=found["url"], registration=registration, but=kept)
