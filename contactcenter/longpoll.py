"""Long polling without a waiting thread.

A view that has nothing to say yet answers what it would say at the end of the wait, marked by long_poll(). The edge
keeps that answer back, waits in the event loop until one of the topics is announced, and calls the view again.
"""

from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "X-Long-Poll"
# Tells the view that this request was counted before (rate limits). The edge drops it from what clients send.
ROUND_HEADER = "X-Long-Poll-Round"
LONGEST = 25

Response = TypeVar("Response", bound=HttpResponseBase)


def long_poll(response: Response, topics: list[str], seconds: float) -> Response:
    """Mark `response` as "nothing yet": ask again when a topic is announced, send it as it is after `seconds`."""
    response[HEADER] = mark(topics, seconds)
    return response


def mark(topics: list[str], seconds: float) -> str:
    """What the header says."""
    return f"{','.join(topics)};{min(max(seconds, 0), LONGEST):g}"


def is_repeat(request: HttpRequest) -> bool:
    """Whether the edge called this view before for the same request."""
    return ROUND_HEADER in request.headers


def parse(value: str) -> tuple[list[str], float]:
    """Topics and seconds of a header that long_poll() wrote."""
    topics, _, seconds = value.rpartition(";")
    return [topic for topic in topics.split(",") if topic], float(seconds)
