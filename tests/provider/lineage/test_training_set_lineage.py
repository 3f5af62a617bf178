"""A training set's fact becomes a dataset whose columns name the features they came from."""

from __future__ import annotations

from typing import Any

from airflow.sdk import AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors

from festaf.contract.facts.told import Worker
from festaf.contract.training_set import TRAINING_SET_FACET
from festaf.provider.assets import artifact_asset
from festaf.provider.lineage.datasets import attached_to, inputs, outputs

FLIGHTS = "awsathena://athena.us-east-1.amazonaws.com/AwsDataCatalog.nyc.flights"
WEATHER = "x-festaf://nyc/weather"
WRITTEN: dict[str, Any] = {
    "kind": "training_set",
    "project": "nyc",
    "training_set": "delays",
    "build": "abc",
    "uri": "s3://lake/delays/abc/data/",
    "manifest": "s3://lake/delays/abc/manifest.json",
    "manifest_sha256": "a" * 64,
    "snapshot": "2013-02-01T00:00:00Z",
    "rows": 7,
    "bytes": 4096,
    "files": 1,
    "entities": {"kind": "table", "text": "nyc.flights", "uri": FLIGHTS, "event_time": "at"},
    "columns": [
        {"name": "origin", "type": "string", "role": "entity", "sources": [f"{FLIGHTS}#origin"]},
        {"name": "at", "type": "string", "role": "event_time", "sources": [f"{FLIGHTS}#at"]},
        {"name": "late", "type": "bigint", "role": "label", "sources": [f"{FLIGHTS}#late"]},
        {
            "name": "wind",
            "type": "double",
            "role": "feature",
            "feature_set": "weather",
            "feature": "speed",
            "sources": [f"{WEATHER}#speed"],
        },
    ],
    "feature_sets": [
        {
            "project": "nyc",
            "feature_set": "weather",
            "arn": "arn:aws:sagemaker:us-east-1:123456789012:feature-group/weather",
            "created_at": "2013-01-01T00:00:00Z",
            "version": "b" * 64,
            "table": "sagemaker_featurestore.weather_1",
            "record_identifier": "station",
            "event_time": "hour",
            "entity_column": "origin",
            "point_in_time": True,
            "features": ["speed"],
            "rows_matched": 6,
            "rows_unmatched": 1,
        }
    ],
}


def _events() -> OutletEventAccessors:
    events = OutletEventAccessors()
    events[AssetAlias("festaf")].add(artifact_asset("training-set", "delays", "nyc"), extra={"festaf": WRITTEN})
    return events


def test_the_training_set_is_the_output_with_its_columns_and_rows() -> None:
    (output,) = outputs([], attached_to(_events(), Worker()))
    assert (output.namespace, output.name) == ("x-festaf-training-set://nyc", "delays")
    assert [field["name"] for field in output.facets["schema"]["fields"]] == ["origin", "at", "late", "wind"]
    counts = output.output_facets["outputStatistics"]
    assert (counts["rowCount"], counts["size"], counts["fileCount"]) == (7, 4096, 1)
    assert output.output_facets[TRAINING_SET_FACET]["training_set"]["build"] == "abc"


def test_each_column_names_the_feature_or_the_entity_column_that_it_came_from() -> None:
    (output,) = outputs([], attached_to(_events(), Worker()))
    lineage = output.facets["columnLineage"]
    (wind,) = lineage["fields"]["wind"]["inputFields"]
    assert (wind["namespace"], wind["name"], wind["field"]) == ("x-festaf://nyc", "weather", "speed")
    assert wind["transformations"][0]["subtype"] == "IDENTITY"
    (late,) = lineage["fields"]["late"]["inputFields"]
    assert late["name"] == "AwsDataCatalog.nyc.flights"


def test_the_keys_and_times_of_the_join_bear_on_every_column() -> None:
    (output,) = outputs([], attached_to(_events(), Worker()))
    bearing = output.facets["columnLineage"]["dataset"]
    assert {(item["name"], item["field"]) for item in bearing} == {
        ("weather", "station"),
        ("weather", "hour"),
        ("AwsDataCatalog.nyc.flights", "origin"),
        ("AwsDataCatalog.nyc.flights", "at"),
    }
    assert {item["transformations"][0]["type"] for item in bearing} == {"INDIRECT"}


def test_the_feature_sets_and_the_entity_table_are_the_inputs() -> None:
    found = inputs([], attached_to(_events(), Worker()))
    assert {(item.namespace, item.name) for item in found} == {
        ("x-festaf://nyc", "weather"),
        ("awsathena://athena.us-east-1.amazonaws.com", "AwsDataCatalog.nyc.flights"),
    }
