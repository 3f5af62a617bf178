"""Wait for a model without a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.provider.triggers.ready import ReadyTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.provider.readiness.board import Reader, Summary
    from festaf.provider.readiness.look import Look


class ModelReadyTrigger(ReadyTrigger):
    """Fires when a model has reached a level, when it cannot any more, or when the time is over.

    Its parameters are those of ReadyTrigger.

    :param name: a group, whose newest version is meant, ``group:version``, an ARN, or a SageMaker model for CREATED
    :param level: CREATED, REGISTERED or APPROVED
    """

    def __init__(self, name: str, level: str = "REGISTERED", **kwargs: Any) -> None:
        super().__init__(name, level, **kwargs)

    @property
    def what(self) -> str:  # type: ignore[override]  # Each level reads lists of its own, so each has its own board.
        """Name what is listed."""
        return "models" if self.level == "CREATED" else "model versions"

    async def look(self) -> tuple[Look, Reader]:
        """Give the look at this model, and the reader of ListModelPackages, for CREATED of ListModels too."""
        from festaf.provider.hooks.model import ModelHook
        from festaf.provider.models.ladder import check_level
        from festaf.provider.models.name import ModelName
        from festaf.provider.models.readiness import ModelReadiness, read_models, read_versions
        from festaf.provider.readiness.shared import shared_hook

        check_level(self.level)
        ModelName.of(self.name)
        hook = await shared_hook(ModelHook, self.aws_conn_id, self.region_name)
        reading = read_models if self.level == "CREATED" else read_versions

        def read(name: str | None) -> Mapping[str, Summary]:
            return reading(hook, name)

        return ModelReadiness(hook, self.name, self.level), read

    def waiting(self, summary: Summary) -> str | None:
        """Tell that AWS is still registering it, or that nobody has decided yet."""
        from festaf.provider.models.ladder import REGISTERING, UNDECIDED

        if self.level == "CREATED":
            return None
        if summary.status in {"Pending", "InProgress"}:
            return REGISTERING
        undecided = getattr(summary, "approval", None) in {"PendingManualApproval", None}
        return UNDECIDED if self.level == "APPROVED" and summary.status == "Completed" and undecided else None
