"""Updates of endpoints: what is served meanwhile, how traffic moves, and what rolls back."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.endpoints.endpoints import Stage, coming, eventually, times, variant
from tests.local_aws.model_archives import serving
from tests.local_aws.models.models import refused

if TYPE_CHECKING:
    from collections.abc import Iterable

ALL_AT_ONCE = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}
CANARY = {
    "Type": "CANARY",
    "WaitIntervalInSeconds": 60,
    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
}
LINEAR = {
    "Type": "LINEAR",
    "WaitIntervalInSeconds": 60,
    "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
}


def policy(routing: dict[str, Any], *alarms: str, termination: int = 0) -> dict[str, Any]:
    blue_green = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}
    found: dict[str, Any] = {"BlueGreenUpdatePolicy": blue_green}
    if alarms:
        found["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return found


def alarm(stage: Stage, name: str, **changes: Any) -> None:
    asked = {
        "AlarmName": name,
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [
            {"Name": "EndpointName", "Value": "answers"},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    stage.aws.client("cloudwatch").put_metric_alarm(**asked | changes)


def answers(stage: Stage, count: int = 60) -> Counter[str]:
    return Counter(stage.ask("1")[0] for _ in range(count))


@pytest.fixture
def two(stage: Stage) -> Stage:
    """Give an endpoint that serves the model ``old``, and a configuration with the model ``new``."""
    stage.config(stage.model("old", times(2)))
    stage.config(stage.model("new", times(3)))
    stage.endpoint("old")
    return stage


def test_the_old_configuration_answers_until_the_new_one_does(two: Stage) -> None:
    two.aws.settings(endpoint_update_seconds=100)
    two.update("new")
    found = two.describe()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("Updating", "old")
    assert found["PendingDeploymentSummary"]["EndpointConfigName"] == "new"
    assert coming(found) == "Creating"
    assert answers(two, 10) == {"2.0": 10}
    two.aws.advance(80)
    two.pending("ActivatingTraffic")
    assert answers(two, 10) == {"2.0": 10}
    two.aws.advance(20)
    found = two.until("InService")
    assert found["EndpointConfigName"] == "new"
    assert "FailureReason" not in found
    assert answers(two, 10) == {"3.0": 10}
    two.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="answers")


def test_an_update_to_a_model_that_does_not_load_rolls_back(two: Stage) -> None:
    two.config(two.model("bad", serving("import nothing_like_this")))
    two.aws.settings(endpoint_update_seconds=50)
    two.update("bad")
    two.aws.advance(50)
    found = two.until("RollingBack")
    assert found["EndpointConfigName"] == "old"
    assert answers(two, 5) == {"2.0": 5}
    two.aws.advance(50)
    found = two.until("InService")
    assert found["EndpointConfigName"] == "old"
    assert "ModuleNotFoundError: No module named 'nothing_like_this'" in found["FailureReason"]
    assert answers(two, 5) == {"2.0": 5}
    two.update("new")
    two.aws.advance(50)
    assert "FailureReason" not in two.until("InService")


def test_an_update_and_its_rollback_fail_on_demand(two: Stage) -> None:
    two.aws.fault(kind="fail_update", resource="endpoint", reason="No capacity")
    two.update("new")
    found = eventually(two.describe, lambda found: "FailureReason" in found)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "old")
    assert found["FailureReason"] == "No capacity"
    two.aws.fault(kind="fail_update", resource="endpoint", reason="No capacity")
    two.aws.fault(kind="fail_rollback", resource="endpoint", reason="None for the old one either")
    two.update("new")
    found = two.until("UpdateRollbackFailed")
    assert found["FailureReason"] == "No capacity The rollback failed: None for the old one either"
    assert answers(two, 5) == {"2.0": 5}
    two.update("new")
    two.until("InService")


def test_all_at_once_bakes_and_keeps_the_old_fleet_for_a_while(two: Stage) -> None:
    two.update("new", DeploymentConfig=policy(ALL_AT_ONCE, termination=100))
    found = two.pending("Baking")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("Updating", "old")
    assert answers(two, 10) == {"3.0": 10}
    two.aws.advance(61)
    found = two.describe()
    assert found["EndpointStatus"] == "Updating"
    assert found["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Deleting"
    two.aws.advance(100)
    found = two.describe()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "new")
    assert found["LastDeploymentConfig"] == policy(ALL_AT_ONCE, termination=100)


def test_a_canary_takes_its_part_of_the_traffic_first(two: Stage) -> None:
    two.update("new", DeploymentConfig=policy(CANARY))
    two.pending("Baking")
    found = answers(two, 200)
    assert set(found) == {"2.0", "3.0"}
    assert 15 <= found["3.0"] <= 90  # 25% of 200, far beyond what chance does
    two.aws.advance(61)
    assert two.status() == "Updating"
    assert answers(two, 20) == {"3.0": 20}
    two.aws.advance(60)
    assert two.status() == "InService"


def test_a_linear_deployment_goes_step_by_step(two: Stage) -> None:
    two.update("new", DeploymentConfig=policy(LINEAR))
    two.pending("Baking")
    assert set(answers(two)) == {"2.0", "3.0"}
    two.aws.advance(60)
    assert answers(two, 20) == {"3.0": 20}
    assert two.status() == "Updating"
    two.aws.advance(60)
    assert two.describe()["EndpointConfigName"] == "new"


def test_a_rolling_update_goes_batch_by_batch(two: Stage) -> None:
    batch = {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50}, "WaitIntervalInSeconds": 60}
    two.update("new", DeploymentConfig={"RollingUpdatePolicy": batch})
    two.pending("Baking")
    assert set(answers(two)) == {"2.0", "3.0"}
    two.aws.advance(120)
    assert two.describe()["EndpointConfigName"] == "new"


@pytest.mark.parametrize("routing", [CANARY, ALL_AT_ONCE])
def test_an_alarm_rolls_a_deployment_back(two: Stage, routing: dict[str, Any]) -> None:
    alarm(two, "errors")
    two.update("new", DeploymentConfig=policy(routing, "errors"))
    two.pending("Baking")
    two.aws.settings(endpoint_update_seconds=30)
    two.aws.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    two.until("RollingBack")
    assert answers(two, 20) == {"2.0": 20}
    two.aws.advance(30)
    found = two.until("InService")
    assert found["EndpointConfigName"] == "old"
    assert "errors" in found["FailureReason"]
    assert "LastDeploymentConfig" not in found


def test_errors_of_the_new_model_raise_the_alarm_by_themselves(two: Stage) -> None:
    two.config(two.model("wrong", serving("def model_fn(d):\n    return 1\ndef predict_fn(data, model):\n    raise X")))
    alarm(two, "errors")
    two.update("wrong", DeploymentConfig=policy(ALL_AT_ONCE, "errors"))
    two.pending("Baking")
    assert refused(two.ask)[0] == "ModelError"
    found = eventually(two.describe, lambda found: "FailureReason" in found)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "old")
    states = two.aws.client("cloudwatch").describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    assert states[0]["StateValue"] == "ALARM"
    two.aws.advance(120)
    two.ask()
    states = two.aws.client("cloudwatch").describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    assert states[0]["StateValue"] == "OK"


def test_a_deployment_has_its_longest_time(two: Stage) -> None:
    two.config(two.model("slow", serving("import time\ntime.sleep(600)")))
    deployment = policy(ALL_AT_ONCE)
    deployment["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    two.update("slow", DeploymentConfig=deployment)
    two.aws.advance(601)
    found = eventually(two.describe, lambda found: "FailureReason" in found)
    assert "maximum execution time of 600 seconds" in found["FailureReason"]


WRONG: Iterable[tuple[dict[str, Any], str]] = [
    (policy({**CANARY, "Type": "LINEAR"}), "type LINEAR takes no CanarySize"),
    (policy({"Type": "CANARY", "WaitIntervalInSeconds": 0}), "type CANARY needs a CanarySize"),
    (policy({**CANARY, "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}), "at most 50%.*it is 100%"),
    (policy({**LINEAR, "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 5}}), "at least 10%; it is 5%"),
    (
        {
            **policy(CANARY),
            "RollingUpdatePolicy": {
                "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                "WaitIntervalInSeconds": 0,
            },
        },
        "not both",
    ),
]


def test_deployments_that_make_no_sense_are_refused(two: Stage) -> None:
    for deployment, message in WRONG:
        with pytest.raises(two.sagemaker.exceptions.ClientError, match=message):
            two.update("new", DeploymentConfig=deployment)
    assert two.status() == "InService"


def test_weights_and_capacities_change_in_place(stage: Stage) -> None:
    for name, factor in (("a", 2), ("b", 3)):
        stage.model(name, times(factor))
    stage.config("both", variant("a", "one", 1), variant("b", "two", 0))
    stage.endpoint("both")
    assert answers(stage, 20) == {"2.0": 20}
    stage.aws.settings(endpoint_update_seconds=10)
    wishes = [
        {"VariantName": "one", "DesiredWeight": 0.0},
        {"VariantName": "two", "DesiredWeight": 5.0, "DesiredInstanceCount": 3},
    ]
    stage.sagemaker.update_endpoint_weights_and_capacities(EndpointName="answers", DesiredWeightsAndCapacities=wishes)
    found = stage.describe()
    assert found["EndpointStatus"] == "Updating"
    two = found["ProductionVariants"][1]
    assert (two["CurrentWeight"], two["DesiredWeight"]) == (0, 5)
    assert (two["CurrentInstanceCount"], two["DesiredInstanceCount"]) == (1, 3)
    assert two["VariantStatus"][0]["Status"] == "Updating"
    assert answers(stage, 20) == {"2.0": 20}
    stage.aws.advance(10)
    two = stage.until("InService")["ProductionVariants"][1]
    assert (two["CurrentWeight"], two["CurrentInstanceCount"]) == (5, 3)
    assert answers(stage, 20) == {"3.0": 20}
    wrong = [{"VariantName": "three", "DesiredWeight": 1.0}]
    code, message = refused(
        stage.sagemaker.update_endpoint_weights_and_capacities,
        EndpointName="answers",
        DesiredWeightsAndCapacities=wrong,
    )
    assert code == "ValidationException"
    assert '"three" does not exist' in message


def test_an_update_may_retain_what_was_changed(two: Stage) -> None:
    wishes = [{"VariantName": "AllTraffic", "DesiredWeight": 7.0, "DesiredInstanceCount": 4}]
    two.sagemaker.update_endpoint_weights_and_capacities(EndpointName="answers", DesiredWeightsAndCapacities=wishes)
    two.until("InService")
    two.update(
        "new",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
        DeploymentConfig=policy({**ALL_AT_ONCE, "WaitIntervalInSeconds": 0}),
    )
    found = two.until("InService")
    assert found["EndpointConfigName"] == "new"
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 4
    assert found["ProductionVariants"][0]["CurrentWeight"] == 1
    two.update("old", RetainDeploymentConfig=True)
    found = two.until("InService")
    assert found["LastDeploymentConfig"] == policy({**ALL_AT_ONCE, "WaitIntervalInSeconds": 0})


def test_every_status_can_be_ordered(two: Stage) -> None:
    for status in ("OutOfService", "SystemUpdating", "UpdateRollbackFailed"):
        two.aws.fault(kind="set_status", resource="endpoint", name="answers", to=status)
        assert two.status() == status
        if status == "OutOfService":
            assert refused(two.ask)[0] == "ServiceUnavailable"
        else:
            assert two.ask()[0] == "2.0"
        if status == "SystemUpdating":
            assert "in-progress" in refused(two.sagemaker.delete_endpoint, EndpointName="answers")[1]
        two.aws.clear_faults()
    assert two.status() == "InService"


def test_no_request_fails_while_an_endpoint_is_updated(two: Stage) -> None:
    found: Counter[str] = Counter()
    over = threading.Event()

    def keep_asking() -> None:
        while not over.is_set():
            try:
                found[two.ask("1")[0]] += 1
            except Exception as problem:
                found[str(problem)] += 1

    threads = [threading.Thread(target=keep_asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    for config in ("new", "old", "new"):
        two.update(config)
        two.until("InService")
    over.set()
    for thread in threads:
        thread.join()
    assert set(found) == {"2.0", "3.0"}
    assert two.ask("1")[0] == "3.0"


def test_a_change_of_weights_fails_on_demand(two: Stage) -> None:
    two.aws.fault(kind="fail_update", resource="endpoint", reason="No capacity")
    wishes = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 4}]
    two.sagemaker.update_endpoint_weights_and_capacities(EndpointName="answers", DesiredWeightsAndCapacities=wishes)
    found = two.until("InService")
    assert found["FailureReason"] == "No capacity"
    assert found["ProductionVariants"][0]["DesiredInstanceCount"] == 1
