from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from botocore import exceptions
from botocore.awsrequest import AWSRequest
from botocore.config import Config

from festaf.provider.hooks.wire import Wire, _Session, transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT = (5.0, 5.0)


@contextmanager
def server(*answers: bytes, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """Answer each request with the next answer; an empty one closes the connection."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    left = list(answers)

    def serve() -> None:
        while left:
            try:
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True) if context else connection as secured:
                    while left and (request := secured.recv(65536)):
                        asked.append(request)
                        if not (answer := left.pop(0)):
                            break
                        secured.sendall(answer)
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    scheme = "https" if context else "http"
    try:
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        left.clear()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def send(wire: Wire, url: str) -> tuple[int, bytes]:
    status, _, body = wire.send(AWSRequest("POST", f"{url}/BatchWriteRecord", data=b"{}").prepare())
    return status, body


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"


def test_one_connection_serves_many_requests_whatever_the_form_of_the_answer() -> None:
    with server(WHOLE, CHUNKED, WHOLE) as (url, asked), closing(Wire(url, True, TIMEOUT)) as wire:
        assert [send(wire, url) for _ in range(3)] == [(200, b"ok")] * 3
    host = url.removeprefix("http://")
    assert asked[0].startswith(f"POST /BatchWriteRecord HTTP/1.1\r\nHost: {host}\r\n".encode())
    assert asked[0].endswith(b"Content-Length: 2\r\n\r\n{}")


def test_a_connection_that_was_closed_is_told_and_the_next_request_makes_a_new_one() -> None:
    with server(WHOLE, b"", WHOLE) as (url, _), closing(Wire(url, True, TIMEOUT)) as wire:
        assert send(wire, url) == (200, b"ok")
        with pytest.raises(exceptions.ConnectionClosedError):
            send(wire, url)
        assert send(wire, url) == (200, b"ok")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", b"nonsense\r\n\r\n", b"x" * 70_000]
)
def test_an_answer_that_is_cut_or_no_answer_is_no_answer(answer: bytes) -> None:
    with (
        server(answer, b"") as (url, _),
        pytest.raises((exceptions.ConnectionClosedError, exceptions.ReadTimeoutError)),
    ):
        send(Wire(url, True, (5.0, 0.3)), url)


def test_an_endpoint_where_nothing_listens_is_told() -> None:
    with pytest.raises(exceptions.EndpointConnectionError):
        send(Wire("http://127.0.0.1:9", True, TIMEOUT), "http://127.0.0.1:9")


def test_a_certificate_is_verified_unless_told_otherwise(tmp_path: Path) -> None:
    bundle = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    with server(WHOLE, WHOLE, context=context) as (url, _):
        for verify in (str(bundle), False):
            with closing(Wire(url, verify, TIMEOUT)) as wire:
                assert send(wire, url) == (200, b"ok")
    with server(WHOLE, context=context) as (url, _), pytest.raises(exceptions.SSLError):
        send(Wire(url, True, TIMEOUT), url)


def test_a_proxy_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(connect_timeout=1, read_timeout=1)
    assert isinstance(transport("https://runtime.example", config, None, 2), Wire)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert isinstance(transport("https://runtime.example", config, None, 2), _Session)


def _certificate(folder: Path) -> Path:
    """Make a key and a certificate for 127.0.0.1 in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path
