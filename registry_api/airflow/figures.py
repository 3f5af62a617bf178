"""Counters of the sync, small enough to be read at any moment by whoever exports them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from threading import Lock
from typing import Literal

Figure = Literal[
    "requests",
    "retries",
    "logins",
    "cycles",
    "failed_cycles",
    "asset_events",
    "known_already",
    "events_taken",
    "events_refused",
    "answers_unreadable",
    "dag_changes",
    "dag_runs",
    "texts_proven",
]
"""``known_already`` counts asset events whose facts push had told; ``events_taken`` counts OpenLineage events."""


class Figures:
    """What the sync of one deployment did since the process began."""

    def __init__(self) -> None:
        self._counts: Counter[Figure] = Counter()
        self._taken: Counter[Figure] = Counter()
        self._lock = Lock()

    def add(self, figure: Figure, count: int = 1) -> None:
        """Count."""
        with self._lock:
            self._counts[figure] += count

    def take(self) -> dict[Figure, int]:
        """Give what was counted since this was asked last."""
        with self._lock:
            fresh = self._counts - self._taken
            self._taken = Counter(self._counts)
            return dict(fresh)

    def counts(self) -> dict[Figure, int]:
        """Give every count."""
        with self._lock:
            return dict(self._counts)


class Board:
    """The figures of every deployment that this process syncs."""

    def __init__(self) -> None:
        self._figures: dict[str, Figures] = {}

    def of(self, deployment: str) -> Figures:
        """Give the figures of one deployment."""
        return self._figures.setdefault(deployment, Figures())

    def __iter__(self) -> Iterator[tuple[str, Figure, int]]:
        """Give every count with the deployment's name."""
        for name, figures in list(self._figures.items()):
            for figure, count in figures.counts().items():
                yield name, figure, count
