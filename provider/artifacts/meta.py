"""A look over all artifacts of an account and region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.artifacts.endpoint import Endpoint, EndpointSummary
from festaf.provider.artifacts.feature_set import FeatureSet
from festaf.provider.artifacts.model import Model
from festaf.provider.models.record import ModelSummary, newest_by_group

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


@dataclass(frozen=True)
class Meta:
    """List and describe the artifacts that a connection reaches."""

    aws_conn_id: str | None = "aws_default"
    region_name: str | None = None

    def feature_sets(self, name_contains: str | None = None) -> list[FeatureSetSummary]:
        """List the feature sets with their states (ListFeatureGroups, up to 100 per call)."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook

        hook = FeatureStoreHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
        return list(hook.summaries(name_contains))

    def feature_set(self, name: str) -> FeatureSet | None:
        """Describe one feature set in full; None when there is none of this name."""
        return FeatureSet.load(name, aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def models(self, name_contains: str | None = None) -> list[ModelSummary]:
        """List the model package groups, each with its newest version, then the SageMaker models.

        Calls ListModelPackageGroups, ListModelPackages and ListModels, up to 100 per call.
        """
        from festaf.provider.hooks.model import ModelHook

        hook = ModelHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
        groups = list(hook.groups(name_contains))
        newest = newest_by_group(hook.versions()) if groups else {}
        found = [ModelSummary.of_group(group, newest.get(group.name)) for group in groups]
        return [*found, *map(ModelSummary.of_model, hook.models(name_contains))]

    def model(self, name: str, version: int | str | None = None) -> Model | None:
        """Describe one model in full; None when there is none of this name, or not that version."""
        return Model.load(name, version, aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def endpoints(self, name_contains: str | None = None) -> list[EndpointSummary]:
        """List the endpoints with their states (ListEndpoints, up to 100 per call)."""
        from festaf.provider.hooks.endpoint import EndpointHook

        hook = EndpointHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
        return list(hook.summaries(name_contains))

    def endpoint(self, name: str) -> Endpoint | None:
        """Describe one endpoint in full; None when there is none of this name."""
        return Endpoint.load(name, aws_conn_id=self.aws_conn_id, region_name=self.region_name)
