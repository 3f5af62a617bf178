"""A worker and the scheduler describe one schedule with one text."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG, Asset

from festaf.contract.names import owners_of
from festaf.provider.lineage.schedule import awaited_assets, schedule_text
from tests.dag_serialization import DagSerialization


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (None, None),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("15 3 * * 1", "15 3 * * 1"),
        ("@once", "@once"),
        ("@continuous", "@continuous"),
        ([Asset("s3://bucket/key")], "Asset"),
    ],
)
def test_both_sides_say_the_same(schedule: object, text: str | None) -> None:
    dag = DAG("dag", schedule=schedule, max_active_runs=1)  # type: ignore[arg-type] # every kind of schedule
    assert schedule_text(dag.timetable) == text
    assert schedule_text(DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable) == text


@pytest.mark.parametrize(
    ("schedule", "uris"),
    [
        ([Asset("s3://raw/b"), Asset("s3://raw/a")], ("s3://raw/a", "s3://raw/b")),
        (Asset("s3://raw/a") | (Asset("s3://raw/b") & Asset("s3://raw/c")), ("s3://raw/a", "s3://raw/b", "s3://raw/c")),
        ("0 * * * *", ()),
        (None, ()),
    ],
)
def test_both_sides_name_the_assets_that_a_schedule_waits_for(schedule: object, uris: tuple[str, ...]) -> None:
    dag = DAG("dag", schedule=schedule)  # type: ignore[arg-type] # every kind of schedule
    assert awaited_assets(dag.timetable) == uris
    assert awaited_assets(DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable) == uris


def test_a_worker_says_nothing_of_what_it_cannot_describe() -> None:
    assert schedule_text(object()) is None
    assert awaited_assets(object()) == ()


def test_airflows_default_owner_and_a_masked_one_are_nobody() -> None:
    assert owners_of("ann, bob,airflow,***, ") == ("ann", "bob")
    assert owners_of(None) == ()
