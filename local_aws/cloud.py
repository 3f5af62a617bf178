"""Everything of AWS that festaf does not answer itself: moto's server, called in this process without a socket.

Nothing of moto is used but its WSGI application, so that any moto from 4.2 on will do. Every request to moto, whether
it comes from the gateway or from our own services, passes through ``Cloud.wsgi``: the one place where an observer can
see what changed.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.session import Session

PASSING = "X-Festaf-Passing"
"""The header of requests whose changes need not be kept."""

BASE_URL = "http://localhost"
"""What the in-process clients call; moto would take the first label of a dotted host as a bucket's name."""


@dataclass(frozen=True)
class Asked:
    """What moto is asked."""

    method: str
    path: str
    """With the query, as it came."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What moto answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


Observer = Callable[[Asked, Callable[[], Reply]], Reply]
"""Stands around a request: takes it with the function that asks moto, and gives the reply.

It may keep the request, and it may hold others back meanwhile.
"""


class Changes:
    """What changed lately in S3 and Glue, so that whoever keeps a copy knows whether it still holds.

    An S3 change is ``/bucket/key``, or ``/bucket`` when the bucket or several of its objects changed; a Glue change is
    ``glue:database.table``, or ``glue`` when it is of something else. Only the latest are remembered.
    """

    def __init__(self, length: int = 50_000) -> None:
        self._latest: deque[tuple[int, str]] = deque(maxlen=length)
        self._count = 0
        self._lock = threading.Lock()

    def mark(self) -> int:
        """Give a mark to ask about later: take it before reading what is kept."""
        with self._lock:
            return self._count

    def note(self, what: str) -> None:
        """Remember a change."""
        with self._lock:
            self._count += 1
            self._latest.append((self._count, what))

    def since(self, mark: int) -> list[str] | None:
        """Give what changed after a mark, the latest first; None when not all of it is remembered."""
        with self._lock:
            if self._latest and self._latest[0][0] > mark + 1:
                return None
            return [what for _, what in itertools.takewhile(lambda change: change[0] > mark, reversed(self._latest))]

    def forget(self) -> None:
        """Count everything as changed."""
        with self._lock:
            self._count += 2
            self._latest.clear()
            self._latest.append((self._count, "/"))


class Cloud:
    """moto as one object; it may be called from several threads.

    moto keeps its state per process, so two clouds of one process see the same buckets. A process needs only one.

    :param observer: called in the thread of the request, in place of moto
    """

    def __init__(self, observer: Observer | None = None) -> None:
        self.observer = observer
        self._application = _moto()
        self._session: Session | None = None
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self._lock = threading.Lock()
        self.changes = Changes()

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a WSGI request by moto."""
        reply = self._answer(environ, _read_body(environ))
        start_response(f"{reply.status} {_REASONS.get(reply.status, 'Answer')}", list(reply.headers))
        return [reply.body]

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Answer a request by moto.

        :param url: a path with its query, or a whole URL; of a URL, the host is used as the Host header
        :param headers: moto reads service and region from ``Authorization``
        """
        return self._answer(_environ(method, url, headers), body)

    def client(self, service: str, region: str, *, passing: bool = False) -> Any:
        """Give a boto3 client whose requests moto answers in this process; clients are kept and may be shared.

        :param service: botocore's service name, such as ``s3``
        :param passing: what it changes need not survive the end of the server: measurements that never cease
        """
        key = (service, region, passing)
        with self._lock:
            found = self._clients.get(key)
            if found is None:
                found = self._clients[key] = self._new_client(service, region, passing=passing)
            return found

    def reset(self) -> None:
        """Forget every resource of every service; the observer is not told."""
        self._call(_environ("POST", "/moto-api/reset", {}), b"")
        self.changes.forget()

    def seed(self, number: int) -> None:
        """Make the identifiers that moto makes up next the same for the same number; the observer is not told."""
        self._call(_environ("POST", f"/moto-api/seed?a={number}", {}), b"")

    def _answer(self, environ: WSGIEnvironment, body: bytes) -> Reply:
        if self.observer is None:
            return self._call(environ, body)
        asked = Asked(environ["REQUEST_METHOD"], _path(environ), _headers(environ), body)
        return self.observer(asked, lambda: self._call(environ, body))

    def _call(self, environ: WSGIEnvironment, body: bytes) -> Reply:
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            started.append((status, headers))
            return written.append

        changed = _changed(environ, body)
        chunks = self._application(environ, start_response)
        try:
            content = b"".join([*written, *chunks])
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        text, headers = started[-1]
        status = int(text.split(" ", 1)[0])
        if changed and status < 400:
            self.changes.note(changed)
        return Reply(status, tuple(headers), content)

    def _new_client(self, service: str, region: str, *, passing: bool) -> Any:
        from botocore.config import Config

        if self._session is None:
            self._session = _session()
        client = self._session.create_client(
            service,
            region_name=region,
            endpoint_url=BASE_URL,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(
                s3={"addressing_style": "path"},
                retries={"mode": "standard", "total_max_attempts": 1},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        if passing:
            client.meta.events.register("before-sign.*", _mark_as_passing)
        client.meta.events.register("before-send.*", self._send)
        return client

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        from botocore.awsrequest import AWSResponse

        body = request.body
        if hasattr(body, "read"):
            body = body.read()
        elif isinstance(body, str):
            body = body.encode()
        headers = {name: _text(value) for name, value in request.headers.items()}
        reply = self.request(request.method, request.url, headers, bytes(body or b""))
        return AWSResponse(request.url, reply.status, dict(reply.headers), _Raw(reply.body))


def _mark_as_passing(request: Any, **_: object) -> None:
    request.headers[PASSING] = "1"


class _Raw(io.BytesIO):
    """A body as urllib3 gives it to botocore."""

    def stream(self, amount: int = 65536, **_: object) -> Iterable[bytes]:
        while chunk := self.read(amount):
            yield chunk


_REASONS = {200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content", 304: "Not Modified"} | {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    412: "Precondition Failed",
    500: "Internal Server Error",
}


_SIGNED_BY = re.compile(r"Credential=[^,]+/(s3|glue)/aws4_request")
_GLUE_READS = re.compile(r"AWSGlue\.(Get|BatchGet|List|Search)")
_SPECIAL_PATHS = ("/moto-api", "/favicon.ico", "/latest/", "/v20180820/")


def _changed(environ: WSGIEnvironment, body: bytes) -> str | None:
    """Name what a request is about to change in S3 or Glue."""
    service = _plain_service(environ)
    if service == "s3" and environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE"):
        path: str = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        return path.rstrip("/")
    if service == "glue" and not _GLUE_READS.match(environ.get("HTTP_X_AMZ_TARGET", "")):
        asked = json.loads(body or b"{}")
        table = asked.get("TableName") or asked.get("Name") or (asked.get("TableInput") or {}).get("Name")
        return f"glue:{asked['DatabaseName']}.{table}" if table and asked.get("DatabaseName") else "glue"
    return None


def _moto() -> WSGIApplication:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    class Dispatcher(DomainDispatcherApplication):
        """Remember which application answers S3 and Glue: moto looks it up in a folder listing for every request.

        Should a moto to come not call ``get_application``, requests get slower and nothing else.
        """

        def get_application(self, environ: WSGIEnvironment) -> Any:
            service = _plain_service(environ)
            found = known.get(service)
            if found is None:
                found = super().get_application(environ)
                if service:
                    known[service] = found
            return found

    known: dict[str, WSGIApplication] = {}
    application: WSGIApplication = Dispatcher(create_backend_app)
    return application


def _plain_service(environ: WSGIEnvironment) -> str:
    """Name the service of a signed S3 or Glue request whose path says nothing else, or give ''."""
    signed = _SIGNED_BY.search(environ.get("HTTP_AUTHORIZATION", ""))
    path, host = environ.get("PATH_INFO", ""), environ.get("HTTP_HOST", "")
    special = path.startswith(_SPECIAL_PATHS) or "s3-control" in host
    return signed[1] if signed and not special else ""


def _session() -> Session:
    """Make a session that reads nothing of the user's: no profile, no credentials, no endpoint of their own."""
    from botocore.session import Session

    session = Session(
        session_vars={
            "profile": (None, [], None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
            "ignore_configured_endpoint_urls": (None, None, True, None),
        }
    )
    session.user_agent_name = "festaf-local-aws"
    return session


def _environ(method: str, url: str, headers: Mapping[str, str]) -> WSGIEnvironment:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc or "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


def _read_body(environ: WSGIEnvironment) -> bytes:
    """Read the body; a chunked one has no length, and its server ends the stream itself."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    content: bytes = stream.read(int(length)) if length else b""
    if not length and environ.get("HTTP_TRANSFER_ENCODING"):
        content = stream.read()
    return content


def _path(environ: WSGIEnvironment) -> str:
    if raw := environ.get("RAW_URI") or environ.get("REQUEST_URI"):
        return str(raw)
    path = quote(environ.get("SCRIPT_NAME", "").encode("latin-1") + environ.get("PATH_INFO", "/").encode("latin-1"))
    return path + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    found = {
        name.removeprefix("HTTP_").replace("_", "-").title(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        found["Content-Type"] = environ["CONTENT_TYPE"]
    return found


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
