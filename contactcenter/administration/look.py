"""How the two admins look: unfold's settings, with words and links only (no models: settings.py imports this)."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

# Blues of our own accent (static/design/tokens.css), and its greys with a hint of blue.
COLORS = {
    "base": {
        "50": "#f7f8fb", "100": "#eef1f6", "200": "#e1e5ed", "300": "#c5ccd9", "400": "#8791a5", "500": "#626c80",
        "600": "#4a5366", "700": "#323a4a", "800": "#212734", "900": "#141821", "950": "#0d1017",
    },
    "primary": {
        "50": "#f1f5fe", "100": "#e4ecfe", "200": "#cbd9fd", "300": "#a7befb", "400": "#7c9bf7", "500": "#4f76f1",
        "600": "#2f5bea", "700": "#2549c4", "800": "#223f9d", "900": "#21387c", "950": "#17244d",
    },
}  # fmt: skip


def _item(site: str, title: Any, icon: str, model: str = "") -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"{site}:{f'{model}_changelist' if model else 'index'}")}


def _today(site: str) -> dict[str, Any]:
    return {
        "title": _("Today"),
        "items": [
            _item(site, _("Dashboard"), "monitoring"),
            _item(site, _("Chats"), "forum", "chats_chat"),
            _item(site, _("Offline messages"), "inbox", "chats_offlinemessage"),
            _item(site, _("Customers"), "group", "chats_customer"),
            _item(site, _("Addresses of customers"), "contact_phone", "chats_account"),
        ],
    }


def _people(site: str, *more: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": _("People"),
        "separator": True,
        "items": [
            *more,
            _item(site, _("Agents"), "support_agent", "agents_agent"),
            _item(site, _("Teams"), "groups", "contactcenter_team"),
            _item(site, _("Holidays"), "event", "contactcenter_holiday"),
            _item(site, _("Canned replies"), "quick_phrases", "agents_cannedreply"),
            _item(site, _("Dispositions"), "label", "agents_disposition"),
            _item(site, _("Forms"), "assignment", "chats_formtemplate"),
        ],
    }


def _setup(site: str, title: Any, *more: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": _("Setup"),
        "separator": True,
        "items": [
            _item(site, title, "apartment", "contactcenter_contactcenter"),
            _item(site, _("Channels"), "hub", "contactcenter_channel"),
            _item(site, _("Carriers"), "cell_tower", "chats_carrier"),
            _item(site, _("Applications"), "key", "contactcenter_application"),
            _item(site, _("Foreign accesses"), "sync_alt", "contactcenter_registration"),
            _item(site, _("Connectors"), "cable", "chats_connector"),
            _item(site, _("Web hooks"), "webhook", "chats_webhook"),
            _item(site, _("Inbound rules"), "rule", "chats_inboundrule"),
            _item(site, _("Application passwords"), "password", "contactcenter_applicationpassword"),
            *more,
        ],
    }


def _records(site: str) -> dict[str, Any]:
    return {
        "title": _("Records"),
        "separator": True,
        "items": [
            _item(site, _("Transcripts by mail"), "forward_to_inbox", "chats_transcriptrequest"),
            _item(site, _("Web hook deliveries"), "outbox", "chats_delivery"),
            _item(site, _("Messages on their way"), "outgoing_mail", "chats_dispatch"),
            _item(site, _("Push notices"), "notifications", "chats_pushnotice"),
            _item(site, _("Outbound messages"), "send", "chats_outboundmessage"),
            _item(site, _("Audit log"), "policy", "contactcenter_auditentry"),
        ],
    }


def center_name(request: Any) -> str:
    """What stands at the top of a center's admin."""
    from .access import chosen_center

    center = chosen_center(request)
    return center.name if center else str(_("Contact center"))


def ways_out(request: Any) -> list[dict[str, Any]]:
    """The menu below the name: the desk, the other centers, the operators' admin."""
    from .access import centers_of, person_of

    user = person_of(request)
    found = [{"title": _("Desk"), "icon": "chat", "link": "/desk/"}]
    if user and centers_of(user, as_admin=True)[1:2]:
        found.append({"title": _("Another contact center"), "icon": "swap_horiz", "link": reverse("admin:choose")})
    if user and user.is_operator:
        found.append({"title": _("Operators’ admin"), "icon": "dns", "link": reverse("operator:index")})
    return found


def ways_from_operators(request: Any) -> list[dict[str, Any]]:
    return [
        {"title": _("Desk"), "icon": "chat", "link": "/desk/"},
        {"title": _("A center’s admin"), "icon": "apartment", "link": reverse("admin:choose")},
    ]


ACCOUNT = {
    "navigation": [
        {"title": _("Change password"), "link": reverse_lazy("account_change_password")},
        {"title": _("Second factor"), "link": reverse_lazy("mfa_index")},
    ]
}

SHARED: dict[str, Any] = {
    "SITE_TITLE": _("Contact center"),
    "SITE_SYMBOL": "forum",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": COLORS,
    "BORDER_RADIUS": "6px",
    "STYLES": [lambda request: static("administration/admin.css")],
    "SCRIPTS": [lambda request: static("administration/lines.js"), lambda request: static("administration/preview.js")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("design/favicon.svg")},
    ],
    "DASHBOARD_CALLBACK": "chats.admin.dashboard.add_figures",
    "ACCOUNT": ACCOUNT,
}


def _sidebar(*groups: dict[str, Any]) -> dict[str, Any]:
    # The command palette is for is_staff alone, which no center's admin needs to be.
    return {"show_search": True, "command_search": False, "show_all_applications": False, "navigation": list(groups)}


CENTER_ADMIN = SHARED | {
    "SITE_HEADER": center_name,
    "SITE_SUBHEADER": _("Administration"),
    "SITE_DROPDOWN": ways_out,
    "SIDEBAR": _sidebar(_today("admin"), _people("admin"), _setup("admin", _("Contact center")), _records("admin")),
}

OPERATOR_ADMIN = SHARED | {
    "SITE_HEADER": _("Installation"),
    "SITE_SUBHEADER": _("Operators"),
    "SITE_SYMBOL": "dns",
    "SITE_DROPDOWN": ways_from_operators,
    "SIDEBAR": _sidebar(
        _today("operator"),
        _people("operator", _item("operator", _("Users"), "person", "contactcenter_user")),
        _setup(
            "operator",
            _("Contact centers"),
            _item("operator", _("Installation"), "database", "contactcenter_installation"),
        ),
        _records("operator"),
    ),
}
