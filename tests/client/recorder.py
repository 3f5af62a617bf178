"""A registry that keeps what it is sent and answers as it is told, over real HTTP."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Request:
    """One request, its body decompressed and read."""

    method: str
    path: str
    headers: dict[str, str]
    text: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.body if isinstance(self.body, list) else [self.body]


@dataclass(frozen=True)
class Reply:
    """What to answer; ``hang`` waits until the recorder is released or closed."""

    status: int = 201
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    drip: bool = False
    """Send the answer one byte at a time, slower than anybody waits."""


def yes(request: Request) -> Reply:
    """Accept everything."""
    return Reply(204) if request.path.endswith("/batch") else Reply(201)


def problem(status: int, detail: str, **more: Any) -> Reply:
    """Refuse as the registry does."""
    content = {"title": "No", "status": status, "detail": detail, "code": status, "message": detail, **more}
    return Reply(status, content, {"Content-Type": "application/problem+json"})


class Recorder:
    """Requests that came, and the answer that the next ones get."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Reply] = yes
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.recorder = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @classmethod
    @contextmanager
    def started(cls, port: int = 0) -> Iterator[Recorder]:
        """Listen until the end of the block."""
        recorder = cls(port)
        try:
            yield recorder
        finally:
            recorder.close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event that was accepted or not, in the order of arrival."""
        return [event for request in list(self.requests) if request.method == "POST" for event in request.events]

    def release(self, answer: Callable[[Request], Reply] = yes) -> None:
        """Let go whatever hangs, and answer otherwise from now on."""
        self.answer = answer
        waiting, self.released = self.released, threading.Event()
        waiting.set()

    def close(self) -> None:
        """Stop listening; a second time does nothing."""
        self.released.set()
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    recorder: Recorder

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def log_message(self, *_: Any) -> None:
        pass

    def _handle(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content
        request = Request(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, text)
        recorder = self.server.recorder
        recorder.requests.append(request)
        reply = recorder.answer(request)
        with suppress(OSError):
            self._reply(reply, recorder)

    def _reply(self, reply: Reply, recorder: Recorder) -> None:
        if reply.hang:
            recorder.released.wait()
            self.close_connection = True
            return
        if reply.drip:
            for letter in b"HTTP/1.1 201 Created\r\nX-Slow: 1":
                self.wfile.write(bytes([letter]))
                if recorder.released.wait(0.05):
                    return
            return
        text = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for key, value in reply.headers.items():
            self.send_header(key, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
