"""The wrong clocks of a run's processes: for each a file of eight bytes that says by how many seconds, read by clock/sitecustomize.py."""

import struct
from pathlib import Path

SHIM = Path(__file__).parent / "clock"


class Clocks:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self, name: str) -> dict[str, str]:
        """What a process of this name is to be started with. One that is started again has the clock of the one before it."""
        if not self._file(name).exists():
            self.set(name, 0.0)
        return {"PYTHONPATH": str(SHIM), "FAULTS_CLOCK": str(self._file(name))}

    def set(self, name: str, seconds: float) -> None:
        """`seconds` ahead of the right time, or behind it."""
        with self._file(name).open("r+b" if self._file(name).exists() else "wb") as stream:
            stream.write(struct.pack("d", seconds))

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.clock"
