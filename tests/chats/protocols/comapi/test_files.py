"""Files in messages: taken in as uploads are, given out behind signed addresses to whoever has one."""

from base64 import b64encode
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from chats.actions.post import Post, post_message
from chats.files.store import store_attachment
from chats.models import Attachment, Event, Participant
from chats.protocols.comapi.message_shapes import file_url
from tests.cases import cases
from tests.chats.api.world import png

from .test_messages import ANN, BOT, page, send

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def chat(space):
    return space.chat()["id"]


def coded(data):
    return b64encode(data).decode()


def parts(space, chat):
    return page(space, chat)["messages"][0]["parts"]


def fetched(space, url):
    parsed = urlsplit(url)
    answer = space.stranger.get(f"{parsed.path}?{parsed.query}" if parsed.query else parsed.path)
    return answer, b"".join(answer.streaming_content) if answer.status_code == 200 else b""


@cases(
    "said, kind",
    [({"from": BOT}, "bot"), ({"direction": "inbound"}, "customer"), ({"from": {"profileId": ANN}}, "agent")],
)
def test_a_file_is_kept_and_fetched_by_its_address(space, chat, ann, said, kind):
    space.held(chat, ann)
    picture = {"type": "image/png", "name": "tea.png", "data": coded(png()), "size": 1}
    send(space, chat, {"type": "text/plain", "data": "look"}, picture, **said)
    event = Event.objects.filter(chat_id=chat, type="message.posted").latest("position")
    assert (event.sender_kind, event.text, event.data["attachments"][0]["name"]) == (kind, "look", "tea.png")
    assert Attachment.objects.get().position == event.position
    words, file = parts(space, chat)
    assert (words["data"], file["name"], file["type"]) == ("look", "tea.png", "image/png")
    assert file.keys() == {"name", "type", "url", "size"}
    answer, data = fetched(space, file["url"])
    assert (answer.status_code, answer.headers["Content-Type"], len(data)) == (200, "image/png", file["size"])
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert fetched(space, file["url"] + "?thumb=1")[0].headers["Content-Type"] == "image/webp"


@cases(
    "part, name",
    [
        ({"type": "image/png", "data": "data:image/png;base64," + coded(png())}, "file.png"),
        ({"type": "image/png", "url": "data:image/png;base64," + coded(png())}, "file.png"),
        ({"type": "application/octet-stream", "data": coded(png())}, "file.png"),
        ({"type": "image/png", "name": "a/../b\u202egnp.png", "data": coded(png())}, "bgnp.png"),
        ({"type": "audio/ogg", "name": "voice", "data": coded(b"OggS" + bytes(40))}, "voice.ogg"),
        ({"type": "application/x", "data": "data:,plain%20words"}, "file.txt"),
    ],
)
def test_a_file_may_come_in_several_forms(space, chat, part, name):
    send(space, chat, part, **{"from": BOT})
    assert parts(space, chat)[0]["name"] == name


def test_a_message_with_one_bad_file_leaves_none(space, chat, settings):
    good = {"type": "image/png", "data": coded(png())}
    bad = {"type": "image/png", "name": "a.png", "data": coded(b"MZ\0\0 no picture")}
    refused = send(space, chat, good, bad, status=400, **{"from": BOT})
    assert refused["validationFailures"][0]["paramName"] == "parts"
    settings.ATTACHMENT_MAX_BYTES = 10
    send(space, chat, good, status=413, **{"from": BOT})
    assert not Attachment.objects.exists()


def test_what_an_agent_sends_at_the_desk_reaches_the_app(space, chat, ann):
    row = space.held(chat, ann)
    part = Participant.objects.get(chat=row, agent=ann)
    file = store_attachment(row, part, SimpleUploadedFile("plan.txt", b"the plan"), timezone.now())
    post_message(Post(row.pk, part.pk, "c", "", (file.pk,)), now=timezone.now())
    shown = parts(space.app("mia"), chat)
    assert [one["name"] for one in shown] == ["plan.txt"]
    assert fetched(space, shown[0]["url"])[1] == b"the plan"


def test_nothing_but_the_right_address_opens_a_file(space, other, chat, ann):
    row = space.held(chat, ann)
    part = Participant.objects.get(chat=row, agent=ann)
    note = store_attachment(row, part, SimpleUploadedFile("note.txt", b"secret"), timezone.now())
    url = urlsplit(file_url(space.registration, str(note.pk))).path
    assert space.stranger.get(url).status_code == 404  # not sent yet
    post_message(Post(row.pk, part.pk, "n", "psst", (note.pk,), is_note=True), now=timezone.now())
    assert space.stranger.get(url).status_code == 404
    send(space, chat, {"type": "image/png", "data": coded(png())}, **{"from": BOT})
    path = urlsplit(parts(space, chat)[0]["url"]).path
    assert other.stranger.get(path.replace(space.prefix, other.prefix)).status_code == 404
    wrong_salt = signing.Signer(salt="another").sign(str(Attachment.objects.latest("uploaded_at").pk))
    for token in (path.rpartition("/")[2][:-1], str(note.pk), wrong_salt, "x", "%00"):
        assert space.stranger.get(f"files/{token}").status_code == 404
    space.registration.is_active = False
    space.registration.save()
    assert space.stranger.get(path).status_code == 403
