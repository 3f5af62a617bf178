"""Hold a window's statistics against a baseline's, and both against thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.contract.monitor import FeatureResult, Violation
from festaf.provider.monitoring import distance
from festaf.provider.monitoring.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from festaf.contract.monitor import Check, ColumnStatistics, Statistics, Verdict

NAMED = 20
"""How many new categories a report names."""
ENOUGH = 100
"""Values from which on a distribution is judged: with fewer, chance alone passes the usual thresholds."""
_WORDS = {
    "psi": "population stability index is",
    "ks": "Kolmogorov-Smirnov distance is",
    "chi_square": "chi-square distance of the categories is",
    "missing_increase": "share of missing values grew by",
    "missing_share": "share of missing values is",
    "out_of_range": "share of values outside the baseline's range is",
    "new_categories": "share of rows in new categories is",
}
_DISTRIBUTION = frozenset({"psi", "ks", "chi_square"})


@dataclass(frozen=True)
class Rules:
    """What a monitor holds its measurements against."""

    default: Thresholds = field(default_factory=Thresholds)
    features: Mapping[str, Thresholds] = field(default_factory=dict)
    min_rows: int | None = None
    max_age: float | None = None
    """Seconds."""
    enough: int = ENOUGH


def compare(base: Statistics | None, now: Statistics, rules: Rules) -> tuple[FeatureResult, ...]:
    """Compare column by column; one that the baseline has not is held against what needs no baseline."""
    return tuple(
        _compare(
            base.column(column.name) if base else None, column, rules.features.get(column.name, rules.default), rules
        )
        for column in now.columns
    )


def judge(
    results: tuple[FeatureResult, ...], now: Statistics, moment: datetime, rules: Rules
) -> tuple[Verdict, tuple[Violation, ...]]:
    """Add up to a verdict, with every violation, those of the whole dataset first.

    :param moment: what the age of the newest event time is reckoned from
    """
    violations = (*_whole(now, moment, rules), *(item for result in results for item in result.violations))
    if violations:
        return "drifted", violations
    return ("too_few_rows" if now.rows < rules.enough else "steady"), ()


def _whole(now: Statistics, moment: datetime, rules: Rules) -> Iterator[Violation]:
    if rules.min_rows is not None and now.rows < rules.min_rows:
        yield Violation(
            check="rows",
            value=now.rows,
            threshold=rules.min_rows,
            message=f"the window has {now.rows:,} rows, fewer than {rules.min_rows:,}",
        )
    if rules.max_age is None:
        return
    if now.last_event_time is None:
        message = "the window has no event time, so nothing is fresh"
        yield Violation(check="age", value=-1, threshold=rules.max_age, message=message)
        return
    age = (moment - now.last_event_time).total_seconds()
    if age > rules.max_age:
        message = (
            f"the newest event time {now.last_event_time:%Y-%m-%d %H:%M:%S} UTC is {age:,.0f} s old, "
            f"more than {rules.max_age:,.0f} s"
        )
        yield Violation(check="age", value=age, threshold=rules.max_age, message=message)


def _compare(
    base: ColumnStatistics | None, now: ColumnStatistics, thresholds: Thresholds, rules: Rules
) -> FeatureResult:
    if base is not None and base.kind != now.kind:
        base = None
    measured = _numeric(base, now) if now.kind == "numeric" else _category(base, now)
    before = base.missing_share if base else 0.0
    result = FeatureResult(
        feature=now.name,
        kind=now.kind,
        missing_share=now.missing_share,
        baseline_missing_share=before,
        **measured,
    )
    return result.model_copy(update={"violations": tuple(_violations(result, base, now, thresholds, rules))})


def _numeric(base: ColumnStatistics | None, now: ColumnStatistics) -> dict[str, float | None]:
    if base is None or base.histogram is None or now.histogram is None:
        return {}
    found = distance.ks(base.histogram, now.histogram)
    outside = None
    if base.minimum is not None and base.maximum is not None:
        outside = distance.out_of_range(base.histogram, now.histogram, base.minimum, base.maximum)
    return {
        "psi": distance.psi(base.histogram, now.histogram),
        "ks": found[0] if found else None,
        "ks_error": found[1] if found else None,
        "out_of_range_share": outside,
    }


def _category(base: ColumnStatistics | None, now: ColumnStatistics) -> dict[str, float | tuple[str, ...] | None]:
    if base is None or base.frequencies is None or now.frequencies is None:
        return {}
    new = distance.new_categories(base.frequencies, now.frequencies) if base.present else None
    return {
        "psi": distance.category_psi(base.frequencies, now.frequencies),
        "chi_square": distance.chi_square(base.frequencies, now.frequencies),
        "new_category_share": new[0] if new else None,
        "new_categories": new[1][:NAMED] if new else (),
    }


def _violations(
    result: FeatureResult,
    base: ColumnStatistics | None,
    now: ColumnStatistics,
    thresholds: Thresholds,
    rules: Rules,
) -> Iterator[Violation]:
    if now.present + now.missing == 0:
        return
    values: dict[Check, float | None] = {
        "psi": result.psi,
        "ks": result.ks,
        "chi_square": result.chi_square,
        "missing_increase": result.missing_share - result.baseline_missing_share if base else None,
        "missing_share": result.missing_share,
        "out_of_range": result.out_of_range_share,
        "new_categories": result.new_category_share,
    }
    few = min(now.present, base.present if base else 0) < rules.enough
    limits = thresholds.as_dict()
    for check, value in values.items():
        threshold = limits[check]
        if threshold is None or value is None or value <= threshold or (few and check in _DISTRIBUTION):
            continue
        message = f"{result.feature}: {_WORDS[check]} {value:.4g}, more than {threshold:g}"
        if check == "new_categories":
            message += f" ({', '.join(map(repr, result.new_categories[:5]))})"
        yield Violation(check=check, feature=result.feature, value=value, threshold=threshold, message=message)
