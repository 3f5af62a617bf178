from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from festaf.provider import errors
from festaf.provider.artifacts import Endpoint
from festaf.provider.endpoints.bounds import EndpointBounds
from festaf.provider.endpoints.ladder import in_service

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VARIANT = {
    "VariantName": "A",
    "CurrentWeight": 1.0,
    "DesiredWeight": 1.0,
    "CurrentInstanceCount": 2,
    "DesiredInstanceCount": 2,
}


def endpoint(status: str = "InService", variants: list[dict[str, Any]] | None = None, **more: Any) -> Endpoint:
    answer = {
        "EndpointName": "delay",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/delay",
        "EndpointConfigName": "old",
        "EndpointStatus": status,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "ProductionVariants": [VARIANT] if variants is None else variants,
    }
    return Endpoint.of(answer | more)


def missing(found: Endpoint | None, **bounds: Any) -> tuple[str, ...]:
    return in_service("delay", found, EndpointBounds(**bounds))


def test_in_service_means_every_variant_as_desired() -> None:
    assert missing(endpoint()) == ()
    assert missing(endpoint(), configuration="old") == ()
    assert missing(endpoint(variants=[{"VariantName": "A", "CurrentServerlessConfig": {"MaxConcurrency": 5}}])) == ()


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ({"CurrentInstanceCount": 1}, "variant A has 1 of 2 instances"),
        ({"CurrentInstanceCount": None}, "variant A has 0 of 2 instances"),
        ({"CurrentWeight": 0.5}, "variant A has weight 0.5 of 1.0"),
        ({"VariantStatus": [{"Status": "Baking"}]}, "variant A is Baking"),
    ],
)
def test_a_variant_that_is_not_there_yet_is_missing(variant: dict[str, Any], said: str) -> None:
    assert missing(endpoint(variants=[VARIANT | variant])) == (said,)


def test_weights_are_compared_in_single_precision() -> None:
    assert missing(endpoint(variants=[VARIANT | {"CurrentWeight": 0.10000000149, "DesiredWeight": 0.1}])) == ()


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating"])
def test_what_is_under_way_is_waited_for(status: str) -> None:
    assert len(missing(endpoint(status))) == 1


def test_an_absent_endpoint_is_waited_for() -> None:
    assert missing(None) == ("the endpoint does not exist",)


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"])
def test_a_lost_endpoint_fails_at_once_with_the_reason(status: str) -> None:
    with pytest.raises(errors.FailedArtifactError, match=f"Endpoint delay is {status}: no capacity"):
        missing(endpoint(status, FailureReason="no capacity"))


def test_a_status_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(errors.RefusedError, match="'Melting', which this version of festaf does not know"):
        missing(endpoint("Melting"))


def test_another_configuration_is_not_the_one_asked_for() -> None:
    assert missing(endpoint(), configuration="new") == ("it runs configuration old, not new",)
    assert missing(endpoint(), configuration="new", since=NOW) == ("it runs configuration old, not new",)


def test_a_return_to_another_configuration_is_a_failure() -> None:
    later = endpoint(FailureReason="alarm went off", LastModifiedTime=NOW + timedelta(seconds=1))
    for since in (NOW, None):
        with pytest.raises(errors.FailedArtifactError, match="rolled back from configuration new to old: alarm"):
            missing(later, configuration="new", since=since)


def test_a_rollback_fails_only_who_waits_for_what_is_left() -> None:
    assert missing(endpoint("RollingBack")) == ("AWS is rolling it back",)
    assert missing(endpoint("RollingBack"), configuration="old") == ("AWS is rolling it back",)
    leaving = endpoint("RollingBack", PendingDeploymentSummary={"EndpointConfigName": "new"})
    assert missing(leaving, configuration="old") == ("AWS is rolling it back",)
    for found in (leaving, endpoint("RollingBack")):
        with pytest.raises(errors.FailedArtifactError, match="RollingBack from configuration new"):
            missing(found, configuration="new")


def test_what_aws_moved_to_since_is_kept_for_the_triggerer() -> None:
    bounds = EndpointBounds(configuration="new", since=NOW)
    assert EndpointBounds.of(bounds.as_dict()) == bounds
