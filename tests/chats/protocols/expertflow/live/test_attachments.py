"""What messages bring along: files within data: addresses, links, and what is refused as a whole."""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asgiref.sync import sync_to_async as in_thread

from chats.doors import throttles
from chats.files import store
from chats.models import Attachment, Event
from chats.protocols.expertflow.live import attachments
from tests.chats.protocols.expertflow.live.conftest import held

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
LINK = "https://maps.example/1?a=b#c"


def brought(*urls: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"type": "image/png", "name": "p.png", "contentUrl": url, "thumbnailUrl": "", **fields} for url in urls]


def on_disk(settings: Any) -> int:
    return sum(path.is_file() for path in Path(settings.MEDIA_ROOT).rglob("*"))


async def test_files_are_kept_and_links_are_passed_on(house, desk, ann, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    talk = await held(desk, ann)
    gadget, tab = await house.gadget(talk), await house.gadget(talk)
    sent = await gadget.says(talk, "", attachments=brought(PICTURE, LINK), id="one")
    assert sent["code"] == 200, sent
    [picture, link] = (await tab.arrives(id=sent["id"]))["attachments"]
    assert (picture["type"], picture["name"]) == ("image/png", "p.png")
    assert "/api/customer/file/" in picture["contentUrl"]
    assert link == {"type": "image/png", "name": "p.png", "contentUrl": LINK, "thumbnailUrl": ""}
    assert (await tab.arrives(id=sent["id"]))["text"] == ""
    kept = await Event.objects.aget(type="message.posted")
    assert [file["name"] for file in kept.data["attachments"]] == ["p.png"]

    # Said again, also from elsewhere: the same message, and no file more.
    files = on_disk(settings)
    for client in (gadget, tab):
        assert await client.says(talk, "", attachments=brought(PICTURE, LINK), id="one") == sent
    assert (await gadget.says(talk, "else", attachments=brought(PICTURE, LINK), id="one"))["code"] == 409
    assert (await gadget.says(talk, "", attachments=brought(LINK), id="one"))["code"] == 409
    assert (await Attachment.objects.acount(), on_disk(settings)) == (1, files)

    words = "Grüße, 100 %"
    forms = {
        f"data:text/plain;charset=utf-8,{quote(words)}": "file.txt",
        f"DATA:,{quote(words)}": "file.txt",
        f"data:;base64,{quote(base64.b64encode(words.encode()).decode())}": "file.txt",
        PICTURE.replace("image/png", "text/html"): "file.png",
        PICTURE.rstrip("="): "file.png",
    }
    for number, (url, name) in enumerate(forms.items()):
        said = await gadget.says(talk, f"f{number}", attachments=brought(url, name=None, type=None))
        assert said["code"] == 200, url
        [file] = (await tab.arrives(text=f"f{number}"))["attachments"]
        assert file["name"] == name, url
    texts = Attachment.objects.filter(content_type="text/plain")
    assert {bytes(file.file.read()).decode() async for file in texts} == {words}


async def test_one_refused_attachment_refuses_the_message_and_keeps_nothing(
    house, desk, ann, settings, tmp_path, monkeypatch
):
    settings.MEDIA_ROOT = tmp_path
    talk = await held(desk, ann)
    gadget = await house.gadget(talk)
    refused: list[tuple[list[Any], int]] = [
        (brought(PICTURE, "file:///etc/passwd"), 400),
        (brought(PICTURE, "ftp://a.example/b"), 400),
        (brought("javascript:alert(1)"), 400),
        (brought("//a.example/b"), 400),
        (brought("blob:https://a.example/1"), 400),
        (brought(LINK, "http://user@a.example/"), 400),
        (brought("https://a.example/\u202e"), 400),
        (brought(LINK, ""), 400),
        (brought("data:image/png;base64"), 400),
        (brought("data:image/png;base64,%%%"), 400),
        (brought("data:image/png;base64,A"), 400),
        (brought("data:,"), 400),
        (brought(PICTURE, "data:image/png;base64,AAAA"), 400),
        (brought(PICTURE, "data:text/html,<script>alert(1)</script>", name="x.html"), 400),
        (brought(PICTURE, name="p.pdf"), 400),
        (brought(*[LINK] * 11), 400),
        ([None], 400),
        (["https://a.example"], 400),
        ([{"contentUrl": 7}], 400),
        ([{"contentUrl": LINK, "name": 7}], 400),
    ]
    for attached, code in refused:
        answer = await gadget.says(talk, "with", attachments=attached)
        assert (answer["code"], set(answer)) == (code, {"code", "error", "message"}), attached
        assert "Traceback" not in answer["error"]
    monkeypatch.setattr(store, "CHAT_LIMIT", 1)
    assert (await gadget.says(talk, "two", attachments=brought(PICTURE, PICTURE)))["code"] == 429
    with monkeypatch.context() as patch:
        patch.setattr(attachments, "UPLOADS_BY_CUSTOMER", throttles.Rate("uploads", 0))
        assert (await gadget.says(talk, "fast", attachments=brought(PICTURE)))["code"] == 429
    assert await gadget.ask("endConversation", {"conversationId": talk.id})
    assert (await gadget.says(talk, "late", attachments=brought(PICTURE)))["code"] == 409
    assert (await gadget.says(talk, "late", attachments=brought(LINK)))["code"] == 409
    assert not await Event.objects.filter(type="message.posted").aexists()
    assert (await Attachment.objects.acount(), on_disk(settings)) == (0, 0)


async def test_a_frame_holds_a_file_of_almost_three_megabytes_over_either_transport(
    house, desk, ann, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    talk = await held(desk, ann)
    text = base64.b64encode(b"A line of text.\n" * 175_000).decode()
    for transport in ("websocket", "polling"):
        gadget = await house.gadget(talk, transport=transport)
        sent = await gadget.says(talk, transport, attachments=brought(f"data:;base64,{text}", name="a.txt"))
        assert sent["code"] == 200, sent
        await gadget.close()
    gadget = await house.gadget(talk)
    await gadget.say(f'421["sendMessage",{{"text":"{"x" * 4_100_000}"}}]')
    await gadget.gone()
    assert await in_thread(Attachment.objects.count)() == 2
