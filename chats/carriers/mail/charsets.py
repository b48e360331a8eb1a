"""Bytes that somebody calls text. Senders name charsets that are wrong, unknown or none: something readable comes out of anything."""

import codecs

# What a label says and what its senders mean (as browsers read it: encoding.spec.whatwg.org, 4.2).
MEANT = {"us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252"}
MEANT |= {"gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift_jis": "cp932"}
MEANT |= {"iso-8859-8-i": "iso-8859-8", "iso-8859-9": "cp1254"}
# Python's own, not charsets; the first two take quadratic time.
NEVER = {
    "idna",
    "punycode",
    "undefined",
    "unicode_escape",
    "raw_unicode_escape",
    "unicode-escape",
    "raw-unicode-escape",
}


def decode(data: bytes, label: str | None) -> str:
    """Text as the label says, else as UTF-8, else as Western European; fit for the database."""
    wanted = str(label or "utf-8").strip().lower()
    for name in (MEANT.get(wanted, wanted), "utf-8", "cp1252"):
        try:
            if codecs.lookup(name).name not in NEVER:
                return clean(data.decode(name))
        except (LookupError, ValueError):  # unknown, no charset at all, or not what these bytes are
            continue
    return clean(data.decode("latin-1"))


def clean(text: str) -> str:
    """Without what no database keeps: NUL and lone surrogates; lines end in \\n."""
    kept = text.encode("utf-8", "replace").decode().replace("\0", "").removeprefix("\ufeff")
    return kept.replace("\r\n", "\n").replace("\r", "\n")
