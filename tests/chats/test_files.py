"""Uploads are proven, drawn anew, bound to one chat, and served so that nothing in them runs."""

import io
import struct
import zipfile
import zlib
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from chats.errors import Closed, Forbidden, Invalid, NotFound, TooLarge, TooMany
from chats.files import images, serve_attachment, store_attachment, sweep_unsent_uploads
from chats.files.names import clean_name
from chats.files.store import UNSENT_LIMIT
from chats.models import Attachment, Chat
from contactcenter.models import WidgetSettings
from tests.cases import cases
from tests.conftest import make_chat

SECRET = b"onlyinthemetadata"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def started(acme, now):
    return make_chat(acme, now)


def upload(name, data):
    return SimpleUploadedFile(name, data, content_type="text/html")  # what the sender says is never believed


def picture(form, size=(60, 40), color=(200, 30, 30), mode="RGB", **options):
    out = io.BytesIO()
    Image.new(mode, size, color if mode == "RGB" else (*color, 128)).save(out, form, **options)
    return out.getvalue()


def office(part, *more, kind="[Content_Types].xml"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in (kind, part, *more):
            archive.writestr(name, "x" * 60)
    return out.getvalue()


def open_document():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "<x/>")
    return out.getvalue()


def box(brand):
    return struct.pack(">I", 24) + b"ftyp" + brand + b"\0\0\2\0" + brand + b"mp42" + b"\0" * 400


WEBM = (
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"
    + b"\0" * 300
)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"

TAKEN = {
    "a.jpg": (picture("JPEG"), "image/jpeg"),
    "a.png": (picture("PNG"), "image/png"),
    "a.gif": (picture("GIF"), "image/gif"),
    "a.webp": (picture("WEBP"), "image/webp"),
    "a.pdf": (PDF, "application/pdf"),
    "a.docx": (office("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "a.xlsx": (office("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "a.pptx": (
        office("ppt/presentation.xml"),
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    "a.odt": (open_document(), "application/vnd.oasis.opendocument.text"),
    "a.mp3": (b"ID3\x03\0\0\0\0\0\x0a" + b"\0" * 300, "audio/mpeg"),
    "b.mp3": (b"\xff\xfb\x90\x64" + b"\0" * 300, "audio/mpeg"),
    "a.m4a": (box(b"M4A "), "audio/mp4"),
    "a.ogg": (b"OggS\0\x02" + b"\0" * 300, "audio/ogg"),
    "a.wav": (b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 300, "audio/wav"),
    "a.mp4": (box(b"isom"), "video/mp4"),
    "b.mp4": (box(b"mp42"), "video/mp4"),
    "a.webm": (WEBM, "video/webm"),
    "a.txt": ("Grüße, مرحبا, 你好\n".encode(), "text/plain"),
    "b.txt": ("Grüße".encode("cp1252"), "text/plain"),
    "c.txt": ("你好".encode("utf-16"), "text/plain"),
    "a.csv": (b"name;price\nTea;3.20\n", "text/csv"),
}


@cases("name", TAKEN)
def test_what_the_table_names_is_taken_with_the_type_that_its_bytes_prove(name, started, now):
    data, content_type = TAKEN[name]
    kept = store_attachment(started.chat, started.participant, upload(name, data), now)
    kept.refresh_from_db()
    assert (kept.name, kept.content_type, kept.position) == (name, content_type, None)
    assert kept.file.size == kept.size > 0
    assert (kept.width, kept.height) == ((60, 40) if content_type.startswith("image/") else (None, None))
    assert name not in kept.file.name
    assert kept.center_id == started.chat.center_id


REFUSED = {
    "a.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "a.html": b"<!doctype html><script>alert(1)</script>",
    "a.xml": b'<?xml version="1.0"?><a/>',
    "page.txt": b"  <!DOCTYPE html><script>alert(1)</script>",
    "svg.csv": b'a,b\n<svg onload="alert(1)">',
    "svg.png": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "page.pdf": b"<html>%PDF-1.7 %%EOF",
    "cut.pdf": b"%PDF-1.7\n1 0 obj",
    "a.exe": b"MZ\x90\0" + b"\0" * 200,
    "exe.pdf": b"MZ\x90\0" + b"\0" * 200,
    "exe.txt": b"MZ\x90\0" + b"\0" * 200,
    "sh.sh": b"#!/bin/sh\nrm -rf /\n",
    "a.zip": office("a.txt"),
    "zip.docx": office("a.txt"),
    "macro.docx": office("word/document.xml", "word/vbaProject.bin"),
    "sheet.docx": office("xl/workbook.xml"),
    "front.docx": b"<html>" + office("word/document.xml"),
    "a.docm": office("word/document.xml"),
    "png.jpg": picture("PNG"),
    "jpg.pdf": picture("JPEG"),
    "none": picture("PNG"),
    "a.bmp": picture("BMP"),
    "a.tiff": picture("TIFF"),
    "a.jar": office("META-INF/MANIFEST.MF"),
    "binary.txt": b"a\0b\x01",
    "avi.wav": b"RIFF\x24\0\0\0AVI LIST" + b"\0" * 60,
    "mkv.webm": b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska" + b"\0" * 60,
    "torn.png": picture("PNG")[:60],
    "torn.jpg": picture("JPEG", (400, 400))[:300],
    "torn.gif": b"GIF89a\xff\xff\xff\xff",
    "torn.webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "empty.txt": b"",
    "empty.png": b"",
}


@cases("name", REFUSED)
def test_everything_else_is_refused_and_leaves_nothing(name, started, now, media, figures):
    with pytest.raises(Invalid) as refusal:
        store_attachment(started.chat, started.participant, upload(name, REFUSED[name]), now)
    figures.count("forbidden files taken", found=Attachment.objects.count())
    assert refusal.value.as_dict()["code"] == "invalid"
    assert refusal.value.fields["file"]
    assert not Attachment.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_page_behind_a_picture_is_gone_after_redrawing(started, now):
    for form, name in (("GIF", "a.gif"), ("PNG", "a.png"), ("JPEG", "a.jpg"), ("WEBP", "a.webp")):
        data = picture(form) + b"<script>alert(1)</script>" + office("META-INF/MANIFEST.MF")
        kept = store_attachment(started.chat, started.participant, upload(name, data), now)
        stored = kept.file.read()
        assert b"<script>" not in stored
        assert b"PK\x03\x04" not in stored


def test_metadata_is_dropped_and_the_picture_stands_upright(started, now):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    kept = store_attachment(
        started.chat, started.participant, upload("a.jpg", picture("JPEG", (60, 40), exif=exif, comment=SECRET)), now
    )
    stored = kept.file.read()
    assert SECRET not in stored
    assert (kept.width, kept.height) == (40, 60)
    again = Image.open(io.BytesIO(stored))
    assert again.size == (40, 60)
    assert not again.getexif()


def test_comments_of_png_gif_and_webp_are_dropped(started, now):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SECRET.decode())
    notes.add_text("Long", SECRET.decode() * 50, zip=False)
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    pictures = {
        "a.png": picture("PNG", pnginfo=notes, exif=exif),
        "a.gif": picture("GIF", comment=SECRET),
        "a.webp": picture("WEBP", exif=exif, xmp=SECRET),
    }
    for name, data in pictures.items():
        assert SECRET in data
        kept = store_attachment(started.chat, started.participant, upload(name, data), now)
        assert SECRET not in kept.file.read()
        assert SECRET not in kept.thumbnail.read()


def png_bomb(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@cases("size", [(50_000, 50_000), (8000, 8000), (1, 60_000_000)])
def test_a_bomb_is_refused_before_it_is_unpacked(size, started, now):
    with pytest.raises(TooLarge):
        store_attachment(started.chat, started.participant, upload("a.png", png_bomb(*size)), now)


def test_a_large_photo_is_made_smaller(started, now):
    kept = store_attachment(started.chat, started.participant, upload("a.jpg", picture("JPEG", (9000, 6000))), now)
    assert (kept.width, kept.height) == (4096, 2731)
    assert max(Image.open(kept.thumbnail).size) == 480


def test_a_thumbnail_keeps_what_is_see_through(started, now):
    kept = store_attachment(
        started.chat, started.participant, upload("a.png", picture("PNG", (900, 300), mode="RGBA")), now
    )
    small = Image.open(kept.thumbnail)
    assert (small.format, small.size, small.mode) == ("WEBP", (480, 160), "RGBA")


def moving(form, frames, size=(40, 30)):
    out = io.BytesIO()
    pictures = [Image.new("RGB", size, (number * 50 % 250, 0, 0)) for number in range(frames)]
    pictures[0].save(out, form, save_all=True, append_images=pictures[1:], duration=50, loop=0)
    return out.getvalue()


@cases(("form", "name"), [("GIF", "a.gif"), ("WEBP", "a.webp")])
def test_a_moving_picture_still_moves(form, name, started, now):
    kept = store_attachment(started.chat, started.participant, upload(name, moving(form, 5)), now)
    again = Image.open(kept.file)
    assert again.n_frames == 5
    assert again.size == (40, 30)


def test_what_moves_too_much_stands_still(started, now, monkeypatch):
    monkeypatch.setattr(images, "MAX_MOVING_PIXELS", 5000)
    kept = store_attachment(started.chat, started.participant, upload("a.gif", moving("GIF", 5)), now)
    assert getattr(Image.open(kept.file), "n_frames", 1) == 1


def test_the_limit_is_counted_while_reading_not_believed(started, now, settings):
    settings.ATTACHMENT_MAX_BYTES = 100_000
    liar = upload("a.txt", b"x" * 100_001)
    liar.size = 5
    with pytest.raises(TooLarge) as refusal:
        store_attachment(started.chat, started.participant, liar, now)
    assert refusal.value.code == "too_large"
    assert store_attachment(started.chat, started.participant, upload("a.txt", b"x" * 100_000), now).size == 100_000


def test_the_limit_is_twenty_megabytes(settings):
    assert settings.ATTACHMENT_MAX_BYTES == 20 * 1024 * 1024


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\mia\\photo.png", "photo.png"),
        ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie_ x=1.txt"),
        ("invoice\u202efdp.exe.txt", "invoicefdp.exe.txt"),
        ("\u2066x\u2069\u200b\ufeff.txt", "x.txt"),
        ("a\0b\x1b[31m.txt", "ab[31m.txt"),
        ("   .txt  ", "file.txt"),
        ("...", "file"),
        ("", "file"),
        ("تقرير شهري.pdf", "تقرير شهري.pdf"),
        ("रिपोर्ट \u200d报告 👍🏽.pdf", "रिपोर्ट \u200d报告 👍🏽.pdf"),
        ('"quoted"<b>.txt', "_quoted__b_.txt"),
        ("a\ud800b.txt", "ab.txt"),
    ],
)
def test_names_are_cleaned(given, kept):
    assert clean_name(given) == kept


def test_a_long_name_keeps_its_extension():
    name = clean_name("x" * 300 + ".PDF")
    assert len(name) == 200
    assert name.endswith("x.PDF")
    assert len(clean_name("x" * 300 + "." + "y" * 300)) == 200


def test_only_a_participant_of_an_open_chat_may_upload(acme, globex, started, now):
    other = make_chat(acme, now)
    foreign = make_chat(globex, now)
    for stranger in (other.participant, foreign.participant):
        with pytest.raises(NotFound):
            store_attachment(started.chat, stranger, upload("a.txt", b"hi"), now)
    Chat.objects.filter(pk=started.chat.pk).update(state="closed", closed_at=now)
    started.chat.refresh_from_db()
    with pytest.raises(Closed):
        store_attachment(started.chat, started.participant, upload("a.txt", b"hi"), now)


def test_a_center_can_switch_uploads_off_for_customers(acme, started, now):
    WidgetSettings.objects.create(center=acme.center, channel=acme.channel, uploads=False)
    with pytest.raises(Forbidden):
        store_attachment(started.chat, started.participant, upload("a.txt", b"hi"), now)


def test_unsent_uploads_are_limited(started, now):
    for _ in range(UNSENT_LIMIT):
        store_attachment(started.chat, started.participant, upload("a.txt", b"hi"), now)
    with pytest.raises(TooMany):
        store_attachment(started.chat, started.participant, upload("a.txt", b"hi"), now)
    Attachment.objects.update(position=1)
    store_attachment(started.chat, started.participant, upload("a.txt", b"hi"), now)


INERT = ("application/octet-stream", "image/gif", "image/jpeg", "image/png", "image/webp")


def body_of(response):
    return b"".join(response.streaming_content)


@cases("name", TAKEN)
def test_every_kind_is_served_inert(name, started, now, figures):
    data, content_type = TAKEN[name]
    kept = store_attachment(started.chat, started.participant, upload(name, data), now)
    response = serve_attachment(kept)
    is_image = content_type.startswith("image/")
    figures.count("kinds of file served active", found=response["Content-Type"] not in INERT)
    assert response["Content-Type"] == (content_type if is_image else "application/octet-stream")
    assert response["Content-Disposition"].startswith("inline" if is_image else "attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "private, no-store"
    body = body_of(response)
    assert int(response["Content-Length"]) == len(body) == kept.size
    if not is_image:
        assert body == data


@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "x.xhtml", "a.js"])
def test_a_name_never_decides_the_type(name, started, now):
    kept = store_attachment(started.chat, started.participant, upload("a.txt", b"hi"), now)
    kept.name, kept.content_type = name, "text/html"  # as if the table had been tampered with
    response = serve_attachment(kept)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    response.close()


def test_foreign_names_travel_safely(started, now):
    kept = store_attachment(started.chat, started.participant, upload('تقرير "1".pdf', PDF), now)
    response = serve_attachment(kept)
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%D8%AA")
    assert "\n" not in response["Content-Disposition"]
    response.close()


def test_a_thumbnail_is_our_own_small_picture(started, now):
    kept = store_attachment(started.chat, started.participant, upload("a.jpg", picture("JPEG", (900, 600))), now)
    response = serve_attachment(kept, thumb=True)
    assert response["Content-Type"] == "image/webp"
    assert response["Content-Disposition"] == 'inline; filename="a.webp"'
    assert Image.open(io.BytesIO(body_of(response))).size == (480, 320)


def test_what_is_not_there_is_not_found(started, now):
    text = store_attachment(started.chat, started.participant, upload("a.txt", b"hi"), now)
    with pytest.raises(NotFound):
        serve_attachment(text, thumb=True)
    text.file.storage.delete(text.file.name)
    with pytest.raises(NotFound):
        serve_attachment(text)


def test_the_sweep_takes_only_what_was_never_sent_for_a_day(started, now, media):
    day = timedelta(days=1, seconds=1)
    old = store_attachment(started.chat, started.participant, upload("old.png", picture("PNG")), now - day)
    sent = store_attachment(started.chat, started.participant, upload("sent.txt", b"hi"), now - day)
    Attachment.objects.filter(pk=sent.pk).update(position=3)
    new = store_attachment(started.chat, started.participant, upload("new.txt", b"hi"), now)
    assert sweep_unsent_uploads(now) == 1
    assert sweep_unsent_uploads(now) == 0
    assert set(Attachment.objects.values_list("pk", flat=True)) == {sent.pk, new.pk}
    assert not (media / old.file.name).exists()
    assert not (media / old.thumbnail.name).exists()
    assert sum(1 for path in media.rglob("*") if path.is_file()) == 2
