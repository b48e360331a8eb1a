"""Handing a mail over (RFC 5321). What was taken after DATA is sent; whatever happens before or instead is a Result that says whether to try again."""

import contextlib
import smtplib
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from chats.carriers.provider import Parcel, Result
from chats.outbox.sending import trusted

from .compose import Unfit, begun, compose, one_line, write
from .wire import Trouble, connect, ends, make_safe, seconds_until, told

PORTS = {"ssl": 465, "starttls": 587, "none": 25}


class _Server(smtplib.SMTP):
    """smtplib's, on a connection of ours."""

    def __init__(self, host: str, port: int, security: str, own: str, until: float) -> None:
        self._until, self._is_safe = until, security == "ssl"
        # Its own name is that of our address: looking up this machine's could take for ever.
        with ends(until, self):  # from the first byte on
            super().__init__(host, port, own.rpartition("@")[2] or "localhost", timeout=seconds_until(until))

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = connect(host, port, self._until)
        return make_safe(plain, host) if self._is_safe else plain


def send(parcel: Parcel, seconds: float) -> Result:
    """One try that ends after `seconds`, whatever the server does. Raises nothing that a server can bring about."""
    until = time.monotonic() + seconds
    try:
        letter = write(parcel)
        mail = compose(letter)
    except Unfit:
        return Result(error=_("Mail cannot be sent to this address."))
    except OSError:
        return Result(error=_("An attachment could not be read."))
    try:
        with signed_in(parcel.own, parcel.settings, parcel.secrets, until) as server:
            server.sendmail(parcel.own, [parcel.address], mail)
    except Trouble as trouble:
        return Result(error=str(trouble), again=trouble.again, was_answered=trouble.was_answered)
    return Result(external_id=letter.message_id, facts=begun(parcel, letter.message_id))


@contextlib.contextmanager
def signed_in(
    own: str, settings: Mapping[str, Any], secrets: Mapping[str, str], until: float
) -> Iterator[smtplib.SMTP]:
    """A server that is ready to take mail. Whatever goes wrong in it is Trouble."""
    host, security = str(settings.get("smtp_host") or ""), str(settings.get("smtp_security") or "starttls")
    port = int(settings.get("smtp_port") or PORTS.get(security, 587))
    user = str(settings.get("smtp_user") or "")
    with told(), _in_words():  # smtplib's errors are OSErrors, too
        server = _Server(host, port, security, own, until)
        with ends(until, server):
            try:
                if security == "starttls":
                    server.starttls(context=trusted())
                if user:
                    server.login(user, secrets.get("smtp_password", ""))
                yield server
            except BaseException:
                server.close()
                raise
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()  # it has taken the mail, whether it says goodbye or not


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """smtplib's errors as Trouble. 4xx may pass, 5xx will not; a refused password is the center's to mend, so mail waits for that."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise Trouble(_("The mail server refused the name or the password.")) from error
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise Trouble(_said(code, said), again=code < 500) from error
    except smtplib.SMTPResponseException as error:
        raise Trouble(_said(error.smtp_code, error.smtp_error), again=error.smtp_code < 500) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Trouble(_("The mail server does not offer what the settings ask for."), again=False) from error
    except smtplib.SMTPException as error:
        raise Trouble(_("The mail server hung up.")) from error


def _said(code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return _("The mail server said: %(words)s") % {"words": f"{code} {one_line(words)}"[:200]}
