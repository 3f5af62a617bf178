"""The hook to SageMaker's feature store: control plane, records, the Glue table and the offline objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.artifacts.feature_set import FeatureSet
from festaf.provider.artifacts.summary import FeatureSetSummary
from festaf.provider.errors import RefusedError
from festaf.provider.hooks.aws import AwsHook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from festaf.provider.artifacts.feature_set import GlueTable

Record = dict[str, str | list[str]]
"""A record by feature name; values are text, or lists of text for collections."""


@dataclass(frozen=True)
class FeatureMetadata:
    """What DescribeFeatureMetadata tells of one feature."""

    description: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


class FeatureStoreHook(AwsHook):
    """Reach SageMaker's feature store; its parameters are those of AwsHook."""

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

    def find(self, name: str) -> FeatureSet | None:
        """Describe a feature set that may just have been made; None when AWS finds none for some seconds."""
        return self.patiently(lambda: self.describe(name))

    def summaries(self, name_contains: str | None = None) -> Iterator[FeatureSetSummary]:
        """List the feature sets with their states (ListFeatureGroups, 100 per call)."""
        asked: dict[str, Any] = {"MaxResults": 100} | ({"NameContains": name_contains} if name_contains else {})
        for page in self.pages("sagemaker", "list_feature_groups", **asked):
            yield from map(FeatureSetSummary.of, page["FeatureGroupSummaries"])

    def create(self, request: Mapping[str, Any]) -> str:
        """Ask AWS to create a feature set (CreateFeatureGroup) and give its ARN; AWS goes on by itself."""
        return str(self.call("sagemaker", "create_feature_group", **request)["FeatureGroupArn"])

    def update(self, request: Mapping[str, Any]) -> str:
        """Ask AWS to add features or change stores (UpdateFeatureGroup) and give the ARN; AWS goes on by itself."""
        return str(self.call("sagemaker", "update_feature_group", **request)["FeatureGroupArn"])

    def delete(self, name: str) -> bool:
        """Ask AWS to delete a feature set (DeleteFeatureGroup); False when there was none."""
        return self.call_or_none("sagemaker", "delete_feature_group", FeatureGroupName=name) is not None

    def feature_metadata(self, name: str, feature: str) -> FeatureMetadata:
        """Describe one feature's metadata (DescribeFeatureMetadata); empty when there is none."""
        answer = self.call_or_none("sagemaker", "describe_feature_metadata", FeatureGroupName=name, FeatureName=feature)
        if answer is None:
            return FeatureMetadata()
        parameters = {item["Key"]: item["Value"] for item in answer.get("Parameters") or ()}
        return FeatureMetadata(answer.get("Description") or None, parameters)

    def update_feature_metadata(self, name: str, feature: str, change: Mapping[str, Any]) -> None:
        """Change one feature's description or parameters (UpdateFeatureMetadata).

        :param change: Description, ParameterAdditions and ParameterRemovals, as AWS spells them
        """
        self.call("sagemaker", "update_feature_metadata", FeatureGroupName=name, FeatureName=feature, **change)

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


def _value(item: Mapping[str, Any]) -> str | list[str]:
    return item["ValueAsString"] if "ValueAsString" in item else list(item.get("ValueAsStringList") or ())
