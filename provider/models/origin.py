"""Which task of which run did something, and with which code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from festaf.provider.models import metadata as keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

EARLIER = timedelta(days=1)
"""How much AWS's clock may be behind ours."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The task instance that works, without its try: every try of it is the same origin."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    run_after: datetime | None = None
    """When the run was due; nothing of it is older."""
    logic_sha256: str | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None

    @classmethod
    def of(cls, context: Mapping[str, Any], code: Mapping[str, str | None]) -> Origin:
        """Read a task's context.

        :param code: what ``festaf.operators.task.running_code`` tells
        """
        task = context["ti"]
        run = context.get("dag_run")
        return cls(
            dag_id=task.dag_id,
            run_id=task.run_id,
            task_id=task.task_id,
            map_index=-1 if task.map_index is None else task.map_index,
            run_after=getattr(run, "run_after", None),
            **code,
        )

    @property
    def since(self) -> datetime | None:
        """Give a time before which the run cannot have made anything."""
        return self.run_after - EARLIER if self.run_after else None

    @property
    def identity(self) -> dict[str, str | int]:
        """Give what tells one task instance from another."""
        return {"dag": self.dag_id, "run": self.run_id, "task": self.task_id, "map_index": self.map_index}

    @property
    def said(self) -> str:
        """Name the task instance in a sentence."""
        mapped = f", number {self.map_index}" if self.map_index >= 0 else ""
        return f"DAG {self.dag_id}, run {self.run_id}, task {self.task_id}{mapped}"

    @property
    def fields(self) -> dict[str, Any]:
        """Give the fields of a ModelVersionFact that tell of it."""
        return {
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "task_id": self.task_id,
            "map_index": self.map_index if self.map_index >= 0 else None,
            "logic_sha256": self.logic_sha256,
            "bundle_name": self.bundle_name,
            "bundle_version": self.bundle_version,
        }

    @property
    def notes(self) -> dict[str, str | None]:
        """Give what stands in a version's metadata."""
        return {
            keys.DAG: self.dag_id,
            keys.RUN: self.run_id,
            keys.TASK: self.task_id,
            keys.MAP_INDEX: str(self.map_index) if self.map_index >= 0 else None,
            keys.LOGIC: self.logic_sha256,
            keys.BUNDLE: self.bundle_version or self.bundle_name,
        }
