"""Who uses a model: the endpoints whose configuration names it, directly or through a SageMaker model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.hooks.model import ModelHook

GOING = "Deleting"


def endpoints_of_model(hook: ModelHook, model: str) -> tuple[str, ...]:
    """Name the endpoints that serve a SageMaker model (ListEndpoints, and two Describe calls for each)."""
    return tuple(sorted({endpoint for endpoint, served in _served(hook) if served == model}))


def endpoints_of_versions(hook: ModelHook, arns: frozenset[str]) -> tuple[str, ...]:
    """Name the endpoints that serve one of these versions, through the SageMaker models made from them."""
    wanted = {arn.lower() for arn in arns}
    made_from: dict[str, bool] = {}
    users = set()
    for endpoint, served in _served(hook):
        if served not in made_from:
            model = hook.patiently(partial(hook.describe_model, served))
            containers = model.containers if model else ()
            # AWS writes the ARNs of versions in lower case, users as their groups are named.
            made_from[served] = any((item.model_package or "").lower() in wanted for item in containers)
        if made_from[served]:
            users.add(endpoint)
    return tuple(sorted(users))


def _served(hook: ModelHook) -> Iterator[tuple[str, str]]:
    """Give each endpoint with each SageMaker model that it serves or is about to serve."""
    for page in hook.pages("sagemaker", "list_endpoints", MaxResults=100):
        for item in page["Endpoints"]:
            name = item["EndpointName"]
            # What a list showed and a look does not find may only be new: it must not be taken for unused.
            endpoint = hook.patiently(partial(hook.call_or_none, "sagemaker", "describe_endpoint", EndpointName=name))
            if endpoint is None or endpoint["EndpointStatus"] == GOING:
                continue
            configs = {endpoint.get("EndpointConfigName")}
            configs.add((endpoint.get("PendingDeploymentSummary") or {}).get("EndpointConfigName"))
            for config in filter(None, configs):
                for model in _models(hook, config):
                    yield name, model


def _models(hook: ModelHook, config: str) -> Iterator[str]:
    describe = partial(hook.call_or_none, "sagemaker", "describe_endpoint_config", EndpointConfigName=config)
    found = hook.patiently(describe) or {}
    for variant in (*found.get("ProductionVariants", ()), *found.get("ShadowProductionVariants", ())):
        if variant.get("ModelName"):
            yield variant["ModelName"]
