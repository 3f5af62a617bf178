"""GET /ping and POST /invocations on a Unix socket."""

from __future__ import annotations

import os
import socketserver
import threading
import traceback
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from festaf.local_aws.serving.container.codecs import UnsupportedTypeError

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.local_aws.serving.container.model import Model

DEFAULT_TYPE = "application/json"
"""Of requests and answers that name none, unless SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT says otherwise for answers."""


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path, model: Model) -> None:
        self.model = model
        self.busy = threading.Lock()
        super().__init__(str(path), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """One connection, which stays open; invocations are answered one at a time, as user code may expect."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        found = self.path == "/ping"
        self._answer(200 if found else 404, b"" if found else b"not found", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations":
            self._answer(404, b"not found", "text/plain")
            return
        content_type = self.headers.get("Content-Type") or DEFAULT_TYPE
        accept = self.headers.get("Accept") or "*/*"
        if accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", DEFAULT_TYPE)
        try:
            with self.server.busy:
                content, answered = self.server.model.answer(body, content_type, accept)
        except UnsupportedTypeError as problem:
            self._answer(415, str(problem).encode(), "text/plain")
        except Exception as problem:
            # The border between user code and its server: every failure of a model is an answer.
            traceback.print_exc()
            self._answer(500, f"{type(problem).__name__}: {problem}".encode(), "text/plain")
        else:
            self._answer(200, content, answered)

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if attributes := self.headers.get("X-Amzn-SageMaker-Custom-Attributes"):
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", attributes)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Keep quiet: the log is the model's."""


def serve(path: Path, model: Model) -> None:
    """Answer until the process ends."""
    with _Server(path, model) as server:
        server.serve_forever(poll_interval=3600)
