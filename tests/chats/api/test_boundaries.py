"""Every route of the URL map, every caller, own ids and the other center's. A route without a verdict fails."""

import json
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern

from chats.api import principals as kinds
from chats.api.door import Anyone
from chats.api.urls import urlpatterns
from tests.cases import cases
from tests.chats.api.world import callers, furnish, png
from tests.conftest import MARKER

CLASSES = {
    "nobody": Anyone,
    "page": kinds.PublicCaller,
    "customer": kinds.CustomerCaller,
    "agent": kinds.AgentCaller,
    "supervisor": kinds.AgentCaller,
    "admin": kinds.AgentCaller,
    "application": kinds.ApplicationCaller,
    "application of another team": kinds.ApplicationCaller,
}
FREE = {"schema", "docs"}  # the same for everybody, asked of no database
GOOD = {200, 201, 202, 204}
NOT_THEIRS = {"logo", "invitation-accept", "invitation-decline"}  # no picture is set; an offer is its agent's alone
# What the world's chats are not in the state for.
UNFIT = {"logo", "chat-reopen", "chat-survey", "chat-search", "chat-join", "chat-refuse", "chat-leave"}
PUBLIC = {"logo"}  # a picture that every visitor of the site sees


def chat_of(world):
    return world.chat.pk


# What stands in the address of a route: name of the argument -> a row of a world.
IN_ADDRESS = {
    "chat_id": chat_of,
    "attachment_id": lambda world: world.attachment.pk,
    "invitation_id": lambda world: world.invitation.pk,
    "agent_id": lambda world: world.agent.pk,
    "team_id": lambda world: world.team.pk,
    "channel_id": lambda world: world.channel.pk,
    "customer_id": lambda world: world.customer.pk,
    "message_id": lambda world: world.message.pk,
    "webhook_id": lambda world: world.webhook.pk,
    "delivery_id": lambda world: world.delivery.id,
    "outbound_id": lambda world: world.outbound.id,
    "index": lambda world: 1,
    "row_id": lambda world: world.place.center.pk,
}
# Bodies in which nothing is foreign, by route; absent = {}.
BODIES = {
    "widget-sessions": lambda world: {"key": world.channel.key},
    "widget-offline-messages": lambda world: {
        "client_id": "b", "name": "n", "email": "n@example.com", "text": "t", "team": "support",
    },
    "chats": lambda world: {"client_id": "b", "customer": {"name": "New"}},
    "chat-messages": lambda world: {"client_id": "b", "text": "t"},
    "chats-outbound": lambda world: {
        "client_id": "b", "channel": str(world.carrier.channel_id), "address": "+4915112345678", "text": "t",
    },
    "chat-channel": lambda world: {"channel": str(world.carrier.channel_id), "address": "+4915112345679"},
    "chat-typing": lambda world: {"active": True},
    "chat-read": lambda world: {"index": 1},
    "chat-assign": lambda world: {"agent": str(world.boss.pk)},
    "chat-invite": lambda world: {"agent": str(world.boss.pk)},
    "chat-transfer": lambda world: {"team": "sales"},
    "chat-transcript": lambda world: {"email": "zoe@example.com"},
    "me-status": lambda world: {"status": "away"},
    "customer": lambda world: {"name": "New"},
    "customer-merge": lambda world: {"into": str(world.silent.pk)},
    "agents": lambda world: {"name": "New", "user": {"email": "new@example.com"}, "teams": ["sales"]},
    "agent": lambda world: {"name": "New"},
    "teams": lambda world: {"key": "new", "name": "New"},
    "team": lambda world: {"name": "New"},
    "channels": lambda world: {"name": "New", "team": "sales"},
    "channel": lambda world: {"name": "New"},
    "webhooks": lambda world: {"url": "https://new.example.com/", "events": ["*"]},
    "webhook": lambda world: {"events": ["chat.*"]},
    "outbound-messages": lambda world: {"client_id": "b", "channel": "sms", "account": "+491", "text": "t"},
}  # fmt: skip
# Ids of the other center within a body or a query: what is sent, and who may send such a thing at all.
FOREIGN_BODIES = {
    ("widget-offline-messages", "POST"): [
        lambda other: {**BODIES["widget-offline-messages"](other), "team": str(other.team.pk)}
    ],
    ("chats", "POST"): [
        lambda other: {"client_id": "f", "team": str(other.team.pk), "customer": {"name": "x"}},
        lambda other: {"client_id": "f", "channel": str(other.channel.pk), "customer": {"name": "x"}},
        lambda other: {"client_id": "f", "customer": {"id": str(other.customer.pk)}},
    ],
    ("chat-messages", "POST"): [
        lambda other: {"client_id": "f", "text": "t", "as": "customer", "attachments": [str(other.attachment.pk)]}
    ],
    ("chats-outbound", "POST"): [
        BODIES["chats-outbound"],
    ],
    ("chat-channel", "POST"): [BODIES["chat-channel"]],
    ("chat-close", "POST"): [
        lambda other: {"disposition": str(other.disposition.pk)},
        lambda other: {"disposition": other.disposition.name},
    ],
    ("chat-assign", "POST"): [lambda other: {"agent": str(other.agent.pk)}],
    ("chat-invite", "POST"): [lambda other: {"agent": str(other.agent.pk)}],
    ("chat-transfer", "POST"): [
        lambda other: {"team": str(other.team.pk)},
        lambda other: {"agent": str(other.agent.pk)},
    ],
    ("customer-merge", "POST"): [lambda other: {"into": str(other.customer.pk)}],
    ("agents", "POST"): [lambda other: {"name": "N", "is_bot": True, "teams": [str(other.team.pk)]}],
    ("agent", "PATCH"): [lambda other: {"teams": [str(other.team.pk)]}],
    ("channels", "POST"): [lambda other: {"name": "N", "team": str(other.team.pk)}],
    ("channel", "PATCH"): [lambda other: {"team": str(other.team.pk)}],
    ("outbound-messages", "POST"): [
        lambda other: {**BODIES["outbound-messages"](other), "channel": str(other.outbound.connector.channel_id)}
    ],
}
FOREIGN_QUERIES = {
    "chats": [
        lambda other: f"team={other.team.pk}",
        lambda other: f"agent={other.agent.pk}",
        lambda other: f"customer={other.customer.pk}",
        lambda other: f"search={other.chat.pk}",
        lambda other: f"search={MARKER}",
    ],
    "customers": [lambda other: f"search={MARKER}", lambda other: f"search={other.customer.pk}"],
    "agents": [lambda other: f"team={other.team.pk}", lambda other: f"search={MARKER}"],
    "canned-replies": [lambda other: f"team={other.team.pk}", lambda other: f"search={MARKER}"],
    "offline-messages": [lambda other: f"team={other.team.pk}"],
    "reports-summary": [lambda other: f"team={other.team.pk}"],
    "webhook-deliveries": [lambda other: f"webhook={other.webhook.pk}"],
}
# Lists and own things: no id in the address, no foreign id anywhere.
WITHOUT_IDS = {
    "widget-config", "widget-sessions", "attachments", "agent-ticket", "me", "me-status", "invitations", "teams",
    "queue", "dispositions", "webhooks", "channels-outbound",
}  # fmt: skip

ROUTES = [route for route in urlpatterns if isinstance(route, URLPattern) and route.name not in FREE]


def methods(route):
    return sorted(route.callback.view_class.callers)


CASES = [(route, method) for route in ROUTES for method in methods(route)]


def address(route, world):
    named = {name: IN_ADDRESS[name](world) for name in route.pattern.converters}
    path = str(route.pattern)
    for name, value in named.items():
        path = path.replace(f"<uuid:{name}>", str(value)).replace(f"<int:{name}>", str(value))
    assert "<" not in path, f"{route.name} has an argument without a verdict"
    return path


def call(api, route, method, world, body=None, query=""):
    path = address(route, world)
    if route.name == "attachments":
        return upload(api, body or {"chat": str(world.chat.pk)})
    if method == "GET":
        key = f"key={world.channel.key}" if route.name == "widget-config" else ""
        return api.get(f"{path}?{query or key}")
    if body is None:
        body = BODIES.get(route.name, lambda _world: {})(world)
    return api.call(method, path, body)


def upload(api, fields):
    file = SimpleUploadedFile("p.png", png(), "image/png")
    return api.client.post("/api/v1/attachments", {**fields, "file": file}, headers=api.headers)


def shown(answer):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace") + json.dumps(dict(answer.items()))


def may(route, method, name):
    allowed = route.callback.view_class.callers[method]
    return Anyone in allowed or CLASSES[name] in allowed


@pytest.fixture
def both(acme, globex, now, figures):
    here, there = furnish(acme, now), furnish(globex, now, MARKER)
    return SimpleNamespace(here=here, there=there, callers=callers(here, now), figures=figures)


def assert_unseen(both, answer, who, *, but=""):
    """Nothing of the other center stands in it. `but`: what the caller said and may hear again."""
    found = MARKER in shown(answer).replace(but, "")
    both.figures.count("REST answers that show the other center", found=found)
    assert not found, who


def test_every_route_has_a_verdict():
    for route in ROUTES:
        has_id = bool(route.pattern.converters)
        foreign = any(name == route.name for name, _method in FOREIGN_BODIES) or route.name in FOREIGN_QUERIES
        assert has_id or foreign or route.name in WITHOUT_IDS, f"{route.name} has no verdict"
        assert set(route.pattern.converters) <= set(IN_ADDRESS), route.name
    assert len(CASES) >= 55


WRITES = [case for case in CASES if case[1] != "GET"]


def test_only_those_named_read_and_nothing_of_the_other_center_is_seen(both):
    for route, method in CASES:
        if method == "GET":
            try_own(both, route, method)


@cases(("route", "method"), WRITES)
def test_only_those_named_write_and_nothing_of_the_other_center_is_seen(both, route, method):
    try_own(both, route, method)


def try_own(both, route, method):
    answers = {}
    for name, api in both.callers.items():
        answer = call(api, route, method, both.here)
        answers[name] = answer.status_code
        assert_unseen(both, answer, name)
        assert answer.status_code < 500, (name, answer.content)
        if not may(route, method, name):
            assert answer.status_code == (401 if name == "nobody" else 403), name
        elif name in ("application", "supervisor"):
            # Both see everything here: what the state of the chat or the role forbids is 403 or 409, never "no such thing".
            unseen = {404} if route.name in NOT_THEIRS else set()
            assert answer.status_code in GOOD | {403, 409} | unseen, (name, shown(answer))
    assert {200, 201, 202, 204} & set(answers.values()) or route.name in UNFIT, answers


def test_the_other_centers_ids_are_not_found(both):
    before = snapshot(both.there)
    for route, method in CASES:
        if route.pattern.converters and route.name not in PUBLIC:
            try_foreign(both, route, method)
    assert snapshot(both.there) == before


def try_foreign(both, route, method):
    for name, api in both.callers.items():
        answer = call(api, route, method, both.there, body=BODIES.get(route.name, lambda _world: {})(both.here))
        expected = (404,) if may(route, method, name) else (401,) if name == "nobody" else (403,)
        # A body that names own rows is read first: an application that may not is told so, without a look.
        assert answer.status_code in expected, (name, answer.status_code, answer.content)
        assert_unseen(both, answer, name)
        # The same words as for an id that nobody has: which ids exist cannot be told apart.
        if answer.status_code == 404:
            unknown = UUID("01890000-0000-7000-8000-000000000000")
            path = address(route, both.there).replace(
                str(IN_ADDRESS[next(iter(route.pattern.converters))](both.there)), str(unknown)
            )
            absent = (
                api.get(path)
                if method == "GET"
                else api.call(method, path, BODIES.get(route.name, lambda _w: {})(both.here))
            )
            assert absent.content == answer.content, name


def test_the_other_centers_ids_in_a_body_are_refused(both):
    before = snapshot(both.there)
    for (name, method), bodies in FOREIGN_BODIES.items():
        for body in bodies:
            try_foreign_body(both, name, method, body(both.there))
    assert snapshot(both.there) == before


def try_foreign_body(both, name, method, body):
    route = next(route for route in ROUTES if route.name == name)
    for who, api in both.callers.items():
        if not may(route, method, who):
            continue
        own = both.here if who != "customer" else SimpleNamespace(**{**vars(both.here), "chat": api.chat})
        answer = call(api, route, method, own, body=body)
        # Words that are for others are not looked at: a customer names no channel, an application no disposition.
        unread = (who, name) in {("customer", "chats"), ("customer", "chat-close")}
        unread |= who.startswith("application") and name == "chat-close"
        assert answer.status_code in ({200, 201, 400, 404} if unread else {400, 403, 404}), (who, answer.content)
        assert_unseen(both, answer, who)


def test_the_other_centers_ids_in_a_query_find_nothing(both):
    for name, queries in FOREIGN_QUERIES.items():
        for query in queries:
            try_foreign_query(both, name, query(both.there))


def try_foreign_query(both, name, query):
    route = next(route for route in ROUTES if route.name == name)
    for who, api in both.callers.items():
        answer = call(api, route, "GET", both.here, query=query)
        assert_unseen(both, answer, who, but=query)
        if may(route, "GET", who) and answer.status_code == 200:
            assert answer.json()["results"] == [], who


def test_uploads_into_the_other_centers_chat_are_refused(both):
    for who, api in both.callers.items():
        answer = upload(api, {"chat": str(both.there.chat.pk)})
        assert answer.status_code in (401, 403, 404), who
        assert_unseen(both, answer, who)
    assert both.there.chat.attachments.count() == 1


def test_keys_and_tokens_of_one_center_open_nothing_in_the_other(both, acme, globex, now):
    foreign = callers(both.there, now)
    for who, api in foreign.items():
        if who in ("nobody", "page"):
            continue
        for row in (both.here.chat, both.here.waiting):
            assert api.get(f"chats/{row.pk}").status_code == 404, who
    for who in ("agent", "supervisor", "admin"):
        assert both.callers[who].get("me", **{"X-Contact-Center": "globex"}).status_code == 403


def snapshot(world):
    """Everything of the other center that a request could have changed."""
    center = world.place.center
    tables = (
        "chats",
        "customers",
        "agents",
        "teams",
        "channels",
        "invitations",
        "offline_messages",
        "participants",
        "events",
        "webhooks",
        "deliveries",
        "attempts",
        "outbound_messages",
        "carriers",
        "accounts",
        "carriages",
        "dispatches",
    )
    return {name: sorted(map(str, getattr(center, name).values())) for name in tables}
