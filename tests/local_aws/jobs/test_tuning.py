"""Hyperparameter tuning jobs run real training jobs over points of their ranges."""

from __future__ import annotations

import math
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from festaf.local_aws.jobs.ranges import Ranges
from festaf.local_aws.jobs.strategy import BayesianSearch, RandomSearch
from festaf.local_aws.service import ApiError
from tests.local_aws.jobs.test_course import refused
from tests.local_aws.jobs.work import BUCKET, IMAGE, PATIENCE, ROLE, channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.local_aws.jobs.strategy import Strategy
    from tests.local_aws.jobs.work import Workshop

LOSS = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
parser.add_argument("--rate", type=float, default=0.1)
parser.add_argument("--kind", default="a")
parser.add_argument("--fixed")
given = parser.parse_args()
if given.kind == "bad":
    raise ValueError("no such kind")
if given.kind == "sleep":
    time.sleep(600)
print(f"loss={abs(given.depth - 5) + given.rate + (given.kind == 'b')}")
"""


def tuning(shop: Workshop, name: str, **config: Any) -> dict[str, Any]:
    """Give the request of a tuning job that looks for the least loss."""
    training = shop.training(name, LOSS, HyperParameters={})
    parameters = training["HyperParameters"]
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "depth", "Values": ["3", "5", "9"]}]},
            **config,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {**parameters, "fixed": "yes"},
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
            },
            "RoleArn": ROLE,
            "InputDataConfig": [channel("train", f"s3://{BUCKET}/data/train")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
            "ResourceConfig": training["ResourceConfig"],
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
    }


def grid(**choices: list[str]) -> dict[str, Any]:
    """Give categorical ranges."""
    return {"CategoricalParameterRanges": [{"Name": name, "Values": values} for name, values in choices.items()]}


def until(shop: Workshop, name: str, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Describe a tuning job once it is so."""
    latest = time.monotonic() + PATIENCE
    while time.monotonic() < latest:
        found: dict[str, Any] = shop.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if what(found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} is {found}")


def tune(shop: Workshop, name: str, **config: Any) -> dict[str, Any]:
    """Run a tuning job to its end, and describe it."""
    shop.sagemaker.create_hyper_parameter_tuning_job(**tuning(shop, name, **config))
    return until(shop, name, lambda found: found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"))


def test_a_grid_is_tried_whole_and_the_best_is_named(shop: Workshop) -> None:
    found = tune(shop, "grid")
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["Completed"] == 3
    assert found["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    best = found["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"depth": "5"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Minimize",
        "MetricName": "loss",
        "Value": pytest.approx(0.1),
    }
    listing = shop.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job
    ordered = listing(HyperParameterTuningJobName="grid", SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")[
        "TrainingJobSummaries"
    ]
    assert [one["TunedHyperParameters"]["depth"] for one in ordered] == ["5", "3", "9"]
    job = shop.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == found["HyperParameterTuningJobArn"]
    assert job["HyperParameters"]["fixed"] == "yes"
    assert job["HyperParameters"]["_tuning_objective_metric"] == "loss"
    listed = shop.sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert [(one["HyperParameterTuningJobName"], one["Strategy"]) for one in listed] == [("grid", "Grid")]


def test_numbers_are_drawn_from_their_ranges(shop: Workshop) -> None:
    ranges = {
        "IntegerParameterRanges": [{"Name": "depth", "MinValue": "4", "MaxValue": "6"}],
        "ContinuousParameterRanges": [
            {"Name": "rate", "MinValue": "0.001", "MaxValue": "1", "ScalingType": "Logarithmic"}
        ],
    }
    limits = {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 3}
    found = tune(shop, "random", Strategy="Random", ParameterRanges=ranges, ResourceLimits=limits, RandomSeed=7)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    jobs = shop.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="random")
    points = [one["TunedHyperParameters"] for one in jobs["TrainingJobSummaries"]]
    assert len({tuple(point.items()) for point in points}) == 3
    assert all(point["depth"] in ("4", "5", "6") and 0.001 <= float(point["rate"]) <= 1 for point in points)


def test_failing_training_jobs_do_not_fail_the_tuning_unless_all_do(shop: Workshop) -> None:
    found = tune(shop, "some", ParameterRanges=grid(kind=["bad", "a"], depth=["5"]))
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["NonRetryableError"] == 1
    assert found["BestTrainingJob"]["TunedHyperParameters"]["kind"] == "a"
    failed = tune(shop, "all", ParameterRanges=grid(kind=["bad"], depth=["5", "6"]))
    assert failed["HyperParameterTuningJobStatus"] == "Failed"
    assert failed["FailureReason"].startswith("No training job succeeded after 2 attempts.")
    assert "BestTrainingJob" not in failed


def test_tuning_ends_once_the_objective_is_good_enough(shop: Workshop) -> None:
    found = tune(
        shop,
        "enough",
        ParameterRanges=grid(depth=["5", "6", "7", "8"]),
        ResourceLimits={"MaxParallelTrainingJobs": 1},
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.2},
    )
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert sum(found["TrainingJobStatusCounters"].values()) == 1


def test_stopping_a_tuning_job_stops_its_training_jobs(shop: Workshop) -> None:
    ranges = grid(kind=["sleep"], depth=["5", "6", "7"])
    shop.sagemaker.create_hyper_parameter_tuning_job(**tuning(shop, "stop", ParameterRanges=ranges))
    until(shop, "stop", lambda found: found["TrainingJobStatusCounters"]["InProgress"] == 2)
    shop.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stop")
    found = until(shop, "stop", lambda found: found["HyperParameterTuningJobStatus"] == "Stopped")
    assert found["TrainingJobStatusCounters"]["Stopped"] == 2
    shop.aws.fault(kind="fail_deletion", resource="hyper-parameter-tuning-job", reason="It is held")
    shop.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="stop")
    found = until(shop, "stop", lambda found: found["HyperParameterTuningJobStatus"] == "DeleteFailed")
    assert found["FailureReason"] == "It is held"
    shop.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="stop")
    message = refused(
        "ResourceNotFound",
        shop.sagemaker.describe_hyper_parameter_tuning_job,
        HyperParameterTuningJobName="stop",
    )
    assert message == "Amazon SageMaker can't find a tuning job with the name stop."


def test_training_jobs_wait_for_room(shop: Workshop) -> None:
    shop.aws.settings(max_concurrent_jobs=1)
    found = tune(shop, "narrow")
    assert (found["HyperParameterTuningJobStatus"], found["TrainingJobStatusCounters"]["Completed"]) == ("Completed", 3)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"Strategy": "Hyperband", "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1}},
            "The local AWS cannot tune by Hyperband",
        ),
        ({"Strategy": "Random"}, "MaxNumberOfTrainingJobs must be given"),
        ({"ParameterRanges": {}}, "at least one range"),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "auc"}},
            "The objective metric auc is not among the MetricDefinitions",
        ),
        (
            {"ParameterRanges": {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "3"}]}},
            "Grid search takes only categorical parameters",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused(shop: Workshop, config: dict[str, Any], said: str) -> None:
    request = tuning(shop, "no", **config)
    assert said in refused("ValidationException", shop.sagemaker.create_hyper_parameter_tuning_job, **request)


def number(name: str, low: str, high: str, scaling: str = "Linear") -> dict[str, str]:
    """Give a range of numbers."""
    return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}


@pytest.mark.parametrize("scaling", ["Linear", "Logarithmic", "ReverseLogarithmic"])
def test_a_value_is_found_again_where_it_was_drawn(scaling: str) -> None:
    ranges = Ranges({"ContinuousParameterRanges": [number("rate", "0.01", "0.99", scaling)]})
    chance = random.Random(3)
    for _ in range(100):
        point = ranges.drawn(chance)
        (share,) = ranges.place(point)
        assert 0 <= share <= 1
        assert 0.01 <= float(point["rate"]) <= 0.99


@pytest.mark.parametrize(
    ("low", "high", "scaling"),
    [("3", "1", "Linear"), ("x", "1", "Linear"), ("0", "1", "Logarithmic"), ("0", "1", "ReverseLogarithmic")],
)
def test_a_range_that_makes_no_sense_is_refused(low: str, high: str, scaling: str) -> None:
    with pytest.raises(ApiError):
        Ranges({"ContinuousParameterRanges": [number("rate", low, high, scaling)]})


def best_of(strategy: Strategy, count: int) -> float:
    """Give the least value that a strategy finds of a smooth function."""
    tried: list[tuple[dict[str, str], float | None]] = []
    for _ in range(count):
        point = strategy.next(tried)
        tried.append((point, (float(point["x"]) - 0.3) ** 2 + (float(point["y"]) - 0.8) ** 2))
    return min(value for _, value in tried if value is not None)


def test_bayesian_search_learns_from_what_was_tried() -> None:
    ranges = Ranges({"ContinuousParameterRanges": [number("x", "0", "1"), number("y", "0", "1")]})
    seeds = range(3)
    learned = [best_of(BayesianSearch(ranges, seed), 12) for seed in seeds]
    drawn = [best_of(RandomSearch(ranges, seed), 12) for seed in seeds]
    assert math.prod(learned) < math.prod(drawn) / 100
