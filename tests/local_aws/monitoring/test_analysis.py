"""What the analyzer finds in a dataset: statistics, suggested constraints, violations, drift."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from festaf.local_aws.monitoring.analyzer import Order, main
from festaf.local_aws.monitoring.columns import Column, type_of
from festaf.local_aws.monitoring.dataset import Dataset, DatasetError, joined, read_csv, read_json
from festaf.local_aws.monitoring.distribution import (
    categorical_distance,
    numeric_distance,
    sketch,
    weighted,
)
from festaf.local_aws.monitoring.statistics import constraints_of, statistics_of
from festaf.local_aws.monitoring.violations import Baseline, violations_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def column(name: str, *values: Any) -> Column:
    return Column(name, [None if value is None else str(value) for value in values])


def baseline(*columns: Column, **config: Any) -> Baseline:
    """Make a baseline of a dataset; ``Simple`` comparison, since these datasets are small."""
    constraints = constraints_of(columns)
    settings = constraints["monitoring_config"]
    settings["distribution_constraints"] |= {"comparison_method": "Simple", "comparison_threshold": 0.3} | config
    return Baseline(constraints, statistics_of(columns, len(columns[0].values)))


def checks(columns: Sequence[Column], held_against: Baseline) -> list[tuple[str, str]]:
    return [(one["feature_name"], one["constraint_check_type"]) for one in violations_of(columns, held_against)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", "Integral"),
        ("-7", "Integral"),
        ("1.0", "Fractional"),
        ("1e-3", "Fractional"),
        *[(text, "String") for text in ("nan", "inf", "JFK", "1,5", "true")],
    ],
)
def test_a_value_has_a_type(text: str, kind: str) -> None:
    assert type_of(text) == kind


def test_a_column_is_what_all_its_values_are() -> None:
    assert column("a", 1, 2, None).inferred_type == "Integral"
    assert column("a", 1, 2.5).inferred_type == "Fractional"
    assert column("a", 1, "JFK").inferred_type == "String"
    assert column("a", None).inferred_type == "Unknown"


def test_statistics_say_what_is_there() -> None:
    found = statistics_of([column("delay", 4, 8, None), column("origin", "JFK", "JFK", "LGA")], 3)
    assert found["dataset"] == {"item_count": 3}
    delay, origin = found["features"]
    numbers = delay["numerical_statistics"]
    assert numbers["common"] == {"num_present": 2, "num_missing": 1}
    assert (numbers["mean"], numbers["sum"], numbers["std_dev"], numbers["min"], numbers["max"]) == (6, 12, 2, 4, 8)
    assert sum(one["count"] for one in numbers["distribution"]["kll"]["buckets"]) == 2
    assert origin["string_statistics"]["distinct_count"] == 2
    assert origin["string_statistics"]["distribution"]["categorical"]["buckets"] == [
        {"value": "JFK", "count": 2},
        {"value": "LGA", "count": 1},
    ]


def test_constraints_are_suggested() -> None:
    found = constraints_of([column("delay", 4, -8, None, 1), column("origin", "JFK", "JFK", "LGA", "LGA")])
    delay, origin = found["features"]
    assert delay == {
        "name": "delay",
        "inferred_type": "Integral",
        "completeness": 0.75,
        "num_constraints": {"is_non_negative": False},
    }
    assert origin["string_constraints"] == {"domains": ["JFK", "LGA"]}
    assert "string_constraints" not in constraints_of([column("tail", *"abcd")])["features"][0]


@pytest.mark.parametrize("size", [1, 10, 2048, 2049, 5000, 100_001])
def test_a_sketch_stands_for_every_number(size: int) -> None:
    numbers = [float(number) for number in range(size)]
    kept = weighted(sketch(numbers))
    assert sum(weight for _, weight in kept) == size
    assert len(kept) <= 2 * 2048
    assert numeric_distance(kept, [(number, 1.0) for number in numbers], robust=False) <= 2 / 2048


def test_the_distance_of_numbers_is_the_largest_gap_between_their_shares() -> None:
    low, high = [(float(n), 1.0) for n in range(100)], [(float(n), 1.0) for n in range(50, 150)]
    assert numeric_distance(low, low, robust=False) == 0
    assert numeric_distance(low, high, robust=False) == pytest.approx(0.5)
    assert numeric_distance(low, [(1000.0, 5.0)], robust=False) == 1
    assert numeric_distance(low, high, robust=True) == pytest.approx(0.5 - 1.8 * (200 / 10_000) ** 0.5)


def test_equal_distributions_pass_the_robust_comparison_and_others_do_not() -> None:
    chance = random.Random(7)
    before = sorted(chance.gauss(10, 3) for _ in range(2000))
    same = sorted(chance.gauss(10, 3) for _ in range(300))
    other = sorted(chance.gauss(14, 3) for _ in range(300))

    def distance(now: list[float]) -> float:
        return numeric_distance(weighted(sketch(before)), [(number, 1.0) for number in now], robust=True)

    assert distance(same) < 0.05
    assert distance(other) > 0.2


def test_a_baseline_without_a_sketch_is_compared_by_its_buckets() -> None:
    numbers = [float(number) for number in range(1000)]
    only_buckets = {"buckets": sketch(numbers)["buckets"]}
    moved = [(number + 500, 1.0) for number in numbers]
    assert numeric_distance(weighted(only_buckets), moved, robust=False) == pytest.approx(0.5, abs=0.06)


def test_the_distance_of_texts_is_the_largest_difference_of_a_share() -> None:
    assert categorical_distance({"a": 5, "b": 5}, {"a": 9, "b": 1}, robust=False) == pytest.approx(0.4)
    assert categorical_distance({"a": 5}, {"b": 5}, robust=False) == 1


def test_the_same_data_violates_nothing() -> None:
    data = [column("delay", *range(100)), column("origin", *["JFK", "LGA"] * 50)]
    assert checks(data, baseline(*data)) == []


def test_each_check_finds_its_violation() -> None:
    held_against = baseline(
        column("delay", *range(100)), column("wind", *[0.5] * 100), column("origin", *["JFK", "LGA"] * 50)
    )
    assert checks([column("delay", *[1.5] * 100)], held_against)[0] == ("Missing columns", "missing_column_check")
    data = {
        "delay": column("delay", *[n / 2 for n in range(199)]),
        "wind": column("wind", *[0.5] * 90, *[None] * 10),
        "origin": column("origin", *["JFK"] * 50, *["EWR"] * 50),
    }
    assert checks(list(data.values()), held_against) == [
        ("delay", "data_type_check"),
        ("wind", "completeness_check"),
        ("origin", "baseline_drift_check"),
        ("origin", "categorical_values_check"),
    ]
    data["wind"] = column("wind", *[9.5] * 100)
    assert ("wind", "baseline_drift_check") in checks(list(data.values()), held_against)
    data["extra"] = column("extra", *range(100))
    assert ("Extra columns", "extra_column_check") in checks(list(data.values()), held_against)


def test_a_violation_is_told_in_awss_words() -> None:
    held_against = baseline(column("delay", *range(4)))
    found = violations_of([column("delay", 1, 2, 3, 4.5)], held_against)
    assert found[0]["description"] == (
        "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
        "Observed: Only 75.0% of data is Integral."
    )


def test_thresholds_of_one_feature_override_those_of_all() -> None:
    held_against = baseline(column("delay", *range(100)))
    moved = [column("delay", *range(60, 160))]
    assert checks(moved, held_against) == [("delay", "baseline_drift_check")]
    held_against.constraints["features"][0]["monitoring_config_overrides"] = {
        "distribution_constraints": {"comparison_threshold": 0.9}
    }
    assert checks(moved, held_against) == []
    held_against.constraints["monitoring_config"]["evaluate_constraints"] = "Disabled"
    assert checks([column("other", "x")], held_against) == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('{"a": 1, "b": {"c": null}, "d": [1, 2]}', [{"a": "1", "b.c": None, "d.0": "1", "d.1": "2"}]),
        ('[1.5, "x"]', [{"_c0": "1.5", "_c1": "x"}]),
        ("[[1, 2], [3, 4]]", [{"_c0": "1", "_c1": "2"}, {"_c0": "3", "_c1": "4"}]),
        ('{"instances": [{"a": 1}, {"a": 2}]}', [{"a": "1"}, {"a": "2"}]),
        ('{"a": 1}\n{"a": 2}\n', [{"a": "1"}, {"a": "2"}]),
        ("7", [{"_c0": "7"}]),
    ],
)
def test_json_holds_rows(text: str, rows: Any) -> None:
    assert read_json(text) == rows


def test_what_is_no_json_is_named() -> None:
    with pytest.raises(DatasetError, match="neither JSON nor JSON lines"):
        read_json("a,b")


def test_predictions_stand_before_what_they_were_made_for() -> None:
    assert joined(read_csv("9", header=False), read_csv("1,2", header=False)) == [{"_c0": "9", "_c1": "1", "_c2": "2"}]
    assert joined([], [{"a": "1"}]) == [{"a": "1"}]
    with pytest.raises(DatasetError, match="2 rows and 1 predictions"):
        joined([{"_c0": "1"}], [{"a": "1"}, {"a": "2"}])


def test_columns_are_named_by_their_place_and_left_out() -> None:
    dataset = Dataset(read_csv("1,2,,4\n5,6,7,8\n", header=False))
    kept = dataset.without("1, 3").named(["delay", "skipped", "wind"])
    assert [(one.name, list(one.values)) for one in kept.columns()] == [("delay", ["1", "5"]), ("wind", [None, "7"])]
    assert [one.name for one in dataset.without("0-2").columns()] == ["_c3"]


def analyze(folder: Path, **environment: str) -> tuple[int, str]:
    (folder / "ml").mkdir(exist_ok=True)
    settings = {"output_path": str(folder / "results"), "dataset_source": str(folder / "data.csv")} | environment
    code = main(Order(settings, folder / "ml"))
    return code, (folder / "ml" / "output" / ("failure" if code else "message")).read_text()


def test_a_baseline_is_suggested_for_a_dataset_and_later_data_held_against_it(tmp_path: Path) -> None:
    csv = {"dataset_format": '{"csv": {"header": true}}'}
    (tmp_path / "data.csv").write_text("delay,origin\n" + "".join(f"{n},JFK\n" for n in range(100)))
    assert analyze(tmp_path, **csv) == (0, "Completed: Job completed successfully with no violations.")
    found = tmp_path / "results"
    assert json.loads((found / "statistics.json").read_text())["dataset"]["item_count"] == 100
    again = csv | {f"baseline_{name}": str(found / f"{name}.json") for name in ("constraints", "statistics")}
    again |= {"output_path": str(tmp_path / "later"), "publish_cloudwatch_metrics": "Enabled"}
    (tmp_path / "data.csv").write_text("delay,origin\n" + "".join(f"{n},JFK\n" for n in range(200, 300)))
    assert analyze(tmp_path, **again) == (
        0,
        "CompletedWithViolations: Job completed successfully with 1 violations.",
    )
    [violation] = json.loads((tmp_path / "later" / "constraint_violations.json").read_text())["violations"]
    assert (violation["feature_name"], violation["constraint_check_type"]) == ("delay", "baseline_drift_check")
    lines = (tmp_path / "ml" / "output" / "metrics" / "cloudwatch").read_text().splitlines()
    metrics = {one["MetricName"]: one for one in map(json.loads, lines)}
    assert metrics["feature_data_delay"]["StatisticValues"] == {
        "SampleCount": 100,
        "Sum": 24950,
        "Minimum": 200,
        "Maximum": 299,
    }
    assert metrics["feature_baseline_drift_delay"]["Value"] > 0.7
    assert metrics["feature_non_null_origin"]["Value"] == 100


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"dataset_format": "csv"}, "dataset_format must say in JSON"),
        ({"dataset_format": '{"parquet": {}}'}, "reads csv, json and sagemakerCaptureJson, not parquet"),
        ({"dataset_format": '{"csv": {"header": true}}'}, "Job inputs had no data"),
        ({"dataset_format": '{"csv": {}}', "output_path": ""}, "output_path must name"),
        ({"dataset_format": '{"csv": {}}', "dataset_source": "/nowhere"}, "Job inputs had no data"),
    ],
)
def test_what_cannot_be_analyzed_fails_with_the_reason(tmp_path: Path, environment: Any, reason: str) -> None:
    (tmp_path / "data.csv").write_text("delay,origin\n")
    code, message = analyze(tmp_path, **environment)
    assert (code, reason in message) == (255, True), message
