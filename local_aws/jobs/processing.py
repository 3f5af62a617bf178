"""SageMaker's operations on processing jobs."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.channels import has_objects
from festaf.local_aws.jobs.course import times
from festaf.local_aws.jobs.kind import PROCESSING
from festaf.local_aws.jobs.processing_work import HOME, ProcessingWork
from festaf.local_aws.jobs.rules import cannot, check_instances, check_output, check_source, invalid, no_objects
from festaf.local_aws.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.jobs.jobs import Jobs
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.service import Call, Handler


class ProcessingService:
    """Answers the processing job operations."""

    name = "sagemaker"

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.operations: Mapping[str, Handler] = {
            "CreateProcessingJob": self.create,
            "DescribeProcessingJob": self.describe,
            "ListProcessingJobs": self.list_jobs,
            "StopProcessingJob": self.stop,
            "DeleteProcessingJob": self.delete,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start a processing job."""
        check_instances(request["ProcessingResources"]["ClusterConfig"], 1)
        _check_names(request)
        objects = Objects(self._jobs.cloud, call.region)
        for one in request.get("ProcessingInputs", ()):
            _check_input(one)
            uri = one["S3Input"]["S3Uri"]
            if not has_objects(objects, uri):
                raise no_objects(uri, call.region, request["RoleArn"])
        for one in request.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            _check_output(one)
        settings = self._jobs.settings.now

        def work(job: Resource) -> ProcessingWork:
            return ProcessingWork(self._jobs.cloud, job, settings)

        return {"ProcessingJobArn": self._jobs.create(PROCESSING, call, request, work, message=None).arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a job as it is by now."""
        job = self._jobs.get(PROCESSING, call, request["ProcessingJobName"])
        return {
            "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
            **job.request,
            **times(job, PROCESSING.verb),
            **_outcome(job),
            "ProcessingJobArn": job.arn,
            "ProcessingJobStatus": job.facts["status"],
        }

    def list_jobs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the jobs of the region."""
        return self._jobs.listing(PROCESSING, call, request, _outcome)

    def stop(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Ask a job to end: its command gets SIGTERM, and has two minutes."""
        self._jobs.stop(PROCESSING, call, request["ProcessingJobName"])
        return {}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a job that has ended; what it wrote to S3 stays."""
        self._jobs.delete(PROCESSING, call, request["ProcessingJobName"])
        return {}


def _outcome(job: Resource) -> dict[str, Any]:
    return {"FailureReason": job.facts["failure"], "ExitMessage": job.facts["message"]}


def _check_names(request: Mapping[str, Any]) -> None:
    inputs = [one["InputName"] for one in request.get("ProcessingInputs", ())]
    outputs = [one["OutputName"] for one in request.get("ProcessingOutputConfig", {}).get("Outputs", ())]
    for what, names in (("input", inputs), ("output", outputs)):
        if len(set(names)) < len(names):
            raise invalid(f"The names of processing {what}s must be unique: {', '.join(names)}")


def _check_input(one: Mapping[str, Any]) -> None:
    what = f"input {one['InputName']}"
    if "S3Input" not in one:
        raise cannot(f"fill {what} but from S3")
    source = one["S3Input"]
    check_source(what, source)
    if source.get("S3InputMode", "File") != "File":
        raise cannot(f"fill {what} in {source['S3InputMode']} mode, only in File mode")
    if source.get("S3CompressionType", "None") != "None":
        raise cannot(f"unpack {what}")
    if not one.get("AppManaged"):
        _check_path(what, source.get("LocalPath"))


def _check_output(one: Mapping[str, Any]) -> None:
    what = f"output {one['OutputName']}"
    if one.get("AppManaged"):
        return
    if "S3Output" not in one:
        raise cannot(f"write {what} but to S3")
    if one["S3Output"]["S3UploadMode"] != "EndOfJob":
        raise cannot(f"upload {what} while the job runs, only at its end (EndOfJob)")
    check_output(one["S3Output"]["S3Uri"])
    _check_path(what, one["S3Output"].get("LocalPath"))


def _check_path(what: str, path: str | None) -> None:
    if path is None or not PurePosixPath(path).is_relative_to(HOME) or ".." in PurePosixPath(path).parts:
        raise invalid(f"LocalPath of {what} must be an absolute path that begins with {HOME}/, not {path}.")
