"""What a text may be."""

from chats.errors import Invalid, TooLarge

MAX_TEXT = 10_000  # characters


def check_text(text: str) -> None:
    """Raises TooLarge, or Invalid for what no database or client can keep: NUL and lone surrogates. Nothing else is changed or refused."""
    if len(text) > MAX_TEXT:
        raise TooLarge(f"A message has at most {MAX_TEXT:,} characters.")
    if "\x00" in text:
        raise Invalid(fields={"text": "This text holds a character that cannot be stored."})
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid(fields={"text": "This text holds a character that cannot be stored."}) from None
