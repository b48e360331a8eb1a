"""What mails say, whoever wrote them with whatever: no server, no database."""

from email.message import EmailMessage

import pytest

from chats.carriers.mail.charsets import decode
from chats.carriers.mail.page import text_of
from chats.carriers.mail.parsing import read_head, read_mail
from chats.carriers.mail.quotes import divide

HEAD = b"From: Mia <mia@example.com>\nMessage-ID: <1@example.com>\n"


def test_texts_in_any_charset_come_out_readable():
    told = {
        b"text/plain; charset=utf-8": "Größe €".encode(),
        b"text/plain; charset=iso-8859-1": "Größe €".encode("cp1252"),
        b"text/plain; charset=windows-1252": "Größe €".encode("cp1252"),
        b"text/plain": "Größe €".encode(),
        b"text/plain; charset=no-such-thing": "Größe €".encode(),
        b'text/plain; charset="utf-8': "Größe €".encode(),
        b"text/plain; charset=base64": "Größe €".encode(),
        b"text/plain; charset=utf-16": "Größe €".encode("utf-16"),
        b"text/plain; charset=us-ascii": "Größe €".encode("cp1252"),
    }
    for kind, data in told.items():
        assert read_mail(HEAD + b"Content-Type: " + kind + b"\n\n" + data).text == "Größe €", kind
    others = {
        "gb2312": "退货",
        "iso-2022-jp": "返品",
        "koi8-r": "Возврат",
        "windows-1256": "إرجاع",
        "ks_c_5601-1987": "반품",
    }
    for charset, text in others.items():
        assert decode(text.encode("cp949" if charset.startswith("ks") else charset), charset) == text
    assert decode(b"a\0b\xff", "punycode") == "abÿ"


def test_headers_come_out_readable_and_name_one_sender():
    subjects = {
        b"=?utf-8?B?R3LDtsOfZQ==?=": "Größe",
        b"=?iso-8859-1?Q?Gr=F6=DFe?=": "Größe",
        b"=?utf-8?Q?Gr=C3?= =?utf-8?Q?=B6=C3=9Fe?=": "Größe",
        "Größe".encode(): "Größe",
        "Größe".encode("cp1252"): "Größe",
        b"=?no-such?Q?abc?=": "abc",
        b"=?utf-8?B?!!!?=": "",
        b"a\n\tb": "a b",
    }
    for raw, text in subjects.items():
        assert read_mail(HEAD + b"Subject: " + raw + b"\n\nx").subject == text, raw
    senders = {
        b"Mia <MIA@Example.com>": ("mia@example.com", "Mia"),
        b"=?utf-8?Q?M=C3=BCller=2C_Mia?= <mia@example.com>": ("mia@example.com", "Müller, Mia"),
        b'"boss@acme.example" <eve@example.com>': ("eve@example.com", "boss@acme.example"),
        b"=?utf-8?Q?boss=40acme.example=3E?= <eve@example.com>": ("eve@example.com", "boss@acme.example>"),
        b"a@example.com, b@example.com": ("a@example.com", ""),
        b"nobody": ("", ""),
        b"(" * 3000: ("", ""),
        b"": ("", ""),
    }
    for raw, (address, name) in senders.items():
        mail = read_mail(b"From: " + raw + b"\n\nx")
        assert (mail.sender, mail.name) == (address, name), raw


def test_text_is_taken_before_the_page_and_everything_else_is_a_file():
    made = EmailMessage()
    made["From"] = "mia@example.com"
    made.set_content("Plain")
    made.add_alternative("<p>Page <img src='cid:1'></p>", subtype="html")
    made.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<1>")
    made.add_attachment("Notes", filename="nötes.txt")
    forwarded = EmailMessage()
    forwarded.set_content("Inner")
    made.add_attachment(forwarded)
    found = read_mail(made.as_bytes())
    assert found.text == "Plain"
    assert [name for name, _data in found.files] == ["file.png", "nötes.txt", "file.eml"]
    page = b"Content-Type: text/html\n\n<style>p{}</style><p>Hi&nbsp;<b>you</b><br>see <a href='https://a.example/?x=1&amp;y'>this</a>"
    assert read_mail(HEAD + page).text == "Hi you\nsee this (https://a.example/?x=1&y)"
    assert text_of("<blockquote>a<blockquote>b</blockquote></blockquote>1 < 2") == "> a\n> > b\n1 < 2"
    long = read_mail(HEAD + b"\n" + b"word " * 4000)
    assert long.files[0][0] == "mail.txt"


def test_what_is_quoted_is_folded_and_what_is_written_between_it_stays():
    below = "\n> old\n> older\n"
    cut = [
        "On Mon, 3 Nov 2025 at 10:12, Ann <ann@acme.example> wrote:" + below,
        "On Mon, 3 Nov 2025 at 10:12, Ann\n<ann@acme.example>\nwrote:" + below,
        "Am Mo., 3. Nov. 2025 um 10:12 Uhr schrieb Ann <a@b.de>:" + below,
        "Le lun. 3 nov. 2025 à 10:12, Ann <a@b.fr> a écrit :" + below,
        "On 3 Nov 2025, Ann wrote:\n\nold without a mark",
        "-----Original Message-----\nFrom: Ann\nold",
        "Von: Ann <a@b.de>\nGesendet: Montag, 3. November 2025 10:12\nAn: Mia\nBetreff: x\n\nold",
        "*From:* Ann\n*Sent:* Monday\n*To:* Mia\n\nold",
        "> old\n> older",
    ]
    for quoted in cut:
        assert divide(f"New words\n\n{quoted}") == ("New words", quoted.strip()), quoted
    for kept in (
        "> old\nmy answer\n> older\nanother",
        "On 3 Nov 2025, Ann wrote:\n> old\nmy answer",
        "> old",
        "From: Berlin\nhello",
    ):
        assert divide(kept) == (kept, "")


def test_what_makes_a_repeat_known():
    assert read_mail(HEAD + b"\nx").message_id == "<1@example.com>"
    without = b"From: a@b.de\nDate: today\n"
    once, again, other = (read_mail(without + rest).message_id for rest in (b"\nx", b"X-Seen: 1\n\nx", b"\ny"))
    assert once == again != other
    for odd in (b"<" + b"x" * 400 + b"@b>", b"<a b@c>", b"none", b""):
        assert len(read_mail(b"From: a@b.de\nMessage-ID: " + odd + b"\n\nx").message_id) == 64


def test_mails_made_to_break_readers_are_refused_or_read_but_never_followed():
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each) for each in range(60))
    refused = [
        HEAD + nested,
        HEAD + b"Content-Type: message/rfc822\n\n" * 3000,
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 1000,
        HEAD + b"\n" + b"\n" * 1_000_001,
        HEAD + b"X: y\n" * 100_000 + b"\nx",
    ]
    for raw in refused:
        with pytest.raises((ValueError, RecursionError)):
            read_mail(raw)
        assert read_head(raw).sender == "mia@example.com"
    harmless = [
        b"",
        b"\0" * 100,
        HEAD + b'Content-Type: multipart/mixed"' + b';"' * 100_000 + b"\n\nx",
        HEAD + b"Content-Type: text/html\n\n" + b"<!--" * 50_000,
        HEAD + b"Content-Type: multipart/mixed\n\nno boundary",
        HEAD + b"Content-Type: multipart/report\n\nno parts",
        HEAD + b"Content-Transfer-Encoding: base64\n\n!!!",
        HEAD + b"\n" + b"> On 1 wrote\n" * 20_000,
    ]
    for raw in harmless:
        assert "\0" not in read_mail(raw).text
