from __future__ import annotations

from typing import Any

import pytest

from festaf.provider.endpoints.policy import AllAtOnce, Canary, Linear, Rolling, policy_of
from festaf.provider.endpoints.specification import EndpointSpecification, is_hashed_name
from festaf.provider.endpoints.variant import AsyncInference, DataCapture, Serverless, Variant
from festaf.provider.errors import InputError

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/delay/3"
ROLE = "arn:aws:iam::123456789012:role/model"
CREATED = {"delay-1": "2026-01-01T00:00:00+00:00"}


def specification(name: str = "delay", **parameters: Any) -> EndpointSpecification:
    variants = parameters.pop("variants", (Variant(model="delay-1", instance_type="ml.m5.large"),))
    return EndpointSpecification(name=name, variants=variants, **parameters)


def named(wanted: EndpointSpecification, created: dict[str, str] | None = None) -> str:
    return str(wanted.configuration_request(CREATED if created is None else created)["EndpointConfigName"])


def test_the_same_specification_is_the_same_configuration() -> None:
    assert named(specification()) == named(specification(tags={"cost": "42"}, policy=AllAtOnce()))
    templated = Variant(model="delay-1", instance_type="ml.m5.large", instance_count="1", weight="1")  # type: ignore[arg-type]
    assert named(specification(variants=(templated,))) == named(specification())


@pytest.mark.parametrize(
    "other",
    [
        {"variants": (Variant(model="delay-1", instance_type="ml.m5.large", instance_count=2),)},
        {"variants": (Variant(model="delay-1", serverless=Serverless()),)},
        {"data_capture": DataCapture(s3_uri="s3://lake/capture")},
        {"asynchronous": AsyncInference(output_s3_uri="s3://lake/out")},
        {"kms_key_id": "key"},
        {"name": "other"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_specification_is_another_configuration(other: dict[str, Any]) -> None:
    assert named(specification(**other)) != named(specification())


def test_a_model_that_was_made_again_under_its_name_is_another_configuration() -> None:
    assert named(specification(), {"delay-1": "2026-02-02T00:00:00+00:00"}) != named(specification())


def test_names_fit_aws_and_are_known_again() -> None:
    long = "a" * 49 + "-" + "b" * 13
    name = named(specification(name=long))
    assert len(name) <= 63
    assert "--" not in name
    assert is_hashed_name(long, name)
    assert not is_hashed_name("delay", "delay-production")
    assert not is_hashed_name("delay", named(specification(name="delay-late")))


def test_a_model_package_becomes_a_model_that_is_named_by_its_content() -> None:
    variant = Variant(model_package=PACKAGE, instance_type="ml.m5.large", environment={"LIMIT": "3"})
    wanted = specification(variants=(variant,), role_arn=ROLE, tags={"cost": "42"})
    request = wanted.model_request(variant)
    assert is_hashed_name("delay", request["ModelName"])
    assert request["Containers"] == [{"ModelPackageName": PACKAGE, "Environment": {"LIMIT": "3"}}]
    assert request["Tags"] == [{"Key": "festaf:endpoint", "Value": "delay"}, {"Key": "cost", "Value": "42"}]
    assert wanted.configuration_request({})["ProductionVariants"][0]["ModelName"] == request["ModelName"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"name": "de_lay"}, "'de_lay' is no name of an endpoint"),
        ({"variants": ()}, "has no variant"),
        ({"variants": (Variant(instance_type="ml.m5.large"),)}, "needs model or model_package, and not both"),
        ({"variants": (Variant(model="delay-1"),)}, "needs instance_type or serverless, and not both"),
        ({"variants": (Variant(model="m", instance_type="x"), Variant(model="n", instance_type="x"))}, "given twice"),
        ({"variants": (Variant(model="m", instance_type="x", weight=0),)}, "has the weight 0, so none would be asked"),
        ({"variants": (Variant(model_package=PACKAGE, instance_type="x"),)}, "give role_arn"),
        ({"variants": (Variant(model_package="delay", instance_type="x"),), "role_arn": ROLE}, "names no version"),
        ({"variants": (Variant(model="m", instance_type="x", environment={"A": "1"}),)}, "are of model_package"),
        ({"variants": (Variant(model="m", instance_type="x", weight="much"),)}, "weight is 'much': write a number"),
        (
            {
                "variants": (Variant(model="m", serverless={}),),
                "asynchronous": AsyncInference(output_s3_uri="s3://a/b"),
            },
            "cannot be asynchronous and serverless",
        ),
    ],
)
def test_a_mistake_is_one_clear_sentence(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        specification(**parameters).check()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_policies_are_written_as_aws_spells_them() -> None:
    canary = policy_of({"kind": "canary", "percent": 10, "alarms": ["late"], "bake_seconds": 60})
    assert canary == Canary(percent=10, alarms=["late"], bake_seconds=60)  # type: ignore[arg-type]
    assert canary.request() == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 60,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
            },
            "TerminationWaitInSeconds": 0,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "late"}]},
    }
    linear = Linear(instances=1, max_seconds=600).request()["BlueGreenUpdatePolicy"]
    assert linear["TrafficRoutingConfiguration"]["LinearStepSize"] == {"Type": "INSTANCE_COUNT", "Value": 1}
    assert linear["MaximumExecutionTimeoutInSeconds"] == 600
    assert Rolling(percent=20).request()["RollingUpdatePolicy"]["MaximumBatchSize"]["Value"] == 20


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"kind": "bluegreen"}, "is 'bluegreen': write one of all_at_once, canary, linear, rolling"),
        ({"kind": "canary"}, "Canary needs percent or instances, and not both"),
        ({"kind": "linear", "percent": 10, "alarms": "late"}, "alarms is the text 'late': write a list"),
        ({"kind": "linear", "procent": 10}, "Linear has no 'procent'"),
    ],
)
def test_a_policy_that_is_none_is_told(policy: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        policy_of(policy).request()  # type: ignore[union-attr]
    assert said in str(caught.value)
