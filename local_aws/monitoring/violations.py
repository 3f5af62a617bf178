"""``constraint_violations.json``: where a dataset breaks the constraints of its baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.monitoring.distribution import Weighted, categorical_distance, numeric_distance, weighted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.local_aws.monitoring.columns import Column

Violation = dict[str, str]
Config = Mapping[str, Any]


@dataclass(frozen=True)
class Baseline:
    """What a dataset is held against; both as they stand in AWS's files."""

    constraints: Mapping[str, Any]
    statistics: Mapping[str, Any]

    def features(self) -> dict[str, Mapping[str, Any]]:
        """Give the constraints by feature."""
        return {one["name"]: one for one in self.constraints.get("features", ())}

    def distribution(self, name: str) -> Mapping[str, Any]:
        """Give a feature's statistics; empty when there are none."""
        return next((one for one in self.statistics.get("features", ()) if one["name"] == name), {})

    def config(self, name: str | None = None) -> Config:
        """Give the configuration, with what a feature overrides."""
        config = dict(self.constraints.get("monitoring_config", {}))
        own = self.features().get(name, {}) if name else {}
        overrides = own.get("monitoring_config_overrides") or own.get("monitoringConfigOverrides") or {}
        distribution = {**config.get("distribution_constraints", {}), **overrides.get("distribution_constraints", {})}
        return {**config, **overrides, "distribution_constraints": distribution}


def drift_of(column: Column, baseline: Baseline) -> float | None:
    """Give how far a column is from its baseline; None when the baseline says nothing of its distribution."""
    known = baseline.distribution(column.name)
    settings = baseline.config(column.name)["distribution_constraints"]
    robust = settings.get("comparison_method", "Robust") == "Robust"
    if kll := known.get("numerical_statistics", {}).get("distribution", {}).get("kll"):
        current: Weighted = [(number, 1.0) for number in column.numbers]
        return numeric_distance(weighted(kll), current, robust=robust) if current else None
    buckets = known.get("string_statistics", {}).get("distribution", {}).get("categorical", {}).get("buckets")
    if buckets and column.counts:
        before = {one["value"]: float(one["count"]) for one in buckets}
        now = {value: float(count) for value, count in column.counts.items()}
        return categorical_distance(before, now, robust=robust)
    return None


def violations_of(columns: Sequence[Column], baseline: Baseline) -> list[Violation]:
    """Give every violation of a dataset."""
    if baseline.config().get("evaluate_constraints", "Enabled") != "Enabled":
        return []
    features = baseline.features()
    found = list(_of_columns([column.name for column in columns], list(features)))
    for column in columns:
        if (feature := features.get(column.name)) is not None:
            for name, check in _CHECKS.items():
                if (description := check(column, feature, baseline)) is not None:
                    found.append(_violation(column.name, name, description))
    return found


def _of_columns(current: Sequence[str], expected: Sequence[str]) -> Iterator[Violation]:
    counts = (
        f"Number of columns in current dataset: {len(current)}, "
        f"Number of columns in baseline constraints: {len(expected)}"
    )
    if set(expected) - set(current):
        names = ", ".join(name for name in expected if name not in current)
        text = f"There are missing columns in current dataset. {counts}. Missing: {names}"
        yield _violation("Missing columns", "missing_column_check", text)
    if set(current) - set(expected):
        names = ", ".join(name for name in current if name not in expected)
        text = f"There are extra columns in current dataset. {counts}. Extra: {names}"
        yield _violation("Extra columns", "extra_column_check", text)


def _data_type(column: Column, feature: Mapping[str, Any], baseline: Baseline) -> str | None:
    expected = feature.get("inferred_type", "Unknown")
    threshold = float(baseline.config(column.name).get("datatype_check_threshold", 1.0))
    match = column.match(expected)
    if match >= threshold:
        return None
    return (
        f"Data type match requirement is not met. Expected data type: {expected}, Expected match: {threshold * 100}%. "
        f"Observed: Only {match * 100}% of data is {expected}."
    )


def _completeness(column: Column, feature: Mapping[str, Any], baseline: Baseline) -> str | None:
    expected = float(feature.get("completeness", 0.0))
    if column.completeness >= expected:
        return None
    return (
        f"Data completeness requirement is not met. Expected completeness: {expected * 100}%. "
        f"Observed: Only {column.completeness * 100}% of data is present."
    )


def _drift(column: Column, feature: Mapping[str, Any], baseline: Baseline) -> str | None:
    settings = baseline.config(column.name)["distribution_constraints"]
    distance = drift_of(column, baseline)
    if settings.get("perform_comparison", "Enabled") != "Enabled" or distance is None:
        return None
    is_text = "string_statistics" in baseline.distribution(column.name)
    key = "categorical_comparison_threshold" if is_text else "comparison_threshold"
    threshold = float(settings.get(key, settings.get("comparison_threshold", 0.1)))
    return f"Baseline drift distance: {distance} exceeds threshold: {threshold}" if distance > threshold else None


def _categories(column: Column, feature: Mapping[str, Any], baseline: Baseline) -> str | None:
    domains = (feature.get("string_constraints") or {}).get("domains")
    if not domains or not column.present:
        return None
    threshold = float(baseline.config(column.name).get("domain_content_threshold", 1.0))
    unknown = [value for value in column.counts if value not in domains]
    share = 1 - sum(column.counts[value] for value in unknown) / len(column.present)
    if share >= threshold:
        return None
    return (
        f"Domain content requirement is not met. Expected match: {threshold * 100}%. "
        f"Observed: Only {share * 100}% of data is in the domain. Unknown values: {', '.join(sorted(unknown)[:10])}"
    )


_CHECKS: dict[str, Callable[[Column, Mapping[str, Any], Baseline], str | None]] = {
    "data_type_check": _data_type,
    "completeness_check": _completeness,
    "baseline_drift_check": _drift,
    "categorical_values_check": _categories,
}


def _violation(feature: str, check: str, description: str) -> Violation:
    return {"feature_name": feature, "constraint_check_type": check, "description": description}
