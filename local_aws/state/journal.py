"""What moto was told, so that it can be told again: moto keeps everything in memory.

Every request that may change something is kept with a number, and moto's random source is seeded with that number
before the request, then and when it is repeated; so the identifiers that moto makes up stay the same. Requests go one
at a time while a journal is kept, since one that slipped in between would take random numbers.
"""

from __future__ import annotations

import json
import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs

from festaf.local_aws.cloud import PASSING, Asked, Cloud, Reply
from festaf.local_aws.state.database import open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from festaf.local_aws.feature_groups.group import FeatureGroup

_TABLES = """
CREATE TABLE IF NOT EXISTS request (
    number INTEGER PRIMARY KEY, method TEXT NOT NULL, path TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS delivered (feature_group TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""
_READS = ("Get", "List", "Describe", "BatchGet", "Search", "Query", "Head", "Lookup")
_REFUSED = 400


class Journal(Protocol):
    """Keeps moto's changes."""

    def replay(self, cloud: Cloud) -> dict[str, int]:
        """Tell moto what an earlier run kept, and give the last delivered row by group's key."""

    def together(self) -> AbstractContextManager[None]:
        """Keep all changes made inside and the deliveries told there, or none of them, should the process end."""

    def delivered(self, groups: Sequence[FeatureGroup], last: int) -> None:
        """Keep that these groups' offline rows up to this number are in moto's S3."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """End."""


class NoJournal:
    """Keeps nothing."""

    def replay(self, cloud: Cloud) -> dict[str, int]:
        """Tell nothing."""
        return {}

    def together(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def delivered(self, groups: Sequence[FeatureGroup], last: int) -> None:
        """Do nothing."""

    def clear(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class KeptJournal:
    """Keeps moto's changes in ``cloud.sqlite`` of a state directory.

    :raises StateError: the directory cannot be used
    """

    def __init__(self, directory: Path) -> None:
        self._cloud: Cloud | None = None
        self._database = open_database(directory / "cloud.sqlite", _TABLES)
        self._lock = threading.RLock()
        self._number = 0

    def replay(self, cloud: Cloud) -> dict[str, int]:
        """Tell moto everything again, keep what comes from now on, and give the last delivered row by group's key."""
        for number, method, path, headers, body in self._database.execute("SELECT * FROM request ORDER BY number"):
            cloud.seed(number)
            cloud.request(method, path, json.loads(headers), body)
            self._number = number
        self._cloud, cloud.observer = cloud, partial(self._observe, cloud)
        return dict(self._database.execute("SELECT feature_group, last FROM delivered"))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all changes made inside and the deliveries told there, or none of them, should the process end."""
        with self._lock:
            self._database.execute("BEGIN")
            try:
                yield
            finally:
                # moto has done what it was told, even if something failed after.
                self._database.execute("COMMIT")

    def delivered(self, groups: Sequence[FeatureGroup], last: int) -> None:
        """Keep that these groups' offline rows up to this number are in moto's S3."""
        with self._lock:
            rows = [(group.key, last) for group in groups]
            self._database.executemany("INSERT OR REPLACE INTO delivered VALUES (?, ?)", rows)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._database.executescript("BEGIN; DELETE FROM request; DELETE FROM delivered; COMMIT;")

    def close(self) -> None:
        """Close the file; moto's changes are kept no longer."""
        with self._lock:
            if self._cloud is not None:
                self._cloud.observer = None
            self._database.close()

    def _observe(self, cloud: Cloud, asked: Asked, answer: Callable[[], Reply]) -> Reply:
        with self._lock:
            if not changes_something(asked):
                return answer()
            self._number += 1
            cloud.seed(self._number)
            reply = answer()
            if reply.status < _REFUSED and (kept := _lasting(cloud, asked)) is not None:
                row = (self._number, kept.method, kept.path, json.dumps(dict(kept.headers)), kept.body)
                self._database.execute("INSERT INTO request VALUES (?, ?, ?, ?, ?)", row)
            return reply


def changes_something(asked: Asked) -> bool:
    """Say whether a request to moto may change what later requests see, and what has to be kept."""
    if asked.method in ("GET", "HEAD", "OPTIONS") or PASSING in asked.headers:
        return False
    return not _operation(asked).startswith(_READS)


def _lasting(cloud: Cloud, asked: Asked) -> Asked | None:
    """Give what has to be told again: of an upload in parts only the whole object, once it is there.

    An upload's id comes from the operating system's random source, so that its parts cannot be told again.
    """
    path, _, query = asked.path.partition("?")
    names = parse_qs(query, keep_blank_values=True)
    if "uploadId" not in names:
        return None if "uploads" in names and asked.method == "POST" else asked
    if asked.method != "POST":
        return None
    whole = cloud.request("GET", path, asked.headers)
    kept = ("content-type", "content-encoding", "cache-control", "x-amz-meta-", "x-amz-storage-class")
    headers = {name: value for name, value in whole.headers if name.lower().startswith(kept)}
    return Asked("PUT", path, {**_signature(asked.headers), **headers}, whole.body)


def _operation(asked: Asked) -> str:
    headers = {name.lower(): value for name, value in asked.headers.items()}
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if "/operation/" in asked.path:
        return asked.path.partition("?")[0].rpartition("/")[2]
    if "x-www-form-urlencoded" in headers.get("content-type", ""):
        return parse_qs(asked.body.decode("utf-8", "replace")).get("Action", [""])[0]
    return ""


def _signature(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in ("authorization", "host")}
