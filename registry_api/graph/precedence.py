"""Decide which edges count where origins contradict each other. Pure functions.

``declared`` speaks before ``lineage_facet``, this before ``column_lineage``, this before ``inputs_outputs``. It is
decided for each target by itself: a dataset or feature set as a whole, and each column or feature. What a job says
exactly of a target counts against what the same job says of it less exactly, as long as no run of it completed since
without saying it; what the target's own author or catalog says counts against every job.

An edge from a job to a dataset is never left out: the job did write it. But where something exact is known, what goes
into the job does not go on to that dataset by way of the job: the edge is then no passage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from festaf.contract.feature import Origin
from festaf.registry_api.graph.names import NO_SOURCE, NodeName

RANK: dict[str, int] = {"declared": 0, "lineage_facet": 1, "column_lineage": 2, "inputs_outputs": 3, "lineage": 3}
Place = int | NodeName
"""A node that is weighed: by its id, or, where a dataset has several names, by the name that is shown."""


class FoundEdge(NamedTuple):
    """An edge that stands, from a node that was asked for to another or the other way round."""

    here: NodeName
    other: NodeName
    source: Place
    target: Place
    target_kind: str
    asserter: Place
    origin: Origin
    since: datetime
    last_stated: datetime
    last_run: str | None
    transformation: str | None
    other_id: int
    first_seen: datetime
    """When ``other``, as the edge names it, was first named; ``other_id`` is its id under that name."""
    passage: bool = True
    """False when what goes into ``source``, a job, does not go on to ``target``."""


class Word(NamedTuple):
    """That an asserter says something of a target from an origin, and when it last did."""

    target: Place
    asserter: Place
    origin: str
    last: datetime | None


def contested(edges: Iterable[FoundEdge], words: Collection[Word]) -> set[Place]:
    """Give the targets of which one asserter says things from several origins."""
    origins: dict[tuple[Place, Place], set[str]] = defaultdict(set)
    for edge in edges:
        origins[edge.target, edge.asserter].add(edge.origin)
    for word in words:
        if (word.target, word.asserter) in origins:
            origins[word.target, word.asserter].add(word.origin)
    return {target for (target, _), found in origins.items() if len(found) > 1}


def weigh(edges: Iterable[FoundEdge], words: Iterable[Word], completed: Iterable[Word]) -> list[FoundEdge]:
    """Leave out the edges that something more exact speaks against, and close the passages through jobs.

    :param words: what speaks exactly of the edges' targets
    :param completed: when contested targets were last spoken of by what had completed
    """
    exact: dict[Place, list[Word]] = defaultdict(list)
    for word in words:
        exact[word.target].append(word)
    said: dict[tuple[Place, Place, str], datetime] = {}
    for target, asserter, origin, last in completed:
        if last is not None:
            said[target, asserter, origin] = max(last, said.get((target, asserter, origin), last))
    ranks = {target: min(RANK[word.origin] for word in spoken) for target, spoken in exact.items()}
    best: dict[tuple[Place, Place], FoundEdge] = {}
    for edge in edges:
        doubted = edge.target_kind != "job" and ranks.get(edge.target, RANK[edge.origin]) < RANK[edge.origin]
        outdone = doubted and any(_beats(word, edge, said) for word in exact[edge.target])
        by_job = edge.source == edge.asserter
        if edge.transformation == NO_SOURCE or (outdone and not by_job):
            continue
        weighed = edge._replace(passage=False) if by_job and (outdone or edge.origin == "lineage_facet") else edge
        known = best.get((edge.source, edge.target))
        best[edge.source, edge.target] = weighed if known is None else _joined(known, weighed)
    return list(best.values())


def _beats(word: Word, edge: FoundEdge, said: Mapping[tuple[Place, Place, str], datetime]) -> bool:
    """Tell whether a word counts against an edge."""
    if RANK[word.origin] >= RANK[edge.origin]:
        return False
    if word.asserter == edge.target:
        return True
    if word.asserter != edge.asserter:
        return False
    completed = said.get((edge.target, edge.asserter, edge.origin))
    return completed is None or (word.last is not None and word.last >= completed)


def _joined(one: FoundEdge, other: FoundEdge) -> FoundEdge:
    """Make one edge of what several statements say: from the best origin, since the first of it, as the last said it.

    It is a passage if one of them is.
    """
    if RANK[one.origin] != RANK[other.origin]:
        best = one if RANK[one.origin] < RANK[other.origin] else other
        return best._replace(passage=one.passage or other.passage)
    last = max(one, other, key=lambda edge: (edge.last_stated, edge.last_run or "", edge.transformation or ""))
    return last._replace(since=min(one.since, other.since), passage=one.passage or other.passage)
