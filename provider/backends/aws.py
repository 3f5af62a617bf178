"""Artifacts in AWS: SageMaker, through the hooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.artifacts.endpoint import Endpoint
from festaf.provider.artifacts.feature_set import FeatureSet
from festaf.provider.artifacts.model import Model
from festaf.provider.models.record import ModelSummary, newest_by_group

if TYPE_CHECKING:
    from festaf.provider.artifacts.endpoint import EndpointSummary
    from festaf.provider.artifacts.summary import FeatureSetSummary


@dataclass(frozen=True)
class AwsBackend:
    """Lists and describes what a connection to AWS reaches."""

    aws_conn_id: str | None
    region_name: str | None

    def feature_sets(self, name_contains: str | None) -> list[FeatureSetSummary]:
        """List by ListFeatureGroups, up to 100 per call."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook

        hook = FeatureStoreHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
        return list(hook.summaries(name_contains))

    def feature_set(self, name: str) -> FeatureSet | None:
        """Describe one in full."""
        return FeatureSet.load(name, aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def models(self, name_contains: str | None) -> list[ModelSummary]:
        """List by ListModelPackageGroups, ListModelPackages and ListModels, up to 100 per call."""
        from festaf.provider.hooks.model import ModelHook

        hook = ModelHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
        groups = list(hook.groups(name_contains))
        newest = newest_by_group(hook.versions()) if groups else {}
        found = [ModelSummary.of_group(group, newest.get(group.name)) for group in groups]
        return [*found, *map(ModelSummary.of_model, hook.models(name_contains))]

    def model(self, name: str, version: int | str | None) -> Model | None:
        """Describe one in full."""
        return Model.load(name, version, aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def endpoints(self, name_contains: str | None) -> list[EndpointSummary]:
        """List by ListEndpoints, up to 100 per call."""
        from festaf.provider.hooks.endpoint import EndpointHook

        hook = EndpointHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
        return list(hook.summaries(name_contains))

    def endpoint(self, name: str) -> Endpoint | None:
        """Describe one in full."""
        return Endpoint.load(name, aws_conn_id=self.aws_conn_id, region_name=self.region_name)
