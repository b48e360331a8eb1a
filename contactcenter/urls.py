"""Every address. What belongs to a floor stands in that floor's own list."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from contactcenter import health
from contactcenter.accounts import closed_page
from contactcenter.administration.sites import center_site, operator_site

admin.autodiscover()


FLOORS = [
    ("api/v1/", "chats.api.urls"),
    ("api/v2/", "chats.protocols.genesys.urls"),
    ("eservices/api/v2/", "chats.protocols.genesys.eservices_urls"),
    ("carriers/", "chats.carriers.urls"),
    ("v1/", "chats.protocols.hyperchat.urls"),
]
# Of other prefixes than these.
OTHER_FLOORS = [
    ("", "chats.protocols.expertflow.urls"),
    ("", "chats.protocols.comapi.urls"),
    ("", "chats.urls"),
    ("", "agents.urls"),
]

# Each address is tried in this order: programs, who call most, come first.
urlpatterns: list[URLPattern | URLResolver] = [
    *(path(prefix, include(module)) for prefix, module in FLOORS),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("accounts/email/", closed_page),
    path("accounts/", include("allauth.urls")),
    path("admin/", center_site.urls),
    path("operator/", operator_site.urls),
    *(path(prefix, include(module)) for prefix, module in OTHER_FLOORS),
]

handler404 = "contactcenter.errors.not_found"
handler500 = "contactcenter.errors.server_error"
