"""How many OpenLineage events a second the registry takes, beside Feast and beside SQLite alone.

    .venv/bin/python -m benchmarks.events --events 200000 --feast /path/to/feast/bin/python
    .venv/bin/python -m benchmarks.events --postgresql

The event is the one by which the peer was measured: a run that completes, with two inputs, one output, and 20 edges
between columns; 2.5 kB. Its run has the id that Airflow's OpenLineage provider would give it, which begins with a time.
Thousands of jobs send it again and again, in batches of 500, over HTTP: once with an output that is a table, and once
with one that is a feature set of ten features. The first events of all jobs make everything new; of the others, each
tenth is timed for itself, so that it shows whether the registry grows slower as it fills.

In the same run such events go to Feast, whose Python is given, and, for the limit, as mere texts into one table of
SQLite, a transaction for each batch. ``benchmarks.lineage`` measures larger events, of 20 kB and 110 edges.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
from benchmarks.serving import machine, migrate, new_database, serving, serving_registry

from festaf.contract.names import task_run_id
from festaf.contract.openlineage import PRODUCER, RUN_EVENT_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BATCH = 500
INPUTS = 2
COLUMNS = 10
PARTS = 10
TARGET = 1_500
FEAST_EVENTS = 500
FEAST_PORT = 8767
NAMESPACE = "airflow"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
RESULTS = Path(__file__).parent / "results"
Json = dict[str, Any]


@dataclass(frozen=True)
class Fleet:
    """Jobs that each read two tables and write one, or one feature set, again and again."""

    jobs: int
    feature_sets: bool

    def events(self, count: int) -> Iterator[Json]:
        """Give so many events, of every job in turn."""
        for number in range(count):
            yield self._event(number % self.jobs, number // self.jobs)

    def _event(self, job: int, turn: int) -> Json:
        moment = BEGIN + timedelta(hours=turn, milliseconds=job)
        dag, task = f"dag_{job // 10}", f"write_{job}"
        run = task_run_id(namespace=NAMESPACE, dag_id=dag, task_id=task, try_number=1, map_index=-1, moment=moment)
        inputs = [("s3://raw", f"table_{job}_{number}") for number in range(INPUTS)]
        return {
            "eventType": "COMPLETE",
            "eventTime": moment.isoformat(),
            "producer": PRODUCER,
            "schemaURL": RUN_EVENT_SCHEMA,
            "run": {"runId": str(run), "facets": {}},
            "job": {"namespace": NAMESPACE, "name": f"{dag}.{task}", "facets": {}},
            "inputs": [{"namespace": namespace, "name": name, "facets": {}} for namespace, name in inputs],
            "outputs": [self._output(job) | {"facets": _facets(inputs)}],
        }

    def _output(self, job: int) -> Json:
        if self.feature_sets:
            return {"namespace": f"x-festaf://project{job % 20}", "name": f"set_{job}"}
        return {"namespace": "s3://made", "name": f"table_{job}"}


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="events-") as name:
        folder = Path(name)
        found = {
            "feature sets": _ask_registry(Fleet(options.jobs, feature_sets=True), folder / "sets", options),
            "tables": _ask_registry(Fleet(options.jobs, feature_sets=False), folder / "tables", options),
            "limit": _ask_sqlite(Fleet(options.jobs, feature_sets=False), folder, options.events),
        }
        if options.feast:
            found["feast"] = _ask_feast(options, folder)
    _report(found, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--events", type=int, default=100_000, help="of each kind")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--feast", help="the Python of an environment in which Feast is installed")
    parser.add_argument("--keep", action="store_true", help="write the result to benchmarks/results")
    return parser.parse_args()


def _ask_registry(fleet: Fleet, folder: Path, options: argparse.Namespace) -> Json:
    folder.mkdir()
    with new_database(folder, postgresql=options.postgresql) as url:
        migrate(url)
        with serving_registry(url) as address, httpx.Client(timeout=300) as client:
            return _send(fleet, options.events, _posting(client, f"{address}/api/v1/lineage/batch"))


def _ask_feast(options: argparse.Namespace, folder: Path) -> Json:
    """Send Feast as many events as it takes in half a minute or so, of as many jobs as they are half of."""
    fleet = Fleet(FEAST_EVENTS // 2, feature_sets=False)
    program = str(Path(__file__).parent / "peers" / "feast_registry.py")
    home = folder / "feast"
    home.mkdir()
    with (
        serving([options.feast, program, str(home), "0", str(FEAST_PORT)], FEAST_PORT, patience=600) as address,
        httpx.Client(timeout=300) as client,
    ):

        def post_each(events: list[Json]) -> None:
            """Send one by one: Feast's answer to a batch, a 204 with a body, breaks the connection."""
            for event in events:
                client.post(f"{address}/api/v1/lineage", json=event).raise_for_status()

        return _send(fleet, FEAST_EVENTS, post_each, batch=50)


def _ask_sqlite(fleet: Fleet, folder: Path, count: int) -> Json:
    """Write the texts of the events into one table."""
    with closing(sqlite3.connect(folder / "limit.db", isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")

        def write(events: list[Json]) -> None:
            texts = [(orjson.dumps(event).decode(),) for event in events]
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO event (body) VALUES (?)", texts)
            connection.execute("COMMIT")

        return _send(fleet, count, write)


def _posting(client: httpx.Client, url: str) -> Callable[[list[Json]], None]:
    def post(events: list[Json]) -> None:
        answer = client.post(url, content=orjson.dumps(events), headers={"Content-Type": "application/json"})
        if answer.status_code not in {200, 204}:
            raise RuntimeError(f"the batch was answered {answer.status_code}: {answer.text[:500]}")

    return post


def _send(fleet: Fleet, count: int, hand_over: Callable[[list[Json]], None], batch: int = BATCH) -> Json:
    """Hand events over in batches; give the events per second, as medians of all batches and of each tenth of them."""
    speeds: list[float] = []
    events = fleet.events(count)
    while some := list(itertools.islice(events, batch)):
        begun = time.perf_counter()
        hand_over(some)
        speeds.append(len(some) / (time.perf_counter() - begun))
        print(f"\r{len(speeds) * batch:,} events, {speeds[-1]:,.0f} a second ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    first_turn = fleet.jobs // batch
    known = speeds[first_turn:]
    tenth = max(len(known) // PARTS, 1)
    tenths = [known[start : start + tenth] for start in range(0, len(known) - tenth + 1, tenth)][:PARTS]
    return {
        "jobs": fleet.jobs,
        "per_second_of_new_jobs": round(statistics.median(speeds[:first_turn])),
        "per_second_of_known_jobs": round(statistics.median(known)),
        "per_second_by_tenth": [round(statistics.median(part)) for part in tenths],
    }


def _facets(inputs: list[tuple[str, str]]) -> Json:
    fields = {
        f"f_{number}": {
            "inputFields": [
                {"namespace": namespace, "name": name, "field": f"c_{number}"} for namespace, name in inputs
            ]
        }
        for number in range(COLUMNS)
    }
    schema = [{"name": name, "type": "double"} for name in fields]
    return {"schema": _facet(fields=schema), "columnLineage": _facet(fields=fields)}


def _facet(**body: Any) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": f"{PRODUCER}/facet.json", **body}


def _report(found: Json, options: argparse.Namespace) -> None:
    limit = found["limit"]["per_second_of_known_jobs"]
    ratios: dict[str, float] = {}
    for kind in ("tables", "feature sets"):
        known, tenths = found[kind]["per_second_of_known_jobs"], found[kind]["per_second_by_tenth"]
        ratios[f"{kind}: events a second (target {TARGET:,})"] = known
        ratios[f"{kind}: last tenth / first tenth (flat: 1)"] = round(tenths[-1] / tenths[0], 2)
        ratios[f"{kind}: limit / registry"] = round(limit / known, 1)
        if "feast" in found:
            ratios[f"{kind}: registry / Feast"] = round(known / found["feast"]["per_second_of_known_jobs"], 1)
    result = {
        "database": "postgresql" if options.postgresql else "sqlite",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "events": options.events,
        "bytes": len(orjson.dumps(next(Fleet(1, feature_sets=False).events(1)))),
        "batch": BATCH,
        "ratios": ratios,
        **found,
        "machine": machine(),
    }
    for name, value in ratios.items():
        print(f"{name}: {value}")
    if not options.keep:
        print(json.dumps(result, indent=2))
        return
    target = RESULTS / f"events-{result['database']}.json"
    target.write_text(f"{json.dumps(result, indent=2)}\n")
    print(f"written to {target}")


if __name__ == "__main__":
    main()
