"""What an answer of the registry costs, beside a bare look-up, plain SQL, and Feast.

    .venv/bin/python -m benchmarks.lineage --features 1000000 --rounds 10
    .venv/bin/python -m benchmarks.lineage --features 100000 --postgresql --feast /path/to/feast/bin/python
    .venv/bin/python -m benchmarks.lineage --features 1000000 --database sqlite:////large/disk/registry.db

Fills a registry over HTTP, in batches, as Airflow's tasks do, with the events of one division, copies that division's
rows until there are so many features (``divisions.py``), and takes the events of one more division: so it is known
how fast events are taken by an empty registry and by a full one. A database that is named and is full already is
asked as it is. Each question is asked for the first time, then a hundred of them again with 1, 8 and 32 clients at
once, then while events are written: the answer on a feature, the graph of 110 nodes above it, searches, a page of the
list, and what a feature has an impact on. Beside it, in the same run and on the same database: FastAPI and SQLAlchemy
that look up one row, or walk the same graph; the same questions as plain SQL without a server; and, when the Python
of an environment with Feast is given, Feast's REST server at the 10,000 features that it bears. Neither server writes
a log of requests.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
from benchmarks.divisions import copy
from benchmarks.load import measure, measure_first
from benchmarks.serving import machine, migrate, new_database, serving, serving_registry
from benchmarks.story import Story

from festaf.registry_api.table import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "/api/v1"
CLIENTS = (1, 8, 32)
BATCH = 500
ASKED = 2_000
POPULAR = 100
"""How many questions are asked again and again."""
WRITE_EVERY = 0.1
"""Seconds between two writes while questions are asked."""
FEAST_FEATURES = 10_000
RESULTS = Path(__file__).parent / "results"
WRITTEN = """
SELECT r.uuid, r.ended_at, v.source_sha256 FROM feature f JOIN feature_set s ON s.id = f.feature_set_id
JOIN feature_version c ON c.feature_id = f.id JOIN listed_version l ON l.version_id = c.id
JOIN feature_set_write p ON p.feature_list_id = l.feature_list_id JOIN run r ON r.id = p.run_id
LEFT JOIN dag_version v ON v.id = r.dag_version_pk
WHERE s.project = ? AND s.name = ? AND f.name = ? AND p.superseded_at IS NULL ORDER BY p.ended_at DESC LIMIT 1
"""


def main() -> None:
    options = _options()
    story = Story(sets=options.division // 10, sources=10)
    divisions = max(options.features // options.division, 1)
    options.divisions = divisions
    feast = _ask_feast(options) if options.feast else None  # First: what a large registry has told should not be lost.
    with _database(options) as url:
        migrate(url)
        with serving_registry(url) as address:
            empty = not _is_filled(address, story)
            ingest: dict[str, Any] | None = None
            if empty:
                ingest = {"into an empty registry": _fill(address, story, options.rounds)}
        if ingest:
            copy(url, divisions)
        with serving_registry(url) as address:
            if ingest:
                ingest["at"] = datetime.now(UTC).isoformat(timespec="seconds")
                ingest["into the full registry"] = _fill(address, replace(story, division=divisions), options.rounds)
            found: dict[str, Any] = {"ingest": ingest, "registry": _ask(address, story, options)}
            found["registry while events are written"] = _ask_while_writing(address, story, options)
            nodes = _node_ids(url, story, divisions) if url.startswith("sqlite") else []
        with serving([sys.executable, "-m", "benchmarks.peers.bare", url, "8766"], 8766) as address:
            found["bare"] = _ask_bare(address, story, nodes, options)
        if url.startswith("sqlite"):
            found["plain_sql_ms"] = _plain_sql(url, story, divisions)
            found["megabytes"] = round(Path(url.removeprefix("sqlite:///")).stat().st_size / 1e6)
    if feast:
        found["feast"] = feast
    _report(found, options, story, url)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, default=1_000_000)
    parser.add_argument("--division", type=int, default=10_000, help="features of one division")
    parser.add_argument("--rounds", type=int, default=10, help="productions of each feature")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each figure")
    parser.add_argument("--database", help="the URL of a database that stays; it is filled if it is empty")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--feast", help="the Python of an environment in which Feast is installed")
    parser.add_argument("--keep", action="store_true", help="write the result to benchmarks/results")
    return parser.parse_args()


@contextmanager
def _database(options: argparse.Namespace) -> Iterator[str]:
    if options.database:
        yield options.database
        return
    with (
        tempfile.TemporaryDirectory(prefix="registry-") as folder,
        new_database(Path(folder), postgresql=options.postgresql) as url,
    ):
        yield url


def _is_filled(address: str, story: Story) -> bool:
    """Tell whether the last set of the first division is known."""
    number = story.sets - 1
    path = f"{API}/features/{'/'.join(story.names(number))}/f_{number}_0"
    return httpx.get(f"{address}{path}", timeout=60).status_code == 200


def _fill(address: str, story: Story, rounds: int) -> dict[str, Any]:
    """Post every event of a division in batches; give events per second of the first round and of the later ones."""
    speeds: list[float] = []
    count, begun, events = 0, time.perf_counter(), story.events(rounds)
    with httpx.Client(timeout=300, headers={"Content-Type": "application/json"}) as client:
        while batch := list(itertools.islice(events, min(BATCH, story.sets))):
            body = orjson.dumps(batch)
            sent = time.perf_counter()
            answer = client.post(f"{address}{API}/lineage/batch", content=body)
            speeds.append(len(batch) / (time.perf_counter() - sent))
            if answer.status_code != 204:
                raise RuntimeError(f"the batch was answered {answer.status_code}: {answer.text[:500]}")
            count += len(batch)
            print(f"\r{count:,} events, {speeds[-1]:,.0f} a second", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    new = max(story.sets // BATCH, 1)
    return {
        "events": count,
        "batch": min(BATCH, story.sets),
        "seconds": round(time.perf_counter() - begun, 1),
        "per_second_of_new_sets": round(statistics.median(speeds[:new])),
        "per_second_of_known_sets": round(statistics.median(speeds[new:])),
    }


def _asked(story: Story, divisions: int) -> list[tuple[str, str, str]]:
    chance = random.Random(7)
    chosen = [
        (replace(story, division=chance.randrange(divisions)), chance.randrange(story.sets)) for _ in range(ASKED)
    ]
    return [(*own.names(number), f"f_{number}_{chance.randrange(own.features)}") for own, number in chosen]


def _questions(story: Story, divisions: int) -> dict[str, list[str]]:
    names = _asked(story, divisions)
    answers = [f"{API}/features/{'/'.join(name)}" for name in names]
    return {
        "answer": answers,
        "graph of 110 nodes": [f"{path}/lineage?direction=upstream&depth=50&limit=110" for path in answers],
        "impact": [f"{path}/impact?limit=100" for path in answers],
        "list page of 100": [f"{API}/features?project={project}&limit=100" for project, _, _ in names],
        "search, exact": [f"{API}/search/features?q={name}" for _, _, name in names],
        "search, two words": [f"{API}/search/features?q=feature%20{number % 10}" for number in range(ASKED)],
    }


def _ask(address: str, story: Story, options: argparse.Namespace) -> dict[str, Any]:
    """Ask each question for the first time, then some of them again and again with so many clients."""
    found: dict[str, Any] = {}
    for question, paths in _questions(story, options.divisions).items():
        popular = paths[:POPULAR]
        first = measure_first(address, paths[POPULAR:], options.seconds * 2)
        measure_first(address, popular, 600)
        again = [measure(address, popular, clients, options.seconds).as_dict() for clients in CLIENTS]
        found[question] = {"first": first.as_dict(), "again": again}
    return found


def _ask_while_writing(address: str, story: Story, options: argparse.Namespace) -> dict[str, Any]:
    """Ask with 1 client and with 8 while another writes one set after the other: each commit outdates every answer."""
    over = threading.Event()
    written = itertools.count()

    def write() -> None:
        with httpx.Client(timeout=120) as client:
            while not over.is_set():
                number = next(written)
                event = story.event(number % story.sets, options.rounds + number // story.sets)
                client.post(f"{address}{API}/lineage", json=event).raise_for_status()
                over.wait(WRITE_EVERY)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return {
            question: [measure(address, paths[:POPULAR], clients, options.seconds).as_dict() for clients in CLIENTS[:2]]
            for question, paths in _questions(story, options.divisions).items()
        }
    finally:
        over.set()
        writer.join()


def _node_ids(url: str, story: Story, divisions: int) -> list[int]:
    """Give the numbers of nodes of features, for the bare walk."""
    keys = [
        natural_key("feature", f"x-festaf://{project}", name, field)
        for project, name, field in _asked(story, divisions)[:200]
    ]
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return [connection.execute("SELECT id FROM node WHERE key = ?", (key,)).fetchone()[0] for key in keys]


def _ask_bare(address: str, story: Story, nodes: list[int], options: argparse.Namespace) -> dict[str, Any]:
    questions = {"answer": [f"/features/{'/'.join(name)}" for name in _asked(story, options.divisions)]}
    if nodes:
        questions["graph of 110 nodes"] = [f"/graph/{node}" for node in nodes]
    return {
        question: [measure(address, paths, clients, options.seconds).as_dict() for clients in CLIENTS]
        for question, paths in questions.items()
    }


def _plain_sql(url: str, story: Story, divisions: int) -> dict[str, float]:
    """Time the newest production of a feature with its run and DAG version, without a server."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        took = []
        for name in _asked(story, divisions):
            begun = time.perf_counter()
            connection.execute(WRITTEN, name).fetchone()
            took.append((time.perf_counter() - begun) * 1000)
    return {"p50": round(statistics.median(took), 4), "p99": round(sorted(took)[int(len(took) * 0.99)], 4)}


def _ask_feast(options: argparse.Namespace) -> dict[str, Any]:
    count = FEAST_FEATURES
    program = str(Path(__file__).parent / "peers" / "feast_registry.py")
    with tempfile.TemporaryDirectory(prefix="feast-") as folder:
        command = [options.feast, program, folder, str(count), "8767"]
        with serving(command, 8767, patience=600) as address:
            numbers = [random.Random(7).randrange(count // 20) for _ in range(50)]
            relations = [
                f"{API}/lineage/objects/feature/f_{number}_3?project=bench&include_indirect=true" for number in numbers
            ]
            search = [f"{API}/search?query=f_{number}_3&projects=bench" for number in numbers]
            return {
                "features": count,
                "relationships of one feature": measure(address, relations, 1, options.seconds * 2).as_dict(),
                "search": measure(address, search, 1, options.seconds * 2).as_dict(),
            }


def _report(found: dict[str, Any], options: argparse.Namespace, story: Story, url: str) -> None:
    asked, bare = found["registry"], found["bare"]["answer"][0]["p50"]
    answer = asked["answer"]["again"][0]["p50"]
    ratios = {
        f"{question}, {turn} / bare look-up, p50 of 1 client (target 1.5)": round(timing["p50"] / bare, 2)
        for question, timings in asked.items()
        for turn, timing in (("first", timings["first"]), ("again", timings["again"][0]))
        if question != "graph of 110 nodes"
    }
    if walked := found["bare"].get("graph of 110 nodes"):
        graph = asked["graph of 110 nodes"]
        for turn, timing in (("first", graph["first"]), ("again", graph["again"][0])):
            ratio = round(timing["p50"] / walked[0]["p50"], 2)
            ratios[f"graph, {turn} / bare walk, p50 of 1 client (target 2)"] = ratio
    if "feast" in found:
        peer = found["feast"]["relationships of one feature"]["p50"]
        ratios["Feast's relationships of one feature / answer (target 100)"] = round(peer / answer, 1)
    if found["ingest"]:
        for when in ("into an empty registry", "into the full registry"):
            filled = found["ingest"][when]
            ratios[f"events a second {when} (target 1500)"] = filled["per_second_of_known_sets"]
    result = {
        "database": "sqlite" if url.startswith("sqlite") else "postgresql",
        "features": story.sets * story.features * options.divisions,
        "productions": story.sets * story.features * options.divisions * options.rounds,
        "edges": story.sets * (story.features + 1) * story.sources * options.divisions,
        "ratios": ratios,
        **found,
        "machine": machine(),
    }
    for name, value in ratios.items():
        print(f"{name}: {value}")
    if options.keep:
        target = RESULTS / f"lineage-{result['database']}.json"
        # A database that was full already was filled by an earlier run, which measured that.
        result["ingest"] = result["ingest"] or _kept_ingest(target)
        target.write_text(f"{json.dumps(result, indent=2)}\n")
        print(f"written to {target}")
    else:
        print(json.dumps(result, indent=2))


def _kept_ingest(results: Path) -> Any:
    """Give what an earlier run measured of filling the database, if it is the same."""
    return json.loads(results.read_text())["ingest"] if results.exists() else None


if __name__ == "__main__":
    main()
