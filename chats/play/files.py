"""Files as a robot agent fetches and sends them: over REST, with its application password."""

import asyncio
import json
import urllib.error
import urllib.request
import uuid
from typing import Any

from .wire import ANSWER_SECONDS, BROKEN, Ended, refusal_of


async def send_back(url: str, chat: str, file: dict[str, Any], headers: dict[str, str]) -> str:
    """Upload the same bytes under the same name for this chat; returns the new file's id. Raises Refusal, Ended."""
    return await asyncio.to_thread(_send_back, url, chat, file, headers)


def _send_back(url: str, chat: str, file: dict[str, Any], headers: dict[str, str]) -> str:
    content = _open(urllib.request.Request(f"{url}/api/v1/attachments/{file['id']}", headers=headers))  # noqa: S310 - http(s) only
    boundary = uuid.uuid4().hex
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    body = _form(boundary, chat, file, content)
    sent = _open(urllib.request.Request(f"{url}/api/v1/attachments", body, headers | kind))  # noqa: S310
    return str(json.loads(sent)["id"])


def _form(boundary: str, chat: str, file: dict[str, Any], content: bytes) -> bytes:
    name = file["name"].replace("\\", "\\\\").replace('"', '\\"')
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="chat"\r\n\r\n{chat}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {file['content_type']}\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def _open(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        raise refusal_of(error) from error
    except BROKEN as error:
        raise Ended from error
