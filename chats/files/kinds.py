"""Which files are taken, and how their bytes prove what they are. What is not in the table is refused.

Archives are left out on purpose: what is in them can be neither seen nor sniffed. So are SVG, HTML and XML, which can run.
"""

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

import puremagic
from django.utils.translation import gettext as _

from chats.errors import Invalid

from .names import extension_of

OFFICE = "application/vnd.openxmlformats-officedocument"
MAX_ENTRIES = 5000  # of a document that is a zip inside
MARKUP = re.compile(
    rb"<(?:!doctype|!--|\?xml|\?php|html|head|body|script|svg|iframe|meta|style|math|xml)", re.IGNORECASE
)
PDF_HEAD = re.compile(rb"%PDF-[12]\.\d")
TEXT_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"


class WrongKind(Invalid):
    """The kind of the file is none that is taken. Some doors say that in words of their own."""


@dataclass(frozen=True)
class Kind:
    """One kind of file. `relatives` are further names that puremagic gives to files of this kind."""

    content_type: str
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]
    relatives: tuple[str, ...] = field(default=())
    is_image: bool = False
    is_text: bool = False


def kind_of(data: bytes, name: str) -> Kind:
    """The kind that the bytes prove and the name claims. Raises WrongKind unless both agree."""
    found = [kind for kind in KINDS if kind.matches(data) and _second_opinion(data, kind)]
    extension = extension_of(name)
    for kind in found:
        if extension in kind.extensions:
            return kind
    if found and any(extension in kind.extensions for kind in KINDS):
        raise WrongKind(fields={"file": _("What is in this file is not what its name says.")})
    raise WrongKind(
        fields={"file": _("Files of this kind cannot be sent. Pictures, PDF, Office, text, audio and video can.")}
    )


def _second_opinion(data: bytes, kind: Kind) -> bool:
    """puremagic knows many more kinds than we take: if it recognizes others only, the file is one of those."""
    if kind.is_text:
        return True
    try:
        candidates = {match.extension.lstrip(".") for match in puremagic.magic_string(data)}
    except (puremagic.PureError, ValueError):
        return True
    return not candidates or bool(candidates & {*kind.extensions, *kind.relatives})


def _starts(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(heads)


def _riff(form: bytes) -> Callable[[bytes], bool]:
    return lambda data: data[:4] == b"RIFF" and data[8:12] == form


def _pdf(data: bytes) -> bool:
    # Readers search for the mark within the first kilobyte; a file that hides something before it is no PDF to us.
    return PDF_HEAD.match(data) is not None and b"%%EOF" in data[-2048:]


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    """An ISO base media file (ISO/IEC 14496-12, 4.3) of one of these major brands."""
    return lambda data: data[4:8] == b"ftyp" and data[8:12] in brands


def _mp3(data: bytes) -> bool:
    # ID3v2 tag, or a frame: eleven sync bits, layer III, neither bitrate nor sample rate reserved.
    return data[:3] == b"ID3" or (
        len(data) > 4
        and data[0] == 0xFF
        and data[1] & 0xE6 == 0xE2
        and data[2] & 0xF0 != 0xF0
        and data[2] & 0x0C != 0x0C
    )


def _webm(data: bytes) -> bool:
    return data[:4] == b"\x1a\x45\xdf\xa3" and b"webm" in data[:64]


def _text(data: bytes) -> bool:
    """Plain text in UTF-8, UTF-16 with its mark, or an old 8-bit set; nothing that a browser might take for a page."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            data = data.decode("utf-16").encode()
        except (UnicodeDecodeError, UnicodeEncodeError):
            return False
    if data.translate(None, TEXT_CONTROLS) != data:
        return False
    return not MARKUP.search(data[:4096])


def _office(part: str) -> Callable[[bytes], bool]:
    """An Office Open XML package (ECMA-376) with this main part and no macros."""

    def matches(data: bytes) -> bool:
        names = _zip_names(data)
        has_macros = any(name.lower().endswith("vbaproject.bin") for name in names)
        return part in names and "[Content_Types].xml" in names and not has_macros

    return matches


def _open_document(data: bytes) -> bool:
    """OpenDocument 1.2, part 3, 3.3: the type is the first file of the package, stored, at a fixed place."""
    return data[30:77] == b"mimetypeapplication/vnd.oasis.opendocument.text" and bool(_zip_names(data))


def _zip_names(data: bytes) -> set[str]:
    """The table of contents; nothing is unpacked. Empty for what is not a sound zip from its first byte on."""
    if data[:4] != b"PK\x03\x04":
        return set()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OverflowError):
        return set()
    return {entry.filename for entry in entries} if len(entries) <= MAX_ENTRIES else set()


MP4_BRANDS = (
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"dash",
    b"M4V ",
    b"MSNV",
    b"3gp4",
    b"3gp5",
)

KINDS = (
    Kind("image/jpeg", ("jpg", "jpeg", "jpe", "jfif"), _starts(b"\xff\xd8\xff"), is_image=True),
    Kind("image/png", ("png",), _starts(b"\x89PNG\r\n\x1a\n"), ("apng",), is_image=True),
    Kind("image/gif", ("gif",), _starts(b"GIF87a", b"GIF89a"), is_image=True),
    Kind("image/webp", ("webp",), _riff(b"WEBP"), is_image=True),
    Kind("application/pdf", ("pdf",), _pdf),
    Kind(f"{OFFICE}.wordprocessingml.document", ("docx",), _office("word/document.xml"), ("zip",)),
    Kind(f"{OFFICE}.spreadsheetml.sheet", ("xlsx",), _office("xl/workbook.xml"), ("docx", "zip")),
    Kind(f"{OFFICE}.presentationml.presentation", ("pptx",), _office("ppt/presentation.xml"), ("docx", "zip")),
    Kind("application/vnd.oasis.opendocument.text", ("odt",), _open_document, ("docx", "zip")),
    Kind("audio/mpeg", ("mp3",), _mp3, ("mpga", "mp2", "koz")),
    Kind("audio/mp4", ("m4a",), _brand(b"M4A ", b"M4B ", b"mp42", b"isom"), ("mp4", "m4b", "f4a", "m4v")),
    Kind("audio/ogg", ("ogg", "oga", "opus"), _starts(b"OggS"), ("ogv", "ogx")),
    Kind("audio/wav", ("wav",), _riff(b"WAVE")),
    Kind("video/mp4", ("mp4", "m4v"), _brand(*MP4_BRANDS), ("m4a", "3gp", "f4v", "mov")),
    Kind("video/webm", ("webm",), _webm, ("mkv", "mka")),
    Kind("text/csv", ("csv",), _text, is_text=True),
    Kind("text/plain", ("txt", "text", "log"), _text, is_text=True),
)
