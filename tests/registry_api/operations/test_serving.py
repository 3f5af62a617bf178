"""A served registry as operators see it: its log, its traces, and how it ends, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import func, select

from festaf.registry_api.database import Database, read_url
from festaf.registry_api.lineage.tables import EventTable
from tests.registry_api.events import RICH, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long
EVENT = task_event(outputs=(written(RICH),))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
JSON = {"Content-Type": "application/json"}


@dataclass
class Served:
    """A registry in a process, with what it logged."""

    url: str
    process: subprocess.Popen[str]
    log: Path
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=60))

    def post(self, event: Any, **headers: str) -> int:
        return self.http.post(f"{self.url}/api/v1/lineage", json=event, headers=headers).status_code

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def serving(folder: Path, database_url: str, *words: str, **environment: str) -> Iterator[Served]:
    """Serve on a free port until the end of the block."""
    log = folder / "registry.log"
    command = [sys.executable, "-m", "festaf.registry_api", "serve", "--port", "0", "--database-url", database_url]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, *words], stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **environment}
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Registry is ready on "), log.read_text()
        served = Served(line.split()[-1], process, log)
        with served.http:
            yield served
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Take traces by OTLP over HTTP."""
    taken: list[ExportTraceServiceRequest] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", taken
        finally:
            server.shutdown()
            thread.join()


def count_events(database_url: str) -> int:
    """Count what was kept."""
    with closing(Database(database_url)) as database, database.reading() as session:
        return session.scalar(select(func.count()).select_from(EventTable)) or 0


def test_each_request_is_one_line_and_one_trace_without_what_it_carried(tmp_path: Path, sqlite_url: str) -> None:
    environment = {"OTEL_SERVICE_NAME": "our-registry", "OTEL_BSP_SCHEDULE_DELAY": "60000"}
    secret = {"Authorization": "Bearer very-secret"}
    with collector() as (endpoint, taken):
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        with serving(tmp_path, sqlite_url, "--demo", "--log-format", "json", **environment) as served:
            headers = {"X-Request-ID": "run-7", "traceparent": f"00-{TRACE}-{PARENT}-01", **secret}
            assert served.post(EVENT, **headers) == 201
            answer = served.http.get(f"{served.url}/api/v1/features/nyc/delays/dep_delay?asOf=hidden", headers=secret)
            assert answer.status_code == 422
            own = answer.headers["x-request-id"]
            forged = served.http.get(f"{served.url}/ready", headers={"X-Request-ID": 'a"b c'})
            assert '"' not in forged.headers["x-request-id"]
            assert served.stop() == 0

    first, second = [line for line in served.lines() if line.get("route", "").startswith("/api/v1")]
    assert first["route"] == "/api/v1/lineage"
    assert (first["method"], first["status"], first["request_id"], first["trace_id"]) == ("POST", 201, "run-7", TRACE)
    assert first["caller"]
    assert first["duration_ms"] > 0
    assert (second["level"], second["logger"]) == ("info", "festaf.registry_api.request")
    assert (second["route"], second["request_id"]) == ("/api/v1/features/{project}/{feature_set}/{feature}", own)
    assert not [word for word in ("very-secret", "hidden", "dep_delay", "delays") if word in served.log.read_text()]

    resources = [found for sent in taken for found in sent.resource_spans]
    named = {item.key: item.value.string_value for item in resources[0].resource.attributes}
    assert named["service.name"] == "our-registry"
    spans = {span.name: span for found in resources for scope in found.scope_spans for span in scope.spans}
    request = spans["POST /api/v1/lineage"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    for name in ("events.keep", "events.record", "commit"):
        assert spans[name].trace_id == request.trace_id
        assert request.start_time_unix_nano <= spans[name].start_time_unix_nano <= request.end_time_unix_nano
    assert "GET /ready" in spans


def test_a_collector_that_never_answers_does_not_hold_the_end_up(tmp_path: Path, sqlite_url: str) -> None:
    environment = {"OTEL_BSP_SCHEDULE_DELAY": "60000", "OTEL_EXPORTER_OTLP_TIMEOUT": "120"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with serving(tmp_path, sqlite_url, "--demo", "--grace", "1", **environment) as served:
            assert served.post(EVENT) == 201
            assert served.stop() == 0


def test_a_signal_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path, database_url: str) -> None:
    answers: Counter[str] = Counter()
    begun, unready = Event(), Event()

    def send(worker: int) -> None:
        with httpx.Client(trust_env=False, timeout=60) as http:
            for number in range(10_000):
                event = task_event(minutes=worker * 10_000 + number, task=f"t{worker}", outputs=(written(RICH),))
                try:
                    status = http.post(f"{served.url}/api/v1/lineage", json=event).status_code
                except httpx.ConnectError:
                    answers["refused"] += 1
                    return
                except httpx.TransportError:
                    answers["broken"] += 1
                    return
                answers[str(status)] += 1
                begun.set()

    with (
        serving(tmp_path, database_url, "--demo", "--log-level", "warning", "--drain", "3") as served,
        ThreadPoolExecutor(4) as pool,
    ):
        sending = [pool.submit(send, worker) for worker in range(4)]
        assert begun.wait(60)
        served.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 3
        while time.monotonic() < until and not unready.is_set():
            if served.http.get(f"{served.url}/ready").status_code == 503:
                unready.set()
        assert unready.is_set()
        assert served.process.wait(60) == 0
        for done in sending:
            done.result(60)

    kept = count_events(database_url)
    assert set(answers) <= {"201", "refused", "broken"}
    assert answers["201"] > 0
    assert answers["201"] <= kept <= answers["201"] + answers["broken"]
    assert "Traceback" not in served.log.read_text()


def test_a_request_that_does_not_end_is_given_up_and_a_second_signal_ends_at_once(
    tmp_path: Path, sqlite_url: str
) -> None:
    def slow_body() -> Iterator[bytes]:
        yield b"{"
        started.set()
        ended.wait(60)
        yield b"}"

    answers: list[tuple[int, str, str]] = []

    def hold() -> None:
        with httpx.Client(trust_env=False, timeout=60) as http, suppress(httpx.TransportError):
            answer = http.post(f"{served.url}/api/v1/lineage", content=slow_body(), headers=JSON)
            answers.append((answer.status_code, answer.headers["Retry-After"], answer.headers["Connection"]))

    for grace, signals in (("1", 1), ("60", 2)):
        started, ended = Event(), Event()
        with serving(tmp_path, sqlite_url, "--demo", "--grace", grace) as served:
            holding = Thread(target=hold)
            holding.start()
            try:
                assert started.wait(30)
                while "in_progress 2.0" not in served.http.get(f"{served.url}/metrics").text:
                    time.sleep(0.05)
                began = time.monotonic()
                served.process.send_signal(signal.SIGTERM)
                if signals == 2:
                    time.sleep(0.5)
                    served.process.send_signal(signal.SIGTERM)
                code = served.process.wait(30)
            finally:
                ended.set()
                holding.join()
        assert 0.5 < time.monotonic() - began < 20
        assert code == (0 if signals == 1 else 128 + signal.SIGTERM)
    assert answers == [(503, "2", "close")]


@pytest.mark.parametrize("freed", [False, True])
def test_a_request_that_is_cut_off_while_it_waits_for_the_lock_is_undone_in_silence(
    tmp_path: Path, sqlite_url: str, freed: bool
) -> None:
    answers: list[int] = []
    with serving(tmp_path, sqlite_url, "--demo", "--grace", "1") as served:
        sending = Thread(target=lambda: answers.append(served.post(EVENT)))
        with closing(sqlite3.connect(read_url(sqlite_url).database or "", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            sending.start()
            while "in_progress 2.0" not in served.http.get(f"{served.url}/metrics").text:
                time.sleep(0.05)
            served.process.send_signal(signal.SIGTERM)
            sending.join()
            if freed:
                other.execute("ROLLBACK")
            code = served.process.wait(60)

    assert (code, answers) == (0, [503])
    log = served.log.read_text()
    assert "Exception ignored" not in log
    assert "Traceback" not in log
    assert count_events(sqlite_url) == 0
