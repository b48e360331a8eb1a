"""Rows of every model that the admins show, for both centers, marked where they are globex's."""

from types import SimpleNamespace
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone

from agents.models import Agent, CannedReply, Disposition
from chats.models import (
    Account,
    AppSession,
    Attempt,
    Carrier,
    Chat,
    Connector,
    Delivery,
    Dispatch,
    ForeignCustomer,
    FormTemplate,
    InboundRule,
    OfflineMessage,
    OutboundMessage,
    PushNotice,
    TranscriptRequest,
    Webhook,
)
from contactcenter import audit
from contactcenter.administration.sites import center_site
from contactcenter.models import (
    Application,
    ApplicationPassword,
    ApplicationTeam,
    Channel,
    FormField,
    Holiday,
    OpeningHours,
    Registration,
    RegistrationTeam,
    User,
    WidgetSettings,
)
from tests.conftest import make_agent, make_customer


def furnish(place: SimpleNamespace, admin: Agent, mark: str = "") -> SimpleNamespace:
    """Rows of the center, one or more of each model; `rows` names them by "app.model"."""
    center, today = place.center, timezone.now()
    bot = make_agent(place, f"Robo{center.slug}{mark}", is_bot=True)
    customer = make_customer(place, f"Carl {mark}")
    customer.email, customer.data = f"carl@{center.slug}{mark}.example".lower(), {"plan": f"gold {mark}"}
    customer.save()
    chat = Chat.objects.create(
        center=center, customer=customer, channel=place.channel, team=place.support, agent=admin,
        state=Chat.State.CLOSED, closed_at=today, client_id="1", subject=f"Parcel {mark}", data={"order": mark or "1"},
    )  # fmt: skip
    application = Application.objects.create(center=center, name=f"Shop {mark}")
    ApplicationTeam.objects.create(center=center, application=application, team=place.support)
    registration = Registration.objects.create(
        center=center, application=application, channel=place.channel, foreign_id=f"app-{center.slug}{mark}"
    )
    RegistrationTeam.objects.create(
        center=center, registration=registration, team=place.support, foreign_id=f"room{mark}"
    )
    WidgetSettings.objects.create(center=center, channel=place.channel, title=f"Talk {mark}", languages=["en"])
    FormField.objects.create(center=center, channel=place.channel, key="name", label=f"Name {mark}")
    OpeningHours.objects.create(center=center, team=place.support, weekday=0, opens="09:00", closes="17:00")
    password, _secret = ApplicationPassword.issue(bot.user, f"robot {mark}")
    entry = audit.note("changed", user=admin.user, center=center, subject=f"team {mark}", changes={"name": [mark, "x"]})
    rows: dict[str, Any] = {
        "contactcenter.contactcenter": center,
        "contactcenter.team": place.support,
        "contactcenter.holiday": Holiday.objects.create(center=center, date="2030-01-01", name=f"Off {mark}"),
        "contactcenter.channel": place.channel,
        "contactcenter.application": application,
        "contactcenter.applicationpassword": password,
        "contactcenter.registration": registration,
        "contactcenter.auditentry": entry,
        "agents.agent": admin,
        "agents.cannedreply": CannedReply.objects.create(
            center=center, team=place.support, shortcut="hi", title=f"Hi {mark}", text=mark or "Hi"
        ),
        "agents.disposition": Disposition.objects.create(center=center, name=f"Solved {mark}"),
        **hooked(registration, chat, mark),
        **connected(registration, mark),
        **carried(chat, mark),
        **pushed(registration, chat, mark),
        "chats.formtemplate": FormTemplate.objects.create(
            center=center, key=f"form{mark}", name=f"Form {mark}", text=mark, fields=[]
        ),
        "chats.inboundrule": InboundRule.objects.create(
            center=center,
            registration=registration,
            channel="sms",
            keyword=f"help {mark}",
            team=place.support,
            action_data={"messageParts": [{"data": f"Thanks {mark}"}]},
        ),
        "chats.customer": customer,
        "chats.chat": chat,
        "chats.transcriptrequest": TranscriptRequest.objects.create(
            center=center, chat=chat, email=f"to@{center.slug}{mark}.example".lower()
        ),
        "chats.offlinemessage": OfflineMessage.objects.create(
            center=center, channel=place.channel, team=place.support, customer=customer, client_id="1", text=f"? {mark}"
        ),
    }
    for row in rows.values():
        LogEntry.objects.log_actions(admin.user_id, [row], CHANGE, change_message=f"changed {mark}")
    return SimpleNamespace(**vars(place), rows=rows, admin=admin, bot=bot, customer=customer, chat=chat)


def hooked(registration: Registration, chat: Chat, mark: str) -> dict[str, Any]:
    """A foreign access's web hook with a delivery that was given up. Its number stands in no page by chance."""
    center, now = registration.center, timezone.now()
    webhook = Webhook.objects.create(
        center=center, application=registration.application, registration=registration,
        url=f"https://hooks.example.com/{mark or 'own'}", events=["*"], verified_at=None,
    )  # fmt: skip
    delivery = Delivery.objects.create(
        number=7_000_000_000_000 + chat.pk.int % 1_000_000_000_000, center=center, webhook=webhook, chat=chat,
        event="messages:new", payload={"said": mark or "own"}, failed_at=now, error=f"500 {mark}",
    )  # fmt: skip
    Attempt.objects.create(center=center, delivery=delivery, at=now, milliseconds=7, status=500, body=f"no {mark}")
    return {"chats.webhook": webhook, "chats.delivery": delivery}


def connected(registration: Registration, mark: str) -> dict[str, Any]:
    """A connector with a text that waits for it. Its number stands in no page by chance."""
    center = registration.center
    connector = Connector.objects.create(
        center=center, registration=registration, channel=registration.channel, name=f"sms{mark}".lower(),
        title=f"Texts {mark}",
    )  # fmt: skip
    message = OutboundMessage.objects.create(
        number=8_000_000_000_000 + connector.pk.int % 1_000_000_000_000, center=center, connector=connector,
        application=registration.application, account=f"+49 {mark}", text=f"Sale {mark}", client_id=f"id {mark}",
    )  # fmt: skip
    return {"chats.connector": connector, "chats.outboundmessage": message}


def carried(chat: Chat, mark: str) -> dict[str, Any]:
    """A page of Facebook's by which a message did not arrive; its customer wants no more."""
    center, now = chat.center, timezone.now()
    channel = Channel.objects.create(center=center, kind="facebook", name=f"Page {mark}", address=f"47{mark}")
    carrier = Carrier(center=center, channel=channel, provider="messenger", settings={"graph_url": f"https://{mark}"})
    carrier.keep_secrets({"verify_token": f"verify {mark}", "page_token": f"page {mark}"})
    carrier.save()
    account = Account.objects.create(
        center=center, kind="facebook", address=f"psid{mark}", customer=chat.customer, stopped_at=now
    )
    dispatch = Dispatch.objects.create(
        number=9_000_000_000_000 + chat.pk.int % 1_000_000_000_000, center=center, channel=channel, chat=chat,
        account=account, position=1, index=1, failed_at=now, error=f"No {mark}", external_id=f"mid {mark}",
    )  # fmt: skip
    return {"chats.carrier": carrier, "chats.account": account, "chats.dispatch": dispatch}


def pushed(registration: Registration, chat: Chat, mark: str) -> dict[str, Any]:
    """A phone that could not be told of a message."""
    center, now = chat.center, timezone.now()
    profile = ForeignCustomer.objects.create(
        center=center, registration=registration, customer=chat.customer, external_id=f"profile {mark}"
    )
    session = AppSession.objects.create(
        center=center, registration=registration, profile=profile, device_id=f"phone {mark}", expires_at=now
    )
    notice = PushNotice.objects.create(
        number=6_000_000_000_000 + chat.pk.int % 1_000_000_000_000, center=center, session=session,
        channel=registration.channel, chat=chat, position=1, index=1, failed_at=now, error=f"No {mark}",
        external_id=f"push {mark}",
    )  # fmt: skip
    return {"chats.pushnotice": notice}


def registered() -> list[Any]:
    """The admins of the center's site."""
    return [center_site._registry[model] for model in center_site._registry]


def label(model_admin: Any) -> str:
    return str(model_admin.opts.label_lower)


def make_admin(place: SimpleNamespace, name: str) -> Agent:
    return make_agent(place, name, role=Agent.Role.ADMIN)


def make_operator() -> User:
    return User.objects.create_superuser("root", "root@example.com", "correct horse")
