"""The variants of an endpoint as plain values: made from a configuration, shown by DescribeEndpoint."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from festaf.local_aws.endpoints.diary import Diary
from festaf.local_aws.endpoints.fleet import Fleet, Program
from festaf.local_aws.models import load_containers
from festaf.local_aws.resources.resource import moment
from festaf.local_aws.serving.worker import HEALTH_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.resources.resource import Resource

Variants = list[dict[str, Any]]
"""What the endpoint keeps of each variant: JSON values only."""


def new_fleet(config: Resource, models: Mapping[str, Resource], now: float) -> dict[str, Any]:
    """Make the plain values of a fleet from a configuration, with everything it takes to serve it.

    :param models: by name
    :param now: seconds since 1970
    """
    variants = [
        _new_variant(variant, models[variant["ModelName"]], now) for variant in config.request["ProductionVariants"]
    ]
    return {"id": uuid4().hex, "variants": variants}


def retain(fleet: dict[str, Any], before: dict[str, Any], *, counts: bool, weights: bool) -> None:
    """Let the variants of a new fleet have the counts or weights that those of the same name have now."""
    old = {variant["name"]: variant for variant in before["variants"]}
    for variant in fleet["variants"]:
        twin = old.get(variant["name"])
        if twin is None:
            continue
        if counts and variant["count"] is not None:
            variant["count"] = variant["desired_count"] = twin["desired_count"] or variant["count"]
        if weights:
            variant["weight"] = variant["desired_weight"] = twin["desired_weight"]


def instances(fleet: Mapping[str, Any]) -> int:
    """Count the instances of a fleet; a serverless variant counts as one."""
    return sum(variant["count"] if variant["count"] is not None else 1 for variant in fleet["variants"])


def by_type(fleets: Iterable[Mapping[str, Any] | None]) -> Counter[str]:
    """Count the instances of fleets by instance type, as many as there will be."""
    found: Counter[str] = Counter()
    for fleet in fleets:
        for variant in fleet["variants"] if fleet else ():
            if variant["instance_type"]:
                found[variant["instance_type"]] += max(variant["count"], variant["desired_count"])
    return found


def live(cloud: Cloud, endpoint: Resource, fleet: Mapping[str, Any]) -> Fleet:
    """Make the processes of a fleet, without starting them."""
    region = endpoint.region
    group, instance = f"/aws/sagemaker/Endpoints/{endpoint.name}", f"i-{fleet['id'][:17]}"
    return Fleet(
        {
            variant["name"]: Program(
                load=partial(load_containers, cloud, region, variant["containers"]),
                direct=variant["direct"],
                health_seconds=variant["health_seconds"],
                most_at_once=variant["serverless"]["MaxConcurrency"] if variant["serverless"] else None,
                tell=Diary(cloud, region, group, f"{variant['name']}/{instance}").write,
            )
            for variant in fleet["variants"]
        }
    )


def summaries(fleet: Mapping[str, Any], status: str | None, since: float, message: str = "") -> Variants:
    """Give ProductionVariantSummary of every variant.

    :param status: a VariantStatus that holds for all; None when nothing happens
    :param since: when it began, in seconds since 1970
    """
    state = [{"Status": status, "StartTime": moment(since), "StatusMessage": message or None}] if status else None
    return [{**_summary(variant), "VariantStatus": state} for variant in fleet["variants"]]


def pending(fleet: Mapping[str, Any], status: str, since: float) -> Variants:
    """Give PendingProductionVariantSummary of every variant."""
    types = {variant["name"]: variant["instance_type"] for variant in fleet["variants"]}
    return [{**one, "InstanceType": types[one["VariantName"]]} for one in summaries(fleet, status, since)]


def weights_of(variants: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Give the weights that hold now, by variant."""
    return {variant["name"]: variant["weight"] for variant in variants}


def _new_variant(asked: Mapping[str, Any], model: Resource, now: float) -> dict[str, Any]:
    containers = model.facts["containers"]
    weight, count = asked["InitialVariantWeight"], asked.get("InitialInstanceCount")
    return {
        "name": asked["VariantName"],
        "containers": containers,
        "direct": model.request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct",
        "images": [
            {
                "SpecifiedImage": one["Image"],
                "ResolvedImage": one["Image"],
                "ResolutionTime": now,
            }
            for one in containers
            if "Image" in one
        ],
        "weight": weight,
        "desired_weight": weight,
        "count": count,
        "desired_count": count,
        "serverless": asked.get("ServerlessConfig"),
        "desired_serverless": asked.get("ServerlessConfig"),
        "instance_type": asked.get("InstanceType"),
        "routing": asked.get("RoutingConfig"),
        "health_seconds": float(asked.get("ContainerStartupHealthCheckTimeoutInSeconds", HEALTH_SECONDS)),
    }


def _summary(variant: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "VariantName": variant["name"],
        "DeployedImages": variant["images"],
        "CurrentWeight": variant["weight"],
        "DesiredWeight": variant["desired_weight"],
        "CurrentInstanceCount": variant["count"] if variant["serverless"] is None else 0,
        "DesiredInstanceCount": variant["desired_count"] if variant["serverless"] is None else 0,
        "CurrentServerlessConfig": variant["serverless"],
        "DesiredServerlessConfig": variant["desired_serverless"],
        "RoutingConfig": variant["routing"],
    }
