"""The vendor's own JavaScript SDK, in a page of another origin: signs in, talks with an agent, hears everything over its socket, and survives a restart."""

import functools
import http.server
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.agent import Agent
from tests.browser.conftest import Site
from tests.services.stack import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SDK = Path(ROOT) / "tools/node_modules/@comapi/sdk-js-foundation/dist/comapi-foundation.js"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An app</title></head>
<body><h1>An app</h1><script src="/sdk.js"></script><script src="/page.js"></script></body></html>"""
# What an app does: keeps events by their number, and reads those that are missing whenever its socket opens.
SCRIPT = """
window.kept = new Map(); window.doubles = []; window.heard = []; window.opened = 0;
let sdk;

function keep(event) {
  const known = kept.get(event.conversationEventId);
  if (known && known !== event.eventId) doubles.push(event);
  kept.set(event.conversationEventId, event.eventId);
  if (event.name === "conversationMessage.sent") heard.push([event.conversationEventId, event.payload.parts[0].data]);
}

async function begin(settings) {
  const config = new COMAPI.ComapiConfig()
    .withEnabledNonChatSocket(true).withApiSpace(settings.space).withUrlBase(settings.url).withWebSocketBase(settings.url.replace("http", "ws"))
    .withAuthChallenge((options, answer) => window.tokenFor(options.nonce).then(answer));
  sdk = await COMAPI.Foundation.initialise(config);
  for (const name of ["conversationMessageEvent", "participantTyping", "participantTypingOff", "profileUpdated"]) {
    sdk.on(name, (event) => {
      if (name === "conversationMessageEvent") keep(event); else heard.push([name, event.profileId]);
    });
  }
  sdk.on("WebsocketOpened", () => { opened += 1; });
  const session = await sdk.startSession();
  return session.profileId || session.session.profileId;
}

function said() {
  const texts = new Map(heard.filter(([number]) => typeof number === "number"));
  return [...texts].sort(([one], [two]) => one - two).map(([, text]) => text);
}

async function send(conversation, text) {
  const message = new COMAPI.MessageBuilder().withText(text);
  return sdk.services.appMessaging.sendMessageToConversation(conversation, message);
}

async function catchUp(conversation) {
  const events = await sdk.services.appMessaging.getConversationEvents(conversation, kept.size, 100);
  events.forEach(keep);
}
"""


class _Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        files = {"/sdk.js": SDK.read_bytes() if SDK.exists() else b"", "/page.js": SCRIPT.encode()}
        body = files.get(self.path, PAGE.encode())
        self.send_response(200)
        kind = "text/javascript" if self.path in files else "text/html"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet: the test says what went wrong."""


@contextmanager
def pages() -> Iterator[str]:
    """An app's page on a port of its own, so of another origin. Gives its origin."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Pages))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def app(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """A page of an origin that the application allows, with the SDK."""
    if not SDK.exists():
        pytest.skip("npm install in tools brings the SDK")
    with pages() as origin:
        allowed = (
            "from contactcenter.models import Application; "
            "own = Application.objects.get(registrations__protocol='comapi'); "
            f"own.allowed_origins.append({origin!r}); own.save()"
        )
        site.manage("shell", "-c", allowed)
        page = new_context().new_page()
        page.goto(origin)
        yield page


def sign_in(page: Page, site: Site, token_for: Callable[[str], str]) -> str:
    """The profile's id. `token_for`: what the app's server answers to the SDK's challenge."""
    space = site.demo["comapi"]
    page.expose_function("tokenFor", token_for)
    profile: str = page.evaluate("begin", {"space": space["api_space_id"], "url": site.url})
    page.wait_for_function("opened > 0")
    return profile


def signed(site: Site, profile: str) -> Callable[[str], str]:
    def token_for(nonce: str) -> str:
        claims = {"sub": profile, "nonce": nonce, "iat": 1_700_000_000, "exp": 4_000_000_000, "iss": "app", "aud": "x"}
        return jwt.encode(claims, site.demo["comapi"]["shared_secret"], algorithm="HS256")

    return token_for


def hears(page: Page, *texts: str) -> None:
    """These, each once and in this order, among what the team says by itself."""
    wanted = "(texts) => JSON.stringify(said().filter((one) => texts.includes(one))) === JSON.stringify(texts)"
    page.wait_for_function(wanted, arg=list(texts))


def is_whole(page: Page) -> None:
    """No number twice, none missing."""
    assert page.evaluate("doubles") == []
    assert page.evaluate("[...kept.keys()].sort((a, b) => a - b)") == list(range(page.evaluate("kept.size")))


def test_the_vendors_sdk_talks_with_an_agent(app: Page, site: Site, agent: Agent) -> None:
    profile = f"mia-{secrets.token_hex(4)}"
    assert sign_in(app, site, signed(site, profile)) == profile
    talk = f"talk-{profile}"
    made = app.evaluate(
        """async ([id]) => {
          const wanted = new COMAPI.ConversationBuilder().withId(id).withName("Help");
          return (await sdk.services.appMessaging.createConversation(wanted))._etag;
        }""",
        [talk],
    )
    assert made.startswith('"')
    sent = app.evaluate("([id]) => send(id, 'Where is my parcel?')", [talk])
    assert sent["eventId"] == 0
    hears(app, "Where is my parcel?")
    agent.accept()
    agent.follows()
    agent.ask({"type": "read", "chat": agent.chat, "index": 99})
    app.evaluate("([id]) => sdk.services.appMessaging.sendIsTyping(id)", [talk])
    agent.wait(lambda frame: frame["type"] == "typing" and frame["active"])
    agent.send({"type": "typing", "chat": agent.chat, "active": True})
    app.wait_for_function("heard.some(([name]) => name === 'participantTyping')")
    agent.say("On its way")
    hears(app, "On its way")
    # The SDK's own pages, which report as delivered what they bring; then the app reports it as read.
    found = app.evaluate("([id]) => sdk.services.appMessaging.getMessages(id, 10)", [talk])
    assert next(one["parts"][0]["data"] for one in found["messages"]) == "On its way"
    app.evaluate(
        """([id, message]) => {
          const read = new COMAPI.MessageStatusBuilder().readStatusUpdate(message);
          return sdk.services.appMessaging.sendMessageStatusUpdates(id, [read]);
        }""",
        [talk, found["messages"][0]["id"]],
    )
    agent.wait(lambda frame: frame["type"] == "read" and frame["kind"] == "customer")
    app.wait_for_function("kept.size >= 5")
    put = app.evaluate(
        """async ([id]) => {
          const words = COMAPI.ContentData.createFromBase64(btoa("tea, not coffee"), "wish.txt", "text/plain");
          const form = COMAPI.ContentData.createFromFile(new File(["size 38"], "shoe.txt", { type: "text/plain" }));
          const message = new COMAPI.MessageBuilder();
          for (const content of [words, form]) {
            const put = await sdk.services.appMessaging.uploadContent(content);
            message.withPart({ type: put.type, size: put.size, url: put.url });
          }
          return sdk.services.appMessaging.sendMessageToConversation(id, message);
        }""",
        [talk],
    )
    assert put["eventId"] > sent["eventId"]
    agent.wait(lambda frame: "txt" in str(frame) and "attachments" in str(frame))
    app.evaluate(
        """() => sdk.services.profile.getMyProfile()
          .then(() => sdk.services.profile.patchMyProfile({ name: "Mia Berger" }))"""
    )
    app.wait_for_function("heard.some(([name]) => name === 'profileUpdated')")
    is_whole(app)
    assert app.evaluate("sdk.services.appMessaging.getConversations()")[0]["id"] == talk
    people = app.evaluate("([id]) => sdk.services.appMessaging.getParticipantsInConversation(id)", [talk])
    assert len(people) == 2
    agent.finish()
    assert app.evaluate("sdk.endSession()") is True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_after_a_restart_nothing_is_lost_and_nothing_doubled(app: Page, site: Site, agent: Agent, number: int) -> None:
    sign_in(app, site, signed(site, f"tom-{secrets.token_hex(4)}"))
    talk = f"talk-{secrets.token_hex(4)}"
    app.evaluate(
        "([id]) => sdk.services.appMessaging.createConversation(new COMAPI.ConversationBuilder().withId(id))", [talk]
    )
    app.evaluate("([id]) => send(id, 'First')", [talk])
    agent.accept()
    agent.follows()
    agent.say("One")
    hears(app, "First", "One")
    site.stop(number)
    site.start()
    agent.connect()
    agent.say("Two, while the app was away")
    app.wait_for_function("opened > 1", timeout=60_000)
    app.evaluate("([id]) => catchUp(id)", [talk])
    agent.say("Three")
    hears(app, "Three")
    app.evaluate("([id]) => send(id, 'Fourth')", [talk])
    hears(app, "First", "One", "Two, while the app was away", "Three", "Fourth")
    is_whole(app)
    agent.finish()


def test_a_visitor_talks_without_signing_in(app: Page, site: Site, agent: Agent) -> None:
    space = site.demo["comapi"]
    visitor = "6f0c1b9e-3333-4444-8555-" + secrets.token_hex(6)
    base = f"{site.url}/apispaces/{space['api_space_id']}/sessions/tokens/anon"

    def token_for(nonce: str) -> str:
        answer = agent.http.get(base, params={"id": visitor, "nonce": nonce})
        token: str = answer.json()["token"]
        return token

    assert sign_in(app, site, token_for) == f"anon_{visitor}"
    talk = f"{space['team_id']}_anon_{visitor}"
    app.evaluate("([id]) => send(id, 'Hello')", [talk])
    agent.accept()
    agent.say("Good morning")
    hears(app, "Hello", "Good morning")
    is_whole(app)
    agent.finish()
