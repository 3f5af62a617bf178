"""The course of one job: the statuses that it goes through, as they are kept and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.failure import AbandonedError
from festaf.local_aws.resources.resource import moment

if TYPE_CHECKING:
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource

RUNNING = frozenset({"InProgress", "Stopping"})
"""The statuses of a job that has not come to its end."""

MESSAGES = {
    "Starting": "Starting the training job",
    "Pending": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Updating": "Updating the training job",
    "Interrupted": "The machines of the training job were taken away",
    "Restarting": "Restarting the training job after an internal error",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}
"""By secondary status; only training jobs show them."""


class Course:
    """Writes down what becomes of a job, in ``facts`` of its resource.

    ``status``; ``transitions``, each secondary status with its start, its end and its message; ``started`` and
    ``ended``; ``failure``; and what a kind adds.
    """

    def __init__(self, resources: Resources, job: Resource) -> None:
        self.job = job
        self._resources = resources
        self._abandoned = False

    @property
    def status(self) -> str:
        """Give the status."""
        return str(self.job.facts["status"])

    @property
    def running(self) -> bool:
        """Say whether it has not come to its end."""
        return self.status in RUNNING

    def now(self) -> float:
        """Give the server's time."""
        return self._resources.now()

    def abandon(self) -> None:
        """Let nothing more be written."""
        with self._resources.lock:
            self._abandoned = True

    def enter(self, secondary: str, **facts: Any) -> None:
        """Come to the next secondary status; one that is being stopped stays so.

        :raises AbandonedError: nothing more is to be written
        """
        with self._resources.lock:
            self._check()
            self.job.facts |= facts
            if self.status == "InProgress":
                self._next(secondary)
            self._resources.touch(self.job)

    def note(self, **facts: Any) -> None:
        """Keep facts.

        :raises AbandonedError: nothing more is to be written
        """
        with self._resources.lock:
            self._check()
            self.job.facts |= facts
            self._resources.save(self.job)

    def stopping(self) -> bool:
        """Come to Stopping, and say whether it was in progress."""
        with self._resources.lock:
            if self.status != "InProgress":
                return False
            self.job.facts["status"] = "Stopping"
            self._next("Stopping")
            self._resources.touch(self.job)
            return True

    def end(self, status: str, secondary: str | None = None, failure: str | None = None) -> None:
        """Come to the end.

        :raises AbandonedError: nothing more is to be written
        """
        with self._resources.lock:
            self._check()
            self.job.facts["status"] = status
            self._next(secondary or status, failure)
            now = self.job.facts["transitions"][-1]["start"]
            self.job.facts["transitions"][-1]["end"] = now
            self.job.facts |= {"ended": now, "failure": failure}
            self._resources.touch(self.job)

    def _check(self) -> None:
        if self._abandoned:
            raise AbandonedError

    def _next(self, secondary: str, failure: str | None = None) -> None:
        now = self.now()
        transitions = self.job.facts["transitions"]
        if transitions:
            transitions[-1]["end"] = now
        message = MESSAGES[secondary] if failure is None else f"{MESSAGES[secondary]}: {failure}"
        transitions.append({"status": secondary, "start": now, "end": None, "message": message})


def times(job: Resource, verb: str) -> dict[str, Any]:
    """Give the times of a job as a Describe shows them."""
    started, ended = job.facts["started"], job.facts["ended"]
    return {
        "CreationTime": job.created_at,
        "LastModifiedTime": job.modified_at,
        f"{verb}StartTime": moment(started) if started is not None else None,
        f"{verb}EndTime": moment(ended) if ended is not None else None,
    }
