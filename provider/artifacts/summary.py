"""A feature set as a list tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any


@dataclass(frozen=True)
class FeatureSetSummary:
    """A feature set as ListFeatureGroups tells it."""

    name: str
    arn: str
    created_at: datetime
    status: str
    offline_status: str | None = None
    blocked_reason: str | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> FeatureSetSummary:
        """Read one element of ListFeatureGroups's answer."""
        offline = item.get("OfflineStoreStatus") or {}
        return cls(
            name=item["FeatureGroupName"],
            arn=item["FeatureGroupArn"],
            created_at=item["CreationTime"],
            status=item.get("FeatureGroupStatus") or "",
            offline_status=offline.get("Status"),
            blocked_reason=offline.get("BlockedReason"),
        )
