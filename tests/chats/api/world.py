"""Both centers with one of everything, the other one's texts marked, and a caller of every kind."""

import io
from types import SimpleNamespace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from agents.models import Agent, CannedReply, Disposition
from chats.actions.hooks import add_webhook
from chats.actions.offer import offer_chat
from chats.actions.offline import Left, leave_offline_message
from chats.actions.outbound import send_outbound
from chats.actions.post import Post, post_message
from chats.files.store import store_attachment
from chats.models import Account, Attempt, Carriage, Carrier, Chat, Delivery, Dispatch, OutboundMessage, Webhook
from contactcenter.models import Application, Team
from tests.chats.api.conftest import Api, as_agent, as_application, as_customer
from tests.chats.carried import make_sms
from tests.chats.networks import make_carrier
from tests.conftest import make_agent, make_chat, make_customer, make_held_chat, online


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, "PNG")
    return stream.getvalue()


def furnish(place: SimpleNamespace, now: Any, mark: str = "") -> SimpleNamespace:
    """One of everything in this center; every text carries the mark."""
    said = mark or "own"
    slug = place.center.slug
    agent = make_agent(place, f"Kim-{slug} {said}", capacity=5)
    boss = make_agent(place, f"Lee-{slug} {said}", role=Agent.Role.SUPERVISOR, capacity=5)
    customer = make_customer(place, f"Zoe {said}")
    customer.email = "zoe@example.com"
    customer.save()
    held = make_held_chat(place, agent, now, customer=customer, subject=f"S {said}", text=f"T {said}")
    upload = SimpleUploadedFile(f"{said}.png", png(), "image/png")
    attachment = store_attachment(held.chat, held.agent, upload, now)
    file = Post(held.chat.pk, held.agent.pk, "file", f"see {said}", attachment_ids=(attachment.pk,))
    post_message(file, now=now)
    offered = Chat.objects.get(pk=make_chat(place, now, subject=f"offered {said}").chat.pk)
    invitation = offer_chat(offered, agent, reason=f"r {said}", now=now)
    waiting = make_chat(place, now, subject=f"waiting {said}").chat
    left = Left(client_id="left", text=f"later {said}", name=f"Z {said}", team=place.support)
    message, _ = leave_offline_message(place.channel, customer, left, now=now)
    reply = CannedReply.objects.create(center=place.center, shortcut="hi", title=f"Hi {said}", text=f"Hi {said}")
    disposition = Disposition.objects.create(center=place.center, name=f"Done {said}")
    webhook, delivery = furnish_hook(place, held.chat, said, now)
    return SimpleNamespace(
        place=place,
        carrier=furnish_carrier(place, held.chat, said, now),
        webhook=webhook,
        delivery=delivery,
        outbound=furnish_outbound(place, said, now),
        agent=agent,
        boss=boss,
        customer=customer,
        silent=make_customer(place, f"Silent {said}"),
        chat=held.chat,
        waiting=waiting,
        attachment=attachment,
        invitation=invitation,
        message=message,
        reply=reply,
        disposition=disposition,
        team=place.support,
        channel=place.channel,
    )


def furnish_hook(place: SimpleNamespace, chat: Chat, said: str, now: Any) -> tuple[Webhook, Delivery]:
    """A web hook at which a call was given up."""
    program = Application.objects.create(center=place.center, name=f"Hooked {said}")
    webhook = add_webhook(program, url=f"https://hooks.example.com/{said}", events=["*"], now=now)
    delivery = Delivery.objects.create(
        center=place.center, webhook=webhook, chat=chat, event="chat.started", payload={"said": said}, failed_at=now
    )
    Attempt.objects.create(center=place.center, delivery=delivery, at=now, milliseconds=9, status=500, body=said)
    return webhook, delivery


def furnish_outbound(place: SimpleNamespace, said: str, now: Any) -> OutboundMessage:
    """A text that waits for a connector."""
    sms = make_sms(place, name=f"Messaging {said}")
    application = sms.registration.application
    return send_outbound(application, sms, account=f"+1 {said}", text=f"Sale {said}", client_id="o", now=now).message


def furnish_carrier(place: SimpleNamespace, chat: Chat, said: str, now: Any) -> Carrier:
    """A channel for texts, over which the chat travels now; its first message did not arrive."""
    carrier = make_carrier(place, "twilio", f"+1 {said}", name=f"Texts {said}")
    account = Account.objects.create(
        center=place.center, kind="sms", address=f"+49 {said}".lower(), customer=chat.customer
    )
    way = {"center": place.center, "channel": carrier.channel, "chat": chat, "account": account}
    Carriage.objects.create(**way)
    Dispatch.objects.create(**way, position=1, index=1, failed_at=now, error=f"No {said}")
    return carrier


def callers(here: SimpleNamespace, now: Any) -> dict[str, Any]:
    """Everybody who might knock, at home in this center."""
    place = here.place
    customer = as_customer(place, now)
    customer.chat = make_chat(place, now, customer.customer).chat
    other_team: Team = place.sales
    program = Application.objects.create(center=place.center, name="Page", allowed_origins=[])
    application = as_application(place, may_configure=True)
    Webhook.objects.filter(pk=here.webhook.pk).update(application=application.application)
    OutboundMessage.objects.filter(pk=here.outbound.pk).update(application=application.application)
    return {
        "nobody": Api(),
        "page": Api(**{"X-Public-Key": program.public_key}),
        "customer": customer,
        "agent": as_agent(online(here.agent, now)),
        "supervisor": as_agent(here.boss),
        "admin": as_agent(make_agent(place, f"Max-{place.center.slug}", role=Agent.Role.ADMIN)),
        "application": application,
        "application of another team": as_application(place, teams=[other_team], may_configure=True),
    }
