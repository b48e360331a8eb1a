"""What a sender may call a file: nothing that forges a header, a path or the direction of the text around it."""

import unicodedata

MAX_NAME = 200  # characters
UNSEEN = {
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Cn",
    "Zl",
    "Zp",
}  # controls, bidi and zero-width marks, lone surrogates, line separators
JOINERS = "\u200c\u200d"  # Persian, Hindi and emoji are spelled with them
RESERVED = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


def clean_name(name: str, fallback: str = "file") -> str:
    """The last part of a path without what cannot be seen, at most 200 characters, the extension kept."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(
        char
        for char in unicodedata.normalize("NFC", last)
        if char in JOINERS or unicodedata.category(char) not in UNSEEN
    )
    words = " ".join(seen.translate(RESERVED).split()).rstrip(". ")
    stem, dot, extension = words.rpartition(".")
    if not dot or len(extension) > 10:
        return words.strip(". ")[:MAX_NAME] or fallback
    return f"{(stem.strip('. ') or fallback)[: MAX_NAME - len(extension) - 1]}.{extension}"


def extension_of(name: str) -> str:
    """The part after the last dot, in lower case; empty when there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""
