"""What the sensors of every kind of artifact have in common: waiting here or in the triggerer, and how a wait ends."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from festaf.contract.names import DEFAULT_PROJECT

if TYPE_CHECKING:
    from airflow.sdk import Context, PokeReturnValue

    from festaf.provider.readiness.look import Look
    from festaf.provider.triggers.ready import ReadyTrigger

GRACE = 60.0
"""Seconds that a trigger has to give its answer after its own deadline."""


class ReadySensor(BaseSensorOperator):
    """Wait until an artifact has reached a level of readiness; fail at once when it cannot any more.

    A subclass names the field that holds the artifact's name in ``named_by``, gives a look, and makes the trigger.

    :param level: the level (templated)
    :param deferrable: whether to wait in the triggerer; None takes Airflow's ``[operators] default_deferrable``
    :param project: project that the artifact belongs to in the registry (templated)
    :param aws_conn_id: the Airflow connection to AWS; None uses boto3's own search for credentials (templated)
    :param region_name: AWS region; None takes the connection's (templated)
    """

    ui_color = "#e6f1f2"
    named_by: str
    """The field that holds the artifact's name, such as ``feature_set``."""

    def __init__(
        self,
        *,
        level: str,
        deferrable: bool | None = None,
        project: str = DEFAULT_PROJECT,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.level = level
        self.deferrable = deferrable
        self.project = project
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self._missing: tuple[str, ...] = ()

    @property
    def artifact_name(self) -> str:
        """Give the artifact's name."""
        return str(getattr(self, self.named_by))

    @abstractmethod
    def look(self) -> Look:
        """Give what looks at the artifact.

        :raises InputError: the bounds and the level do not fit
        """

    @abstractmethod
    def trigger(self) -> ReadyTrigger:
        """Make the trigger that waits for the same."""

    def execute(self, context: Context) -> Any:
        """Wait here, or in the triggerer when deferrable."""
        from airflow.providers.common.compat.sdk import AirflowSensorTimeout, conf

        from festaf.provider.errors import NotReadyError

        self.check()
        deferrable = self.deferrable
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        if deferrable:
            # What is ready already needs no trigger, and a trigger that fires at once can lose its task: Airflow may
            # not have heard of the deferral yet (apache/airflow#71580).
            first = self.poke(context)
            if first.is_done:
                return first.xcom_value
            self._defer()
        try:
            return super().execute(context)
        except NotReadyError:
            raise
        except AirflowSensorTimeout:
            raise NotReadyError(self.look().artifact, self.level, self._missing, self.timeout) from None

    @abstractmethod
    def check(self) -> None:
        """Check what the author gave before anything waits.

        :raises InputError: the bounds and the level do not fit
        """

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        from airflow.sdk import PokeReturnValue

        from festaf.provider.errors import ServiceError

        look = self.look()
        try:
            self._missing = look.look()
        except ServiceError as error:
            self.log.info("Cannot look at %s now: %s", self.artifact_name, error)
            self._missing = self._missing or (str(error),)
            return PokeReturnValue(is_done=False)
        if self._missing:
            self.log.info("%s is not %s yet: %s", look.artifact, self.level, "; ".join(self._missing))
        return PokeReturnValue(is_done=not self._missing, xcom_value=self.reached())

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, str]:
        """Come back from the triggerer."""
        from festaf.provider.readiness.event import check_event

        check_event(event, self.level)
        return self.reached()

    def _defer(self) -> None:
        from datetime import timedelta

        self.defer(
            trigger=self.trigger(),
            method_name="execute_complete",
            # The trigger ends by itself and says what is missing; this is for a triggerer that was restarted.
            timeout=timedelta(seconds=self.timeout + GRACE),
        )

    def reached(self) -> dict[str, str]:
        """Give what the task returns once the level is reached."""
        return {self.named_by: self.artifact_name, "level": self.level}
