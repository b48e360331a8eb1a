"""A page of another origin that speaks Genesys' customer chat as the published sample does: with credentials, and headers of its own."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.agent import Agent
from tests.browser.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An older shop</title></head>
<body><h1>An older shop</h1><p id="state"></p><ol id="lines"></ol><script src="/page.js"></script></body></html>"""
SCRIPT = """
const base = "{base}/api/v2/chats";
const headers = {{ "Content-Type": "application/json", ...{headers} }};
let path = "", last = 0;

async function send(method, url, body) {{
  const answer = await fetch(url, {{ method, headers, credentials: "include", body: body && JSON.stringify(body) }});
  const said = await answer.json();
  if (said.statusCode !== 0) throw new Error(`${{said.statusCode}} ${{said.statusMessage}}`);
  return said;
}}

async function start(nickname) {{
  const begun = await send("POST", base + "/", {{ operationName: "RequestChat", nickname, subject: "Parcel" }});
  path = `${{base}}/${{begun.id}}`;
  poll();
}}

function act(operationName, text) {{
  return send("POST", path, {{ operationName, text }});
}}

async function poll() {{
  const {{ messages }} = await send("GET", `${{path}}/messages?index=${{last + 1}}&wait=5`);
  for (const {{ index, type, from, text }} of messages) {{
    last = index;
    const line = document.createElement("li");
    line.textContent = [type, from.nickname, text].filter(Boolean).join(": ");
    document.getElementById("lines").append(line);
  }}
  const {{ chat }} = await send("GET", path);
  document.getElementById("state").textContent = chat.state;
  if (chat.state !== "Idle") poll();
}}
"""


class _Pages(http.server.BaseHTTPRequestHandler):
    def __init__(self, *args: Any, script: str) -> None:
        self.script = script
        super().__init__(*args)

    def do_GET(self) -> None:
        is_script = self.path.endswith(".js")
        body = (self.script if is_script else PAGE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet: the test says what went wrong."""


@contextmanager
def older_shop(base: str, headers: dict[str, str]) -> Iterator[str]:
    """A site on a port of its own, so of another origin. Gives its origin."""
    pages = functools.partial(_Pages, script=SCRIPT.format(base=base, headers=headers))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def allow(site: Site, origin: str) -> None:
    allowed = (
        "from contactcenter.models import Application; "
        "own = Application.objects.get(registrations__protocol='genesys'); "
        f"own.allowed_origins.append({origin!r}); own.save()"
    )
    site.manage("shell", "-c", allowed)


@pytest.fixture(params=["apikey", "ContactCenterId"])
def headers(request: pytest.FixtureRequest, site: Site) -> dict[str, str]:
    keys = site.demo["genesys"]
    return {request.param: keys["api_key" if request.param == "apikey" else "contact_center_id"]}


def lines(page: Page, text: str) -> Any:
    return page.locator("#lines li", has_text=text)


def test_a_page_of_an_allowed_origin_talks_with_an_agent(
    site: Site, agent: Agent, headers: dict[str, str], new_context: Callable[..., BrowserContext]
) -> None:
    with older_shop(site.url, headers) as origin:
        allow(site, origin)
        page = new_context().new_page()
        page.goto(origin)
        page.evaluate("start('Mia')")
        expect(lines(page, "ParticipantJoined: system")).to_be_visible()
        agent.accept()
        expect(lines(page, "ParticipantJoined: Maya")).to_be_visible()
        expect(page.locator("#state")).to_have_text("Chatting")
        agent.follows()
        page.evaluate("act('SendStartTypingNotification', 'Hel')")
        seen = agent.wait(lambda frame: frame["type"] == "typing")
        assert (seen["active"], seen.get("text")) == (True, "Hel")
        page.evaluate("act('SendMessage', 'Hello <b>there</b>')")
        expect(lines(page, "Text: Mia: Hello <b>there</b>")).to_be_visible()
        agent.send({"type": "typing", "chat": agent.chat, "active": True})
        expect(lines(page, "TypingStarted: Maya")).to_be_visible()
        agent.say("Good morning")
        expect(lines(page, "Good morning")).to_be_visible()
        page.evaluate("act('Complete')")
        expect(page.locator("#state")).to_have_text("Idle")
        expect(page.locator("#lines li").last).to_have_text("ParticipantLeft: Mia")


def test_a_page_of_another_origin_gets_no_further_than_its_browser(
    site: Site, headers: dict[str, str], new_context: Callable[..., BrowserContext]
) -> None:
    with older_shop(site.url, headers) as origin:
        page = new_context().new_page()
        page.goto(origin)
        said = page.evaluate("start('Eve').then(() => 'begun', (error) => error.name)")
        assert said == "TypeError"  # what fetch says of an answer that the page may not read
