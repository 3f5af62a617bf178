"""The ids of versions, made of names and contents alone, so that every rebuild gives the same. Pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from festaf.contract.feature_set import DEFINITION_FACET, WRITE_FACET
from festaf.contract.names import DatasetName, feature_set_dataset
from festaf.contract.openlineage import DAG_FACET, EventType
from festaf.registry_api.catalog.saying import Subject
from festaf.registry_api.graph.names import is_definition
from festaf.registry_api.lineage.folding import DatasetState, RunState, bodies
from festaf.registry_api.lineage.projection import RunFacts
from festaf.registry_api.lineage.reading import attached_sha256
from festaf.registry_api.table import content_sha256

UUID_MARKS = (0xF << 76) | (0b11 << 62)
"""The bits in which a UUID says of which version and variant it is."""


@dataclass(frozen=True)
class JobContent:
    """What makes a version of a job: its datasets, where its code stands, and the code."""

    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    location: str | None
    code: tuple[str, ...]

    @property
    def body(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {
            "inputs": [list(item) for item in self.inputs],
            "outputs": [list(item) for item in self.outputs],
            "location": self.location,
            "code": list(self.code),
        }


def job_content(state: RunState) -> JobContent:
    """Read the version that a run ran."""
    facets = bodies(state.job_facets)
    code = facets.get("sourceCodeLocation", {})
    parts = [
        code.get("version"),
        facets.get("sourceCode", {}).get("sourceCode"),
        facets.get("sql", {}).get("query"),
        facets.get(DAG_FACET, {}).get("dag", {}),
    ]
    parts[-1] = parts[-1].get("source") if isinstance(parts[-1], dict) else None
    return JobContent(
        inputs=tuple(sorted((item.namespace, item.name) for item in state.inputs.values())),
        outputs=tuple(sorted((item.namespace, item.name) for item in state.outputs.values())),
        location=location_of(facets),
        code=tuple(attached_sha256(part) or ("" if part is None else content_sha256(part)) for part in parts),
    )


def location_of(facets: Mapping[str, dict[str, Any]]) -> str | None:
    """Read where a job's code stands."""
    url = facets.get("sourceCodeLocation", {}).get("url")
    return url if isinstance(url, str) and url else None


@lru_cache(maxsize=20_000)
def job_version_id(job: Subject, content: JobContent) -> UUID:
    """Make the id of a job's version."""
    digest = hashlib.sha256(f"{job.key}:{content_sha256(content.body)}".encode()).digest()
    return UUID(bytes=digest[:16], version=5)


def dataset_version_id(dataset_key: str, run: UUID) -> UUID:
    """Make the id of the version that a run wrote of a dataset; the same function turns it back into the run's."""
    mask = int.from_bytes(hashlib.sha256(dataset_key.encode()).digest()[:16], "big") & ~UUID_MARKS
    return UUID(int=run.int ^ mask)


def written(state: RunState, facts: RunFacts) -> list[DatasetState]:
    """Give the datasets that a run wrote: what a COMPLETE one puts out; of a failed one only what it says it wrote.

    Making or retiring a feature set puts no data there.
    """
    if facts.state is EventType.COMPLETE:
        return [item for item in state.outputs.values() if _is_data(item)]
    named = {feature_set_dataset(item.project, item.feature_set) for item in facts.writes}
    return [item for item in state.outputs.values() if DatasetName(item.namespace, item.name) in named]


def _is_data(output: DatasetState) -> bool:
    if is_definition(output.namespace, output.name):
        return False
    return WRITE_FACET in output.facets or DEFINITION_FACET not in output.facets
