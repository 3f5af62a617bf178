"""What every task on an artifact has: its project, the AWS connection and the asset event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from airflow.sdk import BaseOperator

from festaf.contract.names import DEFAULT_PROJECT
from festaf.provider.assets import with_alias
from festaf.provider.lineage.operator_lineage import TellsLineage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from festaf.provider.errors import QuotaError
    from festaf.provider.hooks.aws import AwsHook

Hook = TypeVar("Hook", bound="AwsHook")

FIRST_DELAY = 20.0
"""Seconds until a task comes again that met a full quota; doubled each time."""
LONGEST_DELAY = 300.0


class ArtifactTask(TellsLineage, BaseOperator):
    """A task on an artifact; a subclass names the artifact and the class of its hook.

    :param project: project that the artifact belongs to in the registry (templated)
    :param aws_conn_id: the Airflow connection to AWS (templated); None uses boto3's own search for credentials
    :param region_name: AWS region; None takes the connection's (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle; None takes the connection's
    :param botocore_config: configuration of the botocore client; None takes the connection's
    """

    template_fields: Sequence[str] = ("project", "aws_conn_id", "region_name")
    ui_color = "#e3f2ea"

    def __init__(
        self,
        *,
        project: str = DEFAULT_PROJECT,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs["outlets"] = with_alias(kwargs.get("outlets"))
        super().__init__(**kwargs)
        self.project = project
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def make_hook(self, kind: type[Hook]) -> Hook:
        """Make a hook of a kind, with what the task says of the connection."""
        return kind(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )


def come_again(context: Context, error: QuotaError, timeout: float, log: Logger) -> NoReturn:
    """Give the worker's slot back while a quota is full, and come again later; longer each time.

    :raises AirflowRescheduleException: Airflow starts the task again at that time
    :raises QuotaError: the quota was full for ``timeout`` seconds
    """
    from datetime import UTC, datetime, timedelta
    from random import random

    from airflow.exceptions import AirflowRescheduleException

    now = datetime.now(UTC)
    first = context["ti"].get_first_reschedule_date(context)
    if first is not None and (now - first).total_seconds() > timeout:
        raise error
    seconds = min(LONGEST_DELAY, FIRST_DELAY * 2 ** context.get("task_reschedule_count", 0)) * (0.5 + random() / 2)
    log.info("%s; coming again in %.0f s", error, seconds)
    again = now + timedelta(seconds=seconds)
    raise AirflowRescheduleException(again)  # type: ignore[no-untyped-call]  # Airflow leaves it untyped.


def running_code(context: Context) -> dict[str, str | None]:
    """Tell which code runs: the hash of the DAG file, and the bundle it stands in."""
    from festaf.provider.lineage.source import dag_file

    bundle = getattr(context["ti"], "bundle_instance", None)
    return {
        "logic_sha256": dag_file(context["dag"], getattr(bundle, "path", None)).sha256,
        "bundle_name": getattr(bundle, "name", None),
        "bundle_version": getattr(bundle, "version", None),
    }
