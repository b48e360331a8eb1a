"""Files over HyperChat: sent as messages, listed, given out."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from chats.actions.close import close_chat
from chats.actions.post import Post, post_message
from chats.files.store import store_attachment
from chats.models import Attachment, Chat, Event
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import Hyper, is_error
from tests.conftest import online

pytestmark = pytest.mark.django_db

TEXT = b"just words"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def talk(direct, ann, now):
    user = direct.user()
    return direct.held_chat(online(ann, now), user.foreign), user


def file(name="note.txt", data=TEXT):
    return SimpleUploadedFile(name, data, content_type="text/html")


def picture():
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def send(caller, chat, user_id, sent=None):
    return caller.upload("media/", chatId=str(chat.pk), senderId=str(user_id), media=sent or file())


def read_bytes(answer):
    return b"".join(answer.streaming_content)


@pytest.mark.both
def test_a_file_is_sent_as_a_message_of_its_own(direct, talk):
    chat = talk[0]
    answer = send(direct.server, chat, chat.customer_id)
    kept = Attachment.objects.get()
    assert answer.json() == {
        "media": {"id": str(kept.pk), "name": "note.txt", "size": len(TEXT), "senderId": str(chat.customer_id)}
    }
    message = direct.server.get(f"chats/{chat.pk}/messages").json()["messages"][-1]
    assert (message["type"], message["sender"]) == ("media", str(chat.customer_id))
    assert message["message"] == {
        "url": f"/media/{kept.pk}",
        "type": "text/plain",
        "name": "note.txt",
        "size": len(TEXT),
    }


def test_the_agent_sends_files_too_also_with_its_token(direct, talk, ann):
    chat = talk[0]
    assert send(direct.server, chat, ann.pk).json()["media"]["senderId"] == str(ann.pk)
    answer = direct.as_agent(ann).upload("media", chatId=str(chat.pk), media=file())
    assert answer.json()["media"]["senderId"] == str(ann.pk)


@cases(
    ("name", "data"),
    [
        ("a.exe", b"MZ\x90\x00"),
        ("a.html", b"<html><script>"),
        ("a.svg", b"<svg xmlns='x'/>"),
        ("a.png", b"no picture"),
        ("a", TEXT),
        ("a.zip", b"PK\x03\x04"),
    ],
)
def test_a_kind_that_is_not_taken_is_refused_in_their_words(direct, talk, name, data):
    chat = talk[0]
    answer = send(direct.server, chat, chat.customer_id, file(name, data))
    assert is_error(answer, 403)
    assert answer.json()["error"]["message"] == "File type is not allowed"
    assert not Attachment.objects.exists()


def test_an_empty_or_too_large_file_is_refused(direct, talk, settings):
    settings.ATTACHMENT_MAX_BYTES = 5
    chat = talk[0]
    assert is_error(send(direct.server, chat, chat.customer_id, file(data=b"")), 400)
    assert is_error(send(direct.server, chat, chat.customer_id), 413)
    assert not Attachment.objects.exists()


def test_a_closed_chat_takes_no_file(direct, talk, now):
    chat = talk[0]
    close_chat(Chat.objects, chat.pk, reason="done", now=now)
    assert is_error(send(direct.server, chat, chat.customer_id), 409)


def test_who_is_not_in_the_chat_sends_nothing(direct, talk, bob, foreign, queued):
    chat, user = talk
    other = direct.chat()
    assert is_error(send(direct.server, chat, bob.pk), 403)
    assert is_error(send(direct.server, chat, other.customer_id), 403)
    assert is_error(send(direct.server, chat, foreign.user().foreign.customer_id), 404)
    assert is_error(send(direct.server, queued.chat(), chat.customer_id), 404)
    assert is_error(send(direct.as_user(user.token), other, user.foreign.customer_id), 404)
    assert is_error(send(direct.as_user(user.token), chat, bob.pk), 403)
    assert is_error(send(direct.page, chat, chat.customer_id), 403)
    assert not Attachment.objects.exists()


def test_an_agent_that_gave_the_chat_back_sends_nothing(direct, talk, ann):
    chat = talk[0]
    direct.server.put(f"chats/{chat.pk}/leave", {"userId": str(ann.pk)})
    assert is_error(send(direct.server, chat, ann.pk), 403)
    assert not Attachment.objects.exists()


# Given out ------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_bytes_come_with_the_type_that_they_proved_and_inert(direct, talk):
    chat = talk[0]
    path = "media/" + send(direct.server, chat, chat.customer_id).json()["media"]["id"]
    answer = direct.server.get(path)
    assert read_bytes(answer) == TEXT
    assert answer["Content-Type"] == "text/plain"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")


def test_a_picture_is_shown_where_a_page_asks_for_pictures_alone(direct, talk):
    chat = talk[0]
    path = "media/" + send(direct.server, chat, chat.customer_id, file("a.png", picture())).json()["media"]["id"]
    answer = direct.server.get(path, Accept="image/avif,image/webp,image/png")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Content-Disposition"].startswith("inline")
    assert read_bytes(answer).startswith(b"\x89PNG")


def test_the_keys_may_stand_in_the_query(direct, talk):
    chat, user = talk
    path = "media/" + send(direct.server, chat, chat.customer_id).json()["media"]["id"]
    nobody = Hyper()
    assert read_bytes(nobody.get(f"{path}?appId={direct.app_id}&secret={direct.secret}")) == TEXT
    assert read_bytes(nobody.get(f"{path}?appId={direct.app_id}&token={user.token}")) == TEXT
    assert is_error(nobody.get(f"{path}?appId={direct.app_id}"), 403)
    assert is_error(nobody.get(f"{path}?appId={direct.app_id}&secret=wrong"), 401)
    assert is_error(nobody.get(path), 401)


def test_files_of_notes_and_unsent_ones_are_not_found(direct, talk, ann, now):
    chat = talk[0]
    seat = chat.participants.get(agent=ann)
    noted, unsent = [store_attachment(chat, seat, file(), now) for _ in range(2)]
    post_message(Post(chat.pk, seat.pk, "n", "see", (noted.pk,), is_note=True), now=now)
    for one in (noted, unsent):
        assert is_error(direct.server.get(f"media/{one.pk}"), 404)
    assert direct.server.get("media").json() == {"media": []}


def test_another_applications_files_are_not_found(direct, queued, foreign, talk):
    theirs = []
    for place in (queued, foreign):
        chat = place.chat()
        theirs.append(send(place.server, chat, chat.customer_id).json()["media"]["id"])
    for file_id in [*theirs, "x", "%00", "0" * 32, "a" * 100]:
        assert is_error(direct.server.get(f"media/{file_id}"), 404)
        assert is_error(direct.as_user(talk[1].token).get(f"media/{file_id}"), 404)


def test_a_customer_reads_files_of_its_own_chat_alone(direct, talk, ann):
    chat, user = talk
    path = "media/" + send(direct.server, chat, ann.pk).json()["media"]["id"]
    assert read_bytes(direct.as_user(user.token).get(path)) == TEXT
    assert is_error(direct.as_user(direct.user().token).get(path), 404)


def test_files_are_listed_newest_first(direct, talk, ann):
    chat = talk[0]
    other = direct.chat()
    first = send(direct.server, chat, chat.customer_id, file("1.txt")).json()["media"]
    second = send(direct.server, chat, ann.pk, file("2.txt")).json()["media"]
    third = send(direct.server, other, other.customer_id, file("3.txt")).json()["media"]

    def listed(query=""):
        return direct.server.get(f"media/?{query}").json()["media"]

    assert listed() == [third, second, first]
    assert listed(f"chatId={chat.pk}") == [second, first]
    assert listed("limit=1&page=2") == [second]
    assert listed("chatId=x") == []


# Odd uploads ----------------------------------------------------------------------------------------------------------


@cases(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=é",
        "multipart/form-data; boundary=b",
        "application/json",
        "text/plain",
        "",
    ],
)
def test_an_upload_that_is_none_is_refused(direct, talk, kind):
    caller = direct.server
    for body in (b"", b"--x", b"--b\r\n\r\n", b"\xff\xfe", b"{}", b'{"chatId":"x","media":"y"}'):
        answer = caller.client.generic("POST", "/v1/media", body, content_type=kind, headers=caller.headers)
        assert is_error(answer, 400), body
    assert not Attachment.objects.exists()


@cases("odd", [{"chatId": ""}, {"chatId": "a\0b"}, {"senderId": "a\0b"}, {"media": "text"}, {"senderId": "x" * 101}])
def test_an_upload_with_odd_parts_is_refused(direct, talk, odd):
    chat = talk[0]
    parts = {"chatId": str(chat.pk), "senderId": str(chat.customer_id), "media": file(), **odd}
    assert is_error(direct.server.upload("media", **parts), 400)
    assert not Attachment.objects.exists()


def test_the_name_of_a_file_forges_nothing(direct, talk):
    chat = talk[0]
    sent = send(direct.server, chat, chat.customer_id, file("..\\..\\a\u202e;.txt")).json()["media"]
    answer = direct.server.get(f"media/{sent['id']}")
    assert "\n" not in answer["Content-Disposition"]
    assert "\u202e" not in sent["name"]
    assert "/" not in sent["name"]


def test_trap_6_reads_with_an_old_upload_as_their_body_are_harmless(direct, talk):
    """After one upload their PHP library sends the old multipart body with everything."""
    chat = talk[0]
    sent = send(direct.server, chat, chat.customer_id).json()["media"]
    body = b"--b\r\nContent-Disposition: form-data; name=chatId\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=media; filename=a.txt\r\n\r\nwords\r\n--b--\r\n"
    before = (Event.objects.count(), Attachment.objects.count())
    caller = direct.server
    for path in (
        *(
            "chats",
            f"chats/{chat.pk}",
            f"chats/{chat.pk}/messages",
            f"chats/{chat.pk}/history",
            f"chats/{chat.pk}/users",
        ),
        *(f"chats/{chat.pk}/assign", "media", f"media/{sent['id']}"),
    ):
        for broken in (body, body[:-40], b"\xff", b""):
            kind = "multipart/form-data; boundary=b"
            answer = caller.client.generic("GET", f"/v1/{path}", broken, content_type=kind, headers=caller.headers)
            assert answer.status_code == 200, (path, answer.content)
    assert (Event.objects.count(), Attachment.objects.count()) == before
