"""SageMaker's operations on hyperparameter tuning jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.course import RUNNING, times
from festaf.local_aws.jobs.kind import TRAINING, TUNING
from festaf.local_aws.jobs.ranges import Ranges
from festaf.local_aws.jobs.rules import cannot, invalid
from festaf.local_aws.jobs.strategy import strategy_of
from festaf.local_aws.jobs.tuning_work import TuningWork, children, objective, training_request
from festaf.local_aws.resources.listing import page_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.jobs.jobs import Jobs
    from festaf.local_aws.jobs.training import TrainingService
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.service import Call, Handler


class TuningService:
    """Answers the hyperparameter tuning job operations."""

    name = "sagemaker"

    def __init__(self, jobs: Jobs, training: TrainingService) -> None:
        self._jobs = jobs
        self._training = training
        self.operations: Mapping[str, Handler] = {
            "CreateHyperParameterTuningJob": self.create,
            "DescribeHyperParameterTuningJob": self.describe,
            "ListHyperParameterTuningJobs": self.list_jobs,
            "ListTrainingJobsForHyperParameterTuningJob": self.list_training_jobs,
            "StopHyperParameterTuningJob": self.stop,
            "DeleteHyperParameterTuningJob": self.delete,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start a tuning job."""
        name, config = request[TUNING.name_key], request["HyperParameterTuningJobConfig"]
        _check(request)
        ranges = Ranges(config.get("ParameterRanges", {}))
        strategy = strategy_of(config, ranges, name)
        self._training.check(call, training_request(request, name, {}))
        limits = config["ResourceLimits"]
        most = limits.get("MaxNumberOfTrainingJobs") or ranges.grid_size()

        def work(job: Resource) -> TuningWork:
            return TuningWork(self._jobs, self._training, job, call, strategy)

        return {"HyperParameterTuningJobArn": self._jobs.create(TUNING, call, request, work, most=most).arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a job as it is by now."""
        job = self._jobs.get(TUNING, call, request[TUNING.name_key])
        best = _best(job, children(self._jobs, job))
        return {
            **job.request,
            **times(job, TUNING.verb),
            **self._counters(job),
            "HyperParameterTuningJobArn": job.arn,
            "HyperParameterTuningJobStatus": job.facts["status"],
            "FailureReason": job.facts["failure"],
            "BestTrainingJob": _summary(job, best) if best is not None else None,
        }

    def list_jobs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the jobs of the region."""
        return self._jobs.listing(
            TUNING,
            call,
            request,
            lambda job: {
                **self._counters(job),
                "Strategy": job.request["HyperParameterTuningJobConfig"]["Strategy"],
                "ResourceLimits": job.request["HyperParameterTuningJobConfig"]["ResourceLimits"],
            },
        )

    def list_training_jobs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the training jobs of a tuning job."""
        job = self._jobs.get(TUNING, call, request[TUNING.name_key])
        summaries = [
            {**_summary(job, one), "FinalObjectiveMetricValue": objective(job, one)}
            for one in children(self._jobs, job)
        ]
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            summaries = [one for one in summaries if one["FinalObjectiveMetricValue"] is not None]
        return page_of(
            summaries, request, answer="TrainingJobSummaries", name=TRAINING.name_key, status=TRAINING.status_key
        )

    def stop(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Stop a job and the training jobs that it runs."""
        self._jobs.stop(TUNING, call, request[TUNING.name_key])
        return {}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a job that has ended; its training jobs stay."""
        self._jobs.delete(TUNING, call, request[TUNING.name_key])
        return {}

    def _counters(self, job: Resource) -> dict[str, Any]:
        found = children(self._jobs, job)
        statuses = [one.facts["status"] for one in found]
        running = [status for status in statuses if status in RUNNING]
        reached = [one for one in found if objective(job, one) is not None]
        return {
            "TrainingJobStatusCounters": {
                "Completed": statuses.count("Completed"),
                "InProgress": len(running),
                "RetryableError": 0,
                "NonRetryableError": statuses.count("Failed"),
                "Stopped": statuses.count("Stopped"),
            },
            "ObjectiveStatusCounters": {
                "Succeeded": len(reached),
                "Pending": len(running),
                "Failed": len(found) - len(reached) - len(running),
            },
        }


def _best(job: Resource, found: list[Resource]) -> Resource | None:
    reached = [(value, one) for one in found if (value := objective(job, one)) is not None]
    if not reached:
        return None
    wanted = job.request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"]
    values = [value for value, _ in reached]
    best = max(values) if wanted == "Maximize" else min(values)
    return reached[values.index(best)][1]


def _summary(job: Resource, child: Resource) -> dict[str, Any]:
    value = objective(job, child)
    wanted = job.request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    reached = "Succeeded" if value is not None else "Pending" if child.facts["status"] in RUNNING else "Failed"
    return {
        **times(child, TRAINING.verb),
        "TrainingJobDefinitionName": job.request["TrainingJobDefinition"].get("DefinitionName"),
        "TrainingJobName": child.name,
        "TrainingJobArn": child.arn,
        "TrainingJobStatus": child.facts["status"],
        "TunedHyperParameters": child.facts["tuned"],
        "FailureReason": child.facts["failure"],
        "FinalHyperParameterTuningJobObjectiveMetric": {**wanted, "Value": value} if value is not None else None,
        "ObjectiveStatus": reached,
    }


def _check(request: Mapping[str, Any]) -> None:
    config = request["HyperParameterTuningJobConfig"]
    if "TrainingJobDefinitions" in request:
        raise cannot("tune several training job definitions at once")
    if "TrainingJobDefinition" not in request:
        raise invalid("TrainingJobDefinition must be given.")
    for member in ("WarmStartConfig", "Autotune"):
        if member in request:
            raise cannot(f"tune with {member}")
    if config.get("ParameterRanges", {}).get("AutoParameters"):
        raise cannot("tune AutoParameters")
    _check_objective(request)
    limits = config["ResourceLimits"]
    if config["Strategy"] != "Grid" and "MaxNumberOfTrainingJobs" not in limits:
        raise invalid("MaxNumberOfTrainingJobs must be given.")
    convergence = config.get("TuningJobCompletionCriteria", {}).get("ConvergenceDetected", {})
    if convergence.get("CompleteOnConvergence") == "Enabled":
        raise cannot("detect convergence")


def _check_objective(request: Mapping[str, Any]) -> None:
    wanted = request["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective")
    if wanted is None:
        raise invalid("HyperParameterTuningJobObjective must be given.")
    definitions = request["TrainingJobDefinition"]["AlgorithmSpecification"].get("MetricDefinitions", ())
    if wanted["MetricName"] not in [one["Name"] for one in definitions]:
        raise invalid(
            f"The objective metric {wanted['MetricName']} is not among the MetricDefinitions of the training job."
        )
