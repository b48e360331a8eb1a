"""How each foreign API's own people call what stands on the page of a foreign access."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from contactcenter.models import Registration


@dataclass(frozen=True, kw_only=True)
class Speech:
    """How an API's own people call what stands on the page. labels: field → its name and what to enter."""

    mounted_at: str
    labels: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()  # fields that mean nothing there
    hint: Any = ""  # what to do with the address


SPEECHES: dict[str, Speech] = {
    Registration.Protocol.HYPERCHAT: Speech(mounted_at="/v1", lacks=frozenset({"demands_secret"})),
    Registration.Protocol.GENESYS: Speech(
        mounted_at="/api",
        labels={
            "foreign_id": ("ContactCenterId", _("Enter the one that your clients send already, or keep this one.")),
            "public_key": (
                "apikey",
                _(
                    "Enter the one that your clients send already: also the published one, which other centers may have."
                ),
            ),
        },
        lacks=frozenset({"secret", "secret_begins", "uses_queue", "demands_secret"}),
    ),
    Registration.Protocol.EXPERTFLOW: Speech(
        mounted_at="",
        labels={
            "foreign_id": (
                "contactCenterId",
                _("Their API knows none: a client adds it where this server has several contact centers."),
            ),
        },
        lacks=frozenset({"public_key", "uses_queue"}),
        hint=_(
            "Enter it in your gadgets and connectors instead of the vendor's. A connector adds its secret to the address, as ?secret=…, or names it when it registers."
        ),
    ),
    Registration.Protocol.COMAPI: Speech(
        mounted_at="",
        labels={
            "foreign_id": ("apiSpaceId", _("Enter the one that your clients send already, or keep this one.")),
            "secret": (_("Access token"), _("Enter another one to replace it, or leave it empty to keep it.")),
        },
        lacks=frozenset({"public_key", "uses_queue", "demands_secret"}),
        hint=_(
            "Apps have it as urlBase, and with wss:// as webSocketBase. Programs add /apispaces/ and the apiSpaceId and show the access token, or add /cpaas and show user name and password."
        ),
    ),
}
HINT = _("Enter it in your clients instead of the vendor's. Ids and keys stay as they are.")
NOT_YET = frozenset({"demands_secret"})  # fields of a page on which the API is still to be chosen
# The same page's words.
UNDECIDED: dict[str, Any] = {
    "foreign_id": _(
        "HyperChat's application id, Genesys' ContactCenterId, Expertflow's contactCenterId, Comapi's apiSpaceId. Enter the one that your clients send already, or keep this one."
    ),
    "public_key": _(
        "HyperChat's domain key, for web pages of the allowed origins; Genesys' apikey, also the published one."
    ),
}
