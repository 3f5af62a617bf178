"""An endpoint as DescribeEndpoint and ListEndpoints show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.endpoints.variants import pending, summaries
from festaf.local_aws.resources.resource import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.resources.resource import Resource

_STANDING = {"rescale": "Updating", "delete": "Deleting", "drain": "Deleting"}
"""What the variants that are served go through, by the stage of the endpoint's change."""

_COMING = {"provision": "Creating", "activate": "ActivatingTraffic", "shift": "Baking", "drain": "ActivatingTraffic"}
"""The same of those that are to be served."""


def describe(endpoint: Resource, status: str) -> dict[str, Any]:
    """Give DescribeEndpoint's answer.

    :param status: EndpointStatus
    """
    facts, change = endpoint.facts, endpoint.facts["change"] or {}
    config = facts["config"] or change.get("config")
    return {
        **summary(endpoint, status),
        "EndpointConfigName": config,
        "ProductionVariants": _standing(facts["fleet"], change),
        "DataCaptureConfig": _capture(facts["capture"], status),
        "FailureReason": facts["failure"],
        "LastDeploymentConfig": facts["deployment"],
        "AsyncInferenceConfig": facts["asynchronous"],
        "PendingDeploymentSummary": _pending(change),
    }


def summary(endpoint: Resource, status: str) -> dict[str, Any]:
    """Give the endpoint's line in ListEndpoints' answer."""
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
        "EndpointStatus": status,
    }


def _standing(fleet: Mapping[str, Any] | None, change: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    if fleet is None:
        return None
    return summaries(fleet, _STANDING.get(change.get("stage", "")), change.get("since", 0.0))


def _pending(change: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the deployment that is under way; one that is being rolled back is no longer."""
    if change.get("stage") not in _COMING:
        return None
    status = _COMING[change["stage"]]
    return {
        "EndpointConfigName": change["config"],
        "ProductionVariants": pending(change["fleet"], status, change.get("entered", change["since"])),
        "StartTime": moment(change["since"]),
    }


def _capture(config: Mapping[str, Any] | None, status: str) -> dict[str, Any] | None:
    if config is None:
        return None
    enabled = config.get("EnableCapture", True)
    running = enabled and status not in ("Failed", "Deleting", "OutOfService")
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if running else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
