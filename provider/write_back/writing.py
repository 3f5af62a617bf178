"""Write what the registry knows of a feature set into SageMaker; what stands already is left as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.provider.errors import AccessError, InputError
from festaf.provider.hooks.lineage import LineageHook
from festaf.provider.write_back.entities import feature_set_sources, plan
from festaf.provider.write_back.parameters import metadata_change

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from festaf.client.registry import RegistryClient
    from festaf.contract.feature import Feature
    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.hooks.feature_store import FeatureStoreHook


@dataclass
class Written:
    """What was done for one feature set."""

    feature_set: str
    features: int = 0
    described: list[str] = field(default_factory=list)
    """Features whose metadata were changed."""
    unknown: list[str] = field(default_factory=list)
    """Features that AWS has and the registry does not know."""
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By feature, what did not fit into its metadata."""
    entities_made: int = 0
    entities: int = 0
    associations_made: int = 0
    associations: int = 0
    hidden: int = 0
    """Neighbours that the registry does not show to this caller."""


@dataclass(frozen=True)
class WriteBack:
    """Writes one feature set after the other."""

    registry: RegistryClient
    hook: FeatureStoreHook
    log: Logger
    patience: Patience
    metadata: bool = True
    lineage: bool = True

    def write(self, project: str, feature_set: str) -> Written:
        """Write the metadata of its features and the lineage of the set.

        :raises InputError: AWS has no such feature set
        :raises RegistryError: the registry does not answer
        """
        standing = self.patience.persist(lambda: self.hook.find(feature_set))
        if standing is None:
            raise InputError(f"There is no feature set {feature_set} in {self.hook.place}")
        written = Written(feature_set)
        known: list[Feature] = []
        for column in standing.features:
            feature = self.registry.feature(project, feature_set, column.name)
            if feature is None:
                written.unknown.append(column.name)
                continue
            known.append(feature)
            if self.metadata:
                self._describe(feature, written)
        written.features = len(known)
        if self.lineage and known:
            self._relate(standing.arn, known, written)
        for name, lines in written.left_out.items():
            self.log.warning("Left out of the metadata of %s.%s: %s", feature_set, name, "; ".join(lines))
        return written

    def _describe(self, feature: Feature, written: Written) -> None:
        name = written.feature_set
        standing = self.patience.persist(lambda: self.hook.feature_metadata(name, feature.name))
        change = metadata_change(feature, standing)
        if change.left_out:
            written.left_out[feature.name] = change.left_out
        if change.request:
            self.patience.persist(lambda: self.hook.update_feature_metadata(name, feature.name, change.request))
            written.described.append(feature.name)

    def _groups(self, known: list[Feature]) -> dict[str, str]:
        """Give the ARNs of those sources that are feature groups here, by URI; not of those one may not look at."""
        found: dict[str, str] = {}
        for uri, (_, name) in feature_set_sources(known).items():
            try:
                standing = self.patience.persist(lambda name=name: self.hook.describe(name))  # type: ignore[misc]
            except AccessError:
                continue
            if standing is not None:
                found[uri] = standing.arn
        return found

    def _relate(self, arn: str, known: list[Feature], written: Written) -> None:
        hook, wanted = self.hook.beside(LineageHook), plan(arn, known, self._groups(known))
        written.hidden = wanted.hidden
        arns: dict[tuple[str, str, str], str] = {}
        for entity in wanted.entities:
            found, made = self.patience.persist(lambda entity=entity: hook.ensure(entity))  # type: ignore[misc]
            arns[entity.key] = found
            written.entities += 1
            written.entities_made += made
        for item in wanted.associations:
            ends = arns[item.source.key], arns[item.target.key], item.relation
            made = self.patience.persist(lambda ends=ends: hook.associate(*ends))  # type: ignore[misc]
            written.associations += 1
            written.associations_made += made
