"""All services of jobs together, as the server mounts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.local_aws.jobs.jobs import Jobs
from festaf.local_aws.jobs.kind import PROCESSING, TRAINING, TRANSFORM, TUNING
from festaf.local_aws.jobs.processing import ProcessingService
from festaf.local_aws.jobs.training import TrainingService
from festaf.local_aws.jobs.transform import TransformService
from festaf.local_aws.jobs.tuning import TuningService
from festaf.local_aws.monitoring.monitor import Monitor

if TYPE_CHECKING:
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.service import Service
    from festaf.local_aws.settings import CurrentSettings


class JobServices:
    """The jobs of every kind."""

    def __init__(self, cloud: Cloud, resources: Resources, settings: CurrentSettings, faults: Faults) -> None:
        self._jobs = Jobs(cloud, resources, settings, faults)
        self.monitor = Monitor(resources, settings, faults, cloud, self._jobs)
        """Runs monitoring schedules as processing jobs."""
        training = TrainingService(self._jobs)
        self.services: tuple[Service, ...] = (
            training,
            ProcessingService(self._jobs),
            TransformService(self._jobs),
            TuningService(self._jobs, training),
        )

    def recover(self) -> None:
        """End the jobs that ran when an earlier server ended."""
        self._jobs.recover((TRAINING, PROCESSING, TRANSFORM, TUNING))

    def reset(self) -> None:
        """Kill every script and forget every run."""
        self._jobs.reset()

    def close(self) -> None:
        """Kill every script, at the end of the server."""
        self._jobs.close()
