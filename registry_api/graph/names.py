"""The names of nodes, and edges between names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from festaf.contract.feature import Origin
from festaf.contract.graph import NodeKind
from festaf.contract.names import (
    PROJECT_PATTERN,
    SCHEME,
    DatasetName,
    can_be_asked_for,
    dataset_name,
    feature_set_dataset,
    feature_set_of,
)
from festaf.registry_api.table import content_sha256, natural_key

MAX_NAME = 64
"""The longest name that SageMaker gives a feature set or feature."""
DEFINITION_SUFFIX = "/definition"
UNTRACKED = "unknown"
"""The namespace of sources that are no URIs."""
NO_SOURCE = "NO_SOURCE"
"""The transformation of an edge from a node to itself, which says: nothing that is known goes into this."""


class NodeName(NamedTuple):
    """A node by its name; ``field`` only for fields and features."""

    kind: NodeKind
    namespace: str
    name: str
    field: str | None = None

    @property
    def key(self) -> str:
        """Give the unique key of the node's row."""
        return natural_key(self.kind, self.namespace, self.name, self.field)

    @property
    def id(self) -> str:
        """Give the id that the graph shows."""
        whole = f"{self.kind}:{self.namespace}:{self.name}"
        return whole if self.field is None else f"{whole}:{self.field}"

    @property
    def untracked(self) -> bool:
        """Tell whether it is a source that somebody declared by a text that is no URI."""
        return self.namespace == UNTRACKED

    @property
    def whole(self) -> NodeName | None:
        """Name the dataset or feature set that this field or feature is a part of."""
        if self.field is None:
            return None
        return NodeName("feature_set" if self.kind == "feature" else "dataset", self.namespace, self.name)


@dataclass(frozen=True, order=True)
class EdgeName:
    """An edge in the direction of the data."""

    source: NodeName
    target: NodeName
    transformation: str | None = None


@dataclass(frozen=True)
class EdgeStatement:
    """What an asserter said at one time: these edges stand; if ``closing``, no other of this origin does."""

    asserter: NodeName
    origin: Origin
    edges: frozenset[EdgeName]
    stated_at: datetime
    closing: bool
    last_run: str | None = None
    mapped_in: str | None = None

    @property
    def sha256(self) -> str:
        """Hash the set of edges."""
        return _sha256_of(self.edges)


@lru_cache(maxsize=50_000)
def _sha256_of(edges: frozenset[EdgeName]) -> str:
    ends = sorted([edge.source.key, edge.target.key, edge.transformation or ""] for edge in edges)
    return content_sha256(ends)


def job_node(namespace: str, name: str) -> NodeName:
    """Name a job."""
    return NodeName("job", namespace, name)


@lru_cache(maxsize=65_536)
def can_be_named(name: str) -> bool:
    """Tell whether a feature set or a feature can have this name."""
    return len(name) <= MAX_NAME and can_be_asked_for(name)


@lru_cache(maxsize=65_536)
def feature_set_name(namespace: str, name: str) -> tuple[str, str] | None:
    """Read project and feature set out of a dataset's name, if they are names that a feature set can have."""
    found = feature_set_of(DatasetName(namespace, name))
    if found is None or not PROJECT_PATTERN.fullmatch(found[0]) or not can_be_named(found[1]):
        return None
    return found


@lru_cache(maxsize=65_536)
def dataset_node(namespace: str, name: str, column: str | None = None) -> NodeName:
    """Name a dataset or one of its fields; a feature set or one of its features if the name is one's."""
    if feature_set_name(namespace, name) is None or (column is not None and not can_be_named(column)):
        return NodeName("dataset", namespace, name) if column is None else NodeName("field", namespace, name, column)
    return NodeName("feature_set" if column is None else "feature", namespace, name, column)


@lru_cache(maxsize=65_536)
def feature_node(project: str, feature_set: str, feature: str) -> NodeName:
    """Name a feature."""
    dataset = feature_set_dataset(project, feature_set)
    return NodeName("feature", dataset.namespace, dataset.name, feature)


@lru_cache(maxsize=65_536)
def feature_set_node(project: str, feature_set: str) -> NodeName:
    """Name a feature set."""
    dataset = feature_set_dataset(project, feature_set)
    return NodeName("feature_set", dataset.namespace, dataset.name)


def source_node(uri: str) -> NodeName:
    """Name a declared source; what is no URI is a dataset of the namespace ``unknown``."""
    try:
        name = dataset_name(uri)
    except ValueError:
        return NodeName("dataset", UNTRACKED, uri)
    return dataset_node(name.namespace, name.name, name.field)


def is_definition(namespace: str, name: str) -> bool:
    """Tell whether a dataset stands for the definition of a feature set, which is no data."""
    return namespace.startswith(f"{SCHEME}://") and name.endswith(DEFINITION_SUFFIX)
