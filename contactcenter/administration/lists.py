"""Lists that the database keeps as JSON, edited as one entry a line (drawn as chips where scripts run)."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAX_ENTRIES, MAX_LENGTH = 200, 200


def check_language(entry: str) -> None:
    if not LANGUAGE.fullmatch(entry):
        raise ValidationError(
            _("“%(entry)s” is no language code. Write it like en, de or pt-BR."), params={"entry": entry}
        )


def check_origin(entry: str) -> None:
    """Exactly scheme://host[:port], as a browser sends it in Origin."""
    try:
        parts = urlsplit(entry)
        parts.port  # noqa: B018 - raises for what is no port
        is_exact = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and re.fullmatch(r"[a-z0-9.\-:\[\]]+", parts.netloc) is not None
            and entry == f"{parts.scheme}://{parts.netloc}"
        )
    except ValueError:
        is_exact = False
    if not is_exact:
        words = _(
            "“%(entry)s” is no origin. Write it like https://www.example.com, without a path and in small letters."
        )
        raise ValidationError(words, params={"entry": entry})


def check_word(entry: str) -> None:
    if len(entry) > 100:
        raise ValidationError(_("“%(entry)s…” is too long. 100 characters at most."), params={"entry": entry[:20]})


# Which JSON fields are lists, and what an entry must be.
LISTS: dict[str, Callable[[str], None]] = {
    "languages": check_language,
    "skills": check_word,
    "options": check_word,
    "allowed_origins": check_origin,
    "events": check_word,
}
HINTS = {
    "languages": _("en, de, pt-BR …"),
    "skills": _("Type, then Enter"),
    "options": _("Type, then Enter"),
    "allowed_origins": "https://www.example.com",
    "events": "message.posted, chat.*",
}


class LinesField(forms.Field):
    """A list of strings, one a line, without blanks and repeats. `check` raises ValidationError for a wrong entry."""

    def __init__(self, *, check: Callable[[str], None], hint: Any = "", **kwargs: Any) -> None:
        attrs = {"rows": 3, "data-lines": "", "placeholder": hint, "spellcheck": "false"}
        kwargs["widget"] = UnfoldAdminTextareaWidget(attrs=attrs)
        super().__init__(**kwargs)
        self.check = check

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(entry) for entry in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        if isinstance(value, list):
            return value
        lines = (" ".join(line.split()) for line in str(value or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > MAX_ENTRIES or any(len(entry) > MAX_LENGTH for entry in value):
            raise ValidationError(_("That is too much: 200 entries of 200 characters at most."))
        wrong = []
        for entry in value:
            try:
                self.check(entry)
            except ValidationError as error:
                wrong.append(error)
        if wrong:
            raise ValidationError(wrong)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != list(initial or [])


def lines_field(name: str, **kwargs: Any) -> LinesField:
    """The form field of one of LISTS."""
    return LinesField(check=LISTS[name], hint=HINTS[name], **kwargs)
