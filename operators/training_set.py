"""Operators that build training sets."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from festaf.operators.task import ArtifactTask
from festaf.provider.assets import artifact_asset, attach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow.sdk import Context

    from festaf.contract.training_set import TrainingSetManifest
    from festaf.provider.hooks.athena import AthenaHook
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.training_sets import FeatureView
    from festaf.provider.training_sets.build import Build
    from festaf.provider.training_sets.request import Request


class BuildTrainingSetOperator(ArtifactTask):
    """Join features to rows of entities as the features stood at each row's time, and write the rows as Parquet.

    Athena does it all from the offline stores: no row passes through the worker. Each entity row stands in the result
    exactly once, with the values of the newest record of its identifier that is not younger than the row, or nulls.
    Of several records of one event time the one written last counts; a deleted record has no values from its deletion
    on. See docs/explanation/point-in-time.md.

    The result lies in ``output_s3_uri/<training_set>/<build>/``; the build is named by the hash of all that decides its
    content. Its manifest is written last: a build with one stands, and is given back when it is asked for again.

    :param training_set: name of the training set (templated)
    :param entities: the rows to join to: ``database.table``, a query, or an ``s3://`` URI of Parquet (templated)
    :param feature_sets: what to take: ``FeatureView`` objects, mappings with its fields, or names of feature sets for
        all their features (templated)
    :param output_s3_uri: ``s3://bucket/prefix`` under which training sets lie (templated)
    :param event_time: the column of the entity rows that says when each was: ISO 8601 text, a timestamp or date in
        UTC, or seconds since 1970 (templated)
    :param entity_columns: from a record identifier to the column of the entity rows that holds it; where nothing is
        said the column has the identifier's name (templated)
    :param labels: the columns of the entity rows that are to be learned (templated)
    :param snapshot: only records that the offline store had written by then count; None is the time of the first try of
        this task in its DAG run (templated)
    :param table: ``database.table`` that Glue shall show the newest build by; None makes none (templated)
    :param database: Glue database of the tables that live while it is built; None is that of the first feature set's
        table (templated)
    :param workgroup: Athena workgroup, one that does not enforce a location for results (templated)
    :param output_location: ``s3://`` folder for Athena's own results; None is ``output_s3_uri/_athena/`` (templated)
    :param if_exists: what to do when the same build stands: ``reuse``, ``fail``, or ``rebuild`` it
    :param check_ready: whether to prove first that SQL sees rows of every feature set (level QUERYABLE)
    :param timeout: seconds after which the queries are stopped and the task fails
    :param poll_interval: most seconds between two looks at a query
    :return: a TrainingSetWritten as a dict: ``uri``, ``manifest``, ``rows``, ``columns``, ``feature_sets`` and more
    """

    template_fields: Sequence[str] = (
        "training_set",
        "entities",
        "feature_sets",
        "output_s3_uri",
        "event_time",
        "entity_columns",
        "labels",
        "snapshot",
        "table",
        "database",
        "workgroup",
        "output_location",
        *ArtifactTask.template_fields,
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"entities": "sql"}
    template_ext: Sequence[str] = (".sql",)

    def __init__(
        self,
        *,
        training_set: str,
        entities: str,
        feature_sets: Sequence[FeatureView | Mapping[str, Any] | str],
        output_s3_uri: str,
        event_time: str | None = None,
        entity_columns: Mapping[str, str] | None = None,
        labels: Sequence[str] = (),
        snapshot: datetime | str | None = None,
        table: str | None = None,
        database: str | None = None,
        workgroup: str | None = None,
        output_location: str | None = None,
        if_exists: Literal["reuse", "fail", "rebuild"] = "reuse",
        check_ready: bool = True,
        timeout: float = 7200,
        poll_interval: float = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.training_set = training_set
        self.entities = entities
        self.feature_sets = feature_sets
        self.output_s3_uri = output_s3_uri
        self.event_time = event_time
        self.entity_columns = entity_columns
        self.labels = labels
        self.snapshot = snapshot
        self.table = table
        self.database = database
        self.workgroup = workgroup
        self.output_location = output_location
        self.if_exists = if_exists
        self.check_ready = check_ready
        self.timeout = timeout
        self.poll_interval = poll_interval

    @cached_property
    def hook(self) -> FeatureStoreHook:
        """Reach AWS."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook

        return self.make_hook(FeatureStoreHook)

    @cached_property
    def athena(self) -> AthenaHook:
        """Reach Athena."""
        from festaf.provider.hooks.athena import AthenaHook

        return self.hook.beside(AthenaHook)

    def execute(self, context: Context) -> dict[str, Any]:
        """Build or find built, and attach what stands to the training set's asset event."""
        request = self._request(context)
        build = request.build()
        manifest, reused = self._ensured(build, request)
        if request.table:
            build.publish(manifest, request.table)
        build.tidy(keep=manifest.uri)
        written = build.written(manifest, reused=reused)
        self.log.info(
            "Training set %s: %s rows and %d columns in %s, snapshot %s",
            self.training_set,
            f"{written.rows:,}",
            len(written.columns),
            written.uri,
            written.snapshot,
        )
        attach(context, self.outlets, artifact_asset("training-set", self.training_set, self.project), written)
        return written.model_dump(mode="json")

    def on_kill(self) -> None:
        """Cancel the queries that run."""
        if "athena" in self.__dict__:
            self.athena.stop_all()

    def _request(self, context: Context) -> Request:
        from festaf.provider.hooks.athena import AthenaQuery
        from festaf.provider.hooks.patience import Patience
        from festaf.provider.training_sets.request import Request

        output = self.output_location or f"{self.output_s3_uri.rstrip('/')}/_athena/"
        return Request(
            hook=self.hook,
            athena=self.athena,
            query=AthenaQuery("", workgroup=self.workgroup, output=output),
            patience=Patience(self.timeout, self.poll_interval),
            training_set=self.training_set,
            project=self.project,
            entities=self.entities,
            feature_sets=self.feature_sets,
            output=self.output_s3_uri,
            event_time=self.event_time,
            entity_columns=self.entity_columns or {},
            labels=self.labels,
            snapshot=self.snapshot,
            table_name=self.table,
            database=self.database,
            check_ready=self.check_ready,
            origin=_origin(context),
        )

    def _ensured(self, build: Build, request: Request) -> tuple[TrainingSetManifest, bool]:
        """Give the manifest of the build that stands, or of a new one; and whether it stood."""
        from festaf.provider.errors import InputError

        standing = build.standing()
        if standing is not None and self.if_exists == "fail":
            raise InputError(
                f"Training set {self.training_set} stands already as build {standing.build} in {standing.uri}"
            )
        if standing is not None and self.if_exists == "rebuild":
            build.forget()
            standing = None
        if standing is not None:
            self.log.info("Build %s of %s stands already", standing.build, self.training_set)
            return standing, True
        request.prove_ready()
        return build.make(self.table), False


def _origin(context: Context) -> dict[str, str | None]:
    """Name the task and its run, as far as the context knows them."""
    task_instance: Any = context["ti"]
    names = {name: getattr(task_instance, name, None) for name in ("dag_id", "task_id", "run_id")}
    return {name: None if value is None else str(value) for name, value in names.items()}
