"""What a task's inlets, outlets and asset events say becomes datasets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors

from festaf.contract.datasets import Attached
from festaf.contract.facts.told import Worker
from festaf.contract.feature_set import DEFINITION_FACET, WRITE_FACET
from festaf.contract.names import feature_set_dataset
from festaf.provider.lineage.datasets import attached_to, inputs, outputs

if TYPE_CHECKING:
    import pytest

WEATHER = Asset("x-festaf://nyc/weather")
DEFINITION = Asset("x-festaf://nyc/weather/definition")
WRITE: dict[str, Any] = {
    "kind": "write",
    "project": "nyc",
    "feature_set": "weather",
    "rows_read": 1,
    "rows_accepted": 1,
}


def test_assets_are_named_as_openlineage_names_them() -> None:
    found = inputs([Asset("s3://bucket/key"), Asset("file:///tmp/x"), Asset("plain"), WEATHER], Attached())
    assert [(item.namespace, item.name) for item in found] == [
        ("s3://bucket", "key"),
        ("file", "/tmp/x"),
        ("airflow", "plain"),
        ("x-festaf://nyc", "weather"),
    ]


def test_what_names_no_dataset_is_left_out() -> None:
    assert inputs([AssetAlias("later"), Asset.ref(name="somebody"), DEFINITION, "s3://text"], Attached()) == ()


def test_a_write_through_an_alias_is_found() -> None:
    events = OutletEventAccessors()
    events[AssetAlias("any")].add(WEATHER, extra={"festaf": WRITE})
    attached = attached_to(events, Worker("a" * 64, "dags", "v1"))
    assert list(attached.told) == [feature_set_dataset("nyc", "weather")]
    (output,) = outputs([AssetAlias("any")], attached)
    write = output.output_facets[WRITE_FACET]["write"]
    assert (write["logic_sha256"], write["bundle_name"], write["bundle_version"]) == ("a" * 64, "dags", "v1")


def test_what_the_operator_says_of_the_bundle_is_not_trusted() -> None:
    events = OutletEventAccessors()
    events[WEATHER].extra = {"festaf": WRITE | {"bundle_version": "guessed", "logic_sha256": "b" * 64}}
    (output,) = outputs([WEATHER], attached_to(events, Worker()))
    write = output.output_facets[WRITE_FACET]["write"]
    assert (write["bundle_version"], write["logic_sha256"]) == (None, None)


def test_what_is_not_understood_is_logged_and_the_dataset_stays(caplog: pytest.LogCaptureFixture) -> None:
    events = OutletEventAccessors()
    events[WEATHER].extra = {"festaf": {"kind": "write", "rows_read": -1}}
    with caplog.at_level(logging.WARNING):
        attached = attached_to(events, Worker())
    assert "is not understood" in caplog.text
    assert [output.name for output in outputs([WEATHER], attached)] == ["weather"]


def test_a_retired_feature_set_is_told_as_dropped() -> None:
    events = OutletEventAccessors()
    events[DEFINITION].extra = {
        "festaf": {
            "kind": "definition",
            "project": "nyc",
            "feature_set": "weather",
            "record_identifier": "origin",
            "event_time": "at",
            "online": True,
            "offline": False,
            "features": [],
            "deleted": True,
        }
    }
    (output,) = outputs([DEFINITION], attached_to(events, Worker()))
    assert output.facets["lifecycleStateChange"]["lifecycleStateChange"] == "DROP"
    assert output.facets[DEFINITION_FACET]["definition"]["deleted"] is True


def test_a_source_that_is_no_uri_is_left_out_of_the_columns(caplog: pytest.LogCaptureFixture) -> None:
    events = OutletEventAccessors()
    feature = {"name": "wind", "type": "Fractional", "sources": ["flights.csv", "s3://bucket/w#speed", "s3://bucket/w"]}
    events[WEATHER].extra = {"festaf": WRITE | {"features": [feature]}}
    (output,) = outputs([WEATHER], attached_to(events, Worker()))
    assert [item["field"] for item in output.facets["columnLineage"]["fields"]["wind"]["inputFields"]] == ["speed"]
    assert "'flights.csv' is no source" in caplog.text


def test_a_definition_and_a_write_of_one_feature_set_are_one_output() -> None:
    definition = {
        "kind": "definition",
        "project": "nyc",
        "feature_set": "weather",
        "record_identifier": "origin",
        "event_time": "at",
        "online": True,
        "offline": False,
        "features": [{"name": "origin", "type": "String"}, {"name": "at", "type": "String"}],
    }
    events = OutletEventAccessors()
    events[AssetAlias("festaf")].add(
        WEATHER, extra={"festaf": WRITE | {"features": [{"name": "at", "type": "String"}]}}
    )
    events[DEFINITION].extra = {"festaf": definition}
    (output,) = outputs([], attached_to(events, Worker()))
    assert {DEFINITION_FACET, "schema"} <= set(output.facets)
    assert [field["name"] for field in output.facets["schema"]["fields"]] == ["at"]
    assert WRITE_FACET in output.output_facets


def test_a_fact_of_an_unknown_kind_is_logged_and_its_dataset_stays(caplog: pytest.LogCaptureFixture) -> None:
    events = OutletEventAccessors()
    events[AssetAlias("festaf")].add(WEATHER, extra={"festaf": {"kind": "prophecy"}})
    with caplog.at_level(logging.WARNING):
        (output,) = outputs([], attached_to(events, Worker()))
    assert output.name == "weather"
    assert "'prophecy'" in caplog.text


def test_a_whole_bucket_is_a_dataset_with_a_name() -> None:
    (dataset,) = inputs([Asset("s3://bucket")], Attached())
    assert (dataset.namespace, dataset.name) == ("s3://bucket", "/")
