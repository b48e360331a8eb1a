"""A network outside of this machine that only remembers, for the tests of whoever has to do with carriers."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from chats.carriers.dispatches import Dispatches
from chats.carriers.provider import Parcel, Result, Setting
from chats.errors import Invalid
from chats.models import Carrier
from contactcenter.models import Channel

SETTINGS = (
    Setting(name="account_sid", label="Account", help="As the provider shows it.", is_required=True),
    Setting(name="auth_token", label="Token", kind="secret", is_required=True),
    Setting(name="port", label="Port", kind="number", default=993),
    Setting(name="is_test", label="Only try", kind="flag"),
)
KINDS = {"twilio": Channel.Kind.SMS, "mail": Channel.Kind.EMAIL, "messenger": Channel.Kind.FACEBOOK}


@dataclass
class Network:
    """sent: what it took; answers: what it will say instead of taking; trouble: what `check` says."""

    kind: Any = Channel.Kind.SMS
    settings: tuple[Any, ...] = SETTINGS
    tells_delivery: bool = True
    most_text: int = 1600
    trouble: str = ""
    sent: list[Parcel] = field(default_factory=list)
    answers: list[Result] = field(default_factory=list)
    checked: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)

    def own_address(self, value: str) -> str:
        return self.address(value, "")

    def address(self, value: str, own: str) -> str:
        """Blanks go, letters become small; what says "wrong" is none."""
        found = "".join(value.split()).lower()
        if not found or "wrong" in found:
            raise Invalid("This is no address.")
        return found

    def send(self, parcel: Parcel, sender: Any, seconds: float) -> Result:
        self.sent.append(parcel)
        return self.answers.pop(0) if self.answers else Result(external_id=f"N{len(self.sent)}")

    def check(self, own: str, settings: Any, secrets: Any, seconds: float) -> str:
        self.checked.append((own, dict(settings), dict(secrets)))
        return self.trouble


def make_carrier(world: SimpleNamespace, provider: str, address: str, **fields: Any) -> Carrier:
    """With a channel of its kind."""
    kind = KINDS[provider]
    name = fields.pop("name", f"Our {kind}")
    channel = Channel.objects.create(
        center=world.center, kind=kind, name=name, address=address, team=fields.pop("team", world.support)
    )
    return Carrier.objects.create(center=world.center, channel=channel, provider=provider, **fields)


def send_all(now: Any) -> None:
    """As the outbox does, one after the other, without its threads."""
    book = Dispatches()
    while numbers := [number for channel in book.lanes.due_targets(now) for number in book.lanes.scan(channel, now)]:
        claimed = book.lanes.claim(numbers, now)
        book.prepare(claimed)
        book.note([book.do(row, None, 5) for row in claimed], now)  # type: ignore[arg-type]
