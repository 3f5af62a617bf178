"""``statistics.json`` and ``constraints.json`` of a dataset, in the schema that AWS's analyzer writes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from festaf.local_aws.monitoring.columns import NUMERIC, Column
from festaf.local_aws.monitoring.distribution import categories, sketch

if TYPE_CHECKING:
    from collections.abc import Sequence

FEW_VALUES = 50
"""Up to how many different texts a column is taken for a choice among them."""


def statistics_of(columns: Sequence[Column], rows: int) -> dict[str, Any]:
    """Describe a dataset as it is."""
    return {
        "version": 0.0,
        "dataset": {"item_count": rows},
        "features": [_statistics(column) for column in columns],
    }


def constraints_of(columns: Sequence[Column]) -> dict[str, Any]:
    """Suggest what later datasets have to satisfy to be like this one."""
    return {
        "version": 0.0,
        "features": [_constraints(column) for column in columns],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": 0.1,
                "categorical_drift_method": "LInfinity",
            },
        },
    }


def _statistics(column: Column) -> dict[str, Any]:
    common = {"num_present": len(column.present), "num_missing": column.missing}
    named = {"name": column.name, "inferred_type": column.inferred_type}
    if column.inferred_type in NUMERIC:
        return {**named, "numerical_statistics": {"common": common, **_numbers(column.numbers)}}
    return {
        **named,
        "string_statistics": {
            "common": common,
            "distinct_count": float(len(column.counts)),
            "distribution": {"categorical": categories(column.counts)},
        },
    }


def _numbers(numbers: Sequence[float]) -> dict[str, Any]:
    total = math.fsum(numbers)
    mean = total / len(numbers)
    return {
        "mean": mean,
        "sum": total,
        "std_dev": math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / len(numbers)),
        "min": numbers[0],
        "max": numbers[-1],
        "distribution": {"kll": sketch(numbers)},
    }


def _constraints(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.name,
        "inferred_type": column.inferred_type,
        "completeness": column.completeness,
    }
    if column.inferred_type in NUMERIC:
        found["num_constraints"] = {"is_non_negative": column.numbers[0] >= 0}
    elif column.counts and len(column.counts) <= min(FEW_VALUES, len(column.present) / 2):
        found["string_constraints"] = {"domains": sorted(column.counts)}
    return found
