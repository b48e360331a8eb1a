"""Files behind signed addresses: the right one to whoever has the address, nothing to anybody else."""

from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from chats.files.store import store_attachment
from chats.models import Attachment
from chats.protocols.expertflow.shapes import FILE_SIGNER, file_url
from contactcenter.models import Application, Registration
from tests.chats.api.world import png
from tests.chats.protocols.expertflow.conftest import ORIGIN, Page, is_error
from tests.conftest import make_held_chat

pytestmark = pytest.mark.django_db


def upload(talk, agent, name, data):
    return store_attachment(talk.row, talk.seat(agent), SimpleUploadedFile(name, data), timezone.now())


def sent(talk, agent, name="tea.png", data=None, **post):
    """The path of a file in a message."""
    file = upload(talk, agent, name, data or png())
    talk.answered(agent, "", attachment_ids=(file.pk,), **post)
    return urlsplit(file_url(str(file.pk))).path


@pytest.fixture
def talk(desk, ann):
    return desk.carried().held_by(ann)


def body(answer):
    return b"".join(answer.streaming_content)


@pytest.mark.both
def test_a_file_is_given_out_inert_with_the_type_that_was_sniffed(talk, ann):
    path = sent(talk, ann)
    answer = Page().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert body(answer).startswith(b"\x89PNG")
    small = Page().get(f"{path}?thumb=1")
    assert (small.status_code, small["Content-Type"]) == (200, "image/webp")
    note = Page().get(sent(talk, ann, "plain.txt", b"hello"))
    assert (note["Content-Type"], body(note)) == ("text/plain", b"hello")
    assert note["Content-Disposition"].startswith("attachment")
    for one in (answer, small, note):
        assert "sandbox" in one["Content-Security-Policy"]
        assert one["X-Content-Type-Options"] == "nosniff"
    assert is_error(Page().get(sent(talk, ann, "note.txt", b"hello") + "?thumb=1"), 404)
    assert Page().get("/legacy" + path + "/").status_code == 200
    assert Page().get(path, Origin=ORIGIN)["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Origin" not in Page().get(path, Origin="https://evil.example")


@pytest.mark.both
def test_only_what_customers_see_of_a_live_access_is_there(talk, desk, acme, ann, bob, now):
    path = sent(talk, ann)
    held = make_held_chat(acme, bob, now)
    native = store_attachment(held.chat, held.agent, SimpleUploadedFile("a.png", png()), now)
    of_nobody = [
        sent(talk, ann, is_note=True),
        urlsplit(file_url(str(upload(talk, ann, "unsent.png", png()).pk))).path,
        urlsplit(file_url(str(native.pk))).path,
        urlsplit(file_url(str(talk.row.pk))).path,
    ]
    for one in of_nobody:
        assert is_error(Page().get(one), 404)
    for model in (Registration, Application):
        rows = model.objects.filter(center=acme.center)
        rows.update(is_active=False)
        assert is_error(Page().get(path), 404)
        rows.update(is_active=True)
    assert Page().get(path).status_code == 200
    talk.closed_by(ann)
    assert Page().get(path).status_code == 200
    Attachment.objects.filter(chat=talk.row).delete()
    assert is_error(Page().get(path), 404)


def test_a_signature_that_is_not_ours_opens_nothing(talk, ann, settings):
    path = sent(talk, ann)
    token = path.rpartition("/")[2]
    file_id, _colon, signature = token.partition(":")
    forged = [
        file_id, signature, f"{file_id}:", f":{signature}", f"{file_id}:{signature[:-1]}", f"{file_id}:{signature}x", f"{file_id.upper()}:{signature}",
        signing.Signer(salt="another").sign(file_id),
        signing.Signer(salt=FILE_SIGNER, key="guess").sign(file_id), "%00", "%ff", "x" * 200, "..", "%2e%2e", f"{token}%00", f"%20{token}",
    ]  # fmt: skip
    for one in forged:
        assert is_error(Page().get(f"/api/customer/file/{one}"), 404), one
    settings.ANONYMOUS_RATE = 3
    assert [Page().get("/api/customer/file/x").status_code for _ in range(4)][-1] == 429
    assert Page().get(path).status_code == 200
