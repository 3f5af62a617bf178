"""Tell which runs made the values that a model or an endpoint saw at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.model_features import EndpointFeatures, FeatureSeen, ModelFeatures
from festaf.contract.model_version import ModelVersionFact
from festaf.contract.names import dataset_name
from festaf.contract.names import feature_set_of as read_feature_set
from festaf.contract.training_set import TrainingSetWritten
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.artifacts.service import ArtifactService, FeatureName, ModelVersion, version_of
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.features.made import Makers
from festaf.registry_api.features.portrait import Gallery, Portrait
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.source_repository import SourceRepository
from festaf.registry_api.viewpoint import Viewpoint

UnknownFeature = tuple[None, str | None, str]
"""A feature of which the model does not say where it stands."""


class ModelFeaturesAnswer:
    """Answers for models and endpoints as they stood at a time."""

    def __init__(self, session: Session, view: Viewpoint, now: datetime, sight: Sight) -> None:
        self.view = view
        self.at = view.as_of or view.known_at or now
        self.sight = sight
        self.artifacts = ArtifactService(session, view)
        self.features = FeatureRepository(session)
        self.sources = SourceRepository(session)
        self.gallery = Gallery(session, view)
        self.makers = Makers(session, view, sight)

    def model(self, project: str, model: str, version: int | None) -> ModelFeatures:
        """Answer for one version of a model, the newest when none is named.

        :raises NotFoundError: nothing was said of it by then, or the caller may not see it
        """
        found = self.artifacts.model(project, model, version) if self.sight.sees(project) else None
        if found is None:
            named = f"{project}/{model}" + (f" version {version}" if version else "")
            raise NotFoundError(f"no model {named} {'is known' if self.view.now else 'was known at that time'}")
        return self._of_model(found)

    def endpoint(self, project: str, endpoint: str) -> EndpointFeatures:
        """Answer for each model that an endpoint served.

        :raises NotFoundError: nothing was said of it by then, or it was deleted, or the caller may not see it
        """
        found = self.artifacts.endpoint(project, endpoint) if self.sight.sees(project) else None
        if found is None or found[0].deleted:
            serves = "serves" if self.view.now else "served at that time"
            raise NotFoundError(f"no endpoint {project}/{endpoint} {serves}")
        deployed, since = found
        models: list[ModelFeatures] = []
        for variant in deployed.variants:
            if variant.artifact:
                version = self.artifacts.model(project, variant.artifact, version_of(variant))
                bare = ModelFeatures(project=project, model=variant.artifact, version=version_of(variant), at=self.at)
                models.append(self._of_model(version) if version else bare)
        return EndpointFeatures(project=project, endpoint=endpoint, deployed_at=since, at=self.at, models=tuple(models))

    def _of_model(self, found: ModelVersion) -> ModelFeatures:
        fact = found.fact
        built = (
            self.artifacts.training_set(fact.project, fact.training_set_name, found.registered_at)
            if fact.training_set_name
            else None
        )
        named = _features_of(fact, built)
        return ModelFeatures(
            project=fact.project,
            model=fact.model,
            version=fact.version,
            approval=found.approval,
            registered_at=found.registered_at,
            training_set=fact.training_set_name,
            training_build=built.build if built else None,
            training_snapshot=built.snapshot if built else None,
            at=self.at,
            features=self._seen(named),
        )

    def _seen(self, named: Iterable[FeatureName | UnknownFeature]) -> tuple[FeatureSeen, ...]:
        ordered = list(dict.fromkeys(named))
        by_set: dict[tuple[str, str], set[str]] = defaultdict(set)
        for project, feature_set, name in ordered:
            if project and feature_set and self.sight.sees(project):
                by_set[project, feature_set].add(name)
        seen: dict[FeatureName, FeatureSeen] = {}
        for (project, feature_set), names in by_set.items():
            seen |= self._of_set(project, feature_set, names)
        return tuple(self._shown(item, seen) for item in ordered)

    def _shown(self, item: FeatureName | UnknownFeature, seen: dict[FeatureName, FeatureSeen]) -> FeatureSeen:
        project, feature_set, name = item
        if project is None or feature_set is None:
            return FeatureSeen(project=None, feature_set=feature_set, name=name, access="unknown")
        if not self.sight.sees(project):
            return FeatureSeen(project=None, feature_set=None, name=None, access="restricted")
        unknown = FeatureSeen(project=project, feature_set=feature_set, name=name, access="unknown")
        return seen.get((project, feature_set, name), unknown)

    def _of_set(self, project: str, feature_set: str, names: set[str]) -> dict[FeatureName, FeatureSeen]:
        rows = list(self.sources.features({(project, feature_set, name) for name in names}).values())
        if not rows:
            return {}
        set_id = rows[0].feature_set_id
        portraits = [item for item in self.gallery.draw(set_id, rows) if item.newest.first_said is not None]
        made = self.makers.find(
            {(item.newest.production.run.id, set_id) for item in portraits if item.newest.production}
        )
        orders = self.features.declared_orders({item.newest.feature.id for item in portraits}, self.view)
        found: dict[FeatureName, FeatureSeen] = {}
        for item in portraits:
            production, name = item.newest.production, item.newest.feature.name
            maker = made.get((production.run.id, set_id)) if production else None
            version, sha256 = _version(item, orders)
            found[project, feature_set, name] = FeatureSeen(
                project=project,
                feature_set=feature_set,
                name=name,
                version=version,
                version_sha256=sha256,
                last_written=item.last_written,
                run=maker.reference() if maker else None,
                access="deleted" if item.deleted else "accessible",
            )
        return found


def _version(portrait: Portrait, orders: dict[int, list[str]]) -> tuple[int | None, str | None]:
    saying = portrait.newest.saying
    if saying is None or not portrait.declared:
        return None, None
    return orders[portrait.newest.feature.id].index(saying.version.sha256) + 1, saying.version.sha256


def _features_of(fact: ModelVersionFact, built: TrainingSetWritten | None) -> list[FeatureName | UnknownFeature]:
    """Name the features that a version uses: as it said, else as the training set's columns say."""
    projects = {name: project for project, name in _sets_of(fact)}
    if built:
        projects |= {use.feature_set: use.project for use in built.feature_sets}
    if fact.features:
        only = next(iter(projects)) if len(projects) == 1 else None
        return [_named(text, projects, only) for text in fact.features]
    columns = built.columns if built else ()
    return [
        _named(f"{column.feature_set}.{column.feature}", projects, None)
        for column in columns
        if column.role == "feature" and column.feature_set and column.feature
    ]


def _sets_of(fact: ModelVersionFact) -> list[tuple[str, str]]:
    found = []
    for uri in fact.feature_sets:
        try:
            named = read_feature_set(dataset_name(uri))
        except ValueError:
            continue
        if named:
            found.append(named)
    return found


def _named(text: str, projects: dict[str, str], only: str | None) -> FeatureName | UnknownFeature:
    """Read ``feature_set.feature`` or a bare name; the set of a bare one is clear when there is only one."""
    feature_set, separator, name = text.rpartition(".")
    if not separator:
        feature_set, name = only or "", text
    project = projects.get(feature_set)
    return (project, feature_set, name) if project else (None, feature_set or None, name)
