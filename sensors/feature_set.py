"""Wait until a feature set is provably ready."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import BaseSensorOperator

from festaf.contract.names import DEFAULT_PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from airflow.sdk import Context, PokeReturnValue

    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.readiness.bounds import Bounds

GRACE = 60.0
"""Seconds that a trigger has to give its answer after its own deadline."""

Level = Literal["CREATED", "WRITABLE", "QUERYABLE", "FRESH"]


class FeatureSetReadySensor(BaseSensorOperator):
    """Wait until a feature set has reached a level of readiness; fail at once when it cannot any more.

    CREATED: AWS says Created, the last update did not fail, the offline store is Active and its Glue table exists.
    WRITABLE: a record written to the online store was read back. QUERYABLE: the offline rows are visible to SQL.
    FRESH: the newest event time is within a bound. Each level includes CREATED. At the deadline the task fails and
    names what is missing.

    :param feature_set: name of the feature set (templated)
    :param level: CREATED, WRITABLE, QUERYABLE or FRESH (templated)
    :param record: identifier of a record that the level is proven by: WRITABLE and FRESH then read it online, and
        nothing is written (templated)
    :param until: QUERYABLE: the event time up to which rows must be visible, ISO 8601 or datetime (templated)
    :param rows: QUERYABLE: how many rows must be visible (templated)
    :param max_age: FRESH: how old the newest event time may be, a timedelta or seconds
    :param athena_output: where Athena puts results, ``s3://bucket/prefix``; None takes the connection's
        ``service_config`` (``athena``, ``output_location``), or ``athena-results/`` in the offline store's bucket
        (templated)
    :param workgroup: Athena's workgroup (templated)
    :param deferrable: whether to wait in the triggerer; None takes Airflow's ``[operators] default_deferrable``
    :param project: project that the feature set belongs to in the registry (templated)
    :param aws_conn_id: the Airflow connection to AWS; None uses boto3's own search for credentials (templated)
    :param region_name: AWS region; None takes the connection's (templated)
    """

    template_fields: Sequence[str] = (
        "feature_set",
        "level",
        "record",
        "until",
        "rows",
        "athena_output",
        "workgroup",
        "project",
        "aws_conn_id",
        "region_name",
    )
    ui_color = "#e6f1f2"

    def __init__(
        self,
        *,
        feature_set: str,
        level: Level = "CREATED",
        record: str | None = None,
        until: str | datetime | None = None,
        rows: int | str | None = None,
        max_age: timedelta | float | None = None,
        athena_output: str | None = None,
        workgroup: str | None = None,
        deferrable: bool | None = None,
        project: str = DEFAULT_PROJECT,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.feature_set = feature_set
        self.level = level
        self.record = record
        self.until = until
        self.rows = rows
        self.max_age = max_age
        self.athena_output = athena_output
        self.workgroup = workgroup
        self.deferrable = deferrable
        self.project = project
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self._missing: tuple[str, ...] = ()

    @cached_property
    def hook(self) -> FeatureStoreHook:
        """Reach AWS."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook

        return FeatureStoreHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def execute(self, context: Context) -> Any:
        """Wait here, or in the triggerer when deferrable."""
        from airflow.providers.common.compat.sdk import AirflowSensorTimeout, conf

        from festaf.provider.errors import NotReadyError

        bounds = self._bounds()
        bounds.check(self.level)
        deferrable = self.deferrable
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        if deferrable:
            self._defer(bounds)
        try:
            return super().execute(context)
        except NotReadyError:
            raise
        except AirflowSensorTimeout:
            artifact = f"Feature set {self.feature_set}"
            raise NotReadyError(artifact, self.level, self._missing, self.timeout) from None

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        from airflow.sdk import PokeReturnValue

        from festaf.provider.errors import ServiceError
        from festaf.provider.readiness.readiness import Readiness

        try:
            self._missing = Readiness(self.hook, self.feature_set, self.level, self._bounds()).look()
        except ServiceError as error:
            self.log.info("Cannot look at %s now: %s", self.feature_set, error)
            self._missing = self._missing or (str(error),)
            return PokeReturnValue(is_done=False)
        if self._missing:
            self.log.info("Feature set %s is not %s yet: %s", self.feature_set, self.level, "; ".join(self._missing))
        return PokeReturnValue(is_done=not self._missing, xcom_value=self._reached())

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, str]:
        """Come back from the triggerer."""
        from festaf.provider.errors import FailedArtifactError, InputError, NotReadyError

        if event["status"] == "ready":
            return self._reached()
        if event["status"] == "failed":
            raise FailedArtifactError(event["artifact"], event["state"], event["reason"])
        if event["status"] == "late":
            raise NotReadyError(event["artifact"], self.level, tuple(event["missing"]), event["waited"])
        raise InputError(event["message"])

    def _defer(self, bounds: Bounds) -> None:
        from datetime import timedelta

        from festaf.provider.triggers.feature_set import FeatureSetReadyTrigger

        self.defer(
            trigger=FeatureSetReadyTrigger(
                name=self.feature_set,
                level=self.level,
                poll_interval=self.poke_interval,
                timeout=self.timeout,
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                bounds=bounds.as_dict(),
            ),
            method_name="execute_complete",
            # The trigger ends by itself and says what is missing; this is for a triggerer that was restarted.
            timeout=timedelta(seconds=self.timeout + GRACE),
        )

    def _bounds(self) -> Bounds:
        from festaf.provider.readiness.bounds import Bounds

        return Bounds.of(
            {
                "record": self.record,
                "until": self.until,
                "rows": self.rows,
                "max_age": self.max_age,
                "athena_output": self.athena_output,
                "workgroup": self.workgroup,
            }
        )

    def _reached(self) -> dict[str, str]:
        return {"feature_set": self.feature_set, "level": self.level}


class FeatureFreshnessSensor(FeatureSetReadySensor):
    """Wait until the newest event time of a feature set is within a bound: FeatureSetReadySensor with level FRESH.

    :param max_age: how old the newest event time may be, a timedelta or seconds
    """

    def __init__(self, *, max_age: timedelta | float, **kwargs: Any) -> None:
        super().__init__(level="FRESH", max_age=max_age, **kwargs)
