from __future__ import annotations

from typing import Any

import pytest

from festaf.provider.errors import InputError
from festaf.provider.models import metadata as keys
from festaf.provider.models.evaluation import Evaluation, from_metadata, read_evaluation


@pytest.mark.parametrize(
    "content",
    [
        {"mae": 9.5, "held_out": "s3://lake/x"},
        {"metrics": {"mae": 9.5}, "held_out": "s3://lake/x"},
        {"metrics": {"mae": "9.5"}, "dataset": {"uri": "s3://lake/x"}},
        {
            "version": 0.0,
            "regression_metrics": {"mae": {"value": 9.5, "standard_deviation": "NaN"}},
            "held_out": "s3://lake/x",
        },
        {
            "binary_classification_metrics": {"mae": {"value": 9.5}, "confusion_matrix": {"0": {"0": 1}}},
            "held_out": "s3://lake/x",
        },
    ],
)
def test_an_evaluation_is_read_in_the_forms_that_it_comes_in(content: dict[str, Any]) -> None:
    found = read_evaluation(content, "somewhere")
    assert dict(found.metrics) == {"mae": 9.5}
    assert found.held_out == "s3://lake/x"


def test_what_is_written_is_read_again() -> None:
    written = Evaluation({"mae": 9.5, "r2": -0.1}, "s3://lake/x", "a" * 64, 7)
    found = read_evaluation(written.as_json("regression"), "there")
    assert (found.metrics, found.held_out, found.sha256, found.rows) == (written.metrics, "s3://lake/x", "a" * 64, 7)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "is list: write an object of metrics"),
        ({}, "holds no metric"),
        ({"mae": "NaN"}, "holds no metric"),
        ({"mae": True}, "holds no metric"),
        ({"metrics": [1]}, "The metrics from there are list: write them by name"),
    ],
)
def test_what_holds_no_metric_is_refused(content: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_evaluation(content, "there")


def test_metrics_are_read_from_a_versions_metadata() -> None:
    noted = {keys.METRIC + "mae": "9.5", keys.METRIC + "odd": "often", keys.HELD_OUT: "s3://lake/x", "team": "planes"}
    found = from_metadata(noted)
    assert (dict(found.metrics), found.held_out, found.data) == ({"mae": 9.5}, "s3://lake/x", "s3://lake/x")


def test_the_metadata_take_only_what_aws_takes() -> None:
    given = {"a": "x", "b": "x, y", "c": "x\ny", "d": "x" * 257, "e": None, "f": "", "g": "Zürich 1/2"}
    assert keys.writable(given) == {"a": "x", "g": "Zürich 1/2"}


def test_notes_never_push_out_what_stands() -> None:
    standing = {str(number): "x" for number in range(49)}
    extended = keys.extended(standing, {"0": "new", "first": "y", "second": "z"})
    assert len(extended) == 50
    assert (extended["0"], extended["first"]) == ("new", "y")
    assert "second" not in extended
