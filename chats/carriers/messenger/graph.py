"""The Graph API: calls, and what follows from its errors. Codes: Meta, Messenger Platform, "Common Error Codes"; the subcodes of the table are from experience of many clients."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chats.carriers.provider import Result
from chats.outbox.sending import Answer, Sender

from .events import clean, fields_of

WINDOW, ACCOUNT = "window", "account"
TOO_LATE = "Facebook lets a page answer within 24 hours of the customer's last message."
NO_TOKEN = "Facebook does not accept the page's access token any more. Enter a new one."  # noqa: S105 - a sentence
AWAY = "Facebook says that this person takes no messages from the page."
NOBODY = "Facebook does not know this person."

BY_SUBCODE = {
    2018278: (TOO_LATE, WINDOW),
    1545041: (AWAY, ""),
    2018001: (NOBODY, ""),
}
BY_CODE = {
    551: (AWAY, ""),
    190: (NO_TOKEN, ACCOUNT),
    102: (NO_TOKEN, ACCOUNT),
}
# Unknown error, service down, too many calls of the app, the user, the page; try later; too many calls; temporary failure.
AGAIN = frozenset({1, 2, 4, 17, 32, 341, 613, 1200, 80006})


@dataclass(frozen=True)
class Graph:
    """A page's own door to the API. until: the moment of time.monotonic() at which whatever is under way ends."""

    url: str
    page: str
    token: str
    sender: Sender
    until: float

    def send(self, person: str, message: Mapping[str, Any]) -> Result:
        """Say one thing (Send API). Within the 24 hours every answer is a RESPONSE."""
        body = {"recipient": {"id": person}, "messaging_type": "RESPONSE", "message": message}
        answer = self.sender.post(
            f"{self._page_url}/messages", json.dumps(body).encode(), self._headers, seconds=self._left
        )
        problem = problem_of(answer)
        if problem:
            return problem
        mid = clean(fields_of(_json(answer)).get("message_id"))
        if mid:
            return Result(external_id=mid)
        # Perhaps it was taken: who says it again might say it twice.
        return Result(error="What answered is not Facebook's API.")

    def find_page(self) -> str:
        """What is wrong with the access to the page, or nothing."""
        answer = self.sender.get(f"{self._page_url}?fields=name", self._headers, seconds=self._left)
        problem = problem_of(answer)
        if problem:
            return problem.error
        return "" if fields_of(_json(answer)).get("id") == self.page else "What answered is not Facebook's API."

    @property
    def _page_url(self) -> str:
        return f"{self.url.rstrip('/')}/{self.page}"

    @property
    def _headers(self) -> dict[str, str]:
        # A header is ASCII; what is not comes from a slip of the hand, and Facebook will say so.
        return {"Authorization": f"Bearer {self.token.encode('ascii', 'replace').decode()}"}

    @property
    def _left(self) -> float:
        return max(self.until - time.monotonic(), 0.1)


def problem_of(answer: Answer) -> Result | None:
    """What went wrong: nothing when the API has done it."""
    if answer.is_ok:
        return None
    if answer.status is None:
        return Result(error=answer.error, again=True, was_answered=False)
    error = fields_of(fields_of(_json(answer)).get("error"))
    code, subcode = error.get("code"), error.get("error_subcode")
    for table, key in ((BY_SUBCODE, subcode), (BY_CODE, code)):
        if isinstance(key, int) and key in table:
            sentence, word = table[key]
            return Result(error=sentence, code=word)
    again = answer.status == 429 or answer.status >= 500 or error.get("is_transient") is True
    again = again or (isinstance(code, int) and code in AGAIN)
    words = clean(error.get("message")) or f"status {answer.status}"
    return Result(error=f"Facebook: {words}"[:300], again=again)


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
