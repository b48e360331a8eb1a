"""requests' way out, through the outbox's guard: no private networks, no proxies, no redirects, and an end."""

import time
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from chats.outbox.sending import Sender

OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "user-agent"}
)  # headers that the sender makes itself


def session(sender: Sender, seconds: float) -> requests.Session:
    """One whose calls all end within these seconds from now."""
    made = requests.Session()
    made.trust_env = False  # else ~/.netrc replaces the provider's credentials
    way = _Way(sender, time.monotonic() + seconds)
    made.mount("https://", way)
    made.mount("http://", way)
    return made


class _Way(BaseAdapter):
    def __init__(self, sender: Sender, until: float) -> None:
        super().__init__()
        self.sender, self.until = sender, until

    def send(self, request: Any, *_args: Any, **_kwargs: Any) -> requests.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OURS}
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        left = max(self.until - time.monotonic(), 0.1)
        answer = self.sender.post(request.url, body, headers, seconds=left)
        if answer.status is None:
            raise requests.ConnectionError(answer.error, request=request)
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, request.url, request
        # Without its Location nobody follows it.
        response.headers = CaseInsensitiveDict(
            {name: value for name, value in answer.headers.items() if name != "location"}
        )
        response._content, response.encoding, response.reason = answer.body, "utf-8", ""
        return response

    def close(self) -> None:
        """The sender is the outbox's."""
