"""The hook to SageMaker's feature store: control plane, records, the Glue table and the offline objects."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from botocore.config import Config
from botocore.exceptions import ClientError

from festaf.provider.artifacts.feature_set import FeatureSet
from festaf.provider.artifacts.meta import FeatureSetSummary
from festaf.provider.errors import ABSENT, AccessError, RefusedError
from festaf.provider.hooks.aws_error import code_of, message_of, sorted_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.providers.amazon.aws.utils.connection_wrapper import AwsConnectionWrapper

    from festaf.provider.artifacts.feature_set import GlueTable

DEFAULT_CONNECTION = "aws_default"
PATIENCE = {"connect_timeout": 10, "read_timeout": 60, "retries": {"mode": "standard", "total_max_attempts": 4}}
"""What the connection does not say: how long botocore waits, and how often it tries by itself."""

Record = dict[str, str | list[str]]
"""A record by feature name; values are text, or lists of text for collections."""


@dataclass(frozen=True)
class FeatureMetadata:
    """What DescribeFeatureMetadata tells of one feature."""

    description: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


class FeatureStoreHook(AwsBaseHook):
    """Reach SageMaker's feature store.

    What boto3 raises becomes one of the errors of ``festaf.provider.errors``: one sentence that says what to do.

    :param aws_conn_id: the Airflow connection to AWS; None uses boto3's own search for credentials
    :param region_name: AWS region; None takes the connection's
    :param verify: whether to verify TLS certificates, or the path of a CA bundle
    :param config: configuration of the botocore client
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "sagemaker"
        super().__init__(*args, **kwargs)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def conn_config(self) -> AwsConnectionWrapper:
        """Read the connection; one that is named and missing is an error, not an empty connection.

        :raises AccessError: there is no connection of this name, or its extra cannot be read
        """
        if self.aws_conn_id and self.aws_conn_id != DEFAULT_CONNECTION:
            try:
                self.get_connection(self.aws_conn_id)
            except AirflowNotFoundException as error:
                raise AccessError(
                    f"There is no Airflow connection {self.aws_conn_id!r}: create it, or name another in aws_conn_id"
                ) from error
        try:
            return super().conn_config
        except (ValueError, TypeError, KeyError) as error:
            raise AccessError(f"The extra of connection {self.aws_conn_id!r} cannot be read: {error}") from error

    @property
    def place(self) -> str:
        """Name the region and connection, for messages."""
        return f"region {self.region_name} (connection {self.aws_conn_id!r})"

    def client(self, service: str, **settings: Any) -> Any:
        """Make a boto3 client of a service from the connection; without settings it is kept.

        :param service: boto3's name of the service
        :param settings: botocore configuration that the connection does not override
        :raises AccessError: no region, no credentials, or no usable endpoint
        """
        if settings:
            return self._make_client(service, settings)
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make_client(service, {})
            return self._clients[service]

    def _make_client(self, service: str, settings: Mapping[str, Any]) -> Any:
        with sorted_errors(f"Connecting to {service}", self.aws_conn_id):
            return self.get_session(region_name=self.region_name).client(
                service_name=service,
                endpoint_url=self.conn_config.get_service_endpoint_url(service),
                config=Config(**{**PATIENCE, **settings}).merge(self._get_config()),
                verify=self.verify,
            )

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation, by boto3's method name, and give its answer.

        :raises FestafError: sorted as ``festaf.provider.hooks.aws_error`` does
        """
        client = self.client(service)
        with sorted_errors(client.meta.method_to_api_mapping[operation], self.aws_conn_id):
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
        return answer

    def call_or_none(self, service: str, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """Call an operation that reads; None when AWS says that the thing is not there."""
        client = self.client(service)
        with sorted_errors(client.meta.method_to_api_mapping[operation], self.aws_conn_id):
            try:
                answer: dict[str, Any] = getattr(client, operation)(**parameters)
            except ClientError as error:
                if code_of(error) in ABSENT or _says_absent(error):
                    return None
                raise
        return answer

    def describe(self, name: str) -> FeatureSet | None:
        """Describe a feature set (DescribeFeatureGroup, every page); None when there is none."""
        answer = self.call_or_none("sagemaker", "describe_feature_group", FeatureGroupName=name)
        if answer is None:
            return None
        definitions = list(answer["FeatureDefinitions"])
        token = answer.get("NextToken")
        while token:
            page = self.call("sagemaker", "describe_feature_group", FeatureGroupName=name, NextToken=token)
            known = {item["FeatureName"] for item in definitions}
            definitions += [item for item in page["FeatureDefinitions"] if item["FeatureName"] not in known]
            token = page.get("NextToken") if page.get("NextToken") != token else None
        return FeatureSet.of({**answer, "FeatureDefinitions": definitions})

    def summaries(self, name_contains: str | None = None) -> Iterator[FeatureSetSummary]:
        """List the feature sets with their states (ListFeatureGroups, 100 per call)."""
        asked: dict[str, Any] = {"MaxResults": 100} | ({"NameContains": name_contains} if name_contains else {})
        while True:
            page = self.call("sagemaker", "list_feature_groups", **asked)
            yield from map(FeatureSetSummary.of, page["FeatureGroupSummaries"])
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    def create(self, request: Mapping[str, Any]) -> str:
        """Ask AWS to create a feature set (CreateFeatureGroup) and give its ARN; AWS goes on by itself."""
        return str(self.call("sagemaker", "create_feature_group", **request)["FeatureGroupArn"])

    def update(self, request: Mapping[str, Any]) -> str:
        """Ask AWS to add features or change stores (UpdateFeatureGroup) and give the ARN; AWS goes on by itself."""
        return str(self.call("sagemaker", "update_feature_group", **request)["FeatureGroupArn"])

    def delete(self, name: str) -> bool:
        """Ask AWS to delete a feature set (DeleteFeatureGroup); False when there was none."""
        return self.call_or_none("sagemaker", "delete_feature_group", FeatureGroupName=name) is not None

    def tags(self, arn: str) -> dict[str, str]:
        """List the tags of an artifact (ListTags)."""
        found: dict[str, str] = {}
        asked: dict[str, Any] = {"ResourceArn": arn}
        while True:
            page = self.call("sagemaker", "list_tags", **asked)
            found |= {tag["Key"]: tag["Value"] for tag in page.get("Tags", [])}
            if not page.get("NextToken"):
                return found
            asked["NextToken"] = page["NextToken"]

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add or overwrite tags of an artifact (AddTags)."""
        self.call("sagemaker", "add_tags", ResourceArn=arn, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])

    def feature_metadata(self, name: str, feature: str) -> FeatureMetadata:
        """Describe one feature's metadata (DescribeFeatureMetadata); empty when there is none."""
        answer = self.call_or_none("sagemaker", "describe_feature_metadata", FeatureGroupName=name, FeatureName=feature)
        if answer is None:
            return FeatureMetadata()
        parameters = {item["Key"]: item["Value"] for item in answer.get("Parameters") or ()}
        return FeatureMetadata(answer.get("Description") or None, parameters)

    def get_record(self, name: str, identifier: str, features: Sequence[str] = ()) -> Record | None:
        """Read a record from the online store (GetRecord); None when there is none."""
        asked: dict[str, Any] = {"FeatureGroupName": name, "RecordIdentifierValueAsString": identifier}
        if features:
            asked["FeatureNames"] = list(features)
        answer = self.call_or_none("sagemaker-featurestore-runtime", "get_record", **asked)
        if not answer or not answer.get("Record"):
            return None
        return {item["FeatureName"]: _value(item) for item in answer["Record"]}

    def put_record(self, name: str, record: Record, **settings: Any) -> None:
        """Write a record (PutRecord).

        :param settings: TargetStores and TtlDuration, as AWS spells them
        """
        self.call(
            "sagemaker-featurestore-runtime",
            "put_record",
            FeatureGroupName=name,
            Record=[
                {"FeatureName": feature, "ValueAsString" if isinstance(value, str) else "ValueAsStringList": value}
                for feature, value in record.items()
            ],
            **settings,
        )

    def delete_record(self, name: str, identifier: str, event_time: str, **settings: Any) -> None:
        """Delete a record (DeleteRecord).

        :param settings: TargetStores and DeletionMode, as AWS spells them
        """
        self.call(
            "sagemaker-featurestore-runtime",
            "delete_record",
            FeatureGroupName=name,
            RecordIdentifierValueAsString=identifier,
            EventTime=event_time,
            **settings,
        )

    def glue_table(self, table: GlueTable) -> dict[str, Any] | None:
        """Read a table from the Glue catalog (GetTable); None when there is none."""
        answer = self.call_or_none("glue", "get_table", DatabaseName=table.database, Name=table.table)
        return None if answer is None else answer["Table"]

    def delete_glue_table(self, table: GlueTable) -> bool:
        """Delete a table from the Glue catalog (DeleteTable); False when there was none."""
        answer = self.call_or_none("glue", "delete_table", DatabaseName=table.database, Name=table.table)
        return answer is not None

    def delete_objects(self, bucket: str, prefix: str) -> int:
        """Delete every object and version under a prefix (DeleteObjects, 1,000 per call), and give how many."""
        count = 0
        while True:
            page = self.call("s3", "list_object_versions", Bucket=bucket, Prefix=prefix, MaxKeys=1000)
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if not found:
                return count
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
            answer = self.call("s3", "delete_objects", Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            if errors := answer.get("Errors"):
                first = errors[0]
                raise RefusedError(
                    f"DeleteObjects: {first['Key']} stays: {first['Code']}: {first['Message']}", code=first["Code"]
                )
            count += len(objects)

    @cached_property
    def account(self) -> str:
        """Give the AWS account that the credentials belong to (GetCallerIdentity)."""
        return str(self.call("sts", "get_caller_identity")["Account"])


def _value(item: Mapping[str, Any]) -> str | list[str]:
    return item["ValueAsString"] if "ValueAsString" in item else list(item.get("ValueAsStringList") or ())


def _says_absent(error: ClientError) -> bool:
    """Tell whether a validation error is about a thing that is not there, as SageMaker says of some artifacts."""
    said = message_of(error).lower()
    return code_of(error) in {"ValidationException", "ValidationError"} and (
        "does not exist" in said or "not found" in said or "could not find" in said
    )
