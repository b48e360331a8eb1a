"""Files that lie elsewhere, in what remains of a chat: names and addresses as text, in every form."""

import pytest

from chats.transcripts.page import render_html
from chats.transcripts.paper import render_pdf
from chats.transcripts.plain import render_text
from chats.transcripts.reading import Words, beginning, read_transcript
from tests.chats.carried import carry, customer_of, hold, make_sms, say
from tests.chats.test_transcript_paper import by_pypdf

pytestmark = pytest.mark.django_db


def said(transcript):
    entries = [entry for day in transcript.days for entry in day.entries if isinstance(entry, Words)]
    return [(entry.side, entry.name, [bubble.text for bubble in entry.bubbles]) for entry in entries]


def test_links_are_lines_of_text_for_everybody(acme, ann, now):
    chat = carry(make_sms(acme), "+49 1", now)
    links = (
        {"type": "", "name": "Invoice\r\n[99:00] Ann", "url": "https://files.example/1?a=b&c"},
        {"type": "", "name": "", "url": "https://b.example/"},
    )
    seat, customer = hold(chat, ann, now), customer_of(chat.pk)
    say(seat, "", now, links=links, to=({"id": str(customer.pk), "name": "Mia the Great"},))
    say(customer, "VIP", now, is_note=True, links=links[1:])
    transcript = read_transcript(chat)
    text = render_text(transcript)
    assert "    Invoice [99:00] Ann: https://files.example/1?a=b&c\n    https://b.example/\n" in text
    assert "Mia the Great" not in text
    assert "VIP" not in text
    html = render_html(transcript).html
    assert "https://files.example/1?a=b&amp;c" in html
    assert "<a " not in html
    assert "https://files.example/1" not in str(beginning(transcript, 20)[0])
    told = said(read_transcript(chat, for_staff=True, notes=True))
    assert ("note", "Mia +49 1 (customer's side)", ["VIP"]) in told


def test_links_are_printed_below_what_was_said(acme, ann, now):
    links = (
        {"type": "", "name": "Invoice", "url": "https://files.example/1?a=b"},
        {"type": "", "name": "", "url": f"https://b.example/{'long/' * 60}"},
    )
    chat = carry(make_sms(acme), "+49 1", now)
    say(hold(chat, ann, now), "See", now, links=links)
    text = "".join(by_pypdf(render_pdf(read_transcript(chat))).split())
    assert "SeeInvoice:https://files.example/1?a=bhttps://b.example/long/" in text
    assert text.count("long/") == 60
