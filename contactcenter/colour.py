"""Contrast of colours, by WCAG 2.2 (relative luminance and contrast ratio). Colours are #rrggbb."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

WHITE, DARK = "#ffffff", "#171c28"
READABLE = 4.5  # success criterion 1.4.3, text
VISIBLE = 3.0  # success criterion 1.4.11, controls


def luminance(colour: str) -> float:
    """0 (black) to 1 (white)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 (the same) to 21 (black on white)."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def text_on(colour: str) -> str:
    """White or our dark text, whichever reads better on it."""
    return max(WHITE, DARK, key=lambda text: contrast(colour, text))


def check_accent(colour: str) -> None:
    """Raises ValidationError when neither white nor dark text can be read on the colour."""
    best = contrast(colour, text_on(colour))
    if best < READABLE:
        raise ValidationError(
            _(
                "Neither white nor dark text is readable on this colour (contrast %(best).1f, 4.5 is needed). Take a darker or a lighter one."
            ),
            code="contrast",
            params={"best": best},
        )


def is_faint(colour: str) -> bool:
    """Whether a button of this colour is hard to find on a white page."""
    return contrast(colour, WHITE) < VISIBLE
