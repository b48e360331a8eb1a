"""What answers hold, for the schema alone: chats.shapes makes the answers themselves."""

from typing import Any

from rest_framework import serializers as s

from agents.models import Agent, Presence
from chats.models import Carrier, Chat
from contactcenter.models import Channel, Team


def maybe(field: type[s.Field[Any, Any, Any, Any]], **options: Any) -> s.Field[Any, Any, Any, Any]:
    """A field that may be null."""
    return field(allow_null=True, **options)


class Error(s.Serializer[Any]):
    code = s.CharField()
    message = s.CharField()
    fields = s.DictField(child=s.CharField(), required=False)  # type: ignore[assignment]
    retry_after = s.FloatField(required=False)


class Named(s.Serializer[Any]):
    id = s.UUIDField()
    key = s.CharField()
    name = s.CharField()


class Attachment(s.Serializer[Any]):
    id = s.UUIDField()
    name = s.CharField()
    size = s.IntegerField()
    content_type = s.CharField()
    width = maybe(s.IntegerField)
    height = maybe(s.IntegerField)


class Uploaded(Attachment):
    url = s.CharField()


class Sender(s.Serializer[Any]):
    id = s.UUIDField(required=False)
    kind = s.ChoiceField(["customer", "agent", "bot", "system"])
    name = s.CharField(allow_blank=True)


class Event(s.Serializer[Any]):
    index = maybe(s.IntegerField)
    position = s.IntegerField(required=False, help_text="Staff alone.")
    type = s.CharField()
    at = s.DateTimeField()
    sender = Sender()
    text = s.CharField(allow_blank=True)
    attachments = Attachment(many=True)
    client_id = s.CharField(required=False)
    data = s.DictField(  # type: ignore[assignment]
        help_text="By type (docs/realtime.md). Of messages and notes: links, files that lie elsewhere, and to, whom it is meant for."
    )


class ChatAgent(s.Serializer[Any]):
    id = s.UUIDField()
    name = s.CharField()
    avatar = maybe(s.CharField)
    is_bot = s.BooleanField()


class ReadCursors(s.Serializer[Any]):
    agent = s.IntegerField()
    customer = s.IntegerField()


class SurveyState(s.Serializer[Any]):
    open = s.BooleanField()
    answered = s.BooleanField()


class CustomerShort(s.Serializer[Any]):
    id = s.UUIDField()
    name = s.CharField(allow_blank=True)
    email = s.CharField(allow_blank=True)
    phone = s.CharField(allow_blank=True)
    language = s.CharField(allow_blank=True)
    is_identified = s.BooleanField()


class ChatChannel(s.Serializer[Any]):
    id = s.UUIDField()
    kind = s.ChoiceField(Channel.Kind.values)
    name = s.CharField()


class Way(s.Serializer[Any]):
    channel = ChatChannel()
    addresses = s.ListField(child=s.CharField(), help_text="The one last written from first.")


class ChatPage(s.Serializer[Any]):
    url = s.CharField(allow_blank=True)
    title = s.CharField(allow_blank=True)


class LastMessage(s.Serializer[Any]):
    text = s.CharField(allow_blank=True)
    at = s.DateTimeField()
    sender_kind = s.CharField()


class ChatDelivery(s.Serializer[Any]):
    carrier = s.ChoiceField([*Carrier.Provider.values, "connector"])
    connector = s.CharField(help_text="The connector's or the channel's name.")
    account = s.CharField(allow_blank=True, help_text="The customer's address there.")
    away_since = maybe(s.DateTimeField, help_text="It is not there, or in trouble.")
    owed_since = maybe(s.DateTimeField, help_text="Since when the oldest message waits.")
    most_text = maybe(s.IntegerField, help_text="Characters of one message.")
    window_ends_at = maybe(s.DateTimeField, help_text="Facebook: until when a message may be sent.")
    stopped = s.BooleanField(help_text="The customer wants no more messages there.")


class CustomersChat(s.Serializer[Any]):
    id = s.UUIDField()
    state = s.ChoiceField(Chat.State.values)
    subject = s.CharField(allow_blank=True)
    team = Named()
    agent = maybe(ChatAgent)
    started_at = s.DateTimeField()
    closed_at = maybe(s.DateTimeField)
    close_reason = s.CharField(allow_blank=True)
    head = s.IntegerField()
    read = ReadCursors()
    survey = SurveyState()


class Guest(s.Serializer[Any]):
    id = s.UUIDField()
    name = s.CharField()
    state = s.ChoiceField(["invited", "joined"])


class AnyChat(CustomersChat):
    """A chat as its caller sees it: what is not required here is for staff alone."""

    index_head = s.IntegerField(required=False)
    customer = CustomerShort(required=False)
    channel = ChatChannel(required=False)
    agent_id = maybe(s.UUIDField, required=False)
    priority = s.IntegerField(required=False)
    language = s.CharField(required=False, allow_blank=True)
    skills = s.ListField(child=s.CharField(), required=False)
    page = ChatPage(required=False)
    data = s.DictField(required=False)  # type: ignore[assignment]
    queued_at = maybe(s.DateTimeField, required=False)
    waiting_since = maybe(s.DateTimeField, required=False)
    last_message = maybe(LastMessage, required=False)
    unread = s.IntegerField(required=False)
    delivered = ReadCursors(required=False)
    delivery = maybe(
        ChatDelivery,
        required=False,
        help_text="Where the chat travels by a channel of ours or a connector: how it goes.",
    )
    online = s.BooleanField(required=False)
    disposition = maybe(s.CharField, required=False)
    comment = s.CharField(required=False, allow_blank=True)
    rating = maybe(s.IntegerField, required=False)
    held = s.BooleanField(required=False)
    guest = s.ChoiceField(["invited", "joined"], allow_null=True, required=False)
    guests = Guest(many=True, required=False)


class QueuePlace(s.Serializer[Any]):
    position = s.IntegerField()
    wait_seconds = maybe(s.IntegerField)


class Events(s.Serializer[Any]):
    events = Event(many=True)
    head = s.IntegerField()
    epoch = s.CharField()
    chat = AnyChat()
    queue = maybe(QueuePlace, required=False, help_text="Customers: the place in the queue while waiting.")


class Started(s.Serializer[Any]):
    chat = AnyChat()
    index = s.IntegerField()
    replayed = s.BooleanField()


class Posted(s.Serializer[Any]):
    client_id = s.CharField()
    index = maybe(s.IntegerField)
    position = s.IntegerField(required=False)
    at = s.DateTimeField()
    replayed = s.BooleanField()


class ClosedAt(s.Serializer[Any]):
    index = s.IntegerField(required=False, help_text="To customers.")
    position = s.IntegerField(required=False, help_text="To staff.")


class ChatAnswer(s.Serializer[Any]):
    chat = AnyChat()


class Look(s.Serializer[Any]):
    title = s.CharField()
    accent = s.CharField()
    on_accent = s.CharField()
    side = s.ChoiceField(["start", "end"])
    greeting = s.CharField(allow_blank=True)
    logo_url = maybe(s.CharField)
    launcher_label = s.CharField()


class FormAsked(s.Serializer[Any]):
    key = s.CharField()
    label = s.CharField()  # type: ignore[assignment]
    kind = s.ChoiceField(["text", "email", "phone", "select", "textarea"])
    required = s.BooleanField()  # type: ignore[assignment]
    options = s.ListField(child=s.CharField())


class TeamOpen(Named):
    is_open = s.BooleanField()


class UploadRules(s.Serializer[Any]):
    max_bytes = s.IntegerField()
    types = s.ListField(child=s.CharField())


class CenterNamed(s.Serializer[Any]):
    id = s.UUIDField()
    name = s.CharField()


class WidgetConfig(s.Serializer[Any]):
    center = CenterNamed()
    channel = s.UUIDField()
    look = Look()
    languages = s.ListField(child=s.CharField())
    is_open = s.BooleanField()
    opens_at = maybe(s.DateTimeField)
    teams = TeamOpen(many=True)
    form = FormAsked(many=True)
    offline_form = s.BooleanField()
    survey = s.BooleanField()
    uploads = UploadRules()


class Session(s.Serializer[Any]):
    token = s.CharField()
    customer = CustomerShort()
    chat = maybe(CustomersChat)
    epoch = s.CharField()


class OfflineLeft(s.Serializer[Any]):
    id = s.UUIDField()
    replayed = s.BooleanField()


class Ticket(s.Serializer[Any]):
    ticket = s.CharField()
    expires_at = s.DateTimeField()


class TeamShown(Named):
    mode = s.ChoiceField(Team.Mode.values)
    is_active = s.BooleanField()
    is_default = s.BooleanField()
    target_seconds = s.IntegerField()


class TeamFull(TeamShown):
    is_open = s.BooleanField()
    opens_at = maybe(s.DateTimeField)
    waiting = s.IntegerField()
    strategy = s.ChoiceField(Team.Strategy.values)
    languages = s.ListField(child=s.CharField())


class AgentShown(s.Serializer[Any]):
    id = s.UUIDField()
    name = s.CharField()
    avatar = maybe(s.CharField)
    role = s.ChoiceField(Agent.Role.values)
    is_bot = s.BooleanField()
    status = s.ChoiceField(Presence.Status.values)
    status_at = maybe(s.DateTimeField)
    capacity = s.IntegerField()
    used = s.IntegerField()
    languages = s.ListField(child=s.CharField())
    skills = s.ListField(child=s.CharField())
    teams = s.ListField(child=s.UUIDField())


class Center(s.Serializer[Any]):
    id = s.UUIDField()
    slug = s.CharField()
    name = s.CharField()
    language = s.CharField()
    time_zone = s.CharField()
    accent = s.CharField()


class Me(s.Serializer[Any]):
    center = Center()
    agent = AgentShown()
    teams = TeamShown(many=True)


class AgentAnswer(s.Serializer[Any]):
    agent = AgentShown()


class ChannelShown(s.Serializer[Any]):
    id = s.UUIDField()
    kind = s.ChoiceField(Channel.Kind.values)
    name = s.CharField()
    key = s.CharField()
    team = maybe(Named)
    allowed_origins = s.ListField(child=s.CharField())
    is_active = s.BooleanField()


class Queue(s.Serializer[Any]):
    id = s.UUIDField()
    waiting = s.IntegerField()
    oldest_at = maybe(s.DateTimeField)
    chats = AnyChat(many=True)


class Invitation(s.Serializer[Any]):
    id = s.UUIDField()
    chat = AnyChat()
    reason = s.CharField(allow_blank=True)
    offered_at = s.DateTimeField()
    expires_at = s.DateTimeField()
    seconds = s.IntegerField()


class Decision(s.Serializer[Any]):
    position = s.IntegerField()
    at = s.DateTimeField()
    team = s.CharField()
    strategy = s.CharField()
    chosen = maybe(s.UUIDField)
    eligible = s.ListField(child=s.DictField())
    excluded = s.ListField(child=s.DictField())
    words = s.ListField(child=s.CharField(), help_text="The same as sentences.")


class Customer(CustomerShort):
    time_zone = s.CharField(allow_blank=True)
    external_id = maybe(s.CharField)
    data = s.DictField()  # type: ignore[assignment]
    notes = s.CharField(allow_blank=True)
    is_blocked = s.BooleanField()
    blocked_until = maybe(s.DateTimeField)
    block_reason = s.CharField(allow_blank=True)
    merged_into = maybe(s.UUIDField)
    erased_at = maybe(s.DateTimeField)
    created_at = s.DateTimeField()
    last_seen_at = maybe(s.DateTimeField)


class Reply(s.Serializer[Any]):
    id = s.UUIDField()
    shortcut = s.CharField()
    title = s.CharField()
    text = s.CharField()
    language = s.CharField(allow_blank=True)
    team = maybe(Named)


class Disposition(s.Serializer[Any]):
    id = s.UUIDField()
    name = s.CharField()


class Offline(s.Serializer[Any]):
    id = s.UUIDField()
    at = s.DateTimeField()
    name = s.CharField(allow_blank=True)
    email = s.CharField(allow_blank=True)
    phone = s.CharField(allow_blank=True)
    text = s.CharField()
    page = ChatPage()
    team = Named()
    channel = ChatChannel()
    customer = CustomerShort()
    handled_at = maybe(s.DateTimeField)
    handled_by = maybe(s.CharField)


class Waits(s.Serializer[Any]):
    average_seconds = maybe(s.FloatField)
    median_seconds = maybe(s.FloatField)
    p90_seconds = maybe(s.FloatField)


class Figures(s.Serializer[Any]):
    started = s.IntegerField()
    closed = s.IntegerField()
    accepted = s.IntegerField()
    unanswered = s.IntegerField(help_text="Ended before an agent took them.")
    within_target = s.IntegerField(help_text="First answered within the team's target.")
    wait = Waits(help_text="From the start to an agent's acceptance.")
    first_answer = Waits(help_text="From the start to the first answer.")
    duration = Waits(help_text="From the start to the end.")
    ratings = s.IntegerField()
    rating = maybe(s.FloatField, help_text="The average, 1 to 5.")


class TeamFigures(Figures):
    team = Named()


class Summary(s.Serializer[Any]):
    since = s.DateTimeField()
    until = s.DateTimeField()
    all = Figures()
    teams = TeamFigures(many=True)
