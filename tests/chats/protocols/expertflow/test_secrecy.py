"""Whispers stay with staff, and the ids by which a customer proves itself stay with the customer: one conversation of each kind, and every way out."""

import base64
import io
import json
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread
from django.core import mail
from django.db import transaction
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from agents import presence
from agents.models import Agent
from chats.models import Attachment, Chat
from chats.protocols.expertflow.live.service import live
from chats.protocols.expertflow.shapes import file_url
from chats.transcripts.mail import due_transcripts, send_transcript
from contactcenter.administration.sites import center_site, operator_site
from contactcenter.models import Application
from tests.chats.doors.socketio.house import Client, House, serving
from tests.chats.outbox.conftest import make_webhook
from tests.chats.protocols.expertflow.conftest import ORIGIN, Place, Talk
from tests.chats.sockets.conftest import Client as Desk
from tests.contactcenter.admin_cast import make_admin, make_operator

NOTE, WHISPER = "NOTE-of-staff", "WHISPER-of-the-customers-side"
QUESTION, ANSWER, LATER = "Where is my parcel?", "On its way", "And now?"
PHONE = "+4917012345"


class Tape(Client):
    """It keeps everything that comes over its transport, as it came."""

    path = "/socket.io/?EIO=4&transport="

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        self.frames: list[str] = []

    async def _take(self, packet: str) -> None:
        self.frames.append(packet)
        await super()._take(packet)

    async def heard(self, text: str) -> None:
        await self.until("messageArrived", text=text)


class Room(House):
    live, client_class, origin = live, Tape, ORIGIN

    async def joined(self, talk: Talk, transport: str = "websocket") -> Tape:
        tape: Tape = await self.client(contactCenterId="acme-chat", transport=transport)
        await join(tape, talk)
        return tape


@pytest.fixture
async def room(transactional_db: None) -> AsyncIterator[Room]:
    async with serving(Room) as made:
        yield made


async def join(tape: Tape, talk: Talk) -> None:
    answer = await tape.ask("joinConversation", {"conversationId": talk.id, "id": talk.me, "name": "Mia"})
    assert answer["code"] == 200, answer


async def say(tape: Tape, talk: Talk, text: str, **members: Any) -> None:
    message = {"conversationId": talk.id, "type": "ChatMessage", "from": {"id": talk.me}, "text": text, **members}
    answer = await tape.ask("sendMessage", message)
    assert answer["code"] == 200, answer


@transaction.atomic
def hold(talk: Talk, agent: Agent) -> None:
    talk.held_by(agent)


async def test_whispers_stay_with_staff_and_proofs_with_the_customer(
    room: Room, desk: Place, acme: SimpleNamespace, ann: Agent, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    caplog.set_level("INFO")
    hook = await in_thread(make_webhook)(acme, "http://127.0.0.1:9/")
    screen = await sign_in(ann)
    talk, tapes = await talk_on_a_page(room, desk, ann)
    carried, connector = await talk_by_phone(room, desk, ann)
    for one in (talk, carried):
        await in_thread(one.closed_by)(ann)
    for tape in (*tapes, connector):
        await tape.until("messageArrived", activityType="endOfConversation")
    customers = [frame for tape in (*tapes, connector) for frame in tape.frames]
    customers += await in_thread(keepsakes)(desk, talk, tmp_path)
    said = "\n".join(customers)
    assert all(text in said for text in (QUESTION, ANSWER))
    assert [one for one in (NOTE, WHISPER) if one in said] == []
    told = await screen_of(screen) + await in_thread(staff_pages)(acme, ann, hook.application)
    told += [json.dumps(delivery.payload) for delivery in await in_thread(list)(hook.deliveries.all())]
    seen = "\n".join(told)
    assert all(text in seen for text in (NOTE, WHISPER, QUESTION, ANSWER))
    proofs = [proof for one in (talk, carried) for proof in (one.id, one.me)]
    assert [proof for proof in proofs if proof in seen or proof in caplog.text] == []


# What the customer's side does ---------------------------------------------------------------------------------------


async def talk_on_a_page(room: Room, desk: Place, ann: Agent) -> tuple[Talk, list[Tape]]:
    """Two windows, and one that comes later: all that they hear."""
    talk = await in_thread(desk.init)(refId=PHONE, email="mia@example.com", order={"number": "A1"})
    first, second = await room.joined(talk), await room.joined(talk, "polling")
    await in_thread(hold)(talk, ann)
    await say(first, talk, WHISPER, tag="whisper", attachments=[picture(f"{WHISPER}.png"), link(f"{WHISPER}.pdf")])
    await say(second, talk, QUESTION)
    await in_thread(talk.answered)(ann, NOTE, is_note=True)
    await in_thread(talk.answered)(ann, ANSWER)
    await say(second, talk, WHISPER, tag="whisper")
    late = await room.joined(talk)
    info = late.of("conversationInfo")[0]
    assert [message["text"] for message in info["messages"]] == [QUESTION, ANSWER]
    await say(late, talk, LATER)
    for tape in (first, second):
        await tape.heard(ANSWER)
        await tape.heard(LATER)
    return talk, [first, second, late]


async def talk_by_phone(room: Room, desk: Place, ann: Agent) -> tuple[Talk, Tape]:
    """A connector's messages in and out; its second one finds the open conversation."""
    keys = {"contactCenterId": "acme-chat", "secret": desk.secret}
    connector: Tape = await room.client(keys, origin=None)
    answer = await connector.ask("registerConnector", {"id": "sms", "name": "Texts", "channel": "sms"})
    assert answer["code"] == 200, answer
    carried = await in_thread(desk.carried)(PHONE)
    await join(connector, carried)
    await say(connector, carried, QUESTION)
    await say(connector, carried, WHISPER, tag="whisper")
    await in_thread(hold)(carried, ann)
    await in_thread(carried.answered)(ann, NOTE, is_note=True)
    await in_thread(carried.answered)(ann, ANSWER)
    await connector.until("messageArrived", text=ANSWER, refId=PHONE)
    again = await in_thread(desk.program.init)(channel="sms", refId=PHONE)
    connector.frames.append(again.content.decode())
    assert again.json()["conversationId"] == carried.id
    await join(connector, carried)
    await say(connector, carried, LATER)
    return carried, connector


def picture(name: str) -> dict[str, str]:
    drawn = io.BytesIO()
    Image.new("RGB", (4, 3), "green").save(drawn, "PNG")
    data = base64.b64encode(drawn.getvalue()).decode()
    return {"type": "image/png", "name": name, "contentUrl": f"data:image/png;base64,{data}"}


def link(name: str) -> dict[str, str]:
    return {"type": "application/pdf", "name": name, "contentUrl": f"https://example.com/{name}"}


def keepsakes(desk: Place, talk: Talk, folder: Path) -> list[str]:
    """What is left when it has ended: paper, mail, the history of the account; and no way to a whispered file."""
    assert talk.paper("email").status_code == 200
    for number in due_transcripts(timezone.now()):
        send_transcript(number, timezone.now())
    letter = mail.outbox[0].message()
    (folder / "paper.pdf").write_bytes(talk.paper("pdf").content)
    told = subprocess.run(["pdftotext", folder / "paper.pdf", "-"], capture_output=True, text=True, check=True)
    letters = [
        part.get_payload(decode=True).decode(errors="replace")
        for part in letter.walk()
        if part.get_payload(decode=True)
    ]
    assert any(ANSWER in part for part in letters)
    assert ANSWER in told.stdout
    for whispered in Attachment.objects.all():
        assert talk.page.get(re.sub(r"^https?://[^/]+", "", file_url(str(whispered.pk)))).status_code == 404
    return [told.stdout, *letters, desk.past(PHONE).content.decode()]


# What staff and programs see -----------------------------------------------------------------------------------------


async def sign_in(agent: Agent) -> Desk:
    """The agent's desk, which hears everything from now on."""
    screen = await Desk("/ws/v1/agent").open()
    ticket = await in_thread(presence.issue_ticket)(agent, "", timezone.now())
    assert (await screen.ask("hello", ticket=ticket))["type"] == "welcome"
    return screen


async def screen_of(screen: Desk) -> list[str]:
    """Every frame of the desk, also of what it opens."""
    async for chat in Chat.objects.all():
        await screen.send("watch", chat=str(chat.pk), after=0)
    await screen.rest()
    await screen.close()
    assert [frame for frame in screen.seen if frame["type"] == "error"] == []
    assert {frame["chat"]["channel"]["kind"] for frame in screen.of("chat")} == {"api", "sms"}
    return [json.dumps(frame) for frame in screen.seen]


def staff_pages(acme: SimpleNamespace, ann: Agent, application: Application) -> list[str]:
    """What an agent and a program read over REST, and every page of both admins."""
    agent, admin, operator = Browser(), Browser(), Browser()
    program = Browser(headers={"Authorization": f"Bearer {application.renew_secret()}"})
    for browser, user in ((agent, ann.user), (admin, make_admin(acme, "Ada").user), (operator, make_operator())):
        browser.force_login(user)
    paths = [f"/api/v1/{path}" for path in ("chats", "customers", "channels", "queue")]
    for chat in Chat.objects.all():
        paths += [f"/api/v1/chats/{chat.pk}{rest}" for rest in ("", "/events", "/transcript?format=text&notes=true")]
        paths += [f"/api/v1/customers/{chat.customer_id}{rest}" for rest in ("", "/chats")]
    pages = [read(caller, path) for caller in (agent, program) for path in paths]
    pages += [read(admin, path) for path in admin_paths(center_site, "admin")]
    return pages + [read(operator, path) for path in admin_paths(operator_site, "operator")]


def admin_paths(site: Any, name: str) -> list[str]:
    """Lists, and the page of every row."""
    found = []
    for model in site._registry:
        route = f"{name}:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{route}_changelist"))
        rows = model._default_manager.all()
        if site is center_site and hasattr(model, "center_id"):
            rows = rows.exclude(center=None)  # the operator's own doings
        found += [reverse(f"{route}_change", args=[row.pk]) for row in rows]
    return found


def read(browser: Browser, path: str) -> str:
    answer: Any = browser.get(path, follow=True)
    assert answer.status_code == 200, (path, answer.status_code)
    return str(answer.content.decode())
