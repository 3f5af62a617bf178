from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from festaf.provider import errors
from festaf.provider.artifacts import Feature, FeatureSet, GlueTable, OfflineStore, OnlineStore
from festaf.provider.readiness import ladder
from festaf.provider.readiness.bounds import Bounds

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
READY = FeatureSet(
    name="planes",
    arn="arn:aws:sagemaker:us-east-1:123456789012:feature-group/planes",
    record_identifier="tail",
    event_time="seen",
    features=(Feature(name="tail", type="String"), Feature(name="seen", type="String")),
    created_at=NOON,
    status="Created",
    online=OnlineStore(),
    offline=OfflineStore("s3://lake/off", status="Active", glue_table=GlueTable("AwsDataCatalog", "raw", "planes")),
)


def offline(**changes: Any) -> FeatureSet:
    assert READY.offline is not None
    return replace(READY, offline=replace(READY.offline, **changes))


def missing(found: FeatureSet | None, *, glue_table: bool = True) -> tuple[str, ...]:
    return ladder.created("planes", found, glue_table=glue_table)


def test_a_feature_set_with_all_its_parts_is_created() -> None:
    assert missing(READY) == ()
    assert missing(replace(READY, last_update_status="Successful")) == ()
    assert missing(replace(READY, offline=None), glue_table=False) == ()
    assert missing(offline(glue_table=None, creates_glue_table=False), glue_table=False) == ()


@pytest.mark.parametrize(
    ("found", "glue_table", "expected"),
    [
        (None, False, ("the feature set does not exist",)),
        (replace(READY, status="Creating"), False, ("AWS is still creating it",)),
        (replace(READY, last_update_status="InProgress"), True, ("AWS is still updating it",)),
        (offline(status=None), True, ("the offline store is not Active yet",)),
        (READY, False, ("the Glue table raw.planes does not exist",)),
        (
            offline(status=None, glue_table=None),
            False,
            ("the offline store is not Active yet", "the Glue table does not exist"),
        ),
    ],
)
def test_what_is_missing_is_named(found: FeatureSet | None, glue_table: bool, expected: tuple[str, ...]) -> None:
    assert missing(found, glue_table=glue_table) == expected


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (replace(READY, status="CreateFailed", failure_reason="no role"), "planes is CreateFailed: no role"),
        (replace(READY, status="DeleteFailed", failure_reason="busy"), "planes is DeleteFailed: busy"),
        (replace(READY, status="Deleting"), "planes is Deleting: AWS gives no reason"),
        (
            replace(READY, last_update_status="Failed", last_update_reason="too many"),
            "its last update Failed: too many",
        ),
        (offline(status="Blocked", blocked_reason="no permission"), "offline store is Blocked: no permission"),
        (offline(status="Disabled"), "offline store is Disabled"),
    ],
)
def test_a_failed_state_fails_at_once_with_the_reason(found: FeatureSet, said: str) -> None:
    with pytest.raises(errors.FailedArtifactError, match=said):
        missing(found)


@pytest.mark.parametrize(
    "found", [replace(READY, status="Hibernating"), replace(READY, last_update_status="Odd"), offline(status="Odd")]
)
def test_a_state_that_is_not_known_raises(found: FeatureSet) -> None:
    with pytest.raises(errors.RefusedError, match="not know"):
        missing(found)


def test_queryable_asks_for_rows_and_for_event_times() -> None:
    until = Bounds(rows=10, until=NOON)
    assert ladder.queryable(10, NOON, until) == ()
    assert ladder.queryable(9, NOON - timedelta(hours=1), until) == (
        "SQL sees 9 rows of 10",
        "SQL sees event times up to 2026-01-01 11:00:00+00:00, not 2026-01-01 12:00:00+00:00",
    )
    assert ladder.queryable(0, None, Bounds()) == ("SQL sees 0 rows of 1",)


def test_fresh_asks_how_old_the_newest_event_time_is() -> None:
    bounds = Bounds(max_age=3600)
    assert ladder.fresh(NOON, NOON + timedelta(hours=1), bounds) == ()
    assert "7,200 s ago, 3,600 s are allowed" in ladder.fresh(NOON, NOON + timedelta(hours=2), bounds)[0]
    assert ladder.fresh(None, NOON, bounds) == ("there is no record",)


@pytest.mark.parametrize(
    ("found", "level", "said"),
    [
        (replace(READY, online=None), "WRITABLE", "no online store"),
        (replace(READY, offline=None), "QUERYABLE", "no offline store"),
        (offline(glue_table=None, creates_glue_table=False), "FRESH", "no Glue table"),
    ],
)
def test_a_level_that_a_store_can_never_prove_is_told(found: FeatureSet, level: str, said: str) -> None:
    with pytest.raises(errors.InputError, match=said):
        ladder.check_stores(found, level, Bounds(max_age=1))


def test_bounds_are_read_from_texts_and_written_as_json() -> None:
    bounds = Bounds.of({"rows": "7", "until": "2026-01-01T12:00:00Z", "max_age": timedelta(hours=1), "record": ""})
    assert bounds == Bounds(rows=7, until=NOON, max_age=3600.0)
    assert Bounds.of(bounds.as_dict()) == bounds


@pytest.mark.parametrize(
    ("level", "values", "said"),
    [
        ("READY", {}, "level is 'READY': write one of CREATED, WRITABLE, QUERYABLE, FRESH"),
        ("FRESH", {}, "FRESH needs max_age"),
        ("QUERYABLE", {"rows": "many"}, "rows is 'many'"),
        ("QUERYABLE", {"until": "2013-01-01T05:00:00"}, "the time has no zone"),
    ],
)
def test_a_bound_that_makes_no_sense_is_told(level: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.InputError, match=said):
        Bounds.of(values).check(level)
