"""One run of a feature monitor: find the baseline, measure the window, compare, judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from festaf.contract.monitor import MonitorReport
from festaf.contract.training_set import TrainingSetManifest
from festaf.provider.errors import InputError
from festaf.provider.monitoring.baseline import Baseline, keep, parse_kept, read_document, read_kept
from festaf.provider.monitoring.comparison import compare, judge
from festaf.provider.monitoring.measure import measure
from festaf.provider.monitoring.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk.types import Logger

    from festaf.contract.monitor import Statistics
    from festaf.provider.monitoring.comparison import Rules
    from festaf.provider.monitoring.rows import Rows
    from festaf.provider.monitoring.store import Store

NEWEST = "newest"
"""Ends the window with the newest event time there is."""
WHOLE = Window()


@dataclass(frozen=True)
class Finding:
    """What one run found, with all that it was reckoned from."""

    report: MonitorReport
    base: Statistics
    now: Statistics


@dataclass(frozen=True, kw_only=True)
class FeatureMonitor:
    """Watches the features of one dataset."""

    monitor: str
    project: str
    feature_set: str | None
    rows: Rows
    open_source: Callable[[str], Rows]
    """Opens a training set's rows by URI."""
    store: Store
    window: timedelta | Mapping[str, Any] | int | None
    until: datetime | str | None
    """A time, ``newest``, or None for now."""
    baseline: str | timedelta | Mapping[str, Any] | None
    baseline_uri: str | None
    rules: Rules
    log: Logger

    def run(self, now: datetime) -> Finding:
        """Measure and judge.

        :raises InputError: there is no baseline, or it is empty
        """
        window = Window.of(self.window, self._until(now))
        base = self._baseline(window, now)
        self.log.info("Measuring %s of %s against %s", window, self.rows.uri, base.origin)
        measured = measure(self.rows, window, now, base.statistics)
        results = compare(base.statistics, measured, self.rules)
        verdict, violations = judge(results, measured, window.end or now, self.rules)
        report = MonitorReport(
            project=self.project,
            monitor=self.monitor,
            feature_set=self.feature_set,
            source=self.rows.uri,
            window=str(window),
            baseline=base.origin,
            baseline_sha256=base.statistics.sha256,
            rows=measured.rows,
            baseline_rows=base.statistics.rows,
            last_event_time=measured.last_event_time,
            until=window.end,
            measured_at=now,
            verdict=verdict,
            features=results,
            violations=violations,
            not_monitored=dict(self.rows.left_out),
        )
        return Finding(report, base.statistics, measured)

    def _until(self, now: datetime) -> datetime:
        if self.until is None:
            return now
        if isinstance(self.until, datetime):
            return self.until
        if self.until != NEWEST:
            raise InputError(f"until is {self.until!r}: write a time with its zone, or {NEWEST!r}")
        newest = self.rows.newest()
        if newest is None:
            raise InputError(f"{self.rows.uri} has no event time to end the window with: it has no rows")
        return newest + timedelta(milliseconds=1)

    def _baseline(self, window: Window, now: datetime) -> Baseline:
        if self.baseline_uri:
            kept = read_kept(self.store, self.baseline_uri)
            if kept is not None:
                return Baseline(kept, self.baseline_uri)
        made = self._made(window, now)
        if not made.statistics.rows:
            raise InputError(f"The baseline has no rows: {made.origin} of {made.statistics.source}")
        if self.baseline_uri:
            statistics = keep(self.store, self.baseline_uri, made.statistics)
            self.log.info("Baseline %s is kept from now on, made from %s", self.baseline_uri, made.origin)
            return Baseline(statistics, self.baseline_uri)
        return made

    def _made(self, window: Window, now: datetime) -> Baseline:
        if self.baseline is None:
            where = f": nothing stands at {self.baseline_uri}" if self.baseline_uri else ""
            raise InputError(f"Monitor {self.monitor} needs a baseline{where}: a window, statistics or a training set")
        if isinstance(self.baseline, str):
            return self._read(self.baseline, now)
        start = window.start or self.rows.totals(window, quantiles=False).first
        if start is None:
            raise InputError(f"The window of {self.rows.uri} has no rows, so no time before it can be its baseline")
        before = Window.of(self.baseline, start)
        return Baseline(measure(self.rows, before, now), str(before))

    def _read(self, uri: str, now: datetime) -> Baseline:
        """Read kept statistics, or measure the rows of a training set."""
        content = self.store.read(uri)
        if content is None:
            raise InputError(f"There is no baseline {uri}")
        document = read_document(content, uri)
        if "statistics" in document:
            return Baseline(parse_kept(document, uri), uri)
        try:
            manifest = TrainingSetManifest.model_validate(document)
        except ValidationError as error:
            raise InputError(f"{uri} is neither kept statistics nor a training set's manifest: {error}") from error
        rows = self.open_source(_rows_of(manifest))
        return Baseline(self._renamed(measure(rows, WHOLE, now), manifest), uri)

    def _renamed(self, found: Statistics, manifest: TrainingSetManifest) -> Statistics:
        """Give the columns of a training set the names of this feature set's features."""
        if self.feature_set is None:
            return found
        names = {
            column.name.lower(): column.feature or column.name
            for column in manifest.features
            if column.feature_set == self.feature_set
        }
        if not names:
            raise InputError(f"Training set {manifest.training_set} has no feature of feature set {self.feature_set}")
        columns = tuple(
            column.model_copy(update={"name": names[column.name.lower()]})
            for column in found.columns
            if column.name.lower() in names
        )
        return found.model_copy(update={"columns": columns})


def _rows_of(manifest: TrainingSetManifest) -> str:
    if manifest.table is None:
        return manifest.uri
    database, _, table = manifest.table.partition(".")
    return f"glue://{database}/{table}"
