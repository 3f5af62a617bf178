"""The program that stands in for AWS's image ``sagemaker-model-monitor-analyzer``; a processing job runs it.

Like the image it is told by its environment what to do, reads below ``/opt/ml/processing`` and leaves three files in
``output_path``, metrics for CloudWatch and a message that says how it ended. With ``dataset_format`` of an endpoint's
captured data it holds a time's inferences against a baseline; with that of a dataset it also suggests a baseline.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from festaf.local_aws.monitoring.captured import captured_rows
from festaf.local_aws.monitoring.columns import NUMERIC
from festaf.local_aws.monitoring.dataset import Dataset, DatasetError, Row, read_csv, read_json
from festaf.local_aws.monitoring.statistics import constraints_of, statistics_of
from festaf.local_aws.monitoring.violations import Baseline, drift_of, violations_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.local_aws.monitoring.columns import Column

ROOT = Path("/opt/ml")
NO_DATA = "Job inputs had no data"


@dataclass(frozen=True)
class Order:
    """What the environment asks for."""

    environment: Mapping[str, str]
    root: Path = ROOT

    def path(self, name: str) -> Path | None:
        """Give the path that a variable names; None when it is not there."""
        value = self.environment.get(name)
        return Path(urlsplit(value).path if value.startswith("file:") else value) if value else None

    def moment(self, name: str, otherwise: datetime) -> datetime:
        """Give the time that a variable names."""
        value = self.environment.get(name)
        return datetime.fromisoformat(value) if value else otherwise

    @property
    def format(self) -> dict[str, Any]:
        """Give how the data is written, such as ``{"csv": {"header": true}}``."""
        try:
            found: dict[str, Any] = json.loads(self.environment.get("dataset_format", ""))
        except ValueError:
            raise DatasetError("The variable dataset_format must say in JSON how the data is written.") from None
        return found


def main(order: Order) -> int:
    """Analyze, write what was found, and give the exit code."""
    output = order.root / "output"
    output.mkdir(parents=True, exist_ok=True)
    try:
        message = _analyze(order, output)
    except (DatasetError, OSError, ValueError, KeyError) as problem:
        text = str(problem) if isinstance(problem, DatasetError) else f"{type(problem).__name__}: {problem}"
        (output / "failure").write_text(text)
        sys.stderr.write(f"{text}\n")
        return 255
    (output / "message").write_text(message)
    sys.stdout.write(f"{message}\n")
    return 0


def _analyze(order: Order, output: Path) -> str:
    baseline = _baseline(order)
    dataset = _dataset(order).without(order.environment.get("exclude_features_attribute", ""))
    if not dataset.rows:
        raise DatasetError(NO_DATA)
    if baseline is not None:
        dataset = dataset.named(list(baseline.features()))
    columns = dataset.columns()
    results = order.path("output_path")
    if results is None:
        raise DatasetError("The variable output_path must name the folder of the results.")
    results.mkdir(parents=True, exist_ok=True)
    violations = [] if baseline is None else violations_of(columns, baseline)
    _write(results / "statistics.json", statistics_of(columns, len(dataset.rows)))
    _write(results / "constraints.json", constraints_of(columns))
    _write(results / "constraint_violations.json", {"violations": violations})
    if order.environment.get("publish_cloudwatch_metrics") == "Enabled":
        _write_metrics(order, output, columns, baseline)
    if violations:
        return f"CompletedWithViolations: Job completed successfully with {len(violations)} violations."
    return "Completed: Job completed successfully with no violations."


def _baseline(order: Order) -> Baseline | None:
    constraints, statistics = order.path("baseline_constraints"), order.path("baseline_statistics")
    if constraints is None:
        return None
    found = Baseline(_read(constraints), _read(statistics) if statistics else {})
    method = found.config()["distribution_constraints"].get("categorical_drift_method", "LInfinity")
    if method != "LInfinity":
        raise DatasetError(f"The local AWS's analyzer compares texts by LInfinity, not by {method}.")
    return found


def _dataset(order: Order) -> Dataset:
    source = order.path("dataset_source")
    if source is None:
        raise DatasetError("The variable dataset_source must name the folder of the data.")
    kind, options = next(iter(order.format.items()), ("", {}))
    if kind == "sagemakerCaptureJson":
        start = order.moment("start_time", datetime.min.replace(tzinfo=UTC))
        return Dataset(captured_rows(source, start, order.moment("end_time", datetime.max.replace(tzinfo=UTC))))
    rows: list[Row] = []
    for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
        if path.is_file():
            rows += _rows(path.read_text(), kind, options)
    return Dataset(rows)


def _rows(text: str, kind: str, options: Mapping[str, Any]) -> list[Row]:
    if kind == "csv":
        return read_csv(text, header=bool(options.get("header")))
    if kind == "json":
        return read_json(text)
    raise DatasetError(f"The local AWS's analyzer reads csv, json and sagemakerCaptureJson, not {kind or 'nothing'}.")


def _write_metrics(order: Order, output: Path, columns: Sequence[Column], baseline: Baseline | None) -> None:
    if baseline is not None and baseline.config().get("emit_metrics", "Enabled") != "Enabled":
        return
    dimensions = [
        {"Name": name, "Value": order.environment[variable]}
        for name, variable in (
            ("Endpoint", "sagemaker_endpoint_name"),
            ("MonitoringSchedule", "sagemaker_monitoring_schedule_name"),
        )
        if variable in order.environment
    ]
    moment = order.environment.get("end_time") or datetime.now(UTC).isoformat()
    lines = [
        json.dumps({"MetricName": name, "Timestamp": moment, "Dimensions": dimensions, "Unit": "None", **value})
        for column in columns
        for name, value in _metrics(column, baseline)
    ]
    folder = output / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cloudwatch").write_text("\n".join(lines))


def _metrics(column: Column, baseline: Baseline | None) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = [
        (f"feature_non_null_{column.name}", {"Value": float(len(column.present))})
    ]
    if column.inferred_type in NUMERIC:
        numbers = column.numbers
        summed = {
            "SampleCount": float(len(numbers)),
            "Sum": sum(numbers),
            "Minimum": numbers[0],
            "Maximum": numbers[-1],
        }
        found.append((f"feature_data_{column.name}", {"StatisticValues": summed}))
    drift = drift_of(column, baseline) if baseline is not None else None
    if drift is not None:
        found.append((f"feature_baseline_drift_{column.name}", {"Value": drift}))
    return found


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON file; of a folder, the one that is in it."""
    file = next(iter(sorted(path.rglob("*.json"))), path) if path.is_dir() else path
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    sys.exit(main(Order(os.environ, Path(os.environ.get("FESTAF_ANALYZER_ROOT", ROOT)))))
