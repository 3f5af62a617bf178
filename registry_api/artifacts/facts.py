"""Read out of events what they say of training sets, models, endpoints and monitors. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, get_args

from pydantic import ValidationError

from festaf.contract.endpoint import DEPLOYED_FACET, EndpointDeployed
from festaf.contract.model import Model
from festaf.contract.model_version import MODEL_VERSION_FACET, ModelVersionFact
from festaf.contract.monitor import MONITOR_FACET, MonitorReport
from festaf.contract.names import SCHEME, ArtifactKind, DatasetName, project_of
from festaf.contract.training_set import TRAINING_SET_FACET, TrainingSetWritten

CONTRACTS: Mapping[ArtifactKind, tuple[str, str, type[Model]]] = {
    "training-set": (TRAINING_SET_FACET, "training_set", TrainingSetWritten),
    "model": (MODEL_VERSION_FACET, "model_version", ModelVersionFact),
    "endpoint": (DEPLOYED_FACET, "endpoint", EndpointDeployed),
    "monitor": (MONITOR_FACET, "report", MonitorReport),
}
"""By kind of artifact: the facet, the key in it, and the contract that it keeps."""
LONGEST = 500


@dataclass(frozen=True)
class ArtifactFact:
    """What was said of one artifact."""

    kind: ArtifactKind
    project: str
    name: str
    version: int | None
    said_at: datetime
    content: Mapping[str, Any]


@lru_cache(maxsize=65_536)
def artifact_of(namespace: str, name: str) -> tuple[ArtifactKind, str] | None:
    """Read kind and project out of a dataset's name; None when it is no artifact, or a feature set."""
    project = project_of(DatasetName(namespace, name))
    if project is None or not name or len(name) > LONGEST:
        return None
    for kind in get_args(ArtifactKind):
        if namespace == f"{SCHEME}-{kind}://{project}":
            return kind, project
    return None


def artifact_facts(datasets: Iterable[tuple[str, str, Mapping[str, Any]]], said_at: datetime) -> list[ArtifactFact]:
    """Read datasets by namespace, name and facets.

    A facet that does not keep its contract, or speaks of another project than its dataset's, says nothing here.
    """
    found: list[ArtifactFact] = []
    for namespace, name, facets in datasets:
        artifact = artifact_of(namespace, name)
        fact = _read(artifact[0], facets) if artifact else None
        if artifact and fact and getattr(fact, "project", artifact[1]) == artifact[1]:
            version = fact.version if isinstance(fact, ModelVersionFact) else None
            found.append(ArtifactFact(*artifact, name, version, said_at, fact.model_dump(mode="json")))
    return found


def _read(kind: ArtifactKind, facets: Mapping[str, Any]) -> Model | None:
    facet, key, contract = CONTRACTS[kind]
    body = facets.get(facet)
    value = body.get(key) if isinstance(body, dict) else None
    if not isinstance(value, dict):
        return None
    known = {name: item for name, item in value.items() if name in contract.model_fields}
    try:
        return contract.model_validate(known)
    except ValidationError:
        return None
