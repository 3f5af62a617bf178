"""SageMaker's operations on models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.models.containers import MODEL, exists, find_model, model_uri, resolve
from festaf.local_aws.objects import Objects
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.resources.resource import arn_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource

_SHOWN = ("PrimaryContainer", "Containers", "InferenceExecutionConfig", "ExecutionRoleArn", "VpcConfig")


class ModelService:
    """Answers SageMaker's model operations."""

    name = "sagemaker"

    def __init__(self, resources: Resources, cloud: Cloud) -> None:
        self._resources = resources
        self._cloud = cloud
        self.operations: Mapping[str, Handler] = {
            "CreateModel": self.create,
            "DescribeModel": self.describe,
            "ListModels": self.list_models,
            "DeleteModel": self.delete,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Create a model; it is there at once."""
        name = request["ModelName"]
        definitions = _definitions(request)
        resolved = resolve(self._resources, call.region, definitions)
        objects = Objects(self._cloud, call.region)
        for one in resolved:
            if not exists(objects, one):
                raise _invalid(f"Could not find model data at {model_uri(one)}.")
        with self._resources.lock:
            if self._resources.find(MODEL, call.region, name) is not None:
                raise _invalid(f'Cannot create already existing model "{arn_of(MODEL, call.region, name)}".')
            model = self._resources.create(MODEL, call.region, name, request, containers=resolved)
        return {"ModelArn": model.arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a model."""
        model = find_model(self._resources, call.region, request["ModelName"])
        shown = {key: model.request[key] for key in _SHOWN if key in model.request}
        if "PrimaryContainer" in shown:
            shown["PrimaryContainer"] = {"Mode": "SingleModel", **shown["PrimaryContainer"]}
        return {
            "ModelName": model.name,
            "ModelArn": model.arn,
            "CreationTime": model.created_at,
            "EnableNetworkIsolation": model.request.get("EnableNetworkIsolation", False),
            **shown,
        }

    def list_models(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the models of the region."""
        found = [_summary(one) for one in self._resources.all(MODEL, call.region)]
        return page_of(found, request, answer="Models", name="ModelName")

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a model; endpoints that serve it go on."""
        with self._resources.lock:
            self._resources.remove(find_model(self._resources, call.region, request["ModelName"]))
        return {}


def _summary(model: Resource) -> dict[str, Any]:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created_at}


def _definitions(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the container definitions that a request holds.

    :raises ApiError: ValidationException, when they make no model, or one that cannot be served here
    """
    if ("PrimaryContainer" in request) == bool(request.get("Containers")):
        raise _invalid("You must specify either PrimaryContainer or Containers, and not both.")
    found: list[dict[str, Any]] = request.get("Containers") or [request["PrimaryContainer"]]
    direct = request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
    for number, one in enumerate(found, 1):
        _check(one, number)
        if direct and "ContainerHostname" not in one:
            raise _invalid(f"Container {number} must have a ContainerHostname when the execution mode is Direct.")
    if direct and len(found) < 2:
        raise _invalid("The execution mode Direct needs at least two containers.")
    names = [one["ContainerHostname"] for one in found if "ContainerHostname" in one]
    if len(set(names)) < len(names):
        raise _invalid("The names of the containers must be unique.")
    return found


def _check(definition: Mapping[str, Any], number: int) -> None:
    if ("Image" in definition) == ("ModelPackageName" in definition):
        raise _invalid(f"Container {number} must have either an Image or a ModelPackageName.")
    data = [member for member in ("ModelDataUrl", "ModelDataSource", "ModelPackageName") if definition.get(member)]
    if len(data) > 1:
        raise _invalid(f"Container {number} can have only one of {' and '.join(data)}.")
    uri = model_uri(definition)
    if uri is not None and not uri.startswith("s3://"):
        raise _invalid(f"The local AWS reads model data only from s3:// URIs, not from {uri}.")
    if definition.get("Mode") == "MultiModel":
        raise _invalid("The local AWS does not serve containers of mode MultiModel.")
    if definition.get("AdditionalModelDataSources"):
        raise _invalid("The local AWS does not serve containers with AdditionalModelDataSources.")


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
