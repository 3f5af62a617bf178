"""How long things take in the local AWS, and how much it allows."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """Durations are seconds of the server's clock; what a resource takes is fixed when it is created."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    create_seconds: Seconds = 2.0
    """From CreateFeatureGroup until FeatureGroupStatus is Created (or CreateFailed)."""
    create_in_memory_seconds: Seconds | None = None
    """The same for the InMemory online store, which takes AWS 10 to 15 minutes; None: as the others."""
    offline_active_seconds: Seconds = 1.0
    """From Created until OfflineStoreStatus is Active."""
    glue_seconds: Seconds = 1.0
    """From an active offline store until its Glue table exists."""
    visible_seconds: Seconds = 0.0
    """After CreateFeatureGroup, how long the group is not found."""
    update_seconds: Seconds = 1.0
    """From UpdateFeatureGroup until LastUpdateStatus is Successful (or Failed)."""
    delete_seconds: Seconds = 1.0
    """From DeleteFeatureGroup until the group is not found."""
    offline_delay_seconds: Seconds = 5.0
    """From a write until the row is in the offline store's files; AWS says up to 15 minutes."""
    resource_visible_seconds: Seconds = 0.0
    """After the creation of any other resource, how long it is not found."""
    endpoint_create_seconds: Seconds = 2.0
    """From CreateEndpoint until its workers are started; loading the model takes its own time."""
    endpoint_update_seconds: Seconds = 2.0
    """The same from UpdateEndpoint."""
    endpoint_delete_seconds: Seconds = 1.0
    """From DeleteEndpoint until the endpoint is not found."""
    model_package_seconds: Seconds = 1.0
    """From CreateModelPackage until ModelPackageStatus is Completed (or Failed); half of it is Pending."""
    model_package_group_seconds: Seconds = 0.0
    """From CreateModelPackageGroup until ModelPackageGroupStatus is Completed (or Failed); half of it is Pending."""
    model_package_delete_seconds: Seconds = 1.0
    """From DeleteModelPackage or DeleteModelPackageGroup until it is not found."""
    job_start_seconds: Seconds = 1.0
    """From the creation of a training, processing or transform job until its script starts."""
    job_end_seconds: Seconds = 0.0
    """From the end of a job's script until the job is Completed (Uploading)."""
    job_delete_seconds: Seconds = 1.0
    """From DeleteTrainingJob or DeleteProcessingJob until the job is not found."""
    schedule_seconds: Seconds = 1.0
    """From CreateMonitoringSchedule or its update until ScheduleStatus is Scheduled."""
    max_concurrent_creations: Annotated[int, Field(ge=1)] = 4
    max_feature_groups: Annotated[int, Field(ge=1)] = 100
    max_concurrent_jobs: Annotated[int, Field(ge=1)] = 8
    """How many jobs of one kind may be in progress, by region."""
    max_artifacts: Annotated[int, Field(ge=1)] = 6000
    max_actions: Annotated[int, Field(ge=1)] = 3000
    max_contexts: Annotated[int, Field(ge=1)] = 500
    max_associations: Annotated[int, Field(ge=1)] = 6000
    max_endpoint_instances: Annotated[int, Field(ge=1)] = 20
    """Of one instance type, over all endpoints of a region; an update needs room for old and new."""
    rates: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Calls per second by operation; beyond them calls are throttled. An operation that is not here has no limit."""

    def changed(self, changes: dict[str, object]) -> Settings:
        """Give these settings with some others.

        :raises pydantic.ValidationError: a name is unknown or a value out of bounds
        """
        return Settings.model_validate(self.model_dump() | changes)


class CurrentSettings:
    """The settings that hold now; they are replaced as a whole, so that a reader never sees half a change."""

    def __init__(self, start: Settings) -> None:
        self.start = start
        self.now = start

    def change(self, changes: dict[str, object]) -> Settings:
        """Replace some settings and give them all."""
        self.now = self.now.changed(changes)
        return self.now

    def reset(self) -> None:
        """Take the settings again that the server started with."""
        self.now = self.start
