"""Name what a batch of events may change in the answers on features: see ``changes``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from festaf.contract.openlineage import DatasetEvent
from festaf.registry_api.artifacts.facts import artifact_of
from festaf.registry_api.changes import dag_subject, run_subject
from festaf.registry_api.graph.names import EdgeName, NodeName, feature_set_node
from festaf.registry_api.graph.subjects import subjects_of
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.projection import EventFacts, RunFacts
from festaf.registry_api.lineage.recording import Batch, NewEvent


def concerned(named: Iterable[NodeName], batch: Batch) -> set[int] | None:
    """Give the subjects of what events name and of what they say; None when it may be anything.

    What is said of training sets, models, endpoints and monitors shows wherever a feature goes into one of them.
    """
    names = set(named)
    if any(artifact_of(node.namespace, node.name) for node in names):
        return None
    found = subjects_of(names)
    for item in batch.events:
        found.update(_of_event(item), _of_facts(item.facts) if item.facts else ())
    for run in batch.runs:
        found.update(_of_run(run.facts), _of_facts(run.facts))
    return found


def _of_event(item: NewEvent) -> Iterator[int]:
    seen = reading.seen_dag(item.event)
    if seen and not isinstance(item.event, DatasetEvent):
        yield dag_subject(item.event.job.namespace, seen[0].dag_id)


def _of_run(facts: RunFacts) -> Iterator[int]:
    yield run_subject(facts.run_id)
    if facts.dag_id:
        yield dag_subject(facts.namespace, facts.dag_id)


def _of_facts(facts: RunFacts | EventFacts) -> Iterator[int]:
    for part in facts.edges:
        yield from _ends(part.edges)
        yield from subjects_of([part.asserter])
    said = [(item.project, item.feature_set) for item in facts.statements]
    if isinstance(facts, RunFacts):
        said += [(item.project, item.feature_set) for item in facts.writes]
    yield from subjects_of(feature_set_node(*name) for name in said)


@lru_cache(maxsize=50_000)
def _ends(edges: frozenset[EdgeName]) -> frozenset[int]:
    return frozenset(subjects_of([end for edge in edges for end in (edge.source, edge.target)]))
