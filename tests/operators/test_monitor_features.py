"""MonitorFeaturesOperator tells drift from steadiness, and acts as its author chose."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from festaf.contract.training_set import TrainingSetManifest
from festaf.operators.feature_set import IngestFeaturesOperator
from festaf.operators.monitor import MonitorFeaturesOperator
from festaf.provider.assets import artifact_asset
from festaf.provider.errors import DriftError, InputError, ServiceError
from festaf.provider.hooks.athena import AthenaQuery
from tests.feature_store import BUCKET, create, parquet
from tests.provider.monitoring.rows import glue_table, table
from tests.provider.monitoring.rows import parquet as write

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

DAY = datetime(2013, 1, 3, tzinfo=UTC)
DRIFT = "x-festaf-monitor://default/planes"
REPORT = f"{DRIFT}/report"


def fill(run: Run, path: Path, *, moved: float = 0.0) -> None:
    """Write 300 rows of two days, and 150 of the day after."""
    past = [(DAY - timedelta(minutes=9 * number + 1)).strftime("%Y-%m-%dT%H:%M:%SZ") for number in range(300)]
    new = [(DAY + timedelta(minutes=9 * number)).strftime("%Y-%m-%dT%H:%M:%SZ") for number in range(150)]
    delays = [float(number % 50) for number in range(300)] + [number % 50 + moved for number in range(150)]
    seats = [number % 4 for number in range(450)]
    source = parquet(path / "rows.parquet", 450, seen=past + new, delay=delays, seats=seats)
    ingest = IngestFeaturesOperator(
        task_id="ingest",
        feature_set="planes",
        source=source,
        work_dir=str(path / "work"),
        target_stores=["OfflineStore"],
    )
    ingest.execute(run.context)


@pytest.fixture
def steady(hook: FeatureStoreHook, run: Run, tmp_path: Path) -> FeatureStoreHook:
    create(hook, offline=True)
    fill(run, tmp_path)
    return hook


@pytest.fixture
def drifting(hook: FeatureStoreHook, run: Run, tmp_path: Path) -> FeatureStoreHook:
    create(hook, offline=True)
    fill(run, tmp_path, moved=30.0)
    return hook


def monitor(**more: Any) -> MonitorFeaturesOperator:
    asked: dict[str, Any] = {
        "feature_set": "planes",
        "until": (DAY + timedelta(days=1)).isoformat(),
        "baseline": timedelta(days=2),
    }
    return MonitorFeaturesOperator(task_id="monitor", **(asked | more))


def result(report: dict[str, Any], feature: str) -> dict[str, Any]:
    return next(item for item in report["features"] if item["feature"] == feature)


def test_a_steady_feature_set_is_steady_and_wakes_no_one(steady: FeatureStoreHook, run: Run) -> None:
    report = monitor().execute(run.context)
    assert (report["verdict"], report["violations"]) == ("steady", [])
    assert (report["rows"], report["baseline_rows"]) == (150, 300)
    assert [item["feature"] for item in report["features"]] == ["seats", "delay"]
    delay = result(report, "delay")
    assert (delay["psi"], delay["ks"], delay["ks_error"]) == (pytest.approx(0, abs=1e-9), pytest.approx(0), 0)
    assert run.facts()[REPORT] == report
    assert DRIFT not in run.facts()


def test_drift_is_told_to_the_dag_that_waits_for_it(drifting: FeatureStoreHook, run: Run) -> None:
    report = monitor().execute(run.context)
    assert report["verdict"] == "drifted"
    delay = result(report, "delay")
    assert (delay["ks"], delay["out_of_range_share"]) == (pytest.approx(0.6), pytest.approx(0.6))
    assert {item["check"] for item in delay["violations"]} == {"psi", "ks", "out_of_range"}
    assert result(report, "seats")["violations"] == []
    assert run.facts()[DRIFT] == run.facts()[REPORT] == report


def test_drift_fails_the_task_when_its_author_wants_that(drifting: FeatureStoreHook, run: Run) -> None:
    with pytest.raises(DriftError, match=r"(?s)planes found drift:.*delay: Kolmogorov-Smirnov distance is 0.6"):
        monitor(on_drift="fail").execute(run.context)
    assert DRIFT not in run.facts()


def test_drift_skips_what_comes_after(drifting: FeatureStoreHook, run: Run) -> None:
    with pytest.raises(AirflowSkipException, match="planes drifted"):
        monitor(on_drift="skip").execute(run.context)


def test_drift_may_have_no_consequence(drifting: FeatureStoreHook, run: Run) -> None:
    assert monitor(on_drift="report").execute(run.context)["verdict"] == "drifted"
    assert DRIFT not in run.facts()


def test_thresholds_decide_what_drift_is(drifting: FeatureStoreHook, run: Run) -> None:
    loose = {"psi": None, "ks": 0.7, "out_of_range": 0.9}
    assert monitor(feature_thresholds={"delay": loose}).execute(run.context)["verdict"] == "steady"
    assert monitor(thresholds=loose).execute(run.context)["verdict"] == "steady"
    strict = monitor(thresholds=loose, feature_thresholds={"delay": {"ks": 0.5}}).execute(run.context)
    assert [item["check"] for item in strict["violations"]] == ["ks"]


def test_too_few_and_too_old_rows_are_told(steady: FeatureStoreHook, run: Run) -> None:
    report = monitor(min_rows=200, max_age=timedelta(minutes=30)).execute(run.context)
    assert [item["check"] for item in report["violations"]] == ["rows", "age"]
    assert report["violations"][0]["message"] == "the window has 150 rows, fewer than 200"
    assert report["violations"][1]["value"] == 99 * 60


def test_a_few_rows_are_not_judged_by_chance(drifting: FeatureStoreHook, run: Run) -> None:
    report = monitor(window={"rows": 20}, thresholds={"out_of_range": None}).execute(run.context)
    assert (report["rows"], report["verdict"]) == (20, "too_few_rows")
    assert result(report, "delay")["ks"] > 0.1


def test_the_window_may_end_with_the_newest_row(steady: FeatureStoreHook, run: Run) -> None:
    report = monitor(until="newest", window={"hours": 9}).execute(run.context)
    assert report["rows"] == 60
    assert report["last_event_time"] == "2013-01-03T22:21:00Z"


def test_the_window_ends_with_the_data_interval_of_the_run(steady: FeatureStoreHook, run: Run) -> None:
    run.context["data_interval_end"] = DAY + timedelta(hours=12)
    assert monitor(until=None, window=timedelta(hours=12)).execute(run.context)["rows"] == 80


def test_a_baseline_is_made_once_and_kept(drifting: FeatureStoreHook, run: Run, aws: LocalAws) -> None:
    uri = f"s3://{BUCKET}/baselines/planes.json"
    first = monitor(baseline_uri=uri).execute(run.context)
    kept = aws.client("s3").get_object(Bucket=BUCKET, Key="baselines/planes.json")["Body"].read()
    again = monitor(baseline_uri=uri, baseline=None, until=DAY.isoformat()).execute(run.context)
    assert (first["baseline"], first["baseline_rows"]) == (uri, 300)
    assert again["baseline_sha256"] == first["baseline_sha256"] == json.loads(kept)["sha256"]
    assert aws.client("s3").get_object(Bucket=BUCKET, Key="baselines/planes.json")["Body"].read() == kept
    assert again["verdict"] == "steady"


def test_a_baseline_that_someone_changed_is_refused(steady: FeatureStoreHook, run: Run, tmp_path: Path) -> None:
    uri = str(tmp_path / "kept" / "baseline.json")
    monitor(baseline_uri=uri).execute(run.context)
    Path(uri).write_text(Path(uri).read_text().replace('"rows": 300', '"rows": 301'))
    with pytest.raises(InputError, match="was changed after it was made"):
        monitor(baseline=uri).execute(run.context)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"baseline": None}, "needs a baseline"),
    ({"baseline": "s3://lake/none.json"}, "There is no baseline s3://lake/none.json"),
    ({"baseline": timedelta(seconds=1)}, "The baseline has no rows"),
    ({"feature_set": None}, "needs either feature_set or source"),
    ({"feature_set": None, "source": "glue://a/b"}, "needs monitor"),
    ({"feature_set": "trains"}, "There is no feature set trains"),
    ({"on_drift": "shout"}, "on_drift is 'shout'"),
    ({"thresholds": {"gini": 1}}, "thresholds has 'gini'"),
    ({"thresholds": {"psi": -1}}, "psi is -1"),
    ({"until": "yesterday"}, "until is 'yesterday'"),
    ({"until": "2013-01-04T00:00:00"}, "no zone"),
    ({"features": ["wing"]}, "no feature 'wing'"),
    ({"outlets": [artifact_asset("monitor", "planes")]}, "not on drift"),
]


def test_what_cannot_be_done_is_said(hook: FeatureStoreHook, run: Run) -> None:
    create(hook, offline=True)
    for asked, reason in MISTAKES:
        with pytest.raises(InputError, match=reason):
            monitor(**asked).execute(run.context)


def test_a_feature_set_without_a_past_cannot_be_watched(hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    with pytest.raises(InputError, match="has no offline store"):
        monitor().execute(run.context)


def test_a_table_is_watched_against_files(aws: LocalAws, run: Run, tmp_path: Path) -> None:
    write(tmp_path / "past" / "part.parquet", table(1000))
    base = MonitorFeaturesOperator(
        task_id="past",
        source=str(tmp_path / "past"),
        monitor="past",
        window=None,
        event_time="at",
        until="2013-01-02T00:00:00Z",
        baseline_uri=str(tmp_path / "baseline.json"),
        baseline=str(tmp_path / "baseline.json"),
    )
    with pytest.raises(InputError, match="There is no baseline"):
        base.execute(run.context)
    uri = glue_table(aws, "flights", table(500, seed=2, shift=1.0))
    first = {"task_id": "flights", "monitor": "flights", "event_time": "at", "until": "newest", "window": None}
    kept = str(tmp_path / "kept.json")
    MonitorFeaturesOperator(
        **first | {"window": {"rows": 100}}, source=str(tmp_path / "past"), baseline={"rows": 900}, baseline_uri=kept
    ).execute(run.context)
    report = MonitorFeaturesOperator(**first, source=uri, baseline=kept).execute(run.context)
    assert result(report, "wind")["psi"] > 0.5
    assert result(report, "tail")["new_category_share"] is None
    assert result(report, "origin")["chi_square"] == pytest.approx(0, abs=0.001)
    assert report["not_monitored"] == {"vector": "is array<double>"}


def test_a_training_set_is_a_baseline_by_its_manifest(steady: FeatureStoreHook, run: Run, aws: LocalAws) -> None:
    """The columns of the training set have names of their own; those of other feature sets do not count."""
    s3 = aws.client("s3")
    rows = pa.table(
        {
            "label": pa.array([0, 1] * 150),
            "planes_delay": pa.array([float(number % 50) - 30 for number in range(300)]),
            "weather_delay": pa.array([1e6] * 300),
        }
    )
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    s3.put_object(Bucket=BUCKET, Key="sets/delays/data/part.parquet", Body=sink.getvalue())
    columns = [
        {"name": "label", "type": "bigint", "role": "label"},
        {"name": "planes_delay", "type": "double", "role": "feature", "feature_set": "planes", "feature": "delay"},
        {"name": "weather_delay", "type": "double", "role": "feature", "feature_set": "weather", "feature": "delay"},
    ]
    manifest = TrainingSetManifest.model_validate(
        {
            "training_set": "delays",
            "build": "abc",
            "specification": "a" * 64,
            "snapshot": DAY,
            "created_at": DAY,
            "uri": f"s3://{BUCKET}/sets/delays/data/",
            "files": [],
            "statements": [],
            "entities": {"kind": "table", "text": "nyc.flights"},
            "columns": columns,
            "feature_sets": [],
            "rows_entities": 300,
            "rows": 300,
        }
    )
    s3.put_object(Bucket=BUCKET, Key="sets/delays/manifest.json", Body=manifest.model_dump_json())
    uri = f"s3://{BUCKET}/sets/delays/manifest.json"
    report = monitor(baseline=uri).execute(run.context)
    assert (report["baseline"], report["baseline_rows"]) == (uri, 300)
    assert result(report, "delay")["ks"] == pytest.approx(0.6)
    seats = result(report, "seats")
    assert (seats["ks"], seats["violations"]) == (None, [])


def test_the_report_is_written_for_programs_and_people(drifting: FeatureStoreHook, run: Run, aws: LocalAws) -> None:
    report = monitor(report_uri=f"s3://{BUCKET}/monitors/").execute(run.context)
    assert report["report_json"] == f"s3://{BUCKET}/monitors/planes/20130104T000000Z.json"
    s3 = aws.client("s3")
    document = json.loads(s3.get_object(Bucket=BUCKET, Key="monitors/planes/20130104T000000Z.json")["Body"].read())
    assert document["report"] == report
    assert document["window"]["columns"][1]["name"] == "delay"
    page = s3.get_object(Bucket=BUCKET, Key="monitors/planes/latest.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    text = page["Body"].read().decode()
    assert "Kolmogorov-Smirnov distance is 0.6" in text
    assert "http" not in text.replace("http-equiv", "")
    again = monitor(report_uri=f"s3://{BUCKET}/monitors/").execute(run.context)
    assert again["report_json"] == report["report_json"]


def test_deleted_records_do_not_count(steady: FeatureStoreHook, run: Run) -> None:
    steady.delete_record("planes", "N1", "2013-01-03T12:00:00Z")
    assert monitor().execute(run.context)["rows"] == 150


@pytest.mark.parametrize("kind", ["throttle", "error"])
def test_athena_in_trouble_is_borne(steady: FeatureStoreHook, run: Run, aws: LocalAws, kind: str) -> None:
    aws.fault(operation="StartQueryExecution|GetQueryExecution|GetQueryResults", kind=kind, count=2)
    assert monitor().execute(run.context)["verdict"] == "steady"


def test_athena_that_stays_in_trouble_may_be_retried(steady: FeatureStoreHook, run: Run, aws: LocalAws) -> None:
    aws.fault(operation="GetQueryExecution", kind="throttle", count=100)
    with pytest.raises(ServiceError, match="ThrottlingException"):
        monitor().execute(run.context)


def test_killing_the_task_stops_its_query(steady: FeatureStoreHook, aws: LocalAws) -> None:
    task = monitor()
    task.on_kill()
    task.athena.start(AthenaQuery("SELECT 1", output=f"s3://{BUCKET}/results"))
    task.on_kill()
    assert aws.stats()["StopQueryExecution"] == 1
