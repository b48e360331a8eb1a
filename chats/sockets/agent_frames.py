"""What an agent's client may send: each frame with its fields and the method that answers it (docs/realtime.md, "Agent socket")."""

from agents.models import Presence

from . import fields
from .fields import Field, optional, required

CHAT = {"chat": required(fields.uuid)}
STATUSES = fields.one_of(*Presence.Status.values)

FRAMES: dict[str, tuple[dict[str, Field], str]] = {
    "hello": (
        {
            "ticket": required(fields.text(200, 1)),
            "epoch": optional(fields.text(64), ""),
            "cursors": optional(fields.map_of(fields.uuid, fields.cursor, 500), {}),
        },
        "on_hello",
    ),
    "status": ({"status": required(STATUSES)}, "on_status"),
    "accept": ({"invitation": required(fields.uuid)}, "on_accept"),
    "decline": ({"invitation": required(fields.uuid)}, "on_decline"),
    "pick": (CHAT, "on_pick"),
    "post": (
        CHAT
        | {
            "client_id": required(fields.client_id),
            "text": optional(fields.text(60_000), ""),
            "attachments": optional(fields.list_of(fields.uuid, 10), ()),
            "note": optional(fields.boolean, False),
        },
        "on_post",
    ),
    "typing": (CHAT | {"active": required(fields.boolean)}, "on_typing"),
    "read": (CHAT | {"index": required(fields.cursor)}, "on_read"),
    "transfer": (
        CHAT
        | {
            "team": optional(fields.uuid),
            "agent": optional(fields.uuid),
            "note": optional(fields.text(60_000), ""),
        },
        "on_transfer",
    ),
    "invite": (CHAT | {"agent": required(fields.uuid)}, "on_invite"),
    "join": (CHAT, "on_join"),
    "refuse": (CHAT, "on_refuse"),
    "leave": (CHAT, "on_leave"),
    "assign": (CHAT | {"agent": required(fields.uuid)}, "on_assign"),
    "close": (
        CHAT | {"disposition": optional(fields.uuid), "comment": optional(fields.text(5_000), "")},
        "on_close",
    ),
    "reopen": (CHAT, "on_reopen"),
    "watch": (CHAT | {"after": optional(fields.cursor)}, "on_watch"),
    "unwatch": (CHAT, "on_unwatch"),
    "pong": ({"cursors": optional(fields.map_of(fields.uuid, fields.cursor, 500), {})}, "on_pong"),
}
