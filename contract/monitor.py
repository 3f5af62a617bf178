"""What a monitor measured of a dataset's features, and what it found against a baseline.

Statistics are kept as JSON and read again months later, so they carry a format and the hash of their content. A report
travels in the ``extra`` of an Airflow asset event, so it holds results, never histograms.
"""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from festaf.contract.model import Model, Moment, Sha256
from festaf.contract.names import DEFAULT_PROJECT, sha256_of

MONITOR_FACET = "festaf_monitor"
"""The output dataset facet that carries a MonitorReport under the key ``report``."""

ColumnKind = Literal["numeric", "category"]
Check = Literal[
    "psi",
    "ks",
    "chi_square",
    "missing_increase",
    "missing_share",
    "out_of_range",
    "new_categories",
    "rows",
    "age",
    "data_type_check",
    "completeness_check",
    "baseline_drift_check",
    "missing_column_check",
    "extra_column_check",
    "categorical_values_check",
    "other",
]
"""Those that end in ``_check`` are SageMaker Model Monitor's."""
Verdict = Literal["steady", "drifted", "too_few_rows", "not_measured"]


class Histogram(Model):
    """How many values lie between the points: below the first, from each point to before the next, from the last on."""

    points: tuple[float, ...]
    counts: tuple[NonNegativeInt, ...]
    """One more than there are points."""


class Frequencies(Model):
    """How often the most frequent categories stand."""

    counts: dict[str, NonNegativeInt]
    others: NonNegativeInt = 0
    """Rows with a category that is not listed."""
    distinct: NonNegativeInt
    """How many categories there are; when more than are listed, an estimate."""


class ColumnStatistics(Model):
    """One column in one window."""

    name: str
    kind: ColumnKind
    present: NonNegativeInt
    """Rows with a value; not a number counts as none."""
    missing: NonNegativeInt
    infinite: NonNegativeInt = 0
    """Those of the present that are infinite."""
    minimum: float | None = None
    """Of the finite values, as are maximum, mean and deviation."""
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    """Of the whole window, not of a sample."""
    histogram: Histogram | None = None
    frequencies: Frequencies | None = None

    @property
    def missing_share(self) -> float:
        """Give the share of rows without a value; 0 when there are no rows."""
        rows = self.present + self.missing
        return self.missing / rows if rows else 0.0


class Statistics(Model):
    """Everything that a monitor keeps of a dataset in one window."""

    kind: Literal["statistics"] = "statistics"
    format: Literal[1] = 1
    source: str
    """URI of the rows."""
    window: str
    """The window in words."""
    rows: NonNegativeInt
    first_event_time: Moment | None = None
    last_event_time: Moment | None = None
    measured_at: Moment
    columns: tuple[ColumnStatistics, ...]

    @property
    def sha256(self) -> Sha256:
        """Hash the content."""
        return sha256_of(json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")))

    def column(self, name: str) -> ColumnStatistics | None:
        """Give a column by name; None when there is none."""
        return next((column for column in self.columns if column.name == name), None)


class KeptStatistics(Model):
    """Statistics as they are kept, with the hash that tells whether anyone changed them."""

    sha256: Sha256
    statistics: Statistics


class Violation(Model):
    """One check that failed."""

    check: Check
    feature: str | None = None
    """None when it is about the dataset."""
    value: float | None = None
    """None where SageMaker tells it only in words."""
    threshold: float | None = None
    message: str


class FeatureResult(Model):
    """One feature against its baseline; what is None could not be reckoned or does not fit the kind."""

    feature: str
    kind: ColumnKind
    psi: NonNegativeFloat | None = None
    """Population stability index."""
    ks: NonNegativeFloat | None = None
    """Kolmogorov-Smirnov distance of the two distributions, at the baseline's points."""
    ks_error: NonNegativeFloat | None = None
    """How much larger the distance between the points may be at most."""
    chi_square: NonNegativeFloat | None = None
    """Half the symmetric chi-square distance of the categories' shares: 0 equal, 1 nothing in common."""
    missing_share: NonNegativeFloat
    baseline_missing_share: NonNegativeFloat
    out_of_range_share: NonNegativeFloat | None = None
    """Share of values below the baseline's least or above its greatest."""
    new_category_share: NonNegativeFloat | None = None
    """None too when the baseline lists not all of its categories."""
    new_categories: tuple[str, ...] = ()
    """The most frequent of them."""
    violations: tuple[Violation, ...] = ()


class MonitorReport(Model):
    """What a monitor found in one run; the raw material of a decision to retrain."""

    kind: Literal["monitor_report"] = "monitor_report"
    project: str = DEFAULT_PROJECT
    monitor: str
    feature_set: str | None = None
    endpoint: str | None = None
    source: str
    window: str
    baseline: str
    """Where the baseline comes from: a URI, or a window in words."""
    baseline_sha256: Sha256 | None = None
    rows: NonNegativeInt
    baseline_rows: NonNegativeInt | None = None
    last_event_time: Moment | None = None
    until: Moment | None = None
    """Where the window ends."""
    measured_at: Moment
    verdict: Verdict
    features: tuple[FeatureResult, ...] = ()
    violations: tuple[Violation, ...] = ()
    """All of them, those of the features too."""
    not_monitored: dict[str, str] = Field(default_factory=dict)
    """Columns that were left out, with the reason."""
    report_json: str | None = None
    report_html: str | None = None

    @property
    def drifted(self) -> bool:
        """Tell whether a check failed."""
        return self.verdict == "drifted"
