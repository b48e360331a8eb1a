"""One call, whatever the other side does."""

import gzip
import itertools
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chats.outbox import guard, sending, wire
from chats.outbox.sending import KEPT_BODY, Answer, Sender
from chats.outbox.wire import LARGEST_ANSWER
from tests.chats.outbox.raw import RawServer, says
from tests.chats.outbox.test_guard import answers

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
IN_TIME = 0.4  # seconds that a call may take here; what is waited for never comes


@pytest.fixture
def sender():
    sender = Sender()
    yield sender
    sender.close()


def call(sender, server, path="/hook", seconds=5.0, **headers):
    return sender.post(f"http://127.0.0.1:{server.port}{path}", b'{"a":1}', headers, seconds=seconds)


def test_a_call_is_a_post_of_json(sender, receiver):
    receiver.answer = lambda call: (201, {"X-Hook-Secret": "s"}, b"thanks")
    answer = sender.post(receiver.url + "?a=b", b'{"a":1}', {"webhook-id": "7"})
    assert (answer.status, answer.body, answer.error, answer.is_ok) == (201, b"thanks", "", True)
    assert answer.headers["x-hook-secret"] == "s"
    (heard,) = receiver.calls
    assert (heard.path, heard.json, heard.id) == ("/hook?a=b", {"a": 1}, "7")
    assert heard.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["accept-encoding"] == "identity"
    assert heard.headers["user-agent"].startswith("contactcenter")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(sender, receiver, status):
    receiver.answer = lambda call: (status, {"Location": f"http://127.0.0.1:{receiver.port}/other"}, b"")
    answer = sender.post(receiver.url, b"{}", {})
    assert (answer.status, answer.is_ok) == (status, False)
    assert [heard.path for heard in receiver.calls] == ["/hook"]


@pytest.mark.parametrize(
    ("status", "is_ok"), [(200, True), (204, True), (299, True), (300, False), (404, False), (500, False)]
)
def test_only_2xx_is_success(sender, receiver, status, is_ok):
    receiver.answer = lambda call: status
    assert sender.post(receiver.url, b"{}", {}).is_ok is is_ok


def test_the_environments_proxies_are_not_asked(sender, receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert sender.post(receiver.url, b"{}", {}).status == 200


@pytest.mark.parametrize("url", ["http://user:secret@127.0.0.1/", "ftp://127.0.0.1/", "x", "http://127.0.0.1:0/"])
def test_addresses_that_cannot_be_called_are_an_answer_too(sender, url):
    answer = sender.post(url, b"{}", {})
    assert answer.status is None
    assert "address" in answer.error


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: 1", "http://127.0.0.1/ä", "http://ä.example/"]
)
def test_addresses_that_http_cannot_say(sender, url):
    answer = sender.post(url, b"{}", {}, seconds=2)
    assert answer.status is None
    assert answer.error


def test_no_header_is_smuggled_in(sender, receiver):
    answer = sender.post(receiver.url, b"{}", {"webhook-id": "a\r\nX-Evil: 1"})
    assert answer.status is None
    assert not receiver.calls


# Where to ------------------------------------------------------------------------------------------------------------


def test_nothing_connects_to_a_network_that_is_not_allowed(sender, receiver, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    answer = sender.post(receiver.url, b"{}", {})
    assert (answer.status, answer.error) == (None, "The address leads to a network that is not called.")
    assert not receiver.calls


def test_what_was_judged_is_what_is_connected_to(sender, receiver, monkeypatch):
    """A name that answers differently the second time: it is asked once for each connection."""
    left = answers(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    url = f"http://rebind.example:{receiver.port}/hook"
    assert sender.post(url, b"{}", {}).status == 200
    assert len(left) == 1
    assert receiver.calls[0].headers["host"] == f"rebind.example:{receiver.port}"
    with Sender() as fresh:
        assert "not called" in fresh.post(url, b"{}", {}).error
    assert not left
    assert len(receiver.calls) == 1


def test_of_several_addresses_the_first_that_answers_is_taken(sender, receiver, monkeypatch):
    answers(monkeypatch, ["127.0.0.2", "127.0.0.1"])  # nobody listens at the first
    assert sender.post(f"http://two.example:{receiver.port}/", b"{}", {}).status == 200


def test_an_ipv6_address_is_written_with_its_brackets(sender, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["::1"]
    with RawServer(says(OK), family=socket.AF_INET6) as server:
        assert sender.post(f"http://[::1]:{server.port}/", b"{}", {}).status == 200
        assert f"Host: [::1]:{server.port}".encode() in server.heads[0]


def test_connections_are_used_again_for_a_moment(sender):
    with RawServer(lambda connection: connection.sendall(OK)) as server:
        for _ in range(3):
            assert call(sender, server).body == b"ok"
        assert server.connections == 1


def test_a_connection_whose_answer_was_cut_off_is_not(sender):
    def talk(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000)

    with RawServer(talk) as server:
        for _ in range(2):
            assert call(sender, server, seconds=2).status == 200
        assert server.connections == 2


# How long, how much ---------------------------------------------------------------------------------------------------


def drips(head, drop):
    """Say this, then a drop now and then until the caller hangs up."""

    def talk(connection):
        connection.sendall(head)
        pause = threading.Event()
        for _ in range(2000):
            connection.sendall(drop)
            pause.wait(0.02)

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        drips(b"", b"H"),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(b"", b""),
    ],
    ids=["status line", "headers", "interim answers", "nothing"],
)
def test_whoever_drips_is_left_in_time(sender, talk):
    with RawServer(talk) as server:
        begun = time.monotonic()
        answer = call(sender, server, seconds=IN_TIME)
        assert (answer.status, answer.error) == (None, "No answer within 0.4 seconds.")
        assert time.monotonic() - begun >= IN_TIME


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nbegun", b""),
    ],
)
def test_the_status_counts_even_if_the_body_drips(sender, head, drop):
    with RawServer(drips(head, drop)) as server:
        answer = call(sender, server, seconds=IN_TIME)
        assert answer.is_ok
        assert 0 < len(answer.body) < 100


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 99999999\r\n\r\n",
        b"Content-Length: 1000000000000000000\r\n\r\n",
        b"\r\n",
    ],
)
def test_a_flood_is_read_up_to_its_limit(sender, head):
    with RawServer(says(b"HTTP/1.1 200 OK\r\n" + head, b"x" * 3_000_000)) as server:
        answer = call(sender, server)
        assert answer.is_ok
        assert LARGEST_ANSWER - 200 < len(answer.body) <= LARGEST_ANSWER
        assert len(answer.kept_body) == KEPT_BODY


def test_a_flood_of_chunks_is_too(sender):
    chunks = (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 50
    with RawServer(says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks)) as server:
        assert LARGEST_ANSWER // 2 <= len(call(sender, server).body) <= LARGEST_ANSWER


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 20_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
    ],
    ids=["one", "many", "interim"],
)
def test_a_flood_of_headers_is_no_answer(sender, flood):
    with RawServer(says(flood)) as server:
        answer = call(sender, server)
        assert answer.status is None
        assert answer.error


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1",
        b"hello\r\n\r\n",
        b"HTTP/1.1 99999 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\n bad\x00header\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        bytes(range(256)) * 10,
    ],
)
def test_what_is_no_answer_is_told_as_such(sender, answer):
    with RawServer(says(answer)) as server:
        heard = call(sender, server)
        assert heard.status is None
        assert 0 < len(heard.error) <= 300


def test_a_short_body_is_kept_as_far_as_it_came(sender):
    with RawServer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!")) as server:
        answer = call(sender, server)
        assert (answer.status, answer.body) == (200, b"five!")


def test_nothing_is_unpacked(sender):
    bomb = gzip.compress(b"x" * 1_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with RawServer(says(head + bomb)) as server:
        assert call(sender, server).body == bomb


def test_a_receiver_that_reads_nothing_is_left_in_time(sender):
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        answer = sender.post(url, b"x" * 20_000_000, {}, seconds=IN_TIME)
        assert answer.error == "No answer within 0.4 seconds."


def test_an_answer_that_comes_before_the_body_was_read_counts(sender):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(5)
                while connection.recv(1_000_000):
                    pass

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        answer = sender.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"x" * 5_000_000, {}, seconds=10)
        thread.join(5)
        assert answer.status == 413


def test_nobody_listens(sender):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert sender.post(f"http://127.0.0.1:{port}/", b"{}", {}).error == "No connection: Connection refused."


def test_a_name_that_takes_too_long_to_resolve(sender, monkeypatch):
    hold = threading.Event()
    monkeypatch.setattr(guard.socket, "getaddrinfo", lambda *_, **__: hold.wait(30) and [])
    assert sender.post("http://slow.example/", b"{}", {}, seconds=0.1).error == "No answer within 0.1 seconds."
    hold.set()


def test_a_call_without_an_end_is_not_made():
    with pytest.raises(ValueError, match="moment"):
        wire.Network().connect_tcp("127.0.0.1", 80)


def test_what_people_see_of_a_body_is_text_that_a_database_takes():
    answer = Answer(status=200, body=b"<script>\0\xff" + b"x" * 9000)
    assert answer.kept_body.startswith("<script>\ufffd\ufffd")
    assert len(answer.kept_body) == KEPT_BODY


def test_many_threads_call_with_one_sender(sender, receiver):
    counter = itertools.count()
    receiver.answer = lambda call: 200 if next(counter) % 3 else 500
    found = []

    def work():
        found.extend(sender.post(receiver.url, b"{}", {}).status for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(set(found)) == [200, 500]
    assert len(found) == len(receiver.calls) == 80


# TLS -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for shop.example, with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


def tls_server(certificate, names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    return RawServer(says(OK), context=context)


def test_the_certificate_must_be_the_names(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(sending, "trusted", httpcore.default_ssl_context)
    names = []
    with tls_server(certificate, names) as server, Sender() as sender:
        answers(monkeypatch, ["127.0.0.1"], ["127.0.0.1"])
        assert sender.post(f"https://shop.example:{server.port}/", b"{}", {}).status == 200
        refused = sender.post(f"https://other.example:{server.port}/", b"{}", {})
        assert (refused.status, refused.error) == (None, "No safe connection: CERTIFICATE_VERIFY_FAILED.")
        assert names == ["shop.example", "other.example"]
        assert len(server.heads) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate, monkeypatch, sender):
    answers(monkeypatch, ["127.0.0.1"])
    with tls_server(certificate, []) as server:
        assert "CERTIFICATE_VERIFY_FAILED" in sender.post(f"https://shop.example:{server.port}/", b"{}", {}).error
        assert not server.heads


def test_a_handshake_that_never_ends_is_left_in_time(sender):
    with RawServer(lambda connection: None) as server:
        answer = sender.post(f"https://127.0.0.1:{server.port}/", b"{}", {}, seconds=IN_TIME)
        assert answer.error == "No answer within 0.4 seconds."


def test_plain_http_where_tls_is_expected(sender, receiver):
    assert "No safe connection" in sender.post(receiver.url.replace("http:", "https:"), b"{}", {}).error
