"""The revision under which static files are served: /static/<revision>/… may be cached for ever."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def static_revision(folders: Iterable[Path], versions: str) -> str:
    """Twelve hex digits over all files of the folders and the text `versions` (the packages that bring files too)."""
    digest = hashlib.sha256(versions.encode())
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                digest.update(f"\0{file.relative_to(folder)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
