"""What remains of a chat by REST: files, transcripts, reports."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from chats.models import Attachment, Chat, TranscriptRequest
from tests.chats.api.conftest import as_agent, as_customer
from tests.chats.api.world import png
from tests.conftest import make_chat, make_held_chat


def upload(api, chat, name="p.png", data=None, kind="image/png"):
    file = SimpleUploadedFile(name, png() if data is None else data, kind)
    return api.client.post("/api/v1/attachments", {"chat": str(chat.pk), "file": file}, headers=api.headers)


@pytest.fixture
def talk(acme, ann, now):
    mia = as_customer(acme, now)
    mia.chat = make_held_chat(acme, ann, now, customer=mia.customer, text="Hello").chat
    return mia


def test_a_file_goes_into_a_message_and_is_given_to_both(talk, ann, bob):
    sent = upload(talk, talk.chat)
    assert sent.status_code == 201, sent.content
    body = sent.json()
    assert (body["name"], body["content_type"], body["width"]) == ("p.png", "image/png", 4)
    posted = talk.post(f"chats/{talk.chat.pk}/messages", {"client_id": "f", "attachments": [body["id"]]})
    assert posted.status_code == 201
    for api in (talk, as_agent(ann), as_agent(bob)):
        answer = api.get(body["url"])
        assert answer.status_code == 200
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert b"".join(answer.streaming_content).startswith(b"\x89PNG")
        assert api.get(f"{body['url']}?thumb=1", Accept="image/avif,*/*").status_code == 200


def test_a_file_of_a_private_note_is_not_the_customers(talk, ann):
    api = as_agent(ann)
    file = upload(api, talk.chat).json()
    assert talk.get(file["url"]).status_code == 404  # not sent yet
    api.post(f"chats/{talk.chat.pk}/messages", {"client_id": "n", "note": True, "attachments": [file["id"]]})
    assert talk.get(file["url"]).status_code == 404
    assert api.get(file["url"]).status_code == 200
    shown = upload(api, talk.chat).json()
    api.post(f"chats/{talk.chat.pk}/messages", {"client_id": "m", "attachments": [shown["id"]]})
    assert talk.get(shown["url"]).status_code == 200


def test_files_that_cannot_be_sent_are_refused(talk, settings):
    assert upload(talk, talk.chat, "x.svg", b"<svg/>", "image/svg+xml").status_code == 400
    assert upload(talk, talk.chat, "x.png", b"<html>", "image/png").status_code == 400
    assert upload(talk, talk.chat, "x.png", b"").status_code == 400
    settings.ATTACHMENT_MAX_BYTES = 10
    big = upload(talk, talk.chat)
    assert (big.status_code, big.json()["code"]) == (413, "too_large")
    missing = talk.client.post("/api/v1/attachments", {"chat": str(talk.chat.pk)}, headers=talk.headers)
    assert (missing.status_code, list(missing.json()["fields"])) == (400, ["file"])
    assert not Attachment.objects.exists()


def test_another_customers_file_is_not_found(acme, talk, now):
    file = upload(talk, talk.chat).json()
    other = as_customer(acme, now)
    assert other.get(file["url"]).status_code == 404
    assert upload(other, talk.chat).status_code == 404


def test_the_customers_transcript_waits_for_the_end_and_leaves_notes_out(talk, ann):
    api = as_agent(ann)
    api.post(f"chats/{talk.chat.pk}/messages", {"client_id": "n", "text": "SECRET-NOTE", "note": True})
    early = talk.get(f"chats/{talk.chat.pk}/transcript?format=text")
    assert (early.status_code, early.json()["code"]) == (409, "conflict")
    assert "SECRET-NOTE" in api.get(f"chats/{talk.chat.pk}/transcript?notes=1").content.decode()
    assert "SECRET-NOTE" not in api.get(f"chats/{talk.chat.pk}/transcript").content.decode()
    api.post(f"chats/{talk.chat.pk}/close")
    for form, kind in {"text": "text/plain", "html": "text/html", "pdf": "application/pdf"}.items():
        answer = talk.get(f"chats/{talk.chat.pk}/transcript?format={form}&notes=1", Accept="text/html")
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"].startswith(kind)
        assert b"SECRET-NOTE" not in answer.content
    assert "Hello" in talk.get(f"chats/{talk.chat.pk}/transcript").content.decode()
    assert talk.get(f"chats/{talk.chat.pk}/transcript?format=docx").status_code == 400


def test_a_transcript_is_asked_for_by_mail(talk, ann):
    path = f"chats/{talk.chat.pk}/transcript"
    assert talk.post(path, {"email": "mia@example.com", "language": "de"}).status_code == 202
    assert talk.post(path, {"email": "mia@example.com"}).status_code == 202
    asked = TranscriptRequest.objects.get()
    assert (asked.email, asked.language, asked.due_at) == ("mia@example.com", "de", None)
    assert as_agent(ann).post(path, {"email": "stranger@example.com"}).status_code == 403


def test_the_summary_counts(acme, ann, sue_api, now):
    first = make_held_chat(acme, ann, now, team=acme.sales).chat
    as_agent(ann).post(f"chats/{first.pk}/messages", {"client_id": "m", "text": "Hi"})
    as_agent(ann).post(f"chats/{first.pk}/close")
    Chat.objects.update(rating=4)
    make_chat(acme, now)
    body = sue_api.get("reports/summary").json()
    total = body["all"]
    assert (total["started"], total["closed"], total["accepted"], total["unanswered"]) == (2, 1, 1, 0)
    assert (total["ratings"], total["rating"], total["within_target"]) == (1, 4.0, 1)
    assert total["wait"]["average_seconds"] == 0.0
    assert {row["team"]["key"]: row["started"] for row in body["teams"]} == {"sales": 1, "support": 1}
    assert sue_api.get("reports/summary?team=sales").json()["all"]["started"] == 1
    past = (now - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    empty = sue_api.get(f"reports/summary?until={past}").json()
    assert empty["all"]["started"] == 0
    assert empty["all"]["wait"] == {"average_seconds": None, "median_seconds": None, "p90_seconds": None}
    assert sue_api.get("reports/summary?since=1970-01-01T00:00:00Z").status_code == 400


def test_pictures_are_given_inert_or_not_at_all(acme, ann, nobody):
    assert nobody.get(f"/avatars/{ann.pk}").status_code == 404
    ann.avatar.save("a.png", ContentFile(png()))
    acme.center.logo.save("l.html", ContentFile(b"<html>"))
    answer = nobody.get(f"/avatars/{ann.pk}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert nobody.get(f"pictures/centers/{acme.center.pk}").status_code == 404
    acme.center.logo.save("l.png", ContentFile(png()))
    url = nobody.get(f"widget/config?key={acme.channel.key}").json()["look"]["logo_url"]
    assert nobody.get(url).status_code == 200
