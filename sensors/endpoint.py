"""Wait until an endpoint is provably ready."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from festaf.sensors.ready import ReadySensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.provider.endpoints.bounds import EndpointBounds
    from festaf.provider.endpoints.smoke import SmokeRequest
    from festaf.provider.hooks.endpoint import EndpointHook
    from festaf.provider.readiness.look import Look
    from festaf.provider.triggers.ready import ReadyTrigger

Level = Literal["IN_SERVICE", "ANSWERING"]


class EndpointReadySensor(ReadySensor):
    """Wait until an endpoint has reached a level of readiness; fail at once when it cannot any more.

    IN_SERVICE: AWS says InService, the configuration is the one that was asked for (if one was), and every variant has
    its desired instances and weight. ANSWERING: a sample request was answered as expected, too. Failed, OutOfService,
    UpdateRollbackFailed and Deleting fail at once, and so does a rollback from the configuration that was asked for;
    a status that is not known is an error, never a success. At the deadline the task fails and names what is missing.

    :param endpoint: name of the endpoint (templated)
    :param level: IN_SERVICE or ANSWERING (templated)
    :param configuration: name of the endpoint configuration that must be in service, such as the ``configuration`` that
        ``DeployEndpointOperator`` returned; None takes any (templated)
    :param request: ANSWERING: the sample request, ``SmokeRequest`` or a mapping with its fields (templated when it is a
        mapping)
    :param deferrable: whether to wait in the triggerer; None takes Airflow's ``[operators] default_deferrable``
    :param project: project that the endpoint belongs to in the registry (templated)
    :param aws_conn_id: the Airflow connection to AWS; None uses boto3's own search for credentials (templated)
    :param region_name: AWS region; None takes the connection's (templated)
    """

    template_fields: Sequence[str] = (
        "endpoint",
        "level",
        "configuration",
        "request",
        "project",
        "aws_conn_id",
        "region_name",
    )
    named_by = "endpoint"

    def __init__(
        self,
        *,
        endpoint: str,
        level: Level = "IN_SERVICE",
        configuration: str | None = None,
        request: SmokeRequest | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(level=level, **kwargs)
        self.endpoint = endpoint
        self.configuration = configuration
        self.request = request

    @cached_property
    def hook(self) -> EndpointHook:
        """Reach AWS."""
        from festaf.provider.hooks.endpoint import EndpointHook

        return EndpointHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def check(self) -> None:
        """Check that level and request fit."""
        self._bounds().check(self.level)

    def look(self) -> Look:
        """Give the look at this endpoint."""
        from festaf.provider.endpoints.readiness import EndpointReadiness

        return EndpointReadiness(self.hook, self.endpoint, self.level, self._bounds())

    def trigger(self) -> ReadyTrigger:
        """Make the trigger that waits for the same."""
        from festaf.provider.triggers.endpoint import EndpointReadyTrigger

        return EndpointReadyTrigger(
            name=self.endpoint,
            level=self.level,
            poll_interval=self.poke_interval,
            timeout=self.timeout,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            bounds=self._bounds().as_dict(),
        )

    def _bounds(self) -> EndpointBounds:
        from festaf.provider.endpoints.bounds import EndpointBounds

        return EndpointBounds.of({"configuration": self.configuration, "request": self.request})
