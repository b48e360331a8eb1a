"""Files in chats: taken in by `store_attachment`, given out inert by `serve_attachment`, and swept away when nobody sent them."""

from .early import sweep_early
from .removal import remove_file, sweep_removals
from .serve import serve_attachment
from .store import store_attachment, sweep_unsent_uploads

__all__ = [
    "remove_file",
    "serve_attachment",
    "store_attachment",
    "sweep_early",
    "sweep_removals",
    "sweep_unsent_uploads",
]
