"""Which DAGs jobs belong to: a job is a DAG itself, or is named after its DAG and its task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from festaf.registry_api.access.sight import Sight
from festaf.registry_api.changes import dag_subject, follow
from festaf.registry_api.dags.repository import DagRepository
from festaf.registry_api.dags.seen import Seen, SeenDag
from festaf.registry_api.table import natural_key
from festaf.registry_api.viewpoint import Viewpoint

JobName = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True)
class JobDag:
    """A DAG under the name of its own job."""

    name: JobName
    seen: SeenDag


class JobDags:
    """Finds the DAGs of jobs."""

    def __init__(self, session: Session, view: Viewpoint, sight: Sight) -> None:
        self.session = session
        self.dags = DagRepository(session)
        self.seen = Seen(session, view, sight)

    def of(self, jobs: Iterable[JobName]) -> dict[JobName, JobDag]:
        """Give by job the DAG that it is, or is a task of: the one of the longest name."""
        candidates: dict[str, JobName] = {}
        keys_of: dict[JobName, list[str]] = {}
        for job in jobs:
            parts = job[1].split(".")
            names = [(job[0], ".".join(parts[:count])) for count in range(len(parts), 0, -1)]
            keys_of[job] = [natural_key(*name) for name in names]
            candidates |= dict(zip(keys_of[job], names, strict=True))
        follow(self.session, (dag_subject(*name) for name in candidates.values()))
        pks = self.dags.ids_by_key(candidates)
        seen = self.seen.dags_by_id(set(pks.values()))
        found: dict[JobName, JobDag] = {}
        for job, keys in keys_of.items():
            key = next((key for key in keys if pks.get(key) in seen), None)
            if key:
                found[job] = JobDag(candidates[key], seen[pks[key]])
        return found
