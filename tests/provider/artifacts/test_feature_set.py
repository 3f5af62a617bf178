from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from festaf.provider.artifacts import Feature, FeatureSet, Meta
from festaf.provider.artifacts.schema import feature_type, infer_features
from festaf.provider.artifacts.specification import FeatureSetSpecification, duration
from festaf.provider.errors import InputError
from tests.feature_store import create

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.local_aws.server import LocalAws


def late(departure: float, schedule: float) -> float:
    return departure - schedule


def test_a_feature_set_is_loaded_with_everything_that_aws_knows(hook: FeatureStoreHook, aws: LocalAws) -> None:
    create(hook, offline=True)
    aws.advance(10)
    aws.client("sagemaker").update_feature_metadata(
        FeatureGroupName="planes",
        FeatureName="seats",
        Description="Seats of the plane",
        ParameterAdditions=[{"Key": "unit", "Value": "1"}],
    )
    hook.add_tags(FeatureSet.load("planes").arn, {"cost": "42"})  # type: ignore[union-attr]
    found = FeatureSet.load("planes")
    assert found is not None
    assert found.tags == {"cost": "42"}
    assert found.parameters == {"seats": {"unit": "1"}}
    assert found.feature("seats") == Feature(name="seats", type="Integral", description="Seats of the plane")
    assert (found.status, found.region, found.account) == ("Created", "us-east-1", "123456789012")
    assert found.offline is not None
    assert found.offline.status == "Active"
    assert found.offline.glue_table is not None
    assert found.offline.glue_table.database == "sagemaker_featurestore"
    assert found.offline.resolved_s3_uri is not None
    assert found.offline.resolved_s3_uri.startswith("s3://lake/offline/123456789012/sagemaker/us-east-1/offline-store/")


def test_one_that_is_not_there_is_none_and_cannot_be_onboarded(hook: FeatureStoreHook) -> None:
    assert FeatureSet.load("planes") is None
    assert Meta().feature_set("planes") is None
    with pytest.raises(InputError, match="There is no feature set planes to onboard"):
        FeatureSet.onboard("planes")


def test_onboarding_tags_project_and_owner(hook: FeatureStoreHook) -> None:
    create(hook)
    assert FeatureSet.onboard("planes", project="nyc", owner="team:planes").tags == {
        "festaf:project": "nyc",
        "festaf:owner": "team:planes",
    }


def test_all_feature_sets_are_listed_with_their_states(hook: FeatureStoreHook) -> None:
    create(hook, "planes")
    create(hook, "trains")
    assert {(item.name, item.status) for item in Meta().feature_sets()} == {
        ("planes", "Created"),
        ("trains", "Created"),
    }


def test_a_functions_source_is_read_when_it_is_asked_for() -> None:
    declared = Feature(name="delay", type="Fractional", logic=late).declaration()
    assert declared.logic is not None
    assert declared.logic.startswith("def late(")
    assert Feature(name="delay", type="Fractional", logic="a - b").declaration().logic == "a - b"
    with pytest.raises(InputError, match="source of the logic of feature 'delay' cannot be read"):
        Feature(name="delay", type="Fractional", logic=eval("lambda: 1")).declaration()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.int8(), "Integral"),
        (pa.uint64(), "Integral"),
        (pa.bool_(), "Integral"),
        (pa.float32(), "Fractional"),
        (pa.decimal128(10, 2), "Fractional"),
        (pa.large_string(), "String"),
        (pa.dictionary(pa.int32(), pa.string()), "String"),
        (pa.date32(), "String"),
        (pa.timestamp("ns", "UTC"), "String"),
        (pa.binary(), None),
        (pa.time64("us"), None),
        (pa.struct([("a", pa.int64())]), None),
        (pa.null(), None),
    ],
)
def test_an_arrow_type_is_a_feature_type_or_cannot_be_told(kind: pa.DataType, expected: str | None) -> None:
    assert feature_type(kind) == expected


def test_a_schema_is_read_from_a_table_with_lists(hook: FeatureStoreHook) -> None:
    features = infer_features(pa.table({"id": ["a"], "tags": [["x"]], "when": [dt.date(2013, 1, 1)]}), hook)
    assert features == (
        Feature(name="id", type="String"),
        Feature(name="tags", type="String", collection="List"),
        Feature(name="when", type="String"),
    )


@pytest.mark.parametrize(
    ("column", "reason"),
    [(pa.array([None, None]), "it holds no value"), (pa.array([b"x", b"y"]), "it is binary")],
)
def test_a_type_that_cannot_be_told_names_the_column(hook: FeatureStoreHook, column: pa.Array, reason: str) -> None:
    with pytest.raises(InputError, match=f"column 'odd' of the DataFrame cannot be told, {reason}"):
        infer_features(pa.table({"odd": column}), hook)


def test_a_dataframe_column_of_several_kinds_is_told(hook: FeatureStoreHook) -> None:
    import pandas as pd

    with pytest.raises(InputError, match="Column 'odd' of the DataFrame holds values of several kinds"):
        infer_features(pd.DataFrame({"odd": [1, "a"]}), hook)


def test_a_csv_files_types_come_from_all_its_rows(hook: FeatureStoreHook, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("whole,number,text,zip,last\n1,1,a,01234,7\n2,1.5,b,99999,7\n,,c,00001,x\n")
    assert {feature.name: feature.type for feature in infer_features(str(path), hook)} == {
        "whole": "Integral",
        "number": "Fractional",
        "text": "String",
        "zip": "String",
        "last": "String",
    }


def test_a_schema_is_read_from_a_glue_table_without_what_aws_adds(hook: FeatureStoreHook, aws: LocalAws) -> None:
    kinds = {
        "id": "string",
        "seats": "bigint",
        "delay": "decimal(10,2)",
        "tags": "array<string>",
        "is_deleted": "boolean",
    }
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "raw"})
    columns = [{"Name": name, "Type": kind} for name, kind in kinds.items()]
    glue.create_table(DatabaseName="raw", TableInput={"Name": "planes", "StorageDescriptor": {"Columns": columns}})
    assert infer_features("glue://raw/planes", hook) == (
        Feature(name="id", type="String"),
        Feature(name="seats", type="Integral"),
        Feature(name="delay", type="Fractional"),
        Feature(name="tags", type="String", collection="List"),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (dt.timedelta(days=14), {"Unit": "Weeks", "Value": 2}),
        (dt.timedelta(seconds=90), {"Unit": "Seconds", "Value": 90}),
        ({"Unit": "Days", "Value": 1}, {"Unit": "Days", "Value": 1}),
        (None, None),
    ],
)
def test_a_duration_is_written_in_the_largest_exact_unit(given: Any, expected: Any) -> None:
    assert duration(given) == expected


def test_equal_durations_in_other_units_are_no_difference(hook: FeatureStoreHook) -> None:
    planes = FeatureSetSpecification(
        name="planes",
        record_identifier="id",
        event_time="moment",
        features=(Feature(name="id", type="String"), Feature(name="moment", type="String")),
        ttl={"Unit": "Days", "Value": 7},
    )
    hook.create(
        planes.request()
        | {"OnlineStoreConfig": {"EnableOnlineStore": True, "TtlDuration": {"Unit": "Weeks", "Value": 1}}}
    )
    found = hook.describe("planes")
    assert found is not None
    assert planes.differences(found) == ()
