"""Search over feature groups, features, model packages, training jobs, models and endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.endpoints.endpoints import Stage, times
from tests.local_aws.feature_groups import online_only, request
from tests.local_aws.model_packages.packages import BUCKET, GROUP, version

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws


def names(sagemaker: Any, resource: str, *filters: tuple[str, ...], **asked: Any) -> list[str]:
    """Give the names of what a search finds; a filter is a name, an operator and a value."""
    spelled = [dict(zip(("Name", "Operator", "Value"), one, strict=False)) for one in filters]
    expression = {"Filters": spelled} if filters else asked.pop("SearchExpression", None)
    if expression:
        asked["SearchExpression"] = expression
    pages = sagemaker.get_paginator("search").paginate(Resource=resource, **asked)
    member = {"FeatureMetadata": "FeatureName", "ModelPackage": "ModelPackageArn"}.get(resource, f"{resource}Name")
    return [one[resource][member] for page in pages for one in page["Results"]]


@pytest.fixture
def flights(local_aws: LocalAws, sagemaker: Any, s3: Any) -> Any:
    """Make three feature groups, the oldest first, with tags and with what is said of their features."""
    for number, name in enumerate(("weather", "planes", "delays")):
        tags = [{"Key": "team", "Value": "sky" if number else "ground"}, {"Key": "cost.center", "Value": str(number)}]
        asked = online_only(name, Tags=tags) if name == "planes" else request(name, Tags=tags)
        sagemaker.create_feature_group(**asked, Description=f"Features of {name}")
        local_aws.advance(60)
    sagemaker.update_feature_metadata(
        FeatureGroupName="weather",
        FeatureName="delay",
        Description="Minutes late",
        ParameterAdditions=[{"Key": "unit", "Value": "minutes"}, {"Key": "owner", "Value": "Ada"}],
    )
    return sagemaker


def test_feature_groups_are_found_by_what_they_are(flights: Any) -> None:
    def found(*filters: tuple[str, ...], **asked: Any) -> list[str]:
        return names(flights, "FeatureGroup", *filters, **asked)

    assert found() == ["delays", "planes", "weather"]
    assert found(("FeatureGroupName", "Contains", "a"), ("FeatureGroupName", "Contains", "w")) == ["weather"]
    assert found(("Tags.team", "Equals", "sky"), SortOrder="Ascending") == ["planes", "delays"]
    assert found(("Tags.cost.center", "GreaterThan", "0")) == ["delays", "planes"]
    assert found(("Tags.absent", "NotExists")) == ["delays", "planes", "weather"]
    assert found(("OfflineStoreConfig.S3StorageConfig.S3Uri", "Exists")) == ["delays", "weather"]
    assert found(("OnlineStoreConfig.EnableOnlineStore", "Equals", "true"), ("Tags.team", "NotEquals", "sky")) == [
        "weather"
    ]
    assert found(("FeatureDefinitions.FeatureName", "Equals", "seats")) == ["delays", "planes", "weather"]
    assert found(("FeatureGroupName", "In", "weather, planes")) == ["planes", "weather"]
    assert found(SortBy="FeatureGroupName", SortOrder="Ascending") == ["delays", "planes", "weather"]


def test_times_are_compared(flights: Any) -> None:
    moment = flights.describe_feature_group(FeatureGroupName="planes")["CreationTime"]
    text = f"{moment - timedelta(seconds=30):%Y-%m-%dT%H:%M:%S}"
    assert names(flights, "FeatureGroup", ("CreationTime", "GreaterThan", text)) == ["delays", "planes"]
    assert names(flights, "FeatureGroup", ("CreationTime", "LessThanOrEqualTo", text)) == ["weather"]


def test_features_are_found_by_their_metadata(flights: Any) -> None:
    def found(*filters: tuple[str, ...]) -> list[str]:
        return names(flights, "FeatureMetadata", *filters)

    assert found(("Parameters.unit", "Equals", "minutes")) == ["delay"]
    assert found(("AllParameters", "Contains", "Ad")) == ["delay"]
    assert found(("Description", "Contains", "late"), ("FeatureGroupName", "Equals", "weather")) == ["delay"]
    assert len(found(("FeatureType", "Equals", "Fractional"))) == 3
    assert found(("Parameters.owner", "Equals", "Bob")) == []
    [result] = flights.search(
        Resource="FeatureMetadata",
        SearchExpression={"Filters": [{"Name": "Parameters.unit", "Operator": "Exists"}]},
    )["Results"]
    assert result["FeatureMetadata"]["Parameters"] == [
        {"Key": "unit", "Value": "minutes"},
        {"Key": "owner", "Value": "Ada"},
    ]


def test_expressions_are_joined(flights: Any) -> None:
    def equals(name: str) -> dict[str, str]:
        return {"Name": "FeatureGroupName", "Value": name}

    either: dict[str, Any] = {"Filters": [equals("weather"), equals("planes")], "Operator": "Or"}
    assert names(flights, "FeatureGroup", SearchExpression=either) == ["planes", "weather"]
    both = {"SubExpressions": [either, {"Filters": [{"Name": "Tags.team", "Value": "sky"}]}]}
    assert names(flights, "FeatureGroup", SearchExpression=both) == ["planes"]
    same = [
        {"Name": "FeatureDefinitions.FeatureName", "Value": "delay"},
        {"Name": "FeatureDefinitions.FeatureType", "Value": "String"},
    ]
    assert len(names(flights, "FeatureGroup", SearchExpression={"Filters": same})) == 3
    nested = {"NestedFilters": [{"NestedPropertyName": "FeatureDefinitions", "Filters": same}]}
    assert names(flights, "FeatureGroup", SearchExpression=nested) == []


def test_a_search_comes_in_pages_and_is_counted(flights: Any) -> None:
    page = flights.search(Resource="FeatureGroup", MaxResults=2)
    assert (len(page["Results"]), page["TotalHits"]) == (2, {"Value": 3, "Relation": "EqualTo"})
    rest = flights.search(Resource="FeatureGroup", MaxResults=2, NextToken=page["NextToken"])
    assert len(rest["Results"]) == 1
    assert "NextToken" not in rest
    assert flights.search(Resource="FeatureGroup", CrossAccountFilterOption="CrossAccount")["Results"] == []


@pytest.mark.parametrize(
    ("resource", "filters", "message"),
    [
        ("FeatureGroup", [("Color", "Equals", "red")], "Unknown property name: Color"),
        ("FeatureGroup", [("FeatureGroupName", "Equals")], "needs a Value"),
        ("FeatureGroup", [("FeatureGroupName", "GreaterThan", "m")], "not supported for text properties"),
        (
            "ModelPackage",
            [("ModelPackageDescription", "Contains", "a"), ("ModelPackageDescription", "Contains", "b")],
            "'CONTAINS' operator usage limit of 1 exceeded",
        ),
    ],
)
def test_a_search_that_cannot_be_is_refused(sagemaker: Any, resource: str, filters: Any, message: str) -> None:
    with pytest.raises(ClientError, match=message) as raised:
        names(sagemaker, resource, *filters)
    assert raised.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="Unknown property name: Color"):
        sagemaker.search(Resource=resource, SortBy="Color")
    with pytest.raises(ClientError, match="at least one subexpression"):
        sagemaker.search(Resource=resource, SearchExpression={"Operator": "And"})


def test_model_packages_are_found_by_approval_and_metadata(sagemaker: Any, local_aws: LocalAws) -> None:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="delay/model.tar.gz", Body=b"model")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP, Tags=[{"Key": "team", "Value": "sky"}])
    for mae, status in (("3.5", "Approved"), ("4.5", "Rejected")):
        sagemaker.create_model_package(**version(ModelApprovalStatus=status, CustomerMetadataProperties={"mae": mae}))
    found = names(sagemaker, "ModelPackage", ("ModelApprovalStatus", "Equals", "Approved"))
    assert [arn.rpartition("/")[2] for arn in found] == ["1"]
    found = names(sagemaker, "ModelPackage", ("CustomerMetadataProperties.mae", "LessThan", "5"))
    assert [arn.rpartition("/")[2] for arn in found] == ["2", "1"]
    assert names(sagemaker, "ModelPackageGroup", ("Tags.team", "Equals", "sky")) == [GROUP]


def test_models_and_endpoints_are_found(local_aws: LocalAws) -> None:
    stage = Stage(local_aws)
    stage.model("twice", times(2))
    stage.endpoint(stage.config("twice"))
    assert names(stage.sagemaker, "Endpoint", ("EndpointStatus", "Equals", "InService")) == ["answers"]
    [result] = stage.sagemaker.search(
        Resource="Model", SearchExpression={"Filters": [{"Name": "Model.ModelName", "Value": "twice"}]}
    )["Results"]
    assert result["Model"]["Model"]["ModelName"] == "twice"


def test_experiments_are_still_found_by_moto(sagemaker: Any) -> None:
    sagemaker.create_experiment(ExperimentName="delays")
    found = sagemaker.search(Resource="Experiment")["Results"]
    assert [one["Experiment"]["ExperimentName"] for one in found] == ["delays"]


def test_names_of_properties_are_suggested(flights: Any) -> None:
    def suggested(resource: str, hint: str) -> list[str]:
        query = {"PropertyNameQuery": {"PropertyNameHint": hint}}
        answer = flights.get_search_suggestions(Resource=resource, SuggestionQuery=query)
        return [one["PropertyName"] for one in answer["PropertyNameSuggestions"]]

    assert suggested("FeatureGroup", "tags.") == ["Tags.cost.center", "Tags.team"]
    assert "FeatureGroupName" in suggested("FeatureGroup", "FeatureG")
    assert suggested("FeatureMetadata", "Parameters.") == ["Parameters.owner", "Parameters.unit"]
    assert suggested("FeatureGroup", "nothing") == []
