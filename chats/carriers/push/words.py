"""What a device is told.

A message may say it itself: alert {title, body, platforms: {fcm: {collapse_key, data, notification}, apns: {badge, sound, alert, payload}}}. With
`platforms` its title and body count no more (Chat API, MessagePost). fcm is Google's old API, which ended in 2024: it is put into the words of HTTP v1.
"""

import json
from typing import Any

from .verdict import Letter, fields_of, plain

MOST_TITLE, MOST_BODY = 100, 200  # characters that we take out of a message
MOST_ASKED = {"title": 200, "body": 500}  # of those that the message asks for: four bytes each still fit
MOST_BYTES = 3900  # both services take 4096
EXPIRES = 3600  # seconds for which a service keeps one for a device that is off
# FirebaseCloudMessaging, "Message.data": keys that clients must not use.
RESERVED = ("google", "gcm")


def shortened(text: str, most: int) -> str:
    """On one line's worth: blanks and line ends become one blank each."""
    one = " ".join(plain(text[: most * 4]).split())
    return one if len(one) <= most else one[: most - 1].rstrip() + "…"


def fcm_message(letter: Letter, token: str) -> dict[str, Any]:
    """`message` of messages:send. An alert that has data and no notification stays silent: the app decides."""
    asked = _platform(letter, "fcm")
    data = _texts(fields_of(asked.get("data"))) | _own(letter)
    android: dict[str, Any] = {"priority": "HIGH", "ttl": f"{EXPIRES}s"}
    android["collapse_key"] = shortened(plain(asked.get("collapse_key")), 60) or letter.chat_id
    message: dict[str, Any] = {"token": token, "data": data, "android": android}
    if not asked.get("data") or fields_of(asked.get("notification")):
        shown = fields_of(asked.get("notification"))
        message["notification"] = _titled(letter, shown)
        # A second try of one that had arrived replaces the first.
        android["notification"] = {"tag": letter.id}
        if icon := shortened(plain(shown.get("icon")), 100):
            android["notification"]["icon"] = icon
    return message if _size(message) <= MOST_BYTES else message | {"data": _own(letter)}


def apns_body(letter: Letter) -> dict[str, Any]:
    asked = _platform(letter, "apns")
    alert = asked.get("alert")
    aps: dict[str, Any] = {
        "alert": {**letter_words(letter), "body": shortened(alert, MOST_ASKED["body"])}
        if isinstance(alert, str)
        else _titled(letter, fields_of(alert)),
        "sound": shortened(plain(asked.get("sound")), 100) or "default",
        "thread-id": letter.chat_id,
    }
    badge = asked.get("badge")
    if isinstance(badge, int) and not isinstance(badge, bool) and 0 <= badge < 2**31:
        aps["badge"] = badge
    own = {"aps": aps, **_own(letter)}
    theirs = {name: value for name, value in fields_of(asked.get("payload")).items() if name not in own}
    body = {**theirs, **own}
    return body if _size(body) <= MOST_BYTES else own


def bytes_of(value: Any) -> bytes:
    """As it is sent: UTF-8, half characters replaced."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def letter_words(letter: Letter) -> dict[str, str]:
    """Title and text: ours, or those of an alert that has nothing for single platforms."""
    asked = {} if letter.alert.get("platforms") else letter.alert
    return _over({"title": letter.title, "body": letter.body}, asked)


def _titled(letter: Letter, asked: dict[str, Any]) -> dict[str, str]:
    return _over(letter_words(letter), asked)


def _over(words: dict[str, str], asked: Any) -> dict[str, str]:
    """What is asked for as text takes the place of ours."""
    found = {name: shortened(plain(asked.get(name)), MOST_ASKED[name]) for name in words}
    return {name: found[name] or ours for name, ours in words.items()}


def _platform(letter: Letter, name: str) -> dict[str, Any]:
    return fields_of(fields_of(letter.alert.get("platforms")).get(name))


def _own(letter: Letter) -> dict[str, str]:
    """By which the app finds the place; nothing else of the customer's."""
    found = {"chatId": letter.chat_id}
    return found | ({"conversationId": letter.conversation_id} if letter.conversation_id else {})


def _texts(data: dict[str, Any]) -> dict[str, str]:
    """v1 takes texts alone; the old API made them of whatever came."""
    return {
        plain(name): plain(value) if isinstance(value, str) else _json(value)
        for name, value in data.items()
        if name not in ("", "from", "message_type") and not name.lower().startswith(RESERVED)
    }


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _size(value: Any) -> int:
    return len(bytes_of(value))
