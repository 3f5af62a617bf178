"""Watch the features of a feature set, or of other rows, for drift."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from festaf.operators.monitor.drift import act, check_drift
from festaf.operators.task import ArtifactTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow.sdk import Context

    from festaf.contract.monitor import MonitorReport
    from festaf.operators.monitor.drift import OnDrift
    from festaf.provider.hooks.athena import AthenaHook
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.monitoring.comparison import Rules
    from festaf.provider.monitoring.monitor import FeatureMonitor, Finding
    from festaf.provider.monitoring.opening import Opening
    from festaf.provider.monitoring.rows import Rows
    from festaf.provider.monitoring.store import Store

HOUR = 3600.0


class MonitorFeaturesOperator(ArtifactTask):
    """Watch the features of a feature set, or of other rows, for drift.

    The rows of a window are counted where they lie, by Athena for a feature set or a Glue table, and held against a
    baseline: distributions (PSI, Kolmogorov-Smirnov, chi-square), missing values, range, new categories, row count and
    age. The report is written as JSON and as a page. What happens on drift is chosen by ``on_drift``.

    :param feature_set: name of the feature set whose offline store is watched (templated)
    :param source: what is watched instead: ``glue://database/table``, or a path or URI of Parquet (templated)
    :param monitor: name of the monitor; None is the feature set's; a ``source`` needs one (templated)
    :param event_time: column of ``source`` that holds the event time
    :param features: what is watched, when not everything that is a number or a text
    :param window: the rows that are judged: a timedelta before ``until``, or ``{"rows": 10_000}``, or both as
        ``{"days": 7, "rows": 10_000}``; None is all rows
    :param until: where the window ends, a time with its zone, or ``newest``; None is the end of the run's data
        interval, or now (templated)
    :param baseline: what they are held against: a window that lies before, written as ``window`` is; or the URI of
        kept statistics, or of a training set's manifest (templated)
    :param baseline_uri: where the baseline is kept: what stands there is used and never changed; when nothing does, it
        is made from ``baseline`` (templated)
    :param thresholds: values above which a check fails, by check: psi (0.2), ks (0.1), chi_square (0.1),
        missing_increase (0.05), missing_share (None), out_of_range (0.01), new_categories (0.01); None leaves one out
    :param feature_thresholds: the same for single features, by name
    :param min_rows: the least number of rows that the window must have
    :param max_age: how old the newest event time may be at the window's end, a timedelta or seconds
    :param enough_rows: values that both sides need before their distributions are judged
    :param report_uri: folder of the reports, ``s3://bucket/prefix`` or a path; None writes none (templated)
    :param on_drift: ``asset``: the monitor's asset gets an event, for a DAG that is scheduled on it; ``fail``: the task
        fails; ``skip``: the tasks after it are skipped; ``report``: nothing but the report
    :param output_location: where Athena puts results; None takes the connection's, then the workgroup's, or
        ``athena-results/`` in the offline store's bucket (templated)
    :param workgroup: Athena's workgroup (templated)
    :param query_timeout: seconds that one query may take
    :return: the report as a dict
    """

    template_fields: Sequence[str] = (
        "feature_set",
        "source",
        "monitor",
        "until",
        "baseline",
        "baseline_uri",
        "report_uri",
        "output_location",
        "workgroup",
        *ArtifactTask.template_fields,
    )

    def __init__(
        self,
        *,
        feature_set: str | None = None,
        source: str | None = None,
        monitor: str | None = None,
        event_time: str | None = None,
        features: Sequence[str] | None = None,
        window: timedelta | Mapping[str, Any] | int | None = timedelta(days=1),
        until: str | datetime | None = None,
        baseline: str | timedelta | Mapping[str, Any] | None = None,
        baseline_uri: str | None = None,
        thresholds: Mapping[str, float | None] | None = None,
        feature_thresholds: Mapping[str, Mapping[str, float | None]] | None = None,
        min_rows: int | None = None,
        max_age: timedelta | float | None = None,
        enough_rows: int = 100,
        report_uri: str | None = None,
        on_drift: OnDrift = "asset",
        output_location: str | None = None,
        workgroup: str | None = None,
        query_timeout: float = HOUR / 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.feature_set = feature_set
        self.source = source
        self.monitor = monitor
        self.event_time = event_time
        self.features = features
        self.window = window
        self.until = until
        self.baseline = baseline
        self.baseline_uri = baseline_uri
        self.thresholds = thresholds
        self.feature_thresholds = feature_thresholds
        self.min_rows = min_rows
        self.max_age = max_age
        self.enough_rows = enough_rows
        self.report_uri = report_uri
        self.on_drift = on_drift
        self.output_location = output_location
        self.workgroup = workgroup
        self.query_timeout = query_timeout

    @cached_property
    def hook(self) -> FeatureStoreHook:
        """Reach the feature store."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook

        return self.make_hook(FeatureStoreHook)

    @cached_property
    def athena(self) -> AthenaHook:
        """Reach Athena."""
        from festaf.provider.hooks.athena import AthenaHook

        return self.hook.beside(AthenaHook)

    def execute(self, context: Context) -> dict[str, Any]:
        """Measure, judge, report, and do what was chosen."""
        from datetime import UTC, datetime

        name, rules = self._name(), self._rules()
        check_drift(self.on_drift, name, self.project, self.outlets)
        finding = self._make(name, rules, context).run(datetime.now(UTC))
        report = self._report(finding)
        act(self, report, context)
        return report.model_dump(mode="json")

    def on_kill(self) -> None:
        """Cancel the query that runs."""
        if "athena" in self.__dict__:
            self.athena.stop_all()

    def _report(self, finding: Finding) -> MonitorReport:
        """Write the report, if it has a place."""
        if not self.report_uri:
            return finding.report
        from festaf.provider.monitoring.writing import write_report

        report = write_report(self._store(), self.report_uri, finding)
        self.log.info("The report is %s", report.report_html)
        return report

    def _name(self) -> str:
        from festaf.provider.errors import InputError

        if (self.feature_set is None) == (self.source is None):
            raise InputError(f"Task {self.task_id} needs either feature_set or source: what is watched")
        if name := self.monitor or self.feature_set:
            return name
        raise InputError(f"Task {self.task_id} needs monitor: the name of the monitor of {self.source}")

    def _rules(self) -> Rules:
        from festaf.provider.monitoring.comparison import Rules
        from festaf.provider.monitoring.thresholds import Thresholds

        default = Thresholds().changed(self.thresholds or {}, "thresholds")
        special = {
            name: default.changed(values, f"feature_thresholds[{name!r}]")
            for name, values in (self.feature_thresholds or {}).items()
        }
        age = self.max_age.total_seconds() if isinstance(self.max_age, timedelta) else self.max_age
        return Rules(default, special, self.min_rows, age, self.enough_rows)

    def _make(self, name: str, rules: Rules, context: Context) -> FeatureMonitor:
        from festaf.provider.monitoring.monitor import FeatureMonitor

        return FeatureMonitor(
            monitor=name,
            project=self.project,
            feature_set=self.feature_set,
            rows=self._rows(),
            open_source=lambda uri: self._opening.source(uri, None, None),
            store=self._store(),
            window=self.window,
            until=self._until(context),
            baseline=self.baseline or None,
            baseline_uri=self.baseline_uri or None,
            rules=rules,
            log=self.log,
        )

    def _until(self, context: Context) -> datetime | str | None:
        from festaf.provider.errors import InputError
        from festaf.provider.monitoring.monitor import NEWEST
        from festaf.provider.readiness.bounds import read_moment

        if self.until == NEWEST:
            return NEWEST
        if self.until is None or self.until == "":
            return context.get("data_interval_end")
        try:
            return read_moment(self.until)
        except ValueError as error:
            raise InputError(f"until is {self.until!r}: {error}; or write {NEWEST!r}") from error

    @cached_property
    def _opening(self) -> Opening:
        from festaf.provider.hooks.athena import AthenaQuery
        from festaf.provider.monitoring.opening import Opening

        query = AthenaQuery("", workgroup=self.workgroup or None, output=self.output_location or None)
        return Opening(self.hook, self.athena, query, self.query_timeout)

    def _rows(self) -> Rows:
        if self.source is not None:
            return self._opening.source(self.source, self.event_time, self.features)
        assert self.feature_set is not None
        return self._opening.feature_set(self.feature_set, self.project, self.features)

    def _store(self) -> Store:
        from festaf.provider.monitoring.store import Store

        return Store(self.hook)
