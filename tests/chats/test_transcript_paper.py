"""The PDF: right in every script, bounded, and made where nothing can be fetched, read or started."""

import contextlib
import io
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import unicodedata
from dataclasses import asdict

import pypdf
import pytest
from django.conf import settings
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection

from chats.actions.close import close_by_customer
from chats.errors import Unavailable
from chats.models import Chat
from chats.transcripts import paper
from chats.transcripts.bidi import levels, starts_right
from chats.transcripts.faces import MISSING, Faces, clusters
from chats.transcripts.layout import Typesetter, clean
from chats.transcripts.paper import PressFailed, render_pdf
from chats.transcripts.reading import Bubble, Day, Transcript, Words, read_transcript
from chats.transcripts.serve import serve_customer_transcript, serve_staff_transcript
from chats.transcripts.sheet import Sheet
from tests.chats.transcript_texts import PRIVATE, SCRIPTS, attacks, say
from tests.conftest import make_held_chat


def transcript(*texts: str, direction: str = "ltr") -> Transcript:
    words = Words("customer", "Mia", "10:42", [Bubble(text) for text in texts])
    return Transcript(
        reference="0198",
        language="ar" if direction == "rtl" else "en",
        direction=direction,
        center="Acme",
        accent="#2f5bea",
        title="Chat",
        facts=[("Team", "Support")],
        labels={"note": "Only your team sees this", "end": "End", "file": "File"},
        days=[Day("Today", [words])],
    )


def by_pypdf(pdf: bytes) -> str:
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    # pypdf reads two-byte codes of fonts with a map of their own as two characters, and shows codes that mean nothing.
    return re.sub("[\x00-\x09\x0b-\x1f]", "", text)


def by_pdftotext(pdf: bytes) -> str:
    return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


EXTRACTORS = [by_pypdf, *([by_pdftotext] if shutil.which("pdftotext") else [])]


def letters(text: str) -> list[str]:
    """The letters of each word in any order: extractors differ in how they turn right-to-left words and ligatures."""
    plain = unicodedata.normalize("NFKC", text)
    return ["".join(sorted(char for char in word if char.isalpha())) for word in plain.split()]


@pytest.fixture(scope="module")
def every_script() -> bytes:
    return render_pdf(transcript(*SCRIPTS.values()))


@pytest.mark.parametrize("extract", EXTRACTORS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_can_be_found_in_the_pdf(script, extract, every_script):
    found = "".join(letters(extract(every_script)))
    for word in letters(SCRIPTS[script]):
        assert set(word) <= set(found)  # marks may be decomposed and moved: the letters must all be there
    assert MISSING not in extract(every_script)


def test_arabic_words_are_shaped_and_stay_searchable():
    found = by_pypdf(render_pdf(transcript("مرحبا كيف حالك")))
    plain = unicodedata.normalize("NFKC", found)
    for word in ("مرحبا", "كيف", "حالك"):
        assert word in plain or word[::-1] in plain


def test_emoji_chinese_and_hindi_are_copied_as_they_were_written(every_script):
    found = by_pypdf(every_script).replace("\n", "")
    assert "你好，我的订单在哪里？" in found
    assert "👍🏽 😀 ❤️ 👨‍👩‍👧‍👦 🇩🇪 1️⃣" in found
    assert "ऑर्डर" in found


def test_letters_that_were_split_or_moved_tell_their_text():
    word = "विद्यार्थी"
    pdf = pypdf.PdfReader(io.BytesIO(render_pdf(transcript(word))))
    assert word.encode("utf-16-be").hex().encode() in pdf.pages[0].get_contents().get_data()


def test_a_reader_from_right_to_left_gets_a_page_from_right_to_left():
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(transcript("مرحبا", direction="rtl"))))
    places = []
    reader.pages[0].extract_text(visitor_text=lambda text, _cm, tm, _font, _size: places.append((text.strip(), tm[4])))
    assert min(place for text, place in places if "Mia" in text) > 400


def test_what_is_written_the_other_way_stays_beside_its_speaker():
    for direction, text in (("rtl", "Parcel"), ("ltr", "مرحبا")):
        reader = pypdf.PdfReader(io.BytesIO(render_pdf(transcript(text, direction=direction))))
        places = []
        reader.pages[0].extract_text(
            visitor_text=lambda text, _cm, tm, _font, _size, to=places: to.append((text, tm[4]))
        )
        (name,) = [place for text, place in places if "Mia" in text]
        said = [place for found, place in places if set(letters(text)) & set(letters(found))]
        assert said
        assert all(abs(place - name) < 60 for place in said), places


def test_what_no_font_has_is_shown_as_missing_never_left_out(monkeypatch):
    faces = Faces()
    monkeypatch.setattr(faces, "_server_faces", list)
    runs = faces.split("a \ue000\U0010ffff b")
    assert "".join(text for _, text in runs) == f"a {MISSING}{MISSING} b"


def test_the_fonts_that_we_ship_cover_the_scripts_without_any_of_the_servers(monkeypatch):
    faces = Faces()
    monkeypatch.setattr(faces, "_server_faces", list)
    for text in SCRIPTS.values():
        assert MISSING not in "".join(part for _, part in faces.split(text))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("abc", ["a", "b", "c"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("👨‍👩‍👧‍👦a", ["👨‍👩‍👧‍👦", "a"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("1️⃣2", ["1️⃣", "2"]),
        ("हिन्दी", ["हि", "न्", "दी"]),
    ],
)
def test_letters_and_their_marks_stay_together(text, parts):
    assert list(clusters(text)) == parts


def test_directions_agree_with_another_implementation():
    chance = random.Random(7)
    letters = "abאבמل12٣٤ .,:+-%$()[]«!"
    for _ in range(3000):
        text = "".join(chance.choice(letters) for _ in range(chance.randint(1, 16)))
        for is_rtl in (False, True):
            direction = TextDirection.RTL if is_rtl else TextDirection.LTR
            theirs = BidiParagraph(text=text, base_direction=direction, preserve_bn_chars=True)
            assert levels(text, is_rtl) == [char.embedding_level for char in theirs.get_characters()], ascii(text)


def test_the_first_letter_says_where_a_paragraph_begins():
    assert starts_right("123 - שלום abc")
    assert not starts_right("123 abc שלום")
    assert not starts_right("123")


HOSTILE = {
    "neutrals": "א" + "." * 9999,
    "brackets": "א" + "()" * 4999,
    "open": "א" + "(" * 9999,
    "marks": "a" + "\u0301" * 9999,
    "joiners": "\u200d" * 10_000,
    "flags": "🇩" * 10_000,
    "families": "👨‍👩‍👧‍👦" * 1400,
    "isolates": "א" + "\u2067" * 5000 + "\u2069" * 4999,
    "spaces": " \u2003" * 5000,
    "controls": "\x00\x1b\x7f\x85" * 2500,
    "one word": "x" * 10_000,
    "alternating": "אa" * 5000,
    "kinsoku": "「" * 5000 + "。" * 5000,
}


@pytest.fixture(scope="module")
def setter() -> Typesetter:
    return Typesetter(Faces(), Sheet())


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long_or_leaves_the_page(name, setter):
    began = time.process_time()
    lines = setter.lines(HOSTILE[name], 45)
    assert time.process_time() - began < 3
    assert all(line.width <= 45.01 for line in lines)


def test_lines_break_at_spaces_and_between_ideographs_but_not_before_a_full_stop(setter):
    def shown(text: str, width: float) -> list[int]:
        return [sum(piece.show.count("<") for piece in line.pieces) for line in setter.lines(text, width)]

    assert shown("aaa bbb ccc", 4.6) == [7, 3]
    assert shown("你好世界", 2.1) == [2, 2]
    assert shown("你好。世界", 2.1) == [1, 2, 2]
    assert shown("你「好」世", 2.1) == [1, 3, 1] or max(line.width for line in setter.lines("你「好」世", 3.1)) <= 3.1


def test_senders_cannot_turn_the_order_of_a_page():
    assert clean("safe\u202eexe.fdp\u202c\u2066x\u2069\x1b[0m\t.") == "safeexe.fdpx\ufffd[0m    ."


def test_attacks_are_printed_and_nothing_is_fetched_or_read(tmp_path, figures):
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET-FILE-CONTENT")
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        corpus = attacks(f"http://127.0.0.1:{server.getsockname()[1]}", str(secret))
        pdf = render_pdf(transcript(*corpus))
        with contextlib.suppress(TimeoutError):
            calls.append(server.accept())
    figures.count("attacks on paper that called somebody", found=len(calls), tried=len(corpus))
    figures.count("attacks on paper that read a file", found=b"SECRET-FILE-CONTENT" in pdf, tried=len(corpus))
    assert not calls
    assert b"SECRET-FILE-CONTENT" not in pdf
    found = re.sub(r"\s", "", by_pypdf(pdf))
    for attack in corpus:
        assert re.sub(r"\s", "", attack) in found
    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        assert "/Annots" not in page
    for word in (b"/JavaScript", b"/Launch", b"/URI ", b"/EmbeddedFile"):
        assert word not in pdf


TRIES = {
    "a socket": "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
    "a name": "import socket; socket.getaddrinfo('localhost', 80)",
    "a program": "import subprocess; subprocess.run(['true'])",
    "a shell": "import os; os.system('true')",
    "a file": "open('/etc/passwd').read()",
    "a path": "import pathlib; pathlib.Path('manage.py').read_text()",
    "a detour": f"open('{settings.BASE_DIR}/contactcenter/fonts/../../manage.py').read()",
    "writing": f"open('{settings.BASE_DIR}/contactcenter/fonts/x', 'w')",
    "an address": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
}


@pytest.mark.parametrize("name", TRIES)
def test_the_press_cannot_reach_anything(name, figures):
    code = f"from chats.transcripts.press import confine; confine()\n{TRIES[name]}"
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True)
    figures.count("ways out of the press", found=done.returncode == 0)
    assert done.returncode == 1
    assert "PermissionError: The press may not" in done.stderr


def test_the_press_starts_without_django_and_without_our_environment(monkeypatch):
    code = "import sys, chats.transcripts.press; print([name for name in sys.modules if name.startswith('django')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_memory_and_time_are_limited():
    code = "from chats.transcripts.press import confine; confine(); x = bytearray(3 * 1024 ** 3)"
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert "MemoryError" in done.stderr


def test_a_press_that_is_too_slow_is_ended_and_the_door_says_so(monkeypatch, acme, ann, now):
    held = make_held_chat(acme, ann, now)
    close_by_customer(held.customer, now=now)
    monkeypatch.setattr(paper, "SECONDS", 0.05)
    with pytest.raises(PressFailed):
        render_pdf(transcript("hello"))
    with pytest.raises(Unavailable):
        serve_customer_transcript(Chat.objects.get(pk=held.chat.pk), "pdf")


def test_a_busy_press_does_not_hold_its_callers_for_ever(monkeypatch):
    monkeypatch.setattr(paper, "PRESSES", threading.BoundedSemaphore(1))
    monkeypatch.setattr(paper, "WAIT_SECONDS", 0.05)
    with paper.PRESSES, pytest.raises(PressFailed):
        render_pdf(transcript("hello"))


@pytest.fixture
def patience(monkeypatch):
    """How long a press may take is no matter of what it prints."""
    monkeypatch.setattr(paper, "SECONDS", 300)


def test_ten_thousand_messages_are_printed(patience):
    texts = [f"{number} The quick brown fox asks. {SCRIPTS['hebrew']}" for number in range(10_000)]
    pdf = render_pdf(transcript(*texts))
    last = pypdf.PdfReader(io.BytesIO(pdf)).pages[-1].extract_text()
    assert "9999 The quick brown fox" in last
    assert "End" in last


def test_what_is_too_long_for_paper_is_cut_and_the_page_says_so(patience):
    pdf = render_pdf(transcript(*["many words " * 900] * 1000))
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) < 600
    assert "too long for paper" in reader.pages[-1].extract_text()


def test_the_private_mark_is_on_no_paper_for_the_customer(acme, ann, now):
    held = make_held_chat(acme, ann, now)
    say(held, held.agent, PRIVATE, now, is_note=True)
    say(held, held.customer, "visible", now)
    close_by_customer(held.customer, now=now)
    chat = Chat.objects.get(pk=held.chat.pk)
    customers = by_pypdf(serve_customer_transcript(chat, "pdf").content)
    assert PRIVATE not in customers
    assert "visible" in customers
    assert PRIVATE in by_pypdf(serve_staff_transcript(chat, "pdf", notes=True).content)


def test_the_document_goes_to_the_press_as_plain_values(acme, ann, now):
    held = make_held_chat(acme, ann, now, text="Hello")
    json.dumps(asdict(read_transcript(held.chat, for_staff=True, notes=True)))
