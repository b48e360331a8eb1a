"""The history of an account: public messages of all its chats, for who shows the application's secret."""

from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from chats.actions.links import Link
from chats.files.store import store_attachment
from chats.models import Chat
from contactcenter.models import Team
from tests.chats.api.world import png
from tests.chats.protocols.expertflow.conftest import HISTORY, OTHERS_SECRET, Page, is_error
from tests.conftest import MARKER

pytestmark = pytest.mark.django_db
WHISPER = "PRIVATE-MARK-onlyforstaff"
# As encodeURIComponent writes it (ECMA-262): A-Z a-z 0-9 - _ . ! ~ * ' ( ) stay.
ODD = "Grüße & <b>50%</b> +1\n🙂 -_.!~*'() مرحبا/?#"
ENCODED = "Gr%C3%BC%C3%9Fe%20%26%20%3Cb%3E50%25%3C%2Fb%3E%20%2B1%0A%F0%9F%99%82%20-_.!~*'()%20%D9%85%D8%B1%D8%AD%D8%A8%D8%A7%2F%3F%23"


def texts(answer):
    assert answer.status_code == 200, answer.content
    return [unquote(one["text"]) for one in answer.json()["messages"]]


@pytest.mark.both
def test_a_message_is_shown_as_the_history_page_reads_it(desk, ann, acme):
    Team.objects.filter(pk=acme.support.pk).update(greeting="Welcome!")
    talk = desk.carried("4917012345", firstName="Mia", lastName="Meyer").held_by(ann)
    talk.says(ODD)
    talk.answered(ann, WHISPER, is_note=True)
    talk.answered(ann, "Hello")
    said = desk.past("4917012345").json()
    assert said["metaData"] == {"totalMessages": 3}
    first, second, third = said["messages"]
    assert second == {
        "id": second["id"],
        "conversationId": talk.id,
        "type": "ChatMessage",
        "from": {"id": "4917012345", "name": "Mia Meyer", "type": "Customer", "firstName": "Mia Meyer"},
        "to": [],
        "text": ENCODED,
        "refId": "4917012345",
        "tag": "",
        "attachments": [],
        "timestamp": second["timestamp"],
    }
    assert second["timestamp"][:10] == timezone.now().date().isoformat()
    assert second["timestamp"].endswith("Z")
    assert (first["from"]["type"], first["from"]["firstName"]) == ("Bot", "Acme")
    assert third["from"] == {"id": str(ann.pk), "name": "Ann", "type": "Agent", "firstName": "Ann"}
    assert len({one["id"] for one in said["messages"]}) == 3
    assert not [hidden for hidden in (WHISPER, talk.me) if hidden in desk.past("4917012345").content.decode()]


def test_a_file_has_a_preview_under_the_pages_own_name(desk, ann):
    talk = desk.carried("+491").held_by(ann)
    seat = talk.seat(ann)
    uploads = [
        SimpleUploadedFile("tea.png", png(), "image/png"),
        SimpleUploadedFile("note.txt", b"hello", "text/plain"),
    ]
    files = [store_attachment(talk.row, seat, upload, timezone.now()) for upload in uploads]
    talk.answered(ann, "", attachment_ids=tuple(file.pk for file in files))
    talk.says("", links=(Link(type="image/jpeg", name="cup.jpg", url="https://cdn.example/cup.jpg"),))
    (kept, linked) = [one["attachments"] for one in desk.past("%2B491").json()["messages"]]
    assert [(one["type"], one["name"]) for one in kept] == [("image/png", "tea.png"), ("text/plain", "note.txt")]
    picture, note = kept
    assert picture["_thumbnailUrl"] == picture["thumbnailUrl"] == picture["contentUrl"] + "?thumb=1"
    assert (note["thumbnailUrl"], note["_thumbnailUrl"]) == ("", note["contentUrl"])
    assert linked[0]["contentUrl"] == linked[0]["_thumbnailUrl"] == "https://cdn.example/cup.jpg"
    for url in (picture["contentUrl"], picture["_thumbnailUrl"], note["contentUrl"]):
        assert (
            Page().get(url.partition("//")[2].partition("/")[1] + url.partition("//")[2].partition("/")[2]).status_code
            == 200
        )


@pytest.mark.both
def test_pages_begin_with_the_newest_and_each_reads_from_old_to_new(desk, ann, django_assert_max_num_queries):
    """Over all chats of the account: one chat after the other, each in the order of its log."""
    for number in range(3):
        talk = desk.carried("+491").held_by(ann)
        for line in range(4):
            talk.says(f"{number}.{line}")
        talk.closed_by(ann)
        Chat.objects.filter(pk=talk.row.pk).update(started_at=timezone.now() - timedelta(days=3 - number))
    everything = [f"{number}.{line}" for number in range(3) for line in range(4)]
    desk.carried("+492").says("another account")
    desk.carried("+491", channel="whatsapp").says("another channel")
    Chat.objects.filter(channel__name="whatsapp").update(started_at=timezone.now() - timedelta(days=9))
    everything.insert(0, "another channel")
    with django_assert_max_num_queries(12):
        assert texts(desk.past("%2B491")) == everything
    pages = [texts(desk.past("%2B491", f"page={page}&pageSize=5")) for page in (1, 2, 3, 4)]
    assert pages == [everything[-5:], everything[-10:-5], everything[:3], []]
    assert desk.past("%2B491", "page=3&pageSize=5").json()["metaData"] == {"totalMessages": 13}
    # The page does not encode what it puts into the address.
    assert texts(desk.past("+491")) == texts(desk.past("%2B491%20")) == everything


def test_limits_are_kept_and_odd_numbers_named(desk):
    talk = desk.carried("491")
    talk.says("Hello")
    for query in (
        "page=0",
        "page=-5",
        "pageSize=0",
        "pageSize=99999",
        "pageSize=1e300&page=1",
        "page=&pageSize=",
        "page=1.9",
        "x=1",
    ):
        assert texts(desk.past("491", query)) == ["Hello"], query
    for query in ("page=1e300", "page=99999999999999999999", "page=Infinity"):
        assert texts(desk.past("491", query)) == [], query
    for query in ("page=x", "pageSize=NaN", "page=%00", "pageSize[]=5&pageSize=five", "page=0x1"):
        assert is_error(desk.past("491", query), 400), query
    for account in ("", "%20", "%00", "4%0091", "x" * 201):
        assert is_error(desk.past(account), 400), account
    assert desk.past("nobody").json() == {"messages": [], "metaData": {"totalMessages": 0}}


def test_only_who_shows_the_secret_reads_it(desk, other, gil):
    mine, theirs = desk.carried("+491"), other.carried("+491")
    mine.says("Hello")
    theirs.says(MARKER)
    desk.registration.demands_secret = False
    desk.registration.save()
    for page in (
        desk.page,
        Page(ContactCenterId="acme-chat", Authorization="Bearer wrong"),
        Page(ContactCenterId="acme-chat", Authorization="Bearer " + OTHERS_SECRET),
        Page(ContactCenterId="acme-chat", Authorization="Basic " + desk.secret),
        Page(ContactCenterId="acme-chat", Authorization="Bearer " + desk.secret[:-1]),
    ):
        answer = desk.past("%2B491", page=page)
        assert is_error(answer, 401)
        assert b"Hello" not in answer.content
    assert is_error(Page(Authorization=f"Bearer {desk.secret}").get(f"{HISTORY}?refId=1"), 403)  # whose?
    assert is_error(desk.past("%2B491", "contactCenterId=nobody"), 403)
    assert is_error(desk.past("%2B491", f"contactCenterId=other-{MARKER}"), 401)
    assert texts(desk.past("%2B491")) == ["Hello"]
    assert texts(other.past("%2B491")) == [MARKER]
    # Programs that cannot set a header add it to the address; the public page puts a slash too many before it.
    for path in ("/api/getMessagesByRefId", "/legacy/api/getMessagesByRefId/", "/legacy/api//getMessagesByRefId"):
        answer = Page().get(f"{path}?refId=%2B491&contactCenterId=acme-chat&secret={desk.secret}")
        assert texts(answer) == ["Hello"]
