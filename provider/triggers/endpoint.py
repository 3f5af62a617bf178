"""Wait for an endpoint without a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.provider.triggers.ready import ReadyTrigger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from airflow.triggers.base import TriggerEvent

    from festaf.provider.readiness.board import Reader, Summary
    from festaf.provider.readiness.look import Look


class EndpointReadyTrigger(ReadyTrigger):
    """Fires when an endpoint has reached a level, when it cannot any more, or when the time is over.

    Its parameters are those of ReadyTrigger.

    :param level: IN_SERVICE or ANSWERING
    """

    what = "endpoints"

    def __init__(self, name: str, level: str = "IN_SERVICE", **kwargs: Any) -> None:
        super().__init__(name, level, **kwargs)

    async def look(self) -> tuple[Look, Reader]:
        """Give the look at this endpoint, and the reader of ListEndpoints."""
        from festaf.provider.endpoints.bounds import EndpointBounds
        from festaf.provider.endpoints.readiness import EndpointReadiness
        from festaf.provider.hooks.endpoint import EndpointHook
        from festaf.provider.readiness.shared import shared_hook

        bounds = EndpointBounds.of(self.bounds)
        bounds.check(self.level)
        hook = await shared_hook(EndpointHook, self.aws_conn_id, self.region_name)

        def read(name_contains: str | None) -> Mapping[str, Summary]:
            return {summary.name: summary for summary in hook.summaries(name_contains)}

        return EndpointReadiness(hook, self.name, self.level, bounds), read

    def waiting(self, summary: Summary) -> str | None:
        """Tell that AWS is still at work; which variant lacks what, and failures, take a look to know."""
        from festaf.provider.endpoints.ladder import UNDERWAY

        return UNDERWAY.get(summary.status)

    def beyond_the_list(self, summary: Summary) -> bool:
        """Tell whether it stands: what is missing then, such as weights, does not show in the list."""
        return summary.status in {"InService", "RollingBack"}


class EndpointDeployedTrigger(EndpointReadyTrigger):
    """Fires as EndpointReadyTrigger does, and brings along what the task knew of the deployment when it began to wait.

    It travels by the event, since ``airflow dags test`` forgets the keyword arguments that a task deferred with.

    :param started: what the task knew, as JSON can hold it
    """

    def __init__(self, started: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.started = started

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments that make it again."""
        path, arguments = super().serialize()
        return path, arguments | {"started": self.started}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield one event."""
        from airflow.triggers.base import TriggerEvent

        async for event in super().run():
            yield TriggerEvent({**event.payload, "started": self.started})  # type: ignore[no-untyped-call]
