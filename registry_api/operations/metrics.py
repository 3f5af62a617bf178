"""What is counted for Prometheus. No label names a project, a feature or a caller: ``/metrics`` asks for no token."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.pool import QueuePool

from festaf import __version__
from festaf.registry_api.airflow.figures import Board, Figure
from festaf.registry_api.database import Database
from festaf.registry_api.errors import StoreAwayError, StoreFaultError, TooManyRequestsError

PREFIX = "festaf_registry"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SIZES = (1, 5, 10, 25, 50, 100, 250, 500, 1000)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LOCKED = frozenset({"55P03", "57014", "40P01", "40001"})
"""PostgreSQL's codes for a lock or a statement that took too long, a deadlock and a lost serialization."""
SQLITE_LOCKED = frozenset({5, 6})
SQLITE_ERROR = 1
DENIED = {401: "unauthenticated", 403: "forbidden"}
TAKING = ("/lineage", "/lineage/batch")


class Metrics:
    """The counters of one application; every method may be called from any thread."""

    def __init__(self, database: Database, board: Board, schema: str) -> None:
        self.registry = CollectorRegistry()
        self._count(schema, database.url.get_backend_name())
        self._requests: dict[tuple[str, str, int], Counter] = {}
        self._durations: dict[tuple[str, str], Histogram] = {}
        self.registry.register(_Connections(database))
        self.registry.register(_Sync(board))
        ProcessCollector(registry=self.registry)
        event.listen(database.engine, "handle_error", self._failed)

    def _count(self, schema: str, backend: str) -> None:
        to = self.registry
        self.requests = Counter(f"{PREFIX}_requests", "Requests answered", ["method", "route", "status"], registry=to)
        self.durations = Histogram(
            f"{PREFIX}_request_seconds",
            "Time until an answer was sent",
            ["method", "route"],
            buckets=SECONDS,
            registry=to,
        )
        self.in_progress = Gauge(f"{PREFIX}_requests_in_progress", "Requests that are being answered", registry=to)
        self.events = Counter(f"{PREFIX}_events", "OpenLineage events that were sent here", ["outcome"], registry=to)
        self.batches = Histogram(f"{PREFIX}_batch_events", "Events of a request", buckets=SIZES, registry=to)
        self.limited = Counter(f"{PREFIX}_rate_limited", "Requests that were one too many", ["policy"], registry=to)
        self.denied = Counter(f"{PREFIX}_denied", "Requests of those who may not", ["reason"], registry=to)
        self.archives = Counter(
            f"{PREFIX}_dag_archives", "Archives of DAG packages that came and went", ["direction"], registry=to
        )
        self.store = Counter(
            f"{PREFIX}_archive_store_errors", "Requests that the store of archives failed", ["kind"], registry=to
        )
        self.failures = Counter(f"{PREFIX}_database_errors", "Errors of the database", ["kind"], registry=to)
        build = Gauge(
            f"{PREFIX}_build_info", "What runs here; always 1", ["version", "schema", "python", "database"], registry=to
        )
        build.labels(__version__, schema, platform.python_version(), backend).set(1)
        for outcome in ("taken", "duplicate", "refused"):
            self.events.labels(outcome)
        for policy in ("reads", "writes", "events", "uploads", "packages", "failures"):
            self.limited.labels(policy)
        for reason in DENIED.values():
            self.denied.labels(reason)
        for direction in ("staged", "fetched"):
            self.archives.labels(direction)
        for kind in ("setup", "missing", "denied", "away", "slow", "busy"):
            self.store.labels(kind)
        for kind in ("locked", "away", "pool"):
            self.failures.labels(kind)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        method = method if method in METHODS else "other"
        counter = self._requests.get((method, route, status))
        if counter is None:
            counter = self._requests[method, route, status] = self.requests.labels(method, route, str(status))
        counter.inc()
        duration = self._durations.get((method, route))
        if duration is None:
            duration = self._durations[method, route] = self.durations.labels(method, route)
        duration.observe(seconds)
        if status in DENIED:
            self.denied.labels(DENIED[status]).inc()
        if method == "POST" and 400 <= status < 500 and status not in {401, 429} and route.endswith(TAKING):
            self.events.labels("refused").inc()

    def took(self, notes: Iterable[Mapping[str, int]]) -> None:
        """Count the events of requests whose transaction was committed."""
        for counts in notes:
            received, new, refused = counts["received"], counts["new"], counts.get("refused", 0)
            self.batches.observe(received)
            self.events.labels("taken").inc(new)
            self.events.labels("duplicate").inc(received - new - refused)
            self.events.labels("refused").inc(refused)

    def refused(self, error: Exception) -> None:
        """Count a request that was one too many, or that the store of archives failed."""
        if isinstance(error, TooManyRequestsError):
            self.limited.labels(error.policy).inc()
        elif isinstance(error, StoreFaultError | StoreAwayError):
            self.store.labels(error.kind).inc()

    def carried(self, direction: Literal["staged", "fetched"]) -> None:
        """Count an archive of a DAG package that came, or was fetched."""
        self.archives.labels(direction).inc()

    def pool_exhausted(self) -> None:
        """Count a request that got no connection in time."""
        self.failures.labels("pool").inc()

    def _failed(self, context: ExceptionContext) -> None:
        if isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError):
            kind = _kind(context.original_exception)
            if kind:
                self.failures.labels(kind).inc()

    def text(self) -> bytes:
        """Give every count in Prometheus' text format."""
        return generate_latest(self.registry)


def _kind(error: BaseException) -> str | None:
    """Tell a lock from a database that is away; None for a wrong statement."""
    code = getattr(error, "sqlite_errorcode", None)
    if code == SQLITE_ERROR:
        return None
    if getattr(error, "sqlstate", None) in LOCKED or (code is not None and code & 0xFF in SQLITE_LOCKED):
        return "locked"
    return "away"


class _Connections(Collector):
    """The pool of connections at the moment of asking."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give how many connections there are."""
        pool = self.database.engine.pool
        found = GaugeMetricFamily(f"{PREFIX}_database_connections", "Connections of the pool", labels=["state"])
        if isinstance(pool, QueuePool):
            found.add_metric(["used"], pool.checkedout())
            found.add_metric(["idle"], pool.checkedin())
        yield found


class _Sync(Collector):
    """What the sync of all Airflows did; their names are nobody's business here."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Give the sums over all deployments."""
        found = CounterMetricFamily(f"{PREFIX}_airflow_sync", "What the sync of Airflows did", labels=["figure"])
        sums: dict[Figure, int] = {}
        for _, figure, count in self.board:
            sums[figure] = sums.get(figure, 0) + count
        for figure, count in sorted(sums.items()):
            found.add_metric([figure], count)
        yield found
