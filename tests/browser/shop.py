"""A customer's browser on somebody's site: finding the panel, and sites of other origins to embed it in."""

import functools
import http.server
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import Frame, Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Site


def png() -> bytes:
    """A small picture."""
    held = io.BytesIO()
    Image.new("RGB", (320, 200), "#8a5a35").save(held, "PNG")
    return held.getvalue()


# A site that styles everything it can reach, and wants nothing inline.
SITE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Another shop</title><link rel="stylesheet" href="/site.css">
</head><body><h1>Another shop</h1><script src="{base}/widget.js" data-key="{key}" async></script></body></html>"""
CSS = "* { color: red; outline: 5px solid red !important } button, iframe, contact-center, div { display: none !important }"
POLICY = "default-src 'none'; style-src 'self'; script-src {base}; connect-src {base}; frame-src {base}; require-trusted-types-for 'script'"


class _Pages(http.server.BaseHTTPRequestHandler):
    def __init__(self, *args: Any, base: str, key: str) -> None:
        self.base, self.key = base, key
        super().__init__(*args)

    def do_GET(self) -> None:
        is_css = self.path.endswith(".css")
        body = (CSS if is_css else SITE.format(base=self.base, key=self.key)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/css" if is_css else "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", POLICY.format(base=self.base))
        # The strictest site there is: isolated, it takes in only what says that it may be taken in.
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet: the test says what went wrong."""


@contextmanager
def another_site(base: str, key: str) -> Iterator[str]:
    """A site on a port of its own, so of another origin, that includes the widget. Gives its origin."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Pages, base=base, key=key))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def wait_for_widget(page: Page) -> None:
    """Until the launcher is there; it stands in a closed shadow root, so its host is all that can be seen of it."""
    expect(page.locator("contact-center")).to_have_count(1)


def until(page: Page, expression: str) -> None:
    """Until it is true. Playwright's own way evaluates text within the page, which a strict policy forbids."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"Never came true: {expression}")


def open_panel(page: Page) -> Frame:
    wait_for_widget(page)
    page.evaluate("ContactCenter.open()")
    return panel(page)


def panel(page: Page) -> Frame:
    """The panel's frame, once it shows something."""
    for _ in range(100):
        for frame in page.frames:
            if "/widget/frame/" in frame.url:
                expect(frame.locator(".header")).to_be_visible()
                return frame
        page.wait_for_timeout(100)
    raise AssertionError("The panel did not come.")


def start_chat(frame: Frame, text: str, name: str = "Mia Berger") -> None:
    """Fill in the form, whatever it asks, and begin."""
    form = frame.locator("form.form")
    expect(form).to_be_visible()
    fill(frame, "name", name)
    fill(frame, "email", "mia@example.com")
    for select in form.locator("select").all():
        select.select_option(index=1)
    form.locator("[name=message]").fill(text)
    form.locator("button[type=submit]").click()
    expect(frame.locator(".out .bubble", has_text=text).first).to_be_visible()


def fill(frame: Frame, name: str, text: str) -> None:
    field = frame.locator(f"form [name={name}]")
    if field.count():
        field.fill(text)


def write(frame: Frame, text: str) -> None:
    frame.locator(".composer textarea").fill(text)
    frame.locator(".composer textarea").press("Enter")


def bubbles(frame: Frame, side: str = "") -> list[str]:
    return frame.locator(f".message{side} .bubble > div").all_inner_texts()


def end_chat(page: Page) -> None:
    """Leaves no chat behind that the next test's agent would be offered."""
    page.evaluate(
        """async () => {
          const token = Object.entries(localStorage).find(([name]) => name.endsWith(".token"))?.[1];
          const chat = Object.entries(localStorage).find(([name]) => name.endsWith(".chat"))?.[1];
          if (token && chat) await fetch(`/api/v1/chats/${chat}/close`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
        }"""
    )


def configure(site: "Site", code: str) -> None:
    """Changes the demo center's rows, as its admin would."""
    before = "from contactcenter.models import *; center = ContactCenter.objects.get(slug='acme'); channel = center.channels.get(kind='web');"
    site.manage("shell", "-v", "0", "-c", f"{before} {code}")


def stored(page: Page, name: str) -> str | None:
    entries: dict[str, str] = page.evaluate("({ ...localStorage })")
    return next((value for key, value in entries.items() if key.endswith(f".{name}")), None)
