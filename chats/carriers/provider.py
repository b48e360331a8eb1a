"""What every carrier is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from chats.outbox.sending import Sender
from contactcenter.models import Channel


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One line of a carrier's page in the admin. kind: text, number, flag, choice (of `choices`: value, label) or secret (kept encrypted, never shown again); most: characters, where it is a whole file's content."""

    name: str
    label: Any
    help: Any = ""
    kind: str = "text"
    default: Any = ""
    is_required: bool = False
    most: int = 0
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class File:
    """An attachment of a message on its way. path: of its bytes in the storage."""

    name: str
    content_type: str
    size: int
    path: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A message on its way, with all that sending it needs: no database is asked while it is sent.

    id: stays the same over all tries; own: our address on the channel; address: the customer's; facts: the carriage's; status_url: where the network may tell its fate.
    """

    id: str
    own: str
    address: str
    text: str
    files: tuple[File, ...]
    sender_name: str
    center_name: str
    language: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    facts: Mapping[str, Any]
    status_url: str
    wrote_at: Any = None  # when the customer last wrote on this channel


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one try. external_id: the network's, when it took the message; again: whether another try may help; code: stopped, window, account (the network takes our credentials no more: the carrier says so), or empty.

    facts: what the carriage keeps from now on; was_answered: whether anybody was there.
    """

    external_id: str = ""
    error: str = ""
    again: bool = False
    code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    was_answered: bool = True

    @property
    def is_sent(self) -> bool:
        return not self.error


class Provider(Protocol):
    """A carrier. tells_delivery: whether its network says later that a message arrived; most_text: characters of one message."""

    kind: ClassVar[Channel.Kind]
    settings: ClassVar[tuple[Setting, ...]]
    tells_delivery: ClassVar[bool]
    most_text: ClassVar[int]

    def own_address(self, value: str) -> str:
        """Our address on the channel in its one spelling. Raises chats.errors.Invalid."""

    def address(self, value: str, own: str) -> str:
        """A customer's. Raises chats.errors.Invalid."""

    def send(self, parcel: Parcel, sender: Sender, seconds: float) -> Result:
        """One try, in a thread of the outbox. `sender` calls HTTP within our limits, and never a private network."""

    def check(self, own: str, settings: Mapping[str, Any], secrets: Mapping[str, str], seconds: float) -> str:
        """Try whether the network knows us; what is wrong as a sentence, or nothing."""
