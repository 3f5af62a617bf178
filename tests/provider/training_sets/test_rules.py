"""The example of docs/explanation/point-in-time.md, as it stands there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from festaf.operators.training_set import BuildTrainingSetOperator
from festaf.provider.training_sets import FeatureView
from tests.feature_store import BUCKET
from tests.provider.training_sets.history import (
    START,
    Past,
    create_feature_set,
    put_parquet,
    read_training_set,
    write_history,
)

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run

HOUR = 3600.0
RECORDS = [
    Past({"tail": "N1", "seen": "2013-01-01T08:00:00Z", "value": 1}, written=8 * HOUR),
    Past({"tail": "N1", "seen": "2013-01-01T09:00:00Z", "value": 2}, written=9 * HOUR + 60),
    Past({"tail": "N1", "seen": "2013-01-01T09:00:00Z", "value": 3}, written=12 * HOUR),
    Past({"tail": "N1", "seen": "2013-01-01T10:00:00Z"}, written=10 * HOUR, deleted=True),
    Past({"tail": "N1", "seen": "2013-01-01T13:00:00Z", "value": 5}, written=13 * HOUR),
]
ROWS = ["07:59", "08:00", "09:30", "10:30", "15:00", "15:01"]


@pytest.mark.parametrize(
    ("snapshot", "strict", "values"),
    [
        (24, False, [None, 1, 3, None, 5, None]),
        (11, False, [None, 1, 2, None, None, None]),
        (24, True, [None, None, 3, None, 5, None]),
    ],
)
def test_the_documented_example_is_what_is_built(
    snapshot: int, strict: bool, values: list[int | None], hook: FeatureStoreHook, run: Run
) -> None:
    found = create_feature_set(
        hook, "planes", {"tail": "String", "seen": "String", "value": "Integral"}, "tail", "seen"
    )
    write_history(hook, found, RECORDS)
    rows = {"tail": ["N1"] * len(ROWS), "at": [f"2013-01-01T{time}:00Z" for time in ROWS]}
    put_parquet(hook, BUCKET, "rows/part.parquet", rows)
    written = BuildTrainingSetOperator(
        task_id="build",
        training_set="example",
        entities=f"s3://{BUCKET}/rows/part.parquet",
        event_time="at",
        feature_sets=[FeatureView(feature_set="planes", max_age=timedelta(hours=2), strict=strict)],
        output_s3_uri=f"s3://{BUCKET}/sets",
        snapshot=START + timedelta(hours=snapshot),
        check_ready=False,
        poll_interval=0.05,
    ).execute(run.context)
    got = {row["at"]: row["value"] for row in read_training_set(hook, written)}
    assert got == dict(zip(rows["at"], values, strict=True))
