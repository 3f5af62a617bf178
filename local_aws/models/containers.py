"""The containers of a model: resolved through model packages, and loaded from S3 in order to be served.

A job serves a model by ``pipeline = Pipeline.start(load(cloud, region, find_model(resources, region, name)))``, asks it
by ``pipeline.invoke(body, content_type, accept)`` and ends it by ``pipeline.stop()``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.model_packages.package import KIND as PACKAGE
from festaf.local_aws.model_packages.package import status
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri
from festaf.local_aws.resources.resource import arn_of
from festaf.local_aws.service import ApiError
from festaf.local_aws.serving import Container, WorkerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.serving.worker import Content

MODEL = "model"
"""The kind of models in Resources, as in their ARNs."""


def find_model(resources: Resources, region: str, name: str) -> Resource:
    """Give a model.

    :raises ApiError: ValidationException, when there is none
    """
    return resources.get(MODEL, region, name, f'Could not find model "{arn_of(MODEL, region, name)}".')


def resolve(resources: Resources, region: str, definitions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the container definitions with those of their model packages in place of the packages' names.

    :param definitions: in ContainerDefinition's shape
    :raises ApiError: ValidationException, when a package is not there or has nothing to serve
    """
    found: list[dict[str, Any]] = []
    for one in definitions:
        if "ModelPackageName" in one:
            found += _of_package(resources, region, one)
        else:
            found.append(dict(one))
    if len(found) == 1:
        found[0].setdefault("ContainerHostname", "primary")
    for number, container in enumerate(found, 1):
        container.setdefault("ContainerHostname", f"container-{number}")
    return found


def load(cloud: Cloud, region: str, model: Resource) -> list[Container]:
    """Load from S3 what the containers of a model need.

    :raises WorkerError: an object is not there
    """
    return load_containers(cloud, region, model.facts["containers"])


def load_containers(cloud: Cloud, region: str, resolved: Sequence[Mapping[str, Any]]) -> list[Container]:
    """Load from S3 what resolved containers need.

    :raises WorkerError: an object is not there
    """
    return [_load(Objects(cloud, region), one) for one in resolved]


def model_uri(definition: Mapping[str, Any]) -> str | None:
    """Give the URI of a container's model data, an object or a prefix; None when it has none."""
    source = definition.get("ModelDataSource", {}).get("S3DataSource")
    uri: str | None = source["S3Uri"] if source else definition.get("ModelDataUrl")
    return uri or None


def exists(objects: Objects, definition: Mapping[str, Any]) -> bool:
    """Say whether a container's model data is in S3."""
    uri = model_uri(definition)
    if uri is None:
        return True
    try:
        bucket, key = split_uri(uri)
        if _is_prefix(definition):
            return next(objects.under(bucket, _folder(key)), None) is not None
        return objects.stat(bucket, key) is not None
    except (ObjectStoreError, ValueError):
        return False


def _is_prefix(definition: Mapping[str, Any]) -> bool:
    source = definition.get("ModelDataSource", {}).get("S3DataSource", {})
    return bool(source.get("S3DataType") == "S3Prefix")


def _folder(key: str) -> str:
    return f"{key}/" if key else ""


def _load(objects: Objects, definition: Mapping[str, Any]) -> Container:
    environment = dict(definition.get("Environment", {}))
    code = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    try:
        return Container(
            name=definition["ContainerHostname"],
            model_data=_model_data(objects, definition),
            environment=environment,
            code=objects.get(*split_uri(code)) if code.startswith("s3://") else None,
        )
    except ObjectStoreError as problem:
        raise WorkerError(
            f"Its model data cannot be read: {problem}.", container=definition["ContainerHostname"]
        ) from None


def _model_data(objects: Objects, definition: Mapping[str, Any]) -> Content:
    uri = model_uri(definition)
    if uri is None:
        return None
    bucket, key = split_uri(uri)
    if not _is_prefix(definition):
        content = objects.get(bucket, key)
        uncompressed = definition.get("ModelDataSource", {}).get("S3DataSource", {}).get("CompressionType") == "None"
        return {key.rpartition("/")[2]: content} if uncompressed else content
    folder = _folder(key)
    return {
        one.key.removeprefix(folder): objects.get(bucket, one.key)
        for one in objects.under(bucket, folder)
        if not one.key.endswith("/")
    }


def _of_package(resources: Resources, region: str, definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = definition["ModelPackageName"]
    name = given.partition(f":{PACKAGE}/")[2] or given
    package = resources.get(PACKAGE, region, name, f"ModelPackage {arn_of(PACKAGE, region, name)} does not exist.")
    if (now := status(package, resources.now())) != "Completed":
        raise ApiError("ValidationException", f"ModelPackage {package.arn} is in status {now}, not Completed.")
    specification = _specification(package, definition.get("InferenceSpecificationName"))
    merged: list[dict[str, Any]] = []
    for container in specification.get("Containers", ()):
        members = ("ContainerHostname", "Image", "ModelDataUrl", "ModelDataSource", "Environment")
        one = {member: container[member] for member in members if container.get(member)}
        one["Environment"] = {**one.get("Environment", {}), **definition.get("Environment", {})}
        merged.append(one)
    if not merged:
        raise ApiError("ValidationException", f"ModelPackage {package.arn} has no inference specification.")
    return merged


def _specification(package: Resource, name: str | None) -> Mapping[str, Any]:
    request = package.request
    if name is None:
        found: Mapping[str, Any] = request.get("InferenceSpecification", {})
        return found
    for one in request.get("AdditionalInferenceSpecifications", ()):
        if one["Name"] == name:
            return dict(one)
    raise ApiError("ValidationException", f"ModelPackage {package.arn} has no inference specification {name}.")
