from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.endpoint import DeployEndpointOperator, ShiftTrafficOperator
from festaf.provider import errors
from festaf.provider.artifacts import Endpoint
from tests.endpoints import QUICK, create_model, variant

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def two(aws: LocalAws, run: Run) -> LocalAws:
    """Give an endpoint whose variant A has all the traffic, and B none."""
    create_model(aws, "one")
    create_model(aws, "two")
    variants = [variant("one", name="A", weight=1.0), variant("two", name="B", weight=0.0)]
    DeployEndpointOperator(task_id="deploy", variants=variants, deferrable=False, **QUICK).execute(run.context)
    return aws


def shift(run: Run, **parameters: Any) -> dict[str, float]:
    asked: dict[str, Any] = {"task_id": "shift", "weights": {"A": 0.9, "B": 0.1}, "pause": 0.0, **QUICK}
    return ShiftTrafficOperator(**(asked | parameters)).execute(run.context)


def weights() -> dict[str, float]:
    found = Endpoint.load("delay")
    assert found is not None
    return {variant.name: round(variant.current_weight or 0.0, 4) for variant in found.variants}


def alarm(aws: LocalAws, name: str, state: str = "OK") -> None:
    client = aws.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=name,
        MetricName="ModelLatency",
        Namespace="tests",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="because")


def test_weights_are_in_force_and_the_former_ones_undo_it(two: LocalAws, run: Run) -> None:
    former = shift(run)
    assert weights() == {"A": 0.9, "B": 0.1}
    assert former == {"A": 1.0, "B": 0.0}
    (fact,) = run.facts().values()
    assert (fact["action"], fact["variants"][1]["weight"]) == ("shifted", 0.1)
    assert shift(run, weights=former) == {"A": 0.9, "B": 0.1}
    assert weights() == {"A": 1.0, "B": 0.0}


def test_running_it_again_shifts_nothing_and_gives_the_same(two: LocalAws, run: Run) -> None:
    first = shift(run)
    assert shift(run) == first
    assert two.stats()["UpdateEndpointWeightsAndCapacities"] == 1


def test_steps_move_the_weights_evenly(two: LocalAws, run: Run) -> None:
    shift(run, weights={"A": 0, "B": 1}, steps="4")
    assert weights() == {"A": 0.0, "B": 1.0}
    assert two.stats()["UpdateEndpointWeightsAndCapacities"] == 4


def test_a_task_that_was_killed_on_the_way_goes_on_and_gives_the_weights_from_before(two: LocalAws, run: Run) -> None:
    alarm(two, "late", "ALARM")

    class KilledError(Exception):
        pass

    def die(seconds: float) -> None:
        raise KilledError

    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.endpoints.traffic import Shift, Traffic
    from festaf.provider.hooks.endpoint import EndpointHook

    hook = EndpointHook()
    halfway = Traffic(hook, hook.log, Patience(hook.log, 60.0, 0.2))
    halfway._pause = lambda shift, former: die(0.0)  # type: ignore[method-assign]  # The worker dies in the pause.
    with pytest.raises(KilledError):
        halfway.move(Shift(endpoint="delay", weights={"A": 0.0, "B": 1.0}, steps=2))
    assert weights() == {"A": 0.5, "B": 0.5}
    assert shift(run, weights={"A": 0.0, "B": 1.0}, steps=2) == {"A": 1.0, "B": 0.0}
    assert weights() == {"A": 0.0, "B": 1.0}


def test_an_alarm_that_goes_off_brings_the_former_weights_back(two: LocalAws, run: Run) -> None:
    alarm(two, "late")
    shifting = ShiftTrafficOperator(
        task_id="shift", weights={"A": 0.0, "B": 1.0}, steps=2, pause=0.5, alarms=["late"], **QUICK
    )
    two.fault(kind="slow", operation="UpdateEndpointWeightsAndCapacities", seconds=0.1)
    from festaf.provider.endpoints import traffic

    said = traffic.Traffic._set

    def set_and_alarm(self: Any, *asked: Any) -> None:
        said(self, *asked)
        two.client("cloudwatch").set_alarm_state(AlarmName="late", StateValue="ALARM", StateReason="slow answers")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traffic.Traffic, "_set", set_and_alarm)
        with pytest.raises(errors.FailedArtifactError, match="back at its former weights: alarm late went off"):
            shifting.execute(run.context)
    assert weights() == {"A": 1.0, "B": 0.0}


def test_instances_are_changed_too(two: LocalAws, run: Run) -> None:
    shift(run, weights={}, instances={"B": 2})
    found = Endpoint.load("delay")
    assert found is not None
    assert [one.current_instances for one in found.variants] == [1, 2]


def test_an_update_that_is_under_way_is_waited_for(two: LocalAws, run: Run) -> None:
    two.settings(endpoint_update_seconds=1.0)
    two.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="delay", DesiredWeightsAndCapacities=[{"VariantName": "A", "DesiredWeight": 5.0}]
    )
    assert shift(run) == {"A": 5.0, "B": 0.0}
    assert weights() == {"A": 0.9, "B": 0.1}


def test_a_reply_that_was_lost_is_adopted(two: LocalAws, run: Run) -> None:
    two.fault(kind="lost_reply", operation="UpdateEndpointWeightsAndCapacities")
    assert shift(run) == {"A": 1.0, "B": 0.0}
    assert weights() == {"A": 0.9, "B": 0.1}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"weights": {"C": 1.0}}, "has no variant 'C': it has A, B"),
    ({"weights": {"A": 0.0}}, "every variant"),
    ({"weights": {"A": -1}}, "weights of A is -1: write 0 or more"),
    ({"weights": {"A": "much"}}, "weights of A is 'much': write a number"),
    ({"weights": None}, "There is nothing to shift"),
    ({"steps": 0}, "steps is 0"),
    ({"alarms": "late"}, "alarms is the text 'late'"),
    ({"alarms": ["absent"]}, "There is no CloudWatch alarm absent"),
]


def test_a_mistake_is_one_clear_sentence_and_shifts_nothing(two: LocalAws, run: Run) -> None:
    for parameters, said in MISTAKES:
        with pytest.raises(errors.InputError) as caught:
            shift(run, **parameters)
        assert said.lower() in str(caught.value).lower()
    assert "UpdateEndpointWeightsAndCapacities" not in two.stats()
