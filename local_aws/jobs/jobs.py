"""The jobs of every kind: taken, found, listed, stopped; and the threads that run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.course import RUNNING, Course, times
from festaf.local_aws.jobs.logs import LogStream
from festaf.local_aws.jobs.run import Run
from festaf.local_aws.resources.listing import page_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.jobs.kind import JobKind
    from festaf.local_aws.jobs.run import Work
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.service import Call
    from festaf.local_aws.settings import CurrentSettings

INTERRUPTED = "InternalServerError: The local AWS ended while the job ran. Please try again."


class Jobs:
    """Keeps the jobs, and runs them."""

    def __init__(self, cloud: Cloud, resources: Resources, settings: CurrentSettings, faults: Faults) -> None:
        self.cloud = cloud
        self.resources = resources
        self.settings = settings
        self.faults = faults
        self._runs: dict[tuple[str, str, str], Run] = {}

    def create(
        self, kind: JobKind, call: Call, request: dict[str, Any], work: Callable[[Resource], Work], **facts: Any
    ) -> Resource:
        """Take a new job and start it.

        :param facts: what the kind itself keeps
        :raises ApiError: ResourceInUse, ResourceLimitExceeded
        """
        name = request[kind.name_key]
        settings = self.settings.now
        with self.resources.lock:
            self._sweep(kind)
            standing = self.resources.find(kind.arn, call.region, name)
            if standing is not None:
                raise kind.in_use(standing)
            running = [one for one in self.resources.all(kind.arn, call.region) if one.facts["status"] in RUNNING]
            if len(running) >= settings.max_concurrent_jobs:
                raise kind.over_limit(settings.max_concurrent_jobs, len(running))
            now = self.resources.now()
            job = self.resources.create(
                kind.arn,
                call.region,
                name,
                request,
                status="InProgress",
                transitions=[],
                started=None,
                ended=None,
                failure=None,
                gone=None,
                ordered=self.faults.creation_failure(kind.arn, name),
                **facts,
            )
            course = Course(self.resources, job)
            course.enter("Starting")

            def stream(host: int) -> LogStream:
                where = f"{name}/algo-{host + 1}-{int(now * 1000)}"
                return LogStream(self.cloud, call.region, f"/aws/sagemaker/{kind.noun}s", where)

            self._runs = {key: run for key, run in self._runs.items() if run.alive}
            run = self._runs[kind.arn, call.region, name] = Run(course, work(job), self.resources.clock, stream)
        run.start()
        return job

    def get(self, kind: JobKind, call: Call, name: str) -> Resource:
        """Give a job that clients can see.

        :raises ApiError: with the kind's code, when there is none
        """
        self._sweep(kind)
        # The model documents no absence for deletions.
        code = "ValidationException" if call.operation.startswith("Delete") else kind.absent_code
        return self.resources.get(kind.arn, call.region, name, kind.absent.format(name=name), code)

    def stop(self, kind: JobKind, call: Call, name: str) -> None:
        """Bring a job to its end early; one that is being stopped is left so.

        :raises ApiError: ValidationException, when there is none, or it has come to its end
        """
        with self.resources.lock:
            job = self.get(kind, call, name)
            run = self._runs.get((kind.arn, call.region, name))
            if run is None or not run.course.running:
                raise kind.rejected(job.facts["status"])
            run.course.stopping()
        run.stop()

    def delete(self, kind: JobKind, call: Call, name: str) -> None:
        """Begin the deletion of a job that has ended; until it is gone a training job is Deleting.

        :raises ApiError: ValidationException, when there is none; ResourceInUse, when it has not ended
        """
        with self.resources.lock:
            job = self.get(kind, call, name)
            if job.facts["status"] in RUNNING:
                raise kind.busy(job.facts["status"])
            if kind.delete_failed and (reason := self.faults.deletion_failure(kind.arn, name)):
                job.facts |= {"status": kind.delete_failed, "failure": reason}
                self.resources.touch(job)
            elif job.facts["gone"] is None:
                job.facts["gone"] = self.resources.now() + self.settings.now.job_delete_seconds
                job.facts["status"] = kind.deleting or job.facts["status"]
                self.resources.touch(job)

    def listing(
        self, kind: JobKind, call: Call, request: dict[str, Any], also: Callable[[Resource], dict[str, Any]]
    ) -> dict[str, Any]:
        """Give a page of the jobs of a region.

        :param also: gives what else stands in a job's summary
        """
        self._sweep(kind)
        summaries = [
            {
                kind.name_key: job.name,
                f"{kind.noun}Arn": job.arn,
                kind.status_key: job.facts["status"],
                **times(job, kind.verb),
                **also(job),
            }
            for job in self.resources.all(kind.arn, call.region)
        ]
        answer = f"{kind.noun}Summaries"
        return page_of(summaries, request, answer=answer, name=kind.name_key, status=kind.status_key)

    def recover(self, kinds: tuple[JobKind, ...]) -> None:
        """End the jobs that ran when an earlier server ended: as stopped when they were to stop, else as failed."""
        for kind in kinds:
            for job in self.resources.all(kind.arn):
                course = Course(self.resources, job)
                if course.status == "Stopping":
                    course.end("Stopped")
                elif course.running:
                    course.end("Failed", failure=INTERRUPTED)

    def reset(self) -> None:
        """Kill every script and forget every run; the resources are forgotten elsewhere."""
        # A tuning job may start a training job until it has ended itself.
        while self._runs:
            with self.resources.lock:
                runs = list(self._runs.values())
                self._runs.clear()
            for run in runs:
                run.abandon()
            for run in runs:
                run.join()

    def _sweep(self, kind: JobKind) -> None:
        """Forget the jobs whose deletion has ended."""
        with self.resources.lock:
            for job in self.resources.all(kind.arn):
                if job.facts["gone"] is not None and self.resources.clock.now() >= job.facts["gone"]:
                    self.resources.remove(job)

    close = reset
    """At the end of the server: jobs that ran are found so by the next one."""
