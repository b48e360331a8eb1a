"""A transcript as PDF: hands it to the press, which is another process."""

import json
import subprocess
import sys
import sysconfig
from dataclasses import asdict
from threading import BoundedSemaphore

import structlog
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from .reading import Transcript, beginning

SECONDS = 20
PRESSES = BoundedSemaphore(2)  # of this process; each may want a core and a gigabyte
WAIT_SECONDS = 20
MAX_CHARACTERS = 1_600_000  # about 500 pages, half of the deadline on a slow core
log = structlog.get_logger(__name__)


class PressFailed(Exception):
    """There is no PDF. The text and HTML versions need no press."""


def render_pdf(transcript: Transcript) -> bytes:
    """The PDF's bytes. Raises PressFailed: nobody must lose a transcript because it cannot be printed."""
    shown, is_cut = beginning(transcript, MAX_CHARACTERS)
    document = asdict(shown)
    if is_cut:
        with translation.override(transcript.language):
            document["labels"]["end"] = _("This chat is too long for paper. The text version has the rest.")
    if not PRESSES.acquire(timeout=WAIT_SECONDS):
        raise PressFailed("busy")
    try:
        return _print(json.dumps(document).encode())
    finally:
        PRESSES.release()


def _print(document: bytes) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "chats.transcripts.press"],
            input=document,
            capture_output=True,
            timeout=SECONDS,
            cwd=settings.BASE_DIR,
            # A bare environment: no passwords, no proxies, and the folder of our packages before anything else.
            env={"PYTHONPATH": str(settings.BASE_DIR), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "PATH": sysconfig.get_path("scripts")},
            check=False,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError) as error:
        log.warning("press_failed", why=type(error).__name__)
        raise PressFailed(type(error).__name__) from None
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        log.warning("press_failed", why=done.returncode, said=done.stderr[-1000:].decode(errors="replace"))
        raise PressFailed(f"exit {done.returncode}")
    return done.stdout
