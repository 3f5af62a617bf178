"""What every task on an endpoint has: its name, the hook, and templates inside of our own dataclasses."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from festaf.operators.task import ArtifactTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from festaf.contract.endpoint import EndpointDeployed
    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.hooks.endpoint import EndpointHook


class EndpointTask(ArtifactTask):
    """A task on one endpoint.

    :param endpoint: name of the endpoint, 1 to 63 letters, digits and ``-`` (templated)
    :param poll_interval: seconds between two looks, at most
    :param timeout: seconds after which the task gives up and says what is missing
    """

    template_fields: Sequence[str] = ("endpoint", *ArtifactTask.template_fields)

    def __init__(self, *, endpoint: str, poll_interval: float = 15, timeout: float = 3600, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.endpoint = endpoint
        self.poll_interval = poll_interval
        self.timeout = timeout

    @cached_property
    def hook(self) -> EndpointHook:
        """Reach AWS."""
        from festaf.provider.hooks.endpoint import EndpointHook

        return self.make_hook(EndpointHook)

    def render_template(self, content: Any, *args: Any, **kwargs: Any) -> Any:
        """Render templates inside of ``Variant``, ``SmokeRequest`` and their like, too."""
        if is_dataclass(content) and not isinstance(content, type):
            values = {one.name: getattr(content, one.name) for one in fields(content) if one.init}
            return replace(
                content,
                **{
                    name: super(EndpointTask, self).render_template(value, *args, **kwargs)
                    for name, value in values.items()
                },
            )
        return super().render_template(content, *args, **kwargs)

    def patience(self, log: Logger | None = None) -> Patience:
        """Give the time that the task has, from now."""
        from festaf.provider.endpoints.patience import Patience

        return Patience(log or self.log, float(self.timeout), float(self.poll_interval))

    def announce(self, context: Context, fact: EndpointDeployed) -> dict[str, Any]:
        """Attach what was done to the endpoint's asset event, and give it as the task's result."""
        from festaf.provider.assets import artifact_asset, attach

        attach(context, self.outlets, artifact_asset("endpoint", fact.endpoint, fact.project), fact)
        return fact.model_dump(mode="json")
