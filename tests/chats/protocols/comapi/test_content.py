"""Files that apps put there before the message: whose they are, what becomes of them, and when they go."""

from base64 import b64encode
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from chats.files import sweep_early
from chats.files.early import ROOT
from chats.files.store import UNSENT_LIFE, UNSENT_LIMIT
from chats.models import Attachment, Chat, Event
from contactcenter.edge import Limits
from tests.cases import cases
from tests.chats.api.world import png

from .conftest import TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def coded(data):
    return b64encode(data).decode()


def put(app, data=None, name="tea.png", kind="image/png", status=200):
    answer = app.post("content", {"data": coded(png() if data is None else data), "name": name, "type": kind})
    assert answer.status_code == status, answer.content
    return answer.json()


def send(app, *parts, status=200):
    answer = app.post(f"conversations/{TEAM}_mia/messages", {"parts": list(parts)})
    assert answer.status_code == status, answer.content
    return answer.json()


def kept(media):
    return [one for one in (media / ROOT).rglob("*") if one.is_file()]


def said():
    return Event.objects.filter(type="message.posted").latest("chat__started_at", "position")


def test_a_file_is_put_there_before_the_first_message_and_becomes_its_attachment(space, media):
    app = space.app("mia")
    form = {"file": SimpleUploadedFile("tea.png", png(), "image/png")}
    headers = {"HTTP_AUTHORIZATION": f"Bearer {app.token}"}
    answer = app.client.post(f"{app.prefix}/content?folder=tea", form, **headers)
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["type"], shown["size"], shown["folder"]) == ("image/png", len(png()), "tea")
    path = urlsplit(shown["url"]).path
    assert space.stranger.get(path).status_code == 404
    assert not Chat.objects.exists()

    send(app, {"type": "text/plain", "data": "look"}, {"type": "image/png", "url": shown["url"], "size": 5})
    (file,) = said().data["attachments"]
    assert (file["id"], file["content_type"], said().data.get("links", [])) == (shown["id"], "image/png", [])
    _words, part = app.get(f"conversations/{TEAM}_mia/messages", limit=1).json()["messages"][0]["parts"]
    for url in (path, urlsplit(part["url"]).path):
        assert space.stranger.get(url).headers["Content-Type"] == "image/png"
    assert kept(media) == []
    # Once more it is an address like any other, and it opens the file still.
    send(app, {"type": "image/png", "url": shown["url"]})
    assert [one["url"] for one in said().data["links"]] == [shown["url"]]
    assert Attachment.objects.count() == 1


@cases(
    "name, kind, data",
    [
        ("a.png", "image/png", b"no picture"),
        ("a.exe", "x/y", b"MZ\0\0"),
        ("a.txt", "text/plain", b""),
        ("a", "", b"<html>"),
    ],
)
def test_odd_files_are_refused_at_once(space, media, name, kind, data):
    put(space.app("mia"), data, name, kind, status=400)
    assert kept(media) == []


def test_odd_bodies_are_refused(space, settings):
    app = space.app("mia")
    for body in ({}, {"data": 5}, {"data": "%%%"}, [], {"data": coded(png()), "name": "x" * 201}, b"{", {"data": "\0"}):
        assert app.post("content", body).status_code == 400
    assert app.call("POST", "content?folder=" + "x" * 201, {"data": coded(png())}).status_code == 400
    settings.ATTACHMENT_MAX_BYTES = 10
    put(app, status=413)
    assert space.post("content", {"data": coded(png())}).status_code == 403
    assert space.stranger.post("content", {"data": coded(png())}).status_code == 401


def test_a_file_is_its_owners_alone(space, media):
    tom = space.app("tom")
    url = put(tom)["url"]
    send(space.app("mia"), {"type": "image/png", "url": url})
    assert [one["url"] for one in said().data["links"]] == [url]
    assert (Attachment.objects.count(), len(kept(media))) == (0, 1)
    assert space.stranger.get(urlsplit(url).path).status_code == 404


def test_what_is_refused_with_its_message_can_be_sent_again(space, media):
    app = space.app("mia")
    first = put(app)
    bad = {"type": "image/png", "name": "a.png", "data": coded(b"MZ\0\0 no picture")}
    send(app, {"type": "image/png", "url": first["url"]}, bad, status=400)
    assert (Attachment.objects.count(), len(kept(media))) == (0, 1)
    send(app, {"type": "image/png", "name": "cup.png", "url": first["url"]})
    assert (Attachment.objects.get().name, kept(media)) == ("cup.png", [])


def test_nobody_hoards_and_what_is_not_sent_goes(space, media):
    app = space.app("mia")
    for _ in range(UNSENT_LIMIT):
        put(app, b"words", "a.txt", "text/plain")
    put(app, status=429)
    now = timezone.now()
    assert sweep_early(now) == 0
    assert sweep_early(now + UNSENT_LIFE + timedelta(minutes=1), limit=5) == 5
    assert sweep_early(now + UNSENT_LIFE + timedelta(minutes=1)) == UNSENT_LIMIT - 5
    assert kept(media) == []


@cases(
    "path, kind, is_large",
    [
        ("/apispaces/a-b/content", b"multipart/form-data; boundary=x", True),
        ("/cpaas/content", b"multipart/form-data; boundary=x", True),
        ("/apispaces/a-b/content", b"application/json", False),
        ("/apispaces/a-b/chats", b"multipart/form-data; boundary=x", False),
    ],
)
def test_the_edge_takes_large_forms_there_alone(path, kind, is_large):
    limits = Limits()
    assert limits.body_limit(path, [(b"content-type", kind)]) == (limits.upload if is_large else limits.body)
