"""A tracking server that answers MLflow's REST API 2.0 as far as an export asks it, over real HTTP.

Its answers and error codes are those of MLflow 3; the export was run against that server itself when this was written.
"""

from __future__ import annotations

import json
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class TrackingServer:
    """What the server keeps."""

    url: str = ""
    experiments: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    failing: str | None = None
    """A path that is answered with 500."""

    def answer(self, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer one request."""
        if path == self.failing:
            return 500, {"error_code": "INTERNAL_ERROR", "message": "the disk is full"}
        if path == "experiments/get-by-name":
            number = self.experiments.get(asked["experiment_name"])
            if number is None:
                return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"}
            return 200, {"experiment": {"experiment_id": number, "name": asked["experiment_name"]}}
        if path == "experiments/create":
            number = self.experiments.setdefault(asked["name"], str(len(self.experiments) + 1))
            return 200, {"experiment_id": number}
        if path == "runs/search":
            wanted = asked["filter"].split("'")[1]
            found = [run for run in self.runs.values() if run["tags"].get("festaf.run") == wanted]
            return 200, {"runs": [{"info": {"run_id": run["id"]}} for run in found]} if found else {}
        if path == "runs/create":
            run_id = uuid.uuid4().hex
            tags = {tag["key"]: tag["value"] for tag in asked["tags"]}
            made = {"id": run_id, "tags": tags, "params": {}, "metrics": {}, "status": "RUNNING"}
            self.runs[run_id] = made | {"started": asked["start_time"], "ended": None}
            return 200, {"run": {"info": {"run_id": run_id}}}
        run = self.runs[asked["run_id"]]
        if path == "runs/update":
            run |= {"status": asked["status"], "ended": asked.get("end_time", run["ended"])}
            return 200, {"run_info": {"run_id": run["id"]}}
        assert path == "runs/log-batch", path
        for kind in ("params", "metrics", "tags"):
            run[kind] |= {item["key"]: item["value"] for item in asked.get(kind, ())}
        return 200, {}


@contextmanager
def tracking_server() -> Iterator[TrackingServer]:
    """Serve on a free port."""
    kept = TrackingServer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, asked: dict[str, Any]) -> None:
            path = urlsplit(self.path).path.removeprefix("/api/2.0/mlflow/")
            status, body = kept.answer(path, asked)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._answer({key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
