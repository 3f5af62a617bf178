"""A small HTTP server in the shape of Airflow's REST API, whose faults are chosen: what a real one does only at times.

The story against a real Airflow is told in tests/flows/test_airflow_sync.py.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.registry_api.events import DAG, SOURCE, VERSION, Json, at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SET = "x-festaf://nyc/delays"
RAW = "s3://raw/flights.parquet"


@dataclass
class Reply:
    """What is answered instead."""

    status: int = 503
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """The body is shorter than its length says, and the connection is closed."""
    silent: bool = False
    """Nothing is said until the test ends."""


Fault = "Callable[[str], Reply | None]"


@dataclass
class FakeAirflow:
    """What an Airflow holds, and what it was asked."""

    port: int = 0
    page_limit: int = 100
    token: str = "good"
    password: str = "open sesame"
    clock: Callable[[], datetime] = lambda: at(600)
    events: list[Json] = field(default_factory=list)
    runs: dict[tuple[str, str], Json] = field(default_factory=dict)
    tries: dict[tuple[str, str, str, int], list[Json]] = field(default_factory=dict)
    dags: dict[str, Json] = field(default_factory=dict)
    versions: list[Json] = field(default_factory=list)
    sources: dict[tuple[str, int], str] = field(default_factory=dict)
    assets: list[Json] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    faults: list[Callable[[str], Reply | None]] = field(default_factory=list)
    """Each is asked with the path until it gives a reply; it is then done, unless it is named ``always``."""
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_dag(self, dag_id: str = DAG, **said: Any) -> None:
        version = {"id": str(VERSION), "version_number": 1, "dag_id": dag_id, "bundle_name": "dags"}
        self.versions.append(version | {"created_at": at(-60).isoformat(), "bundle_version": "rewritten"})
        self.sources[dag_id, 1] = SOURCE
        self.dags[dag_id] = {
            "dag_id": dag_id,
            "is_paused": False,
            "is_stale": False,
            "owners": ["data-team"],
            "tags": [{"name": "flights", "dag_id": dag_id}],
            "description": "Delays",
            "timetable_summary": "0 * * * *",
            "next_dagrun_run_after": at(660).isoformat(),
            "last_parsed_time": at(599).isoformat(),
            "bundle_name": "dags",
            "relative_fileloc": "flights.py",
            "fileloc": "/dags/flights.py",
            **said,
        }

    def parse(self, commit: str | None, minutes: float, text: str | None = None, seconds: float = 1) -> None:
        """Parse the DAG from a version of its bundle; the text of its newest version is rewritten in place."""
        parsed = {"bundle_version": commit, "last_parsed_time": at(minutes).isoformat(), "last_parse_duration": seconds}
        self.dags[DAG] |= parsed
        if text is not None:
            self.sources[DAG, 1] = text

    def add_run(self, day: int = 0, dag_id: str = DAG, **said: Any) -> str:
        run_id = f"scheduled__{day}"
        moment = at(0) + timedelta(days=day)
        self.runs[dag_id, run_id] = {
            "dag_id": dag_id,
            "dag_run_id": run_id,
            "logical_date": moment.isoformat(),
            "run_after": (moment + timedelta(hours=1)).isoformat(),
            "start_date": moment.isoformat(),
            "end_date": (moment + timedelta(minutes=11)).isoformat(),
            "run_type": "scheduled",
            "state": "success",
            "bundle_version": None,
            "dag_versions": [item for item in self.versions if item["dag_id"] == dag_id],
            **said,
        }
        return run_id

    def add_event(
        self,
        day: int = 0,
        minutes: float = 10,
        *,
        task: str = "ingest",
        map_index: int = -1,
        uri: str = SET,
        fact: Json | None = None,
        dag_id: str = DAG,
        event_id: int | None = None,
        **said: Any,
    ) -> Json:
        """Add an asset event with the run and the successful try that it came from."""
        run_id = f"scheduled__{day}"
        if (dag_id, run_id) not in self.runs:
            self.add_run(day, dag_id)
        moment = at(minutes) + timedelta(days=day)
        key = (dag_id, run_id, task, map_index)
        if key not in self.tries:
            self.tries[key] = [self.one_try(key, moment)]
        event = {
            "id": event_id or len(self.events) + 1,
            "asset_id": 1,
            "uri": uri,
            "name": uri,
            "group": "asset",
            "extra": {"festaf": fact} if fact else {},
            "source_dag_id": dag_id,
            "source_task_id": task,
            "source_run_id": run_id,
            "source_map_index": map_index,
            "created_dagruns": [],
            "timestamp": (moment + timedelta(milliseconds=20)).isoformat(),
            **said,
        }
        self.events.append(event)
        return event

    def one_try(
        self, key: tuple[str, str, str, int], moment: datetime, number: int = 1, state: str = "success"
    ) -> Json:
        dag_id, run_id, task, map_index = key
        return {
            "dag_id": dag_id,
            "task_id": task,
            "dag_run_id": run_id,
            "map_index": map_index,
            "try_number": number,
            "state": state,
            "start_date": (moment - timedelta(minutes=5)).isoformat(),
            "end_date": moment.isoformat(),
            "operator": "IngestFeaturesOperator",
            "operator_name": "",
            "hostname": "worker-1",
            "dag_version": next((item for item in self.versions if item["dag_id"] == dag_id), None),
        }

    def fail(self, reply: Reply, path: str = "", times: int = 1) -> None:
        """Answer the next requests whose path holds a text by a fault."""
        left = [times]

        def fault(asked: str) -> Reply | None:
            if path not in asked or not left[0]:
                return None
            left[0] -= 1
            return reply

        self.faults.append(fault)

    def asked_for(self, path: str) -> int:
        return sum(path in asked for asked in self.asked)

    def asked_to(self, path: str) -> Reply | None:
        """Note a request, and give the fault that it meets."""
        self.asked.append(path)
        return next((reply for fault in self.faults if (reply := fault(path))), None)

    def answer(self, path: str, query: dict[str, list[str]]) -> Any:
        """Give what a real one would; None is a 404."""
        parts = [unquote(part) for part in path.removeprefix("/api/v2/").split("/")]
        if parts == ["assets", "events"]:
            return self._page("asset_events", _since(self.events, "timestamp", query), query)
        if parts == ["assets"]:
            return self._page("assets", self.assets, query)
        if parts == ["dags"]:
            return self._page("dags", list(self.dags.values()), query)
        if parts == ["dags", "~", "dagVersions"]:
            newest = sorted(self.versions, key=lambda item: str(item["id"]), reverse=True)
            return self._page("dag_versions", newest, query)
        if parts == ["dags", "~", "dagRuns"]:
            ended = [run for run in self.runs.values() if run["end_date"]]
            return self._page("dag_runs", _since(ended, "end_date", query), query)
        if parts[0] == "dagSources":
            content = self.sources.get((parts[1], int(query["version_number"][0])))
            return None if content is None else {"content": content, "dag_id": parts[1]}
        if len(parts) == 2:
            return self.dags.get(parts[1])
        return self._of_run(parts, query)

    def _of_run(self, parts: list[str], query: dict[str, list[str]]) -> Any:
        if len(parts) == 3:
            runs = [run for run in self.runs.values() if run["dag_id"] == parts[1]]
            return self._page("dag_runs", runs, query)
        if len(parts) == 4:
            return self.runs.get((parts[1], parts[3]))
        if parts[4] == "upstreamAssetEvents":
            return {"asset_events": self.runs[parts[1], parts[3]].get("upstream", []), "total_entries": 0}
        every = parts[-1] == "tries"
        index = [int(part) for part in parts[6:] if part.lstrip("-").isdigit()]
        tries = self.tries.get((parts[1], parts[3], parts[5], index[0] if index else -1))
        if tries is None:
            return None
        return {"task_instances": tries, "total_entries": len(tries)} if every else tries[-1]

    def _page(self, key: str, items: list[Json], query: dict[str, list[str]]) -> Json:
        offset, limit = (int(query.get(name, ["0"])[0]) for name in ("offset", "limit"))
        size = min(limit or self.page_limit, self.page_limit)
        return {key: items[offset : offset + size], "total_entries": len(items)}


def _since(items: list[Json], field_name: str, query: dict[str, list[str]]) -> list[Json]:
    ordered = sorted(items, key=lambda item: (datetime.fromisoformat(item[field_name]), item.get("id", 0)))
    since = query.get(f"{field_name}_gte")
    if not since:
        return ordered
    return [item for item in ordered if datetime.fromisoformat(item[field_name]) >= datetime.fromisoformat(since[0])]


@contextmanager
def serving() -> Iterator[FakeAirflow]:
    """Serve until the end of the block."""
    airflow = FakeAirflow()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if reply := airflow.asked_to(self.path):
                self._send(reply)
            elif parts.path == "/auth/token":
                self._send(Reply(401))
            elif self.headers.get("Authorization") != f"Bearer {airflow.token}":
                self._send(Reply(401, b'{"detail": "Not authenticated"}'))
            else:
                found = airflow.answer(parts.path, parse_qs(parts.query))
                self._send(Reply(404) if found is None else Reply(200, json.dumps(found).encode()))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            right = self.path == "/auth/token" and body["password"] == airflow.password
            token = json.dumps({"access_token": airflow.token}).encode()
            self._send(airflow.asked_to(self.path) or (Reply(201, token) if right else Reply(401)))

        def _send(self, reply: Reply) -> None:
            if reply.silent:
                airflow.over.wait()
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            self.send_header("Date", format_datetime(airflow.clock().astimezone(UTC), usegmt=True))
            self.send_header("Content-Length", str(len(reply.body) + 100 * reply.cut))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = reply.cut

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    airflow.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield airflow
    finally:
        airflow.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
