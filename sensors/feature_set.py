"""Wait until a feature set is provably ready."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from festaf.provider.deprecation import Renamed, deprecated
from festaf.sensors.ready import ReadySensor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.readiness.bounds import Bounds
    from festaf.provider.readiness.look import Look
    from festaf.provider.triggers.ready import ReadyTrigger

Level = Literal["CREATED", "WRITABLE", "QUERYABLE", "FRESH"]


class FeatureSetReadySensor(ReadySensor):
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
    :param output_location: where Athena puts results, ``s3://bucket/prefix``; None takes the connection's
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
        "output_location",
        "workgroup",
        "project",
        "aws_conn_id",
        "region_name",
    )
    named_by = "feature_set"
    athena_output = Renamed("output_location", removed_in="0.3.0")

    @deprecated(argument="athena_output", replacement="output_location", removed_in="0.3.0")
    def __init__(
        self,
        *,
        feature_set: str,
        level: Level = "CREATED",
        record: str | None = None,
        until: str | datetime | None = None,
        rows: int | str | None = None,
        max_age: timedelta | float | None = None,
        output_location: str | None = None,
        workgroup: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(level=level, **kwargs)
        self.feature_set = feature_set
        self.record = record
        self.until = until
        self.rows = rows
        self.max_age = max_age
        self.output_location = output_location
        self.workgroup = workgroup

    @cached_property
    def hook(self) -> FeatureStoreHook:
        """Reach AWS."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook

        return FeatureStoreHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def check(self) -> None:
        """Check that the bounds fit the level."""
        self._bounds().check(self.level)

    def look(self) -> Look:
        """Give the look at this feature set."""
        from festaf.provider.readiness.readiness import Readiness

        return Readiness(self.hook, self.feature_set, self.level, self._bounds())

    def trigger(self) -> ReadyTrigger:
        """Make the trigger that waits for the same."""
        from festaf.provider.triggers.feature_set import FeatureSetReadyTrigger

        return FeatureSetReadyTrigger(
            name=self.feature_set,
            level=self.level,
            poll_interval=self.poke_interval,
            timeout=self.timeout,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            bounds=self._bounds().as_dict(),
        )

    def _bounds(self) -> Bounds:
        from festaf.provider.readiness.bounds import Bounds

        return Bounds.of(
            {
                "record": self.record,
                "until": self.until,
                "rows": self.rows,
                "max_age": self.max_age,
                "athena_output": self.output_location,
                "workgroup": self.workgroup,
            }
        )


class FeatureFreshnessSensor(FeatureSetReadySensor):
    """Wait until the newest event time of a feature set is within a bound: FeatureSetReadySensor with level FRESH.

    :param max_age: how old the newest event time may be, a timedelta or seconds
    """

    def __init__(self, *, max_age: timedelta | float, **kwargs: Any) -> None:
        super().__init__(level="FRESH", max_age=max_age, **kwargs)
