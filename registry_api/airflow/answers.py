"""What Airflow's REST API (v2) answers, as far as the sync reads it.

The fields of 3.1 and 3.3 differ: few are asked for, and those that one of them lacks have a default.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """An immutable answer; what is not known is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Version(Answer):
    """A DAG version; its ``bundle_version`` is not read, since Airflow rewrites it in place."""

    id: UUID
    version_number: int
    dag_id: str
    bundle_name: str | None = None
    created_at: AwareDatetime | None = None


class AssetEvent(Answer):
    """One event of an asset."""

    id: int
    timestamp: AwareDatetime
    uri: str | None = None
    name: str | None = None
    extra: dict[str, Any] | None = None
    source_dag_id: str | None = None
    source_task_id: str | None = None
    source_run_id: str | None = None
    source_map_index: int | None = -1
    partition_key: str | None = None

    @property
    def asset(self) -> str | None:
        """Give the asset's URI, or the name of one that has none."""
        return self.uri or self.name


class DagRun(Answer):
    """A DAG run."""

    dag_id: str
    dag_run_id: str
    logical_date: AwareDatetime | None = None
    run_after: AwareDatetime
    queued_at: AwareDatetime | None = None
    """Last; clearing a task queues its run again."""
    start_date: AwareDatetime | None = None
    end_date: AwareDatetime | None = None
    data_interval_start: AwareDatetime | None = None
    data_interval_end: AwareDatetime | None = None
    run_type: str | None = None
    state: str | None = None
    bundle_version: str | None = None
    dag_versions: tuple[Version, ...] = ()

    @property
    def version(self) -> Version | None:
        """Give the newest of the versions that the run's tasks ran."""
        return max(self.dag_versions, key=lambda version: version.version_number, default=None)


class TaskInstance(Answer):
    """A task instance, or one of its tries."""

    dag_id: str
    task_id: str
    dag_run_id: str
    map_index: int = -1
    try_number: int = 1
    state: str | None = None
    start_date: AwareDatetime | None = None
    end_date: AwareDatetime | None = None
    operator: str | None = None
    operator_name: str | None = None
    hostname: str | None = None
    dag_version: Version | None = None


class Tag(Answer):
    """A tag of a DAG."""

    name: str


class Dag(Answer):
    """A DAG as it was last parsed."""

    dag_id: str
    is_paused: bool | None = None
    is_stale: bool = False
    last_parsed: AwareDatetime | None = Field(
        default=None, validation_alias=AliasChoices("last_parsed_time", "last_parsed")
    )
    last_parse_duration: float | None = Field(default=None, ge=0, le=86_400)
    has_import_errors: bool = False
    bundle_name: str | None = None
    bundle_version: str | None = None
    relative_fileloc: str | None = None
    fileloc: str | None = None
    description: str | None = None
    timetable_summary: str | None = None
    tags: tuple[Tag, ...] = ()
    owners: tuple[str, ...] = ()
    next_dagrun_run_after: AwareDatetime | None = None

    @property
    def parse_began(self) -> datetime | None:
        """Give when the parse began whose outcome stands."""
        if self.last_parsed is None or self.last_parse_duration is None:
            return None
        return self.last_parsed - timedelta(seconds=self.last_parse_duration)


class AssetUse(Answer):
    """A task or DAG that uses an asset."""

    dag_id: str
    task_id: str | None = None


class Asset(Answer):
    """An asset and who uses it now."""

    uri: str | None = None
    name: str | None = None
    scheduled_dags: tuple[AssetUse, ...] = ()
    producing_tasks: tuple[AssetUse, ...] = ()
    consuming_tasks: tuple[AssetUse, ...] = ()
