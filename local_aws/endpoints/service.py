"""SageMaker's operations on endpoints."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from festaf.local_aws.endpoints.conductor import ENDPOINT, Conductor, status_of
from festaf.local_aws.endpoints.configs import find_config
from festaf.local_aws.endpoints.describing import describe, summary
from festaf.local_aws.endpoints.rollout import check_deployment, drain_seconds, steps_of
from festaf.local_aws.endpoints.variants import by_type, instances, new_fleet, retain
from festaf.local_aws.models import find_model
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.resources.resource import arn_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from festaf.local_aws.faults import Faults
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import CurrentSettings

IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
SETTLED = frozenset({"InService", "UpdateRollbackFailed"})
"""The statuses in which an endpoint serves and can be updated."""


class EndpointService:
    """Answers SageMaker's endpoint operations."""

    name = "sagemaker"

    def __init__(self, resources: Resources, settings: CurrentSettings, faults: Faults, conductor: Conductor) -> None:
        self._resources = resources
        self._settings = settings
        self._faults = faults
        self._conductor = conductor
        self.operations: Mapping[str, Handler] = {
            "CreateEndpoint": self.create,
            "DescribeEndpoint": self.describe,
            "ListEndpoints": self.list_endpoints,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.rescale,
            "DeleteEndpoint": self.delete,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start the creation of an endpoint."""
        name, deployment = request["EndpointName"], request.get("DeploymentConfig")
        with self._conductor.lock, self._resources.lock:
            standing = self._resources.find(ENDPOINT, call.region, name)
            if standing is not None:
                self._conductor.advance(standing)
            if self._resources.find(ENDPOINT, call.region, name) is not None:
                arn = arn_of(ENDPOINT, call.region, name)
                raise _invalid(f'Cannot create already existing endpoint "{arn}".')
            config = find_config(self._resources, call.region, request["EndpointConfigName"])
            coming = self._coming(call, config)
            if deployment:
                check_deployment(deployment, instances(coming["fleet"]))
            self._check_room(call, by_type([coming["fleet"]]))
            nothing = dict.fromkeys(("config", "fleet", "capture", "asynchronous", "deployment", "failure", "change"))
            endpoint = self._resources.create(ENDPOINT, call.region, name, request, **nothing, status="Creating")
            failure = self._faults.creation_failure(ENDPOINT, name)
            takes = self._settings.now.endpoint_create_seconds
            self._conductor.begin(
                endpoint, "provision", takes, **coming, deployment=deployment, ordered_failure=failure
            )
        return {"EndpointArn": endpoint.arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe an endpoint as it is by now."""
        with self._conductor.lock:
            endpoint = self._get(call, request["EndpointName"])
            return describe(endpoint, self._status(endpoint))

    def list_endpoints(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the endpoints of the region."""
        with self._conductor.lock:
            for endpoint in self._resources.all(ENDPOINT, call.region):
                self._conductor.advance(endpoint)
            found = [summary(one, self._status(one)) for one in self._resources.all(ENDPOINT, call.region)]
        return page_of(found, request, answer="Endpoints", name="EndpointName", status="EndpointStatus")

    def update(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start an update: the configuration that is served goes on until the new one is healthy."""
        with self._conductor.lock, self._resources.lock:
            endpoint = self._get(call, request["EndpointName"])
            self._check_changeable(endpoint)
            facts = endpoint.facts
            # AWS needs the old configuration for the update, and says so when it was deleted.
            find_config(self._resources, call.region, facts["config"])
            coming = self._coming(call, find_config(self._resources, call.region, request["EndpointConfigName"]))
            self._retain(facts, coming, request)
            deployment = request.get("DeploymentConfig")
            if request.get("RetainDeploymentConfig"):
                deployment = deployment or facts["deployment"]
            count = instances(coming["fleet"])
            if deployment:
                check_deployment(deployment, count)
            self._check_room(call, by_type([coming["fleet"]]))
            facts["failure"] = None
            self._conductor.begin(
                endpoint,
                "provision",
                self._settings.now.endpoint_update_seconds,
                **coming,
                deployment=deployment,
                steps=steps_of(deployment, count),
                drain=drain_seconds(deployment),
                ordered_failure=self._faults.update_failure(ENDPOINT, endpoint.name),
            )
        return {"EndpointArn": endpoint.arn}

    def rescale(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start a change of weights, instance counts or concurrencies."""
        with self._conductor.lock:
            endpoint = self._get(call, request["EndpointName"])
            self._check_changeable(endpoint)
            variants = {one["name"]: one for one in endpoint.facts["fleet"]["variants"]}
            for wish in request["DesiredWeightsAndCapacities"]:
                _check_wish(wish, variants, endpoint)
            self._check_room(call, _more(request["DesiredWeightsAndCapacities"], variants))
            for wish in request["DesiredWeightsAndCapacities"]:
                _wish(wish, variants[wish["VariantName"]])
            failure = self._faults.update_failure(ENDPOINT, endpoint.name)
            takes = self._settings.now.endpoint_update_seconds
            self._conductor.begin(endpoint, "rescale", takes, ordered_failure=failure)
        return {"EndpointArn": endpoint.arn}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start the deletion of an endpoint; its configuration and models stay."""
        with self._conductor.lock:
            endpoint = self._get(call, request["EndpointName"])
            if self._status(endpoint) in IN_PROGRESS:
                raise _in_progress(endpoint)
            self._conductor.begin(endpoint, "delete", self._settings.now.endpoint_delete_seconds)
            self._conductor.advance(endpoint)
        return {}

    def _get(self, call: Call, name: str) -> Resource:
        """Give an endpoint as it is by now.

        :raises ApiError: ValidationException, when there is none
        """
        absent = f'Could not find endpoint "{arn_of(ENDPOINT, call.region, name)}".'
        endpoint = self._resources.get(ENDPOINT, call.region, name, absent)
        self._conductor.advance(endpoint)
        return self._resources.get(ENDPOINT, call.region, name, absent)

    def _status(self, endpoint: Resource) -> str:
        return self._faults.status_of(ENDPOINT, endpoint.name) or status_of(endpoint)

    def _check_changeable(self, endpoint: Resource) -> None:
        status = self._status(endpoint)
        if status in IN_PROGRESS:
            raise _in_progress(endpoint)
        if status not in SETTLED:
            raise _invalid(f'Cannot update endpoint "{endpoint.arn}" because it is in {status} status.')

    def _check_room(self, call: Call, more: Counter[str]) -> None:
        """Check that so many more instances of each type may be there."""
        endpoints = [one.facts for one in self._resources.all(ENDPOINT, call.region)]
        coming = [facts["change"].get("fleet") for facts in endpoints if facts["change"]]
        used = by_type([*(facts["fleet"] for facts in endpoints), *coming])
        most = self._settings.now.max_endpoint_instances
        for kind, delta in more.items():
            if delta > 0 and used[kind] + delta > most:
                raise ApiError(
                    "ResourceLimitExceeded",
                    f"The account-level service limit '{kind} for endpoint usage' is {most} Instances, with current "
                    f"utilization of {used[kind]} Instances and a request delta of {delta} Instances. Please use AWS "
                    "Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, "
                    "contact AWS support to request an increase for this quota.",
                )

    def _coming(self, call: Call, config: Resource) -> dict[str, Any]:
        """Give what an endpoint will serve by a configuration."""
        models = {
            name: find_model(self._resources, call.region, name)
            for name in {variant["ModelName"] for variant in config.request["ProductionVariants"]}
        }
        return {
            "config": config.name,
            "fleet": new_fleet(config, models, self._resources.now()),
            "capture": config.request.get("DataCaptureConfig"),
            "asynchronous": config.request.get("AsyncInferenceConfig"),
        }

    def _retain(self, facts: Mapping[str, Any], coming: dict[str, Any], request: Mapping[str, Any]) -> None:
        if not request.get("RetainAllVariantProperties"):
            return
        excluded = {one["VariantPropertyType"] for one in request.get("ExcludeRetainedVariantProperties", ())}
        retain(
            coming["fleet"],
            facts["fleet"],
            counts="DesiredInstanceCount" not in excluded,
            weights="DesiredWeight" not in excluded,
        )
        if "DataCaptureConfig" not in excluded:
            coming["capture"] = facts["capture"] or coming["capture"]


def _check_wish(wish: Mapping[str, Any], variants: Mapping[str, Any], endpoint: Resource) -> None:
    name = wish["VariantName"]
    if name not in variants:
        raise _invalid(f'The requested production variant "{name}" does not exist on endpoint "{endpoint.arn}".')
    serverless = variants[name]["serverless"]
    if serverless is not None and "DesiredInstanceCount" in wish:
        raise _invalid(f"The variant {name} is serverless and has no instances.")
    if serverless is None and "ServerlessUpdateConfig" in wish:
        raise _invalid(f"The variant {name} is not serverless.")
    if wish.get("DesiredInstanceCount") == 0:
        raise _invalid(f"DesiredInstanceCount of the variant {name} must be at least 1.")


def _more(wishes: Iterable[Mapping[str, Any]], variants: Mapping[str, Any]) -> Counter[str]:
    """Count the instances by type that wishes add."""
    found: Counter[str] = Counter()
    for wish in wishes:
        variant = variants[wish["VariantName"]]
        if "DesiredInstanceCount" in wish:
            found[variant["instance_type"]] += wish["DesiredInstanceCount"] - variant["count"]
    return found


def _wish(wish: Mapping[str, Any], variant: dict[str, Any]) -> None:
    if "DesiredWeight" in wish:
        variant["desired_weight"] = wish["DesiredWeight"]
    if "DesiredInstanceCount" in wish:
        variant["desired_count"] = wish["DesiredInstanceCount"]
    if "ServerlessUpdateConfig" in wish:
        variant["desired_serverless"] = {**variant["serverless"], **wish["ServerlessUpdateConfig"]}


def _in_progress(endpoint: Resource) -> ApiError:
    return _invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
