"""By what a version is found: its facts, as its own code and its manifest say them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from festaf.contract.dag_inspection import DagInspection, FileInspection
from festaf.contract.dag_package import Manifest
from festaf.registry_api.search.words import words

FactKind = Literal["operator", "provider", "tag", "owner", "asset", "dag_id", "word"]
LONGEST = 500
MOST = 5_000
"""Of one kind; more than anybody would ask for."""


def facts_of(manifest: Manifest, inspection: Sequence[FileInspection]) -> set[tuple[FactKind, str]]:
    """Give the facts of a version: what the code says, and what its author says besides."""
    dags = [dag for file in inspection for dag in file.dags]
    found: set[tuple[FactKind, str]] = set()
    for kind, values in (
        ("operator", {task.operator for dag in dags for task in dag.tasks}),
        ("provider", {name for dag in dags for name in dag.providers} | _names(manifest.requires.providers)),
        ("tag", {tag for dag in dags for tag in dag.tags} | set(manifest.tags)),
        ("owner", {owner for dag in dags for owner in dag.owners} | set(manifest.owners)),
        ("asset", {uri for dag in dags for uri in dag.assets} | set(manifest.needs.assets)),
        ("dag_id", {dag.dag_id for dag in dags if dag.dag_id}),
        ("word", {word for text in _texts(manifest, dags) for word in words(text)}),
    ):
        found |= {(kind, value) for value in sorted(values)[:MOST] if 0 < len(value) <= LONGEST}  # type: ignore[misc]
    return found


def _texts(manifest: Manifest, dags: Sequence[DagInspection]) -> Iterator[str]:
    yield from (manifest.namespace, manifest.name, manifest.summary, *manifest.tags)
    for dag in dags:
        yield from (dag.dag_id or "", dag.description or "", *dag.tags)


def _names(requirements: Sequence[str]) -> set[str]:
    """Give the names of requirements such as ``apache-airflow-providers-amazon>=9.15``."""
    return {requirement_name(text) for text in requirements}


def requirement_name(text: str) -> str:
    """Give the normalised name at the beginning of a requirement; the text itself when it has none."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        return text
