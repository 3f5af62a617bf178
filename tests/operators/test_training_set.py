"""The operator that builds training sets, on the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.training_set import BuildTrainingSetOperator
from festaf.provider.errors import InputError, NotReadyError
from tests.feature_store import BUCKET
from tests.provider.training_sets.history import (
    Past,
    create_feature_set,
    put_parquet,
    read_training_set,
    write_history,
)

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run

FEATURES = {"tail": "String", "seen": "String", "seats": "Integral", "delay": "Fractional"}
OUTPUT = f"s3://{BUCKET}/sets"


@pytest.fixture
def planes(hook: FeatureStoreHook) -> None:
    """Make a feature set with a past, and flights to join it to."""
    found = create_feature_set(hook, "planes", FEATURES, "tail", "seen")
    past = [
        Past({"tail": "N1", "seen": "2013-01-01T00:00:00Z", "seats": 1, "delay": 0.5}),
        Past({"tail": "N1", "seen": "2013-01-02T00:00:00Z", "seats": 2}, written=10),
    ]
    write_history(hook, found, past)
    flights = {
        "tail": ["N1", "N1", "N2", "N1"],
        "at": ["2013-01-01T12:00:00Z", "2013-01-01T12:00:00Z", "2013-01-01T12:00:00Z", "2013-01-03T00:00:00Z"],
        "late": [1, 1, 0, 2],
    }
    put_parquet(hook, BUCKET, "flights/a.parquet", flights)


def operator(**more: Any) -> BuildTrainingSetOperator:
    asked: dict[str, Any] = {
        "training_set": "delays",
        "entities": f"s3://{BUCKET}/flights/",
        "event_time": "at",
        "labels": ["late"],
        "feature_sets": ["planes"],
        "output_s3_uri": OUTPUT,
        "project": "nyc",
        "poll_interval": 0.2,
    }
    return BuildTrainingSetOperator(task_id="build", **(asked | more))


@pytest.mark.usefixtures("planes")
def test_every_entity_row_gets_the_features_of_its_time_once(hook: FeatureStoreHook, run: Run) -> None:
    written = operator().execute(run.context)
    rows = [(row["tail"], row["late"], row["seats"], row["delay"]) for row in read_training_set(hook, written)]
    assert sorted(rows, key=str) == [("N1", 1, 1, 0.5), ("N1", 1, 1, 0.5), ("N1", 2, 2, None), ("N2", 0, None, None)]
    assert (written["rows"], written["feature_sets"][0]["rows_matched"]) == (4, 3)
    assert run.facts()["x-festaf-training-set://nyc/delays"] == written


@pytest.mark.usefixtures("planes")
def test_the_same_again_is_given_back(run: Run) -> None:
    first = operator().execute(run.context)
    again = operator().execute(run.context)
    assert again == first | {"reused": True}


@pytest.mark.usefixtures("aws")
def test_a_feature_set_that_sql_does_not_see_is_not_ready(hook: FeatureStoreHook, run: Run) -> None:
    create_feature_set(hook, "planes", FEATURES, "tail", "seen")
    put_parquet(hook, BUCKET, "flights/a.parquet", {"tail": ["N1"], "at": ["2013-01-01T12:00:00Z"], "late": [1]})
    with pytest.raises(NotReadyError, match="planes is not QUERYABLE"):
        operator().execute(run.context)


@pytest.mark.usefixtures("aws")
def test_a_feature_set_that_is_not_there_is_named(run: Run) -> None:
    with pytest.raises(InputError, match="no feature set planes"):
        operator().execute(run.context)
