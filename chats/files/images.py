"""Pictures are drawn anew: what is served is our own encoding of the pixels, without places, cameras, comments or passengers."""

import io
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from chats.errors import Invalid, TooLarge

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
MAX_PIXELS = 50_000_000  # decoded at once: 200 MB
MAX_DRAFT_PIXELS = 250_000_000  # a JPEG can be decoded at an eighth of its size
MAX_SIDE = 4096  # larger ones are made smaller
MAX_FRAMES = 300
MAX_MOVING_PIXELS = 60_000_000  # over all frames; what moves more than that stands still
THUMBNAIL = 480
THUMBNAIL_TYPE = "image/webp"
ONE_AT_A_TIME = threading.Semaphore(2)  # eight threads with a large picture each would need gigabytes


@dataclass(frozen=True)
class Picture:
    """Our encoding, the size in pixels as shown, and a small WebP of it."""

    data: bytes
    width: int
    height: int
    thumbnail: bytes


def redraw(data: bytes, content_type: str) -> Picture:
    """Decode, turn upright, shrink and encode again. Raises Invalid or TooLarge."""
    with ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # Pillow's own limit warns before ours refuses; broken metadata is dropped anyway
        try:
            with Image.open(io.BytesIO(data), formats=[FORMATS[content_type]]) as image:
                return _redraw(image, FORMATS[content_type])
        except Image.DecompressionBombError:
            raise TooLarge(_("This picture has too many pixels.")) from None
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, ArithmeticError, MemoryError, RuntimeError):  # fmt: skip
            # Pillow's decoders raise all of these on broken input.
            raise Invalid(fields={"file": _("This picture cannot be read.")}) from None


def _redraw(image: Image.Image, form: str) -> Picture:
    pixels = image.width * image.height
    if pixels > (MAX_DRAFT_PIXELS if form == "JPEG" else MAX_PIXELS):
        raise TooLarge(_("This picture has too many pixels."))
    if form == "JPEG":
        scale = min(1, MAX_SIDE / max(image.size))
        image.draft("RGB", (int(image.width * scale), int(image.height * scale)))
        if image.width * image.height > MAX_PIXELS:
            raise TooLarge(_("This picture has too many pixels."))
    frames = min(getattr(image, "n_frames", 1), MAX_FRAMES) if form in ("GIF", "WEBP") else 1
    if frames > 1 and pixels * frames <= MAX_MOVING_PIXELS:
        return _redraw_moving(image, form, frames)
    still = _clean(image)
    return Picture(_encode(still, form), still.width, still.height, _thumbnail(still))


def _redraw_moving(image: Image.Image, form: str, frames: int) -> Picture:
    pictures: list[Image.Image] = []
    durations: list[int] = []
    for number, frame in enumerate(ImageSequence.Iterator(image)):
        if number == frames:
            break
        durations.append(max(20, int(frame.info.get("duration") or 100)))
        pictures.append(_plain(frame.convert("RGBA")))
    out = io.BytesIO()
    options = {"quality": 80, "method": 2} if form == "WEBP" else {"disposal": 2}
    pictures[0].save(out, form, save_all=True, append_images=pictures[1:], duration=durations, loop=0, **options)
    return Picture(out.getvalue(), image.width, image.height, _thumbnail(pictures[0]))


def _clean(image: Image.Image) -> Image.Image:
    """The pixels alone, upright, at most MAX_SIDE, in a mode that all our formats have."""
    image.load()
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    upright = ImageOps.exif_transpose(image).convert("RGBA" if has_alpha else "RGB")
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    return _plain(upright)


def _plain(image: Image.Image) -> Image.Image:
    """Without `info`: encoders copy comments, profiles and text from there."""
    image.info = {}
    return image


def _encode(image: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    ENCODERS[form](image, out)
    return out.getvalue()


def _encode_jpeg(image: Image.Image, out: io.BytesIO) -> None:
    image.convert("RGB").save(out, "JPEG", quality=88, optimize=True, progressive=True)


ENCODERS: dict[str, Callable[[Image.Image, io.BytesIO], None]] = {
    "JPEG": _encode_jpeg,
    "PNG": lambda image, out: image.save(out, "PNG"),
    "GIF": lambda image, out: image.save(out, "GIF"),
    "WEBP": lambda image, out: image.save(out, "WEBP", quality=88, method=3),
}


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return _encode(small, "WEBP")
