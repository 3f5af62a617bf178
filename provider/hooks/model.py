"""The hook to SageMaker's models: package groups, versions, and models that endpoints serve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from festaf.provider.errors import ABSENT, InputError, RefusedError
from festaf.provider.hooks.aws import AwsHook
from festaf.provider.models.name import ModelName, version_arn
from festaf.provider.models.record import ModelGroup, ModelVersion, SageMakerModel, VersionSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from festaf.provider.models.record import Container


class ModelHook(AwsHook):
    """Reach SageMaker's models and their registry; its parameters are those of AwsHook."""

    def describe_group(self, group: str) -> ModelGroup | None:
        """Describe a group by name or ARN (DescribeModelPackageGroup); None when there is none."""
        answer = self.call_or_none("sagemaker", "describe_model_package_group", ModelPackageGroupName=group)
        return None if answer is None else ModelGroup.of(answer)

    def describe_version(self, name: ModelName) -> ModelVersion | None:
        """Describe a version (DescribeModelPackage), the newest when none is named; None when there is none."""
        arn = name.arn if name.kind == "model-package" else self._version_arn(name)
        return None if arn is None else self.describe_package(arn)

    def describe_package(self, arn: str) -> ModelVersion | None:
        """Describe a version by its ARN (DescribeModelPackage); None when there is none."""
        answer = self.call_or_none("sagemaker", "describe_model_package", ModelPackageName=arn)
        return None if answer is None else ModelVersion.read(answer)

    def find_version(self, name: ModelName) -> ModelVersion | None:
        """Describe a version that may just have been registered; None when AWS finds none for some seconds."""
        return self.patiently(lambda: self.describe_version(name))

    def find_package(self, arn: str) -> ModelVersion | None:
        """Describe a version that a list showed, by its ARN; None when AWS finds none for some seconds."""
        return self.patiently(lambda: self.describe_package(arn))

    def describe_model(self, name: str) -> SageMakerModel | None:
        """Describe a SageMaker model by name (DescribeModel); None when there is none."""
        answer = self.call_or_none("sagemaker", "describe_model", ModelName=name)
        return None if answer is None else SageMakerModel.of(answer)

    def groups(self, name_contains: str | None = None) -> Iterator[ModelGroup]:
        """List the groups, newest first (ListModelPackageGroups, 100 per call)."""
        for page in self._newest_first("list_model_package_groups", NameContains=name_contains):
            yield from map(ModelGroup.of, page["ModelPackageGroupSummaryList"])

    def versions(
        self, group: str | None = None, *, approval: str | None = None, since: datetime | None = None
    ) -> Iterator[VersionSummary]:
        """List versions, newest first (ListModelPackages, 100 per call); none of a group that is not there.

        :param group: name or ARN of the group; None lists those of every group
        :param approval: only those of this approval status
        :param since: only those created after it
        """
        asked = {
            "ModelPackageType": "Versioned",
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": approval,
            "CreationTimeAfter": since,
        }
        try:
            for page in self._newest_first("list_model_packages", **asked):
                yield from map(VersionSummary.of, page["ModelPackageSummaryList"])
        except RefusedError as error:
            if group is None or not says_absent(error):
                raise

    def models(self, name_contains: str | None = None) -> Iterator[dict[str, Any]]:
        """List the SageMaker models, newest first (ListModels, 100 per call): ModelName, ModelArn, CreationTime."""
        for page in self._newest_first("list_models", NameContains=name_contains):
            yield from page["Models"]

    def create_group(self, request: Mapping[str, Any]) -> str:
        """Create a group (CreateModelPackageGroup) and give its ARN."""
        return str(self.call("sagemaker", "create_model_package_group", **request)["ModelPackageGroupArn"])

    def create_version(self, request: Mapping[str, Any]) -> str:
        """Ask AWS to register a version (CreateModelPackage) and give its ARN; AWS goes on by itself."""
        return str(self.call("sagemaker", "create_model_package", **request)["ModelPackageArn"])

    def create_model(self, request: Mapping[str, Any]) -> str:
        """Create a SageMaker model (CreateModel) and give its ARN."""
        return str(self.call("sagemaker", "create_model", **request)["ModelArn"])

    def update_version(self, arn: str, **changes: Any) -> None:
        """Change a version (UpdateModelPackage); changes are spelled as AWS spells them."""
        self.call("sagemaker", "update_model_package", ModelPackageArn=arn, **changes)

    def delete_version(self, arn: str) -> bool:
        """Delete a version (DeleteModelPackage); False when there was none."""
        return self.call_or_none("sagemaker", "delete_model_package", ModelPackageName=arn) is not None

    def delete_group(self, group: str) -> bool:
        """Delete a group (DeleteModelPackageGroup), which must be empty; False when there was none."""
        answer = self.call_or_none("sagemaker", "delete_model_package_group", ModelPackageGroupName=group)
        return answer is not None

    def delete_model(self, name: str) -> bool:
        """Delete a SageMaker model (DeleteModel); False when there was none."""
        return self.call_or_none("sagemaker", "delete_model", ModelName=name) is not None

    def training_job(self, name: str) -> dict[str, Any] | None:
        """Describe a training job as AWS tells it (DescribeTrainingJob); None when there is none for some seconds."""
        return self.patiently(lambda: self.call_or_none("sagemaker", "describe_training_job", TrainingJobName=name))

    def data_exists(self, container: Container) -> bool | None:
        """Tell whether a container's model data are in S3; None when they lie elsewhere, or it has none."""
        parts = urlsplit(container.model_data or "")
        if parts.scheme != "s3":
            return None
        key = parts.path.lstrip("/")
        if container.data_is_prefix:
            page = self.call_or_none("s3", "list_objects_v2", Bucket=parts.netloc, Prefix=key, MaxKeys=1)
            return bool(page and page.get("KeyCount"))
        return self.call_or_none("s3", "head_object", Bucket=parts.netloc, Key=key) is not None

    def data_etag(self, container: Container) -> str | None:
        """Give the ETag of a container's model data (HeadObject); None for a prefix, and when there is no object."""
        parts = urlsplit(container.model_data or "")
        if parts.scheme != "s3" or container.data_is_prefix:
            return None
        answer = self.call_or_none("s3", "head_object", Bucket=parts.netloc, Key=parts.path.lstrip("/"))
        return None if answer is None else str(answer["ETag"]).strip('"')

    def read_json(self, uri: str) -> Any:
        """Read a JSON object from S3 (GetObject); None when there is none.

        :raises InputError: it is no S3 URI, or holds no JSON
        """
        bucket, key = _s3(uri)
        answer = self.call_or_none("s3", "get_object", Bucket=bucket, Key=key)
        if answer is None:
            return None
        try:
            return json.loads(answer["Body"].read())
        except ValueError as error:
            raise InputError(f"{uri} holds no JSON: {error}") from error

    def write_json(self, uri: str, content: Any) -> None:
        """Write a JSON object to S3 (PutObject); written twice it is the same object."""
        bucket, key = _s3(uri)
        body = json.dumps(content, indent=2, sort_keys=True).encode()
        self.call("s3", "put_object", Bucket=bucket, Key=key, Body=body, ContentType="application/json")

    def _version_arn(self, name: ModelName) -> str | None:
        if name.version is None:
            newest = next(self.versions(name.group), None)
            return newest.arn if newest else None
        group = self.describe_group(name.group)
        return version_arn(group.arn, name.version) if group else None

    def _newest_first(self, operation: str, **asked: Any) -> Iterator[dict[str, Any]]:
        given = {key: value for key, value in asked.items() if value is not None}
        return self.pages(
            "sagemaker", operation, SortBy="CreationTime", SortOrder="Descending", MaxResults=100, **given
        )


def says_absent(error: RefusedError) -> bool:
    """Tell whether AWS refused because the thing is not there, as a validation error of SageMaker may mean."""
    said = str(error).lower()
    return error.code in ABSENT or any(text in said for text in ("does not exist", "not found", "could not find"))


def _s3(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    key = parts.path.lstrip("/")
    if parts.scheme != "s3" or not parts.netloc or not key:
        raise InputError(f"{uri!r} is no S3 object: write s3://bucket/key")
    return parts.netloc, key
