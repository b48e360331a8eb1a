"""The catalogues of what the server says: whole, with the same holes, and compiled. `bin/translate` refreshes them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation import ngettext, override
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
ONE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
TWO = {"ngettext", "ngettext_lazy"}
IN_CONTEXT = {"pgettext", "pgettext_lazy"}
TEXT = r"""\s*u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*"""
CALL = re.compile(rf"\b(_|n?gettext|pgettext)\(({TEXT}(?:,{TEXT})*)", re.DOTALL)
HOLE = re.compile(r"%\(\w+\)[sd]|%[sd]|%\(\w+\)\.\df|\{\w*\}")


def path_of(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> polib.POFile:
    return polib.pofile(str(path_of(language)))


def key(function: str, texts: list[str]) -> tuple[str, str]:
    """(context, text) of one call."""
    return (texts[0], texts[1]) if function in IN_CONTEXT else ("", texts[0])


def in_code(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ONE | TWO | IN_CONTEXT:
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if texts:
                yield key(node.func.id, texts)


def in_template(path: Path) -> Iterator[tuple[str, str]]:
    for function, arguments in CALL.findall(templatize(path.read_text(encoding="utf-8"))):
        yield key(function, list(ast.literal_eval(f"({arguments},)")))


def said() -> set[tuple[str, str]]:
    """Everything that is marked for translation."""
    found: set[tuple[str, str]] = set()
    for app in ("agents", "chats", "contactcenter"):
        for path in (ROOT / app).rglob("*.py"):
            found.update(in_code(path))
    for path in (ROOT / "templates").rglob("*.*"):
        if path.suffix in (".html", ".txt"):
            found.update(in_template(path))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_is_said_stands_in_the_catalogue_and_nothing_else(language):
    listed = {(entry.msgctxt or "", entry.msgid) for entry in read(language)}
    found = said()
    assert found - listed == set(), "run bin/translate and fill in what it lists"
    assert listed - found == set(), "run bin/translate: nobody says this any more"


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_translated_and_nothing_guessed(language):
    catalogue = read(language)
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_holes(language):
    for entry in read(language):
        texts = [entry.msgstr] if not entry.msgid_plural else list(entry.msgstr_plural.values())
        for text in texts:
            assert sorted(HOLE.findall(text)) == sorted(HOLE.findall(entry.msgid)), entry.msgid
            assert text.startswith("\n") == entry.msgid.startswith("\n"), entry.msgid
            assert text.endswith("\n") == entry.msgid.endswith("\n"), entry.msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    path = path_of(language)
    assert path.with_suffix(".mo").read_bytes() == read(language).to_binary(), "run bin/translate"


@pytest.mark.parametrize(
    ("language", "count", "sentence"),
    [
        ("de", 1, "Mit 1 Stern bewertet"),
        ("de", 4, "Mit 4 Sternen bewertet"),
        ("ar", 3, "التقييم: 3 نجوم"),
        ("ar", 2, "التقييم: نجمتان (2)"),
    ],
)
def test_numbers_bend_words_as_the_language_wants(language, count, sentence):
    with override(language):
        said = ngettext("Rated with %(count)d star", "Rated with %(count)d stars", count)
    assert said % {"count": count} == sentence


def test_the_collector_finds_what_templates_and_code_mark():
    page = ROOT / "templates" / "404.html"
    assert ("", "There is nothing here") in set(in_template(page))
    assert ("", "This chat has ended.") in set(in_code(ROOT / "chats" / "errors.py"))
