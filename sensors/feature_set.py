"""Wait until a feature set is provably ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import BaseSensorOperator

from festaf.contract.names import DEFAULT_PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from airflow.sdk import Context, PokeReturnValue

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

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        raise NotImplementedError
