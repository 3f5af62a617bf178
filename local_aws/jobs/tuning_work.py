"""What a tuning job does: training jobs with other hyperparameters each, until enough were tried."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.course import RUNNING
from festaf.local_aws.jobs.failure import JobFailedError, JobStoppedError
from festaf.local_aws.jobs.kind import TRAINING
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from festaf.local_aws.jobs.jobs import Jobs
    from festaf.local_aws.jobs.run import Run
    from festaf.local_aws.jobs.strategy import Strategy
    from festaf.local_aws.jobs.training import TrainingService
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.service import Call

OBJECTIVE = "_tuning_objective_metric"
"""The hyperparameter that tells a training job's container what is tuned for."""
HOPELESS = 5
"""How many training jobs may fail before the first succeeds."""
_PASSED_ON = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
)


class TuningWork:
    """The work of one tuning job."""

    start_seconds = 0.0
    end_seconds = 0.0

    def __init__(self, jobs: Jobs, training: TrainingService, job: Resource, call: Call, strategy: Strategy) -> None:
        self._jobs = jobs
        self._training = training
        self._job = job
        self._call = call
        self._strategy = strategy
        self._config = job.request["HyperParameterTuningJobConfig"]
        self._limits = self._config["ResourceLimits"]
        self._most = int(job.facts["most"])

    def begin(self, run: Run) -> None:
        """Begin at once: the training jobs take their own time."""
        run.check()
        if self._job.facts["ordered"]:
            raise JobFailedError(self._job.facts["ordered"])

    def perform(self, run: Run) -> None:
        """Start training jobs, as many at once as are allowed, until enough were tried or one is good enough."""
        run.course.enter("Training", started=run.course.now())
        latest = self._job.created + self._limits.get("MaxRuntimeInSeconds", float("inf"))
        while not self._done():
            if run.course.now() >= latest:
                raise JobStoppedError("MaxRuntimeExceeded")
            self._check_hope()
            if self._may_start():
                with contextlib.suppress(_NoRoomError):
                    self._start()
            run.check()
            run.pause()
        self._end_all(run)
        self._check_hope()

    def salvage(self, run: Run) -> None:
        """Stop the training jobs, and wait for their ends."""
        self._end_all(run)

    def _done(self) -> bool:
        tried = children(self._jobs, self._job)
        ended = [one for one in tried if one.facts["status"] not in RUNNING]
        if len(ended) >= self._most:
            return True
        values = [value for value in (objective(self._job, one) for one in ended) if value is not None]
        criteria = self._config.get("TuningJobCompletionCriteria", {})
        target = criteria.get("TargetObjectiveMetricValue")
        if target is not None and any(self._loss(value) <= self._loss(target) for value in values):
            return True
        patience = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
        if patience is None or not values:
            return False
        best = min(range(len(values)), key=lambda place: self._loss(values[place]))
        return len(values) - 1 - best >= int(patience)

    def _check_hope(self) -> None:
        tried = children(self._jobs, self._job)
        failed = [one for one in tried if one.facts["status"] == "Failed"]
        if len(failed) == len(tried) and len(failed) >= min(HOPELESS, self._most):
            raise JobFailedError(
                f"No training job succeeded after {len(failed)} attempts. For additional details, please take a look "
                "at the training job failures by listing training jobs for the hyperparameter tuning job."
            )

    def _may_start(self) -> bool:
        tried = children(self._jobs, self._job)
        running = [one for one in tried if one.facts["status"] in RUNNING]
        return len(tried) < self._most and len(running) < int(self._limits["MaxParallelTrainingJobs"])

    def _start(self) -> None:
        tried = children(self._jobs, self._job)
        results = [(dict(one.facts["tuned"]), self._result(one)) for one in tried]
        point = self._strategy.next(results)
        name = f"{self._job.name}-{len(tried) + 1:03d}-{secrets.token_hex(4)}"
        request = training_request(self._job.request, name, point)
        try:
            self._training.start(self._call, request, tuning=self._job.arn, tuned=point)
        except ApiError as error:
            if error.code == "ResourceLimitExceeded":
                raise _NoRoomError from None
            raise JobFailedError(f"ClientError: {error.message}") from None

    def _result(self, child: Resource) -> float | None:
        value = objective(self._job, child)
        return None if value is None else self._loss(value)

    def _loss(self, value: float) -> float:
        return -value if self._config["HyperParameterTuningJobObjective"]["Type"] == "Maximize" else value

    def _end_all(self, run: Run) -> None:
        for child in children(self._jobs, self._job):
            with contextlib.suppress(ApiError):
                self._jobs.stop(TRAINING, self._call, child.name)
        while any(one.facts["status"] in RUNNING for one in children(self._jobs, self._job)):
            run.pause()


class _NoRoomError(Exception):
    """As many training jobs run as may: the next starts later."""


def training_request(request: dict[str, Any], name: str, point: dict[str, str]) -> dict[str, Any]:
    """Give the request of one training job.

    :param request: that of the tuning job
    :param point: the hyperparameters to try
    """
    definition = request["TrainingJobDefinition"]
    metric = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": definition["AlgorithmSpecification"],
        "HyperParameters": {**definition.get("StaticHyperParameters", {}), **point, OBJECTIVE: metric},
        "ResourceConfig": resources_of(definition),
        **{member: definition[member] for member in _PASSED_ON if member in definition},
    }


def resources_of(definition: dict[str, Any]) -> dict[str, Any]:
    """Give the machines of the training jobs."""
    found: dict[str, Any] = definition.get("ResourceConfig") or definition.get("HyperParameterTuningResourceConfig", {})
    return found


def children(jobs: Jobs, job: Resource) -> list[Resource]:
    """Give the training jobs of a tuning job, in the order in which they were started."""
    return [one for one in jobs.resources.all(TRAINING.arn, job.region) if one.facts.get("tuning") == job.arn]


def objective(job: Resource, child: Resource) -> float | None:
    """Give what a training job reached of what is tuned for; None when it did not end well, or never said."""
    metric = job.request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    found = child.facts["metrics"].get(metric)
    return float(found[0]) if found and child.facts["status"] == "Completed" else None
