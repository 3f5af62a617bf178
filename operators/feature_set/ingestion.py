"""Write the rows of a source into a feature set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from festaf.operators.feature_set.task import FeatureSetTask
from festaf.operators.task import running_code
from festaf.provider.assets import announce

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from airflow.sdk import Context

    from festaf.contract.feature_set import FeatureDeclaration
    from festaf.provider.artifacts import Feature
    from festaf.provider.ingest.ingest import Ingest
    from festaf.provider.ingest.source import Source

Store = Literal["OnlineStore", "OfflineStore"]


class IngestFeaturesOperator(FeatureSetTask):
    """Write the rows of a source into a feature set.

    Rows are read in batches, checked column by column and sent 25 per call on several connections. A bad row is
    reported with its number and reason and kept in a dead-letter file; the others are sent. What AWS acknowledged is
    noted in a ledger, so that running the task again sends only what is missing.

    :param feature_set: name of the feature set (templated)
    :param source: the rows: a path or URI (``file://``, ``s3://``) of a Parquet file, a folder of them, or a CSV file
        with a header line; or a DataFrame that an upstream task returned (templated)
    :param sql: a query whose rows are the source, instead of ``source`` (templated)
    :param conn_id: connection to the database that ``sql`` asks (templated)
    :param parameters: values for the placeholders of ``sql`` (templated)
    :param source_format: parquet or csv; None goes by the file's name
    :param columns: the columns to send, when not all: a list of names, or a mapping from column to feature
    :param features: what is declared of the features; recorded with the write
    :param target_stores: OnlineStore, OfflineStore or both; None is every store that the feature set has
    :param ttl: how long these records stay online: a timedelta, or ``{"Unit": "Days", "Value": 7}``; None is the
        feature set's own
    :param max_rejected_rows: the task fails, after all good rows are written, when more rows than this were rejected
    :param stop_at_first_bad_row: whether to stop at the first bad row instead of going on with the others
    :param work_dir: folder of the ledger and the dead-letter file, a path or ``s3://``; None is ``festaf/ingest``
        in Airflow's home (templated)
    :param resume: whether rows that an earlier run of the same source has sent are left out
    :param threads: connections that send at the same time
    :param retry_seconds: how long one batch is tried again while AWS throttles or fails
    :return: a FeatureWrite as a dict: rows read, accepted and rejected, first and last event time
    """

    template_fields: Sequence[str] = (
        *FeatureSetTask.template_fields,
        "source",
        "sql",
        "conn_id",
        "parameters",
        "work_dir",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    template_ext: Sequence[str] = (".sql",)

    def __init__(
        self,
        *,
        source: Any = None,
        sql: str | None = None,
        conn_id: str | None = None,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        source_format: Literal["parquet", "csv"] | None = None,
        columns: Sequence[str] | Mapping[str, str] | None = None,
        features: Sequence[Feature | Mapping[str, Any]] = (),
        target_stores: Sequence[Store] | None = None,
        ttl: timedelta | Mapping[str, Any] | None = None,
        max_rejected_rows: int = 0,
        stop_at_first_bad_row: bool = False,
        work_dir: str | None = None,
        resume: bool = True,
        threads: int = 4,
        retry_seconds: float = 300,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.sql = sql
        self.conn_id = conn_id
        self.parameters = parameters
        self.source_format = source_format
        self.columns = columns
        self.features = features
        self.target_stores = target_stores
        self.ttl = ttl
        self.max_rejected_rows = max_rejected_rows
        self.stop_at_first_bad_row = stop_at_first_bad_row
        self.work_dir = work_dir
        self.resume = resume
        self.threads = threads
        self.retry_seconds = retry_seconds

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the rows and attach what was written to the asset event."""
        from festaf.contract.feature_set import FeatureWrite

        source = self._source()
        ingest = self._ingest(source)
        declarations = self._declarations(ingest)
        totals = ingest.run()
        write = FeatureWrite(
            project=self.project,
            feature_set=self.feature_set,
            source=source.uri,
            rows_read=totals.read,
            rows_accepted=totals.accepted,
            rows_rejected=totals.rejected,
            rows_resumed=totals.resumed,
            first_event_time=totals.first_event_time,
            last_event_time=totals.last_event_time,
            features=declarations,
            dead_letter=totals.dead_letter,
            **running_code(context),
        )
        announce(context, self.outlets, write)
        return write.model_dump(mode="json")

    def _source(self) -> Source:
        from festaf.provider.errors import InputError
        from festaf.provider.ingest.source import open_source

        if (self.source is None) == (self.sql is None):
            raise InputError(f"Task {self.task_id} needs either source or sql: where the rows come from")
        if self.sql is None:
            return open_source(self.source, self.source_format, self.hook)
        from festaf.provider.ingest.query_source import open_query

        return open_query(self.sql, self.conn_id, self.parameters)

    def _ingest(self, source: Source) -> Ingest:
        from festaf.provider.artifacts.specification import duration
        from festaf.provider.ingest.ingest import Ingest, writable

        return Ingest(
            feature_set=writable(self.hook, self.feature_set, self.retry_seconds, self.log),
            source=source,
            hook=self.hook,
            log=self.log,
            columns=self.columns,
            target_stores=self.target_stores,
            ttl=duration(self.ttl),
            work_dir=self.work_dir,
            resume=self.resume,
            threads=self.threads,
            retry_seconds=self.retry_seconds,
            max_rejected_rows=self.max_rejected_rows,
            stop_at_first_bad_row=self.stop_at_first_bad_row,
        )

    def _declarations(self, ingest: Ingest) -> tuple[FeatureDeclaration, ...]:
        """Describe the features that the rows carry, with what was declared of them."""
        from festaf.provider.artifacts import Feature
        from festaf.provider.errors import InputError

        declared = {feature.name: feature for feature in map(Feature.of, self.features)}
        if unknown := [name for name in declared if ingest.feature_set.feature(name) is None]:
            raise InputError(f"Feature set {self.feature_set} has no feature {', '.join(map(repr, unknown))}")
        found = [feature for feature in ingest.feature_set.features if feature.name in ingest.by_feature]
        return tuple(declared.get(feature.name, feature).declaration(feature) for feature in found)
