"""The desk's catalogues: every word that the code asks for stands in every language."""

import json
import re
from pathlib import Path

import pytest

from agents.desk import WORDS, words

pytestmark = pytest.mark.both

CODE = Path(__file__).resolve().parents[2] / "agents" / "static" / "desk"
CATALOGUES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in WORDS.glob("*.json")}
ENGLISH = CATALOGUES["en"]
# What stands for a family of keys: t(`status.${value}`), error codes, closing reasons.
FAMILIES = (
    "status.",
    "theme.",
    "mode.",
    "help.",
    "error.",
    "closed.",
    "event.",
    "field.",
    "invitation.reason.",
    "why.",
    "tab.",
    "notify.",
)


def keys_in_code() -> set[str]:
    found: set[str] = set()
    for path in CODE.rglob("*.js"):
        for call in re.findall(r"\bt(?:Or)?\(([^()]*(?:\([^()]*\)[^()]*)*)\)", path.read_text(encoding="utf-8")):
            found.update(re.findall(r'"([a-z_]+(?:\.[a-zA-Z_]+)*)"', call.split(", {")[0]))
    return found


def has(key: str, catalogue: dict[str, str]) -> bool:
    return key in catalogue or f"{key}.other" in catalogue


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_every_word_of_the_code_is_there(language: str) -> None:
    values = {"light", "dark", "stale", "note", "done", "failed", "mod"}  # compared with, not looked up
    missing = {key for key in keys_in_code() - values if not has(key, CATALOGUES[language])}
    assert not missing


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_every_language_has_the_same_words_with_the_same_holes(language: str) -> None:
    catalogue = CATALOGUES[language]
    assert catalogue.keys() == ENGLISH.keys()
    for key, text in catalogue.items():
        assert text.strip(), key
        # A plural's form may say its number in a word.
        wanted = set(re.findall(r"\{(\w+)\}", ENGLISH[key])) - {"count"}
        assert set(re.findall(r"\{(\w+)\}", text)) - {"count"} == wanted, key


def test_no_word_is_kept_that_nobody_says() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in CODE.rglob("*.js"))
    kept = {re.sub(r"\.(one|two|few|many|other|zero)$", "", key) for key in ENGLISH}
    assert not {key for key in kept if f'"{key}"' not in code and not key.startswith(FAMILIES)}


def test_an_unknown_language_is_english() -> None:
    assert words("tlh") == ENGLISH
