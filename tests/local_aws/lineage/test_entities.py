"""Artifacts, actions and contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = {"SourceUri": "s3://flights/2013.parquet"}


def artifact(uri: str = SOURCE["SourceUri"], **changes: Any) -> dict[str, Any]:
    return {"Source": {"SourceUri": uri}, "ArtifactType": "DataSet"} | changes


def action(name: str = "train", **changes: Any) -> dict[str, Any]:
    return {"ActionName": name, "Source": SOURCE, "ActionType": "Training"} | changes


def context(name: str = "endpoint", **changes: Any) -> dict[str, Any]:
    return {"ContextName": name, "Source": SOURCE, "ContextType": "Endpoint"} | changes


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    found: str = raised.value.response["Error"]["Code"]
    return found


def test_the_same_source_and_type_are_the_same_artifact(sagemaker: Any) -> None:
    first = sagemaker.create_artifact(**artifact(ArtifactName="flights", Properties={"rows": "10"}))["ArtifactArn"]
    assert sagemaker.create_artifact(**artifact(Properties={"rows": "11"}))["ArtifactArn"] == first
    assert sagemaker.describe_artifact(ArtifactArn=first)["Properties"] == {"rows": "10"}
    others = [
        artifact(ArtifactType="Model"),
        artifact(Source=SOURCE | {"SourceTypes": [{"SourceIdType": "MD5Hash", "Value": "abc"}]}),
        artifact("s3://flights/2014.parquet"),
    ]
    arns = {sagemaker.create_artifact(**asked)["ArtifactArn"] for asked in others}
    assert len(arns | {first}) == 4


def test_an_entity_is_described_with_what_was_said_of_it(sagemaker: Any) -> None:
    properties = {"Properties": {"team": "flights"}}
    arn = sagemaker.create_artifact(
        **artifact(ArtifactName="flights", MetadataProperties={"CommitId": "abc"}, **properties)
    )["ArtifactArn"]
    found = sagemaker.describe_artifact(ArtifactArn=arn)
    assert (found["ArtifactName"], found["Source"], found["ArtifactType"]) == ("flights", SOURCE, "DataSet")
    assert (found["MetadataProperties"], found["Properties"]) == ({"CommitId": "abc"}, {"team": "flights"})
    arn = sagemaker.create_action(**action(Status="InProgress", Description="first", **properties))["ActionArn"]
    for name in ("train", arn):
        found = sagemaker.describe_action(ActionName=name)
        assert (found["ActionArn"], found["Status"], found["Description"]) == (arn, "InProgress", "first")
    arn = sagemaker.create_context(**context("my_endpoint", **properties))["ContextArn"]
    for name in ("my_endpoint", arn):
        assert sagemaker.describe_context(ContextName=name)["ContextType"] == "Endpoint"


def test_names_of_actions_and_contexts_are_unique(sagemaker: Any) -> None:
    sagemaker.create_action(**action())
    sagemaker.create_context(**context())
    for create, asked in ((sagemaker.create_action, action()), (sagemaker.create_context, context())):
        with pytest.raises(ClientError, match="names must be unique within an AWS account and region") as raised:
            create(**asked)
        assert code(raised) == "ValidationException"


def test_properties_are_added_replaced_and_removed(local_aws: LocalAws, sagemaker: Any) -> None:
    sagemaker.create_action(**action(Properties={"a": "1", "b": "1"}))
    local_aws.advance(10)
    sagemaker.update_action(
        ActionName="train", Status="Completed", Properties={"b": "2", "c": "2"}, PropertiesToRemove=["a", "absent"]
    )
    found = sagemaker.describe_action(ActionName="train")
    assert (found["Status"], found["Properties"]) == ("Completed", {"b": "2", "c": "2"})
    assert found["LastModifiedTime"] > found["CreationTime"]
    with pytest.raises(ClientError, match="at most 30 properties"):
        sagemaker.update_action(ActionName="train", Properties={f"p{number}": "x" for number in range(29)})
    arn = sagemaker.create_artifact(**artifact())["ArtifactArn"]
    sagemaker.update_artifact(ArtifactArn=arn, ArtifactName="flights")
    assert sagemaker.describe_artifact(ArtifactArn=arn)["ArtifactName"] == "flights"
    sagemaker.create_context(**context())
    sagemaker.update_context(ContextName="endpoint", Description="serves")
    assert sagemaker.describe_context(ContextName="endpoint")["Description"] == "serves"


def test_entities_are_listed_by_source_and_type(local_aws: LocalAws, sagemaker: Any) -> None:
    for number in range(3):
        sagemaker.create_artifact(**artifact(f"s3://flights/{number}"))
        local_aws.advance(1)
    sagemaker.create_artifact(**artifact("s3://flights/0", ArtifactType="Model"))

    def uris(**asked: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_artifacts").paginate(**asked)
        return [one["Source"]["SourceUri"][-1] for page in pages for one in page["ArtifactSummaries"]]

    assert uris(ArtifactType="DataSet", MaxResults=2) == ["2", "1", "0"]
    assert uris(SortOrder="Ascending", SourceUri="s3://flights/0") == ["0", "0"]
    last = sagemaker.list_artifacts(ArtifactType="DataSet")["ArtifactSummaries"][0]["CreationTime"]
    assert uris(ArtifactType="DataSet", CreatedAfter=last) == ["2"]
    for name in ("b", "a"):
        sagemaker.create_action(**action(name))
    listed = sagemaker.list_actions(SortBy="Name", SortOrder="Ascending")["ActionSummaries"]
    assert [one["ActionName"] for one in listed] == ["a", "b"]
    assert sagemaker.list_contexts()["ContextSummaries"] == []


def test_an_entity_with_associations_is_not_deleted(sagemaker: Any) -> None:
    data = sagemaker.create_artifact(**artifact())["ArtifactArn"]
    train = sagemaker.create_action(**action())["ActionArn"]
    sagemaker.add_association(SourceArn=data, DestinationArn=train)
    for delete in (
        lambda: sagemaker.delete_artifact(ArtifactArn=data),
        lambda: sagemaker.delete_action(ActionName="train"),
    ):
        with pytest.raises(ClientError, match="cannot be deleted because it has associations"):
            delete()
    sagemaker.delete_association(SourceArn=data, DestinationArn=train)
    assert sagemaker.delete_artifact(Source=SOURCE)["ArtifactArn"] == data
    assert sagemaker.delete_action(ActionName="train")["ActionArn"] == train
    sagemaker.create_context(**context())
    sagemaker.delete_context(ContextName="endpoint")
    assert sagemaker.list_contexts()["ContextSummaries"] == []


def test_an_entity_that_is_not_there_is_named(sagemaker: Any) -> None:
    absent = "arn:aws:sagemaker:us-east-1:123456789012:artifact/absent"
    for call, asked in (
        (sagemaker.describe_artifact, {"ArtifactArn": absent}),
        (sagemaker.update_artifact, {"ArtifactArn": absent}),
        (sagemaker.delete_artifact, {"ArtifactArn": absent}),
        (sagemaker.delete_artifact, {"Source": SOURCE}),
        (sagemaker.describe_action, {"ActionName": "absent"}),
        (sagemaker.delete_context, {"ContextName": "absent"}),
    ):
        with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="does not exist"):
            call(**asked)


def test_a_quota_is_kept(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.settings(max_artifacts=1, max_contexts=1, max_associations=1)
    data = sagemaker.create_artifact(**artifact())["ArtifactArn"]
    sagemaker.create_artifact(**artifact())
    sagemaker.create_context(**context())
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match="is 1 Artifacts"):
        sagemaker.create_artifact(**artifact("s3://other"))
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded):
        sagemaker.create_context(**context("other"))
    actions = [sagemaker.create_action(**action(name))["ActionArn"] for name in ("a", "b")]
    sagemaker.add_association(SourceArn=data, DestinationArn=actions[0])
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded):
        sagemaker.add_association(SourceArn=data, DestinationArn=actions[1])


def test_an_entity_has_tags(sagemaker: Any) -> None:
    tags = [{"Key": "team", "Value": "flights"}]
    arn = sagemaker.create_artifact(**artifact(Tags=tags))["ArtifactArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_the_graph_survives_a_restart(tmp_path: Path) -> None:
    with LocalAws.started("--state", str(tmp_path)) as server:
        sagemaker = server.client("sagemaker")
        data = sagemaker.create_artifact(**artifact())["ArtifactArn"]
        train = sagemaker.create_action(**action())["ActionArn"]
        sagemaker.add_association(SourceArn=data, DestinationArn=train, AssociationType="ContributedTo")
        server.process.kill()
        server.process.wait(timeout=20)
    with LocalAws.started("--state", str(tmp_path)) as server:
        sagemaker = server.client("sagemaker")
        found = sagemaker.query_lineage(StartArns=[data], Direction="Descendants", IncludeEdges=True)
        assert [one["Arn"] for one in found["Vertices"]] == [data, train]
        assert found["Edges"] == [
            {"SourceArn": data, "DestinationArn": train, "AssociationType": "ContributedTo"},
        ]
        assert sagemaker.create_artifact(**artifact())["ArtifactArn"] == data
