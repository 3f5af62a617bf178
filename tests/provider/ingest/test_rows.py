from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from festaf.provider.artifacts import Feature, FeatureSet
from festaf.provider.ingest.rows import EncodedRows, RowEncoder
from festaf.provider.ingest.source import BrokenRow, Chunk


def encode(columns: dict[str, Any], *features: Feature, broken: tuple[BrokenRow, ...] = (), **more: Any) -> EncodedRows:
    known = (Feature(name="tail", type="String"), Feature(name="seen", type="String"), *features)
    planes = FeatureSet(
        name="planes",
        arn="arn:aws:sagemaker:us-east-1:123456789012:feature-group/planes",
        record_identifier="tail",
        event_time="seen",
        features=known,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        status="Created",
    )
    batch = pa.RecordBatch.from_pydict(columns)
    encoder = RowEncoder(planes, {name: name for name in batch.schema.names}, is_text=False, **more)
    return encoder.encode(Chunk(batch, np.arange(1, batch.num_rows + 1), broken))


def entries(encoded: EncodedRows) -> list[Any]:
    return [json.loads(entry) for entry in encoded.entries]


def test_a_row_becomes_an_entry_without_its_missing_values() -> None:
    encoded = encode(
        {"tail": ["N1"], "seen": ["2013-01-01T05:00:00Z"], "seats": pa.array([None], pa.int64())},
        Feature(name="seats", type="Integral"),
    )
    assert entries(encoded) == [
        {
            "FeatureGroupName": "planes",
            "Record": [
                {"FeatureName": "tail", "ValueAsString": "N1"},
                {"FeatureName": "seen", "ValueAsString": "2013-01-01T05:00:00Z"},
            ],
        }
    ]
    assert encoded.milliseconds.tolist() == [1357016400000]


def test_text_that_json_must_escape_arrives_as_it_was() -> None:
    odd = ['"', "\\", "line\nbreak", "tab\t", "\x00", "ünï", "😀", ""]
    encoded = encode(
        {"tail": [f"N{n}" for n in range(len(odd))], "seen": ["2013-01-01T05:00:00Z"] * len(odd), "note": odd},
        Feature(name="note", type="String"),
    )
    assert [entry["Record"][2]["ValueAsString"] for entry in entries(encoded)] == odd


def test_collections_are_lists_of_texts() -> None:
    encoded = encode(
        {"tail": ["N1", "N2", "N3"], "seen": ["2013-01-01T05:00:00Z"] * 3, "tags": [["a", 'b"'], [], None]},
        Feature(name="tags", type="String", collection="List"),
    )
    assert [entry["Record"][2:] for entry in entries(encoded)] == [
        [{"FeatureName": "tags", "ValueAsStringList": ["a", 'b"']}],
        [{"FeatureName": "tags", "ValueAsStringList": []}],
        [],
    ]


def test_a_bad_row_is_named_with_its_number_and_reason_and_the_others_stay() -> None:
    encoded = encode(
        {
            "tail": ["N1", None, "", "N4", "N5"],
            "seen": ["2013-01-01T05:00:00Z"] * 3 + ["2013-02-30T05:00:00Z", "2013-01-02T05:00:00.123456Z"],
        },
        broken=(BrokenRow(6, "the row has 3 values, the header has 2", "a,b,c"),),
    )
    assert encoded.rows.tolist() == [1, 5]
    assert encoded.read == 6
    assert {rejected.row: rejected.reason for rejected in encoded.rejected} == {
        2: "tail: the value is missing",
        3: "tail: the value is missing",
        4: "seen: event time '2013-02-30T05:00:00Z' is no time: write it in UTC as 2013-01-31T05:00:00Z",
        6: "the row has 3 values, the header has 2",
    }
    assert encoded.milliseconds.tolist()[1] == 1357102800123


def test_a_record_larger_than_aws_takes_is_rejected() -> None:
    encoded = encode(
        {"tail": ["N1", "N2"], "seen": ["2013-01-01T05:00:00Z"] * 2, "note": ["x" * 400_000, "y" * 350_000]},
        Feature(name="note", type="String"),
    )
    assert [rejected.row for rejected in encoded.rejected] == [1]
    assert "AWS takes 358,400" in encoded.rejected[0].reason


def test_an_overlong_identifier_is_rejected() -> None:
    encoded = encode({"tail": ["N" * 2049], "seen": ["2013-01-01T05:00:00Z"]})
    assert encoded.rejected[0].reason == "tail: the value has 2049 bytes, AWS takes 2,048"


def test_text_that_is_not_utf8_is_rejected() -> None:
    bad = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"\xff\xfea")]
    )
    encoded = encode({"tail": bad, "seen": ["2013-01-01T05:00:00Z"] * 2})
    assert [entry["Record"][0]["ValueAsString"] for entry in entries(encoded)] == ["a"]
    assert "not UTF-8" in encoded.rejected[0].reason


def test_stores_and_lifetime_stand_in_each_entry() -> None:
    encoded = encode(
        {"tail": ["N1"], "seen": ["2013-01-01T05:00:00Z"]},
        target_stores=["OfflineStore"],
        ttl={"Unit": "Days", "Value": 7},
    )
    assert entries(encoded)[0]["TargetStores"] == ["OfflineStore"]
    assert entries(encoded)[0]["TtlDuration"] == {"Unit": "Days", "Value": 7}


def test_timestamps_are_written_to_the_second_or_to_the_millisecond() -> None:
    moment = datetime(2013, 1, 1, 5, 0, 0, 123456)  # noqa: DTZ001 - what a file holds without a zone
    fine = encode({"tail": ["N1"], "seen": pa.array([moment], pa.timestamp("us"))})
    coarse = encode({"tail": ["N1"], "seen": pa.array([moment.replace(microsecond=0)], pa.timestamp("s"))})
    zoned = encode({"tail": ["N1"], "seen": pa.array([moment], pa.timestamp("us", "America/New_York"))})
    assert entries(fine)[0]["Record"][1]["ValueAsString"] == "2013-01-01T05:00:00.123Z"
    assert entries(coarse)[0]["Record"][1]["ValueAsString"] == "2013-01-01T05:00:00Z"
    assert entries(zoned)[0]["Record"][1]["ValueAsString"] == "2013-01-01T05:00:00.123Z"
