"""Where a registry keeps archives in tests: a folder, or a bucket of the local AWS behind a server that can fail."""

from __future__ import annotations

import socket
import ssl
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.local_aws.server import LocalAws

PREFIX = "registry/packages"
HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Kept(Protocol):
    """A place of archives, looked at from outside."""

    @property
    def place(self) -> str:
        """What the registry is told."""

    def names(self) -> list[str]:
        """Name every file in it."""

    def write(self, digest: str, data: bytes) -> None:
        """Put any bytes in the place of an archive."""


@dataclass(frozen=True)
class Folder:
    """Archives on the disk."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.path.rglob("*") if path.is_file())

    def write(self, digest: str, data: bytes) -> None:
        target = self.path / digest[:2] / digest
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


@dataclass(frozen=True)
class Bucket:
    """Archives in a bucket of the local AWS, and the server in front of it."""

    client: Any
    name: str
    front: Front

    @property
    def place(self) -> str:
        return f"s3://{self.name}/{PREFIX}"

    def names(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", ())
        return sorted(item["Key"].rpartition("/")[2] for item in found)

    def write(self, digest: str, data: bytes) -> None:
        self.put(f"{PREFIX}/{digest[:2]}/{digest}", data)

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)


@dataclass(frozen=True)
class Trouble:
    """What happens to requests of a method in place of an answer."""

    status: int = 0
    """Answer with this status and an error of this code; 0 cuts the connection."""
    code: str = ""
    method: str = ""
    """Only of these requests; empty: of all."""
    hang: bool = False
    after: int | None = None
    """Cut the connection after so many bytes of the true answer."""
    done: bool = False
    """Let the request be done, and then cut the connection."""


@dataclass
class Front:
    """Passes requests on to the local AWS, or fails them as it is told."""

    url: str
    standing: list[tuple[Trouble, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Methods of the requests that came."""
    released: Event = field(default_factory=Event)

    def fail(self, trouble: Trouble, times: int = 1_000) -> None:
        self.standing.append((trouble, times))

    def heal(self) -> None:
        self.standing.clear()
        self.released.set()
        self.released = Event()

    def take(self, method: str) -> Trouble | None:
        self.asked.append(method)
        for index, (trouble, times) in enumerate(self.standing):
            if trouble.method in {"", method} and times:
                self.standing[index] = (trouble, times - 1)
                return trouble
        return None


class FrontServer(ThreadingHTTPServer):
    """Listens for a front."""

    daemon_threads = True

    def __init__(self, target: str, certificate: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), FrontHandler)
        self.there = urlsplit(target).netloc
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.front = Front(f"{'https' if certificate else 'http'}://127.0.0.1:{self.server_port}")


class FrontHandler(BaseHTTPRequestHandler):
    """Passes one request on, or fails it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FrontServer

    def handle_one_request(self) -> None:
        self.raw_requestline = b""
        with suppress(OSError):  # Whoever does not believe the certificate goes away.
            self.raw_requestline = self.rfile.readline(65_537)
        self.close_connection = not (self.raw_requestline and self.parse_request())
        if self.close_connection:
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        trouble = self.server.front.take(self.command)
        if trouble is None:
            self._reply(*self._pass_on(body))
        elif trouble.status:
            text = f"<Error><Code>{trouble.code}</Code><Message>told to</Message></Error>".encode()
            self._reply(trouble.status, {}, b"" if self.command == "HEAD" else text)
        else:
            self._break(trouble, body)

    def _break(self, trouble: Trouble, body: bytes) -> None:
        if trouble.hang:
            self.server.front.released.wait(60)
        if trouble.done or trouble.after is not None:
            status, headers, data = self._pass_on(body)
        if trouble.after is not None:
            self._reply(status, headers | {"Content-Length": str(len(data))}, data[: trouble.after])
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(self.server.there, timeout=60)
        connection.request(self.command, self.path, body, dict(self.headers))
        found = connection.getresponse()
        data = found.read()
        headers = {name: value for name, value in found.getheaders() if name.lower() not in HOP}
        if self.command == "HEAD":
            headers["Content-Length"] = found.headers["Content-Length"]
        connection.close()
        return found.status, headers, data

    def _reply(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def front_of(target: str, certificate: Path | None = None) -> Iterator[Front]:
    """Run a server before another one; with a certificate, its key behind it, over TLS."""
    server = FrontServer(target, certificate)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.front
    finally:
        server.front.heal()
        server.shutdown()
        server.server_close()


@cache
def _client(server: LocalAws) -> Any:
    """Make one client for all tests of a process: a new one takes longer than a test."""
    return server.client("s3")


@contextmanager
def new_bucket(server: LocalAws, patch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Make a bucket, and let the environment lead to it as an operator would."""
    with front_of(server.url) as front:
        patch.setenv("AWS_ACCESS_KEY_ID", "local")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL_S3", front.url)
        client = _client(server)
        name = f"archives-{uuid.uuid4().hex[:12]}"
        client.create_bucket(Bucket=name)
        yield Bucket(client, name, front)


@pytest.fixture
def bucket(local_aws_server: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Give a bucket with nothing in it."""
    with new_bucket(local_aws_server, monkeypatch) as found:
        yield found


@pytest.fixture
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Give a place of archives: a folder, or a bucket for who asks for "s3"."""
    if getattr(request, "param", "disk") == "s3":
        found: Bucket = request.getfixturevalue("bucket")
        return found
    return Folder(tmp_path / "blobs")


on_disk_and_s3 = pytest.mark.parametrize("kept", ["disk", "s3"], indirect=True)
