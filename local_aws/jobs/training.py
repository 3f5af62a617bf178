"""SageMaker's operations on training jobs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.channels import has_objects
from festaf.local_aws.jobs.course import Course, times
from festaf.local_aws.jobs.kind import TRAINING
from festaf.local_aws.jobs.metrics import Metrics
from festaf.local_aws.jobs.rules import cannot, check_channels, check_instances, check_output, no_objects
from festaf.local_aws.jobs.training_work import TrainingWork, model_location
from festaf.local_aws.objects import Objects
from festaf.local_aws.resources.resource import moment
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.jobs.jobs import Jobs
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.service import Call, Handler


MOST_INSTANCES = 8
"""How many processes stand in for the machines of one job."""


class TrainingService:
    """Answers the training job operations."""

    name = "sagemaker"

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.operations: Mapping[str, Handler] = {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": self.describe,
            "ListTrainingJobs": self.list_jobs,
            "StopTrainingJob": self.stop,
            "UpdateTrainingJob": self.update,
            "DeleteTrainingJob": self.delete,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start a training job."""
        self.check(call, request)
        return {"TrainingJobArn": self.start(call, request).arn}

    def check(self, call: Call, request: dict[str, Any]) -> None:
        """Check what is known without running anything.

        :raises ApiError: ValidationException
        """
        check_instances(request.get("ResourceConfig", {}), MOST_INSTANCES)
        check_output(request["OutputDataConfig"]["S3OutputPath"])
        check_channels(request)
        _check_algorithm(request["AlgorithmSpecification"])
        _check_spot(request)
        objects = Objects(self._jobs.cloud, call.region)
        for channel in request.get("InputDataConfig", ()):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            if not has_objects(objects, uri):
                raise no_objects(uri, call.region, request["RoleArn"])

    def start(self, call: Call, request: dict[str, Any], **facts: Any) -> Resource:
        """Start a job that was checked."""
        settings = self._jobs.settings.now

        def work(job: Resource) -> TrainingWork:
            return TrainingWork(self._jobs.cloud, job, settings, self._jobs.faults)

        return self._jobs.create(TRAINING, call, request, work, metrics={}, model=None, **facts)

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a job as it is by now."""
        return describe(self._jobs.get(TRAINING, call, request["TrainingJobName"]))

    def list_jobs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the jobs of the region; none has a warm pool or a training plan."""
        if "WarmPoolStatusEquals" in request or "TrainingPlanArnEquals" in request:
            return {"TrainingJobSummaries": []}
        return self._jobs.listing(TRAINING, call, request, lambda job: {"SecondaryStatus": secondary(job)})

    def stop(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Ask a job to end: its script gets SIGTERM, and has two minutes; what stands as model is kept."""
        self._jobs.stop(TRAINING, call, request["TrainingJobName"])
        return {}

    def update(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Change how a running job is looked at; nothing here looks so, so that only the description changes."""
        if "ResourceConfig" in request:
            raise cannot("keep machines of a training job warm")
        with self._jobs.resources.lock:
            job = self._jobs.get(TRAINING, call, request["TrainingJobName"])
            if job.facts["status"] != "InProgress":
                raise TRAINING.rejected(job.facts["status"])
            now = secondary(job)
            job.request |= {name: value for name, value in request.items() if name != "TrainingJobName"}
            course = Course(self._jobs.resources, job)
            course.enter("Updating")
            course.enter(now)
        return {"TrainingJobArn": job.arn}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a job that has ended; what it wrote to S3 stays."""
        self._jobs.delete(TRAINING, call, request["TrainingJobName"])
        return {}


def describe(job: Resource) -> dict[str, Any]:
    """Give a training job in DescribeTrainingJob's shape."""
    facts = job.facts
    started, ended = facts["started"], facts["ended"]
    spent = math.ceil(ended - started) if started is not None and ended is not None else None
    model = facts["model"] or (model_location(job.request, job.name) if facts["status"] == "Completed" else "")
    return {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
        **job.request,
        **times(job, TRAINING.verb),
        "TrainingJobArn": job.arn,
        "TuningJobArn": facts.get("tuning"),
        "TrainingJobStatus": facts["status"],
        "SecondaryStatus": secondary(job),
        "SecondaryStatusTransitions": [_transition(one) for one in facts["transitions"]],
        "FailureReason": facts["failure"],
        "ModelArtifacts": {"S3ModelArtifacts": model},
        "FinalMetricDataList": final_metrics(job) or None,
        "TrainingTimeInSeconds": spent,
        "BillableTimeInSeconds": spent,
    }


def secondary(job: Resource) -> str:
    """Give the secondary status."""
    return str(job.facts["transitions"][-1]["status"])


def final_metrics(job: Resource) -> list[dict[str, Any]]:
    """Give the last value of every metric that the job's output had."""
    return [
        {"MetricName": name, "Value": value, "Timestamp": moment(seen)}
        for name, (value, seen) in job.facts["metrics"].items()
    ]


def _transition(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Status": kept["status"],
        "StartTime": moment(kept["start"]),
        "EndTime": moment(kept["end"]) if kept["end"] is not None else None,
        "StatusMessage": kept["message"],
    }


def _check_algorithm(specification: Mapping[str, Any]) -> None:
    if ("TrainingImage" in specification) == ("AlgorithmName" in specification):
        raise ApiError("ValidationException", "Exactly one of TrainingImage and AlgorithmName must be given.")
    Metrics(specification.get("MetricDefinitions", ()))


def _check_spot(request: Mapping[str, Any]) -> None:
    condition = request.get("StoppingCondition", {})
    longest = condition.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining"):
        if longest is None or longest < condition.get("MaxRuntimeInSeconds", 86_400):
            raise ApiError(
                "ValidationException",
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds",
            )
    elif longest is not None:
        raise ApiError("ValidationException", "MaxWaitTimeInSeconds is only for managed spot training.")
