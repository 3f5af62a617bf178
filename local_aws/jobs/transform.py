"""SageMaker's operations on batch transform jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.channels import has_objects
from festaf.local_aws.jobs.course import times
from festaf.local_aws.jobs.kind import TRANSFORM
from festaf.local_aws.jobs.rules import cannot, check_output, check_source, invalid, no_objects
from festaf.local_aws.jobs.transform_data import DEFAULT_PAYLOAD_MB, Shaper
from festaf.local_aws.jobs.transform_work import TransformWork
from festaf.local_aws.models import find_model
from festaf.local_aws.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.jobs.jobs import Jobs
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.service import Call, Handler

MOST_MEGABYTES = 100


class TransformService:
    """Answers the transform job operations."""

    name = "sagemaker"

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.operations: Mapping[str, Handler] = {
            "CreateTransformJob": self.create,
            "DescribeTransformJob": self.describe,
            "ListTransformJobs": self.list_jobs,
            "StopTransformJob": self.stop,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start a transform job."""
        model = find_model(self._jobs.resources, call.region, request["ModelName"])
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        check_source("the input", source)
        check_output(request["TransformOutput"]["S3OutputPath"])
        Shaper(request)
        _check_limits(request)
        if model.request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct":
            raise invalid("A transform job cannot use a model whose containers are to be chosen from.")
        if "DataCaptureConfig" in request:
            raise cannot("capture the data of a transform job")
        if not has_objects(Objects(self._jobs.cloud, call.region), source["S3Uri"]):
            raise no_objects(source["S3Uri"], call.region, model.request.get("ExecutionRoleArn", ""))
        settings = self._jobs.settings.now

        def work(job: Resource) -> TransformWork:
            return TransformWork(self._jobs.cloud, job, settings, model)

        return {"TransformJobArn": self._jobs.create(TRANSFORM, call, request, work).arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a job as it is by now."""
        job = self._jobs.get(TRANSFORM, call, request["TransformJobName"])
        return {
            "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"},
            **job.request,
            **times(job, TRANSFORM.verb),
            **_outcome(job),
            "TransformJobArn": job.arn,
            "TransformJobStatus": job.facts["status"],
        }

    def list_jobs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the jobs of the region."""
        return self._jobs.listing(TRANSFORM, call, request, _outcome)

    def stop(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """End a job; the files that were answered by then are there."""
        self._jobs.stop(TRANSFORM, call, request["TransformJobName"])
        return {}


def _outcome(job: Resource) -> dict[str, Any]:
    return {"FailureReason": job.facts["failure"]}


def _check_limits(request: Mapping[str, Any]) -> None:
    payload = request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
    if payload * (request.get("MaxConcurrentTransforms") or 1) > MOST_MEGABYTES:
        raise invalid(f"MaxConcurrentTransforms * MaxPayloadInMB must not exceed {MOST_MEGABYTES} MB.")
