"""Wait for a feature set without a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.provider.triggers.ready import ReadyTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.provider.readiness.board import Reader, Summary
    from festaf.provider.readiness.look import Look


class FeatureSetReadyTrigger(ReadyTrigger):
    """Fires when a feature set has reached a level, when it cannot any more, or when the time is over.

    Its parameters are those of ReadyTrigger.

    :param level: CREATED, WRITABLE, QUERYABLE or FRESH; CREATED and WRITABLE need no bounds
    """

    what = "feature sets"

    def __init__(self, name: str, level: str = "CREATED", **kwargs: Any) -> None:
        super().__init__(name, level, **kwargs)

    async def look(self) -> tuple[Look, Reader]:
        """Give the look at this feature set, and the reader of ListFeatureGroups."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook
        from festaf.provider.readiness.bounds import Bounds
        from festaf.provider.readiness.readiness import Readiness
        from festaf.provider.readiness.shared import shared_hook

        bounds = Bounds.of(self.bounds)
        bounds.check(self.level)
        hook = await shared_hook(FeatureStoreHook, self.aws_conn_id, self.region_name)

        def read(name_contains: str | None) -> Mapping[str, Summary]:
            return {summary.name: summary for summary in hook.summaries(name_contains)}

        return Readiness(hook, self.name, self.level, bounds), read

    def waiting(self, summary: Summary) -> str | None:
        """Tell that AWS is still creating it."""
        from festaf.provider.readiness.ladder import CREATING

        return CREATING if summary.status == "Creating" else None

    def beyond_the_list(self, summary: Summary) -> bool:
        """Tell whether it stands: what is missing then will not show in the list."""
        return summary.status == "Created"
