"""Tell how training sets, models and endpoints use features, and what was decided of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.endpoint import EndpointDeployed, ServedVariant
from festaf.contract.model_version import ModelVersionFact
from festaf.contract.training_set import TrainingSetWritten
from festaf.registry_api.artifacts.repository import ArtifactName, ArtifactRepository
from festaf.registry_api.artifacts.tables import ArtifactFactTable
from festaf.registry_api.viewpoint import Viewpoint

FeatureName = tuple[str, str, str]
"""Project, feature set and feature."""


@dataclass(frozen=True)
class Use:
    """Whether an artifact uses a feature, as far as it is known, and which version of it does."""

    used: bool
    version: int | None = None
    approval: str | None = None
    owner: str | None = None


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model as it was last spoken of, with what its registration said."""

    fact: ModelVersionFact
    """What it is made of."""
    registered_at: datetime
    approval: str | None


class ArtifactService:
    """Answers for artifacts as they are seen from a viewpoint."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.artifacts = ArtifactRepository(session)
        self.view = view

    def uses(self, names: Collection[ArtifactName], feature: FeatureName) -> dict[ArtifactName, Use]:
        """Tell of artifacts of which something was said whether they use a feature."""
        said: dict[ArtifactName, list[ArtifactFactTable]] = defaultdict(list)
        for row in self.artifacts.newest_of(names, self.view):
            said[row.kind, row.project, row.name].append(row)  # type: ignore[index]  # the column keeps these kinds
        found: dict[ArtifactName, Use] = {}
        for name, rows in said.items():
            if name[0] == "training-set":
                found[name] = Use(_training_set_uses(TrainingSetWritten.model_validate(rows[0].content), feature))
            elif name[0] == "model":
                found[name] = _model_use(_versions(rows), feature)
            elif name[0] == "endpoint":
                found[name] = self._endpoint_use(EndpointDeployed.model_validate(rows[0].content), feature)
        return found

    def model(self, project: str, model: str, version: int | None) -> ModelVersion | None:
        """Give a version of a model, the newest that was registered and not deleted when none is named."""
        versions = _versions(self.artifacts.newest("model", project, model, self.view))
        standing = [item for item in versions if item.fact.event != "deleted"]
        if version is not None:
            standing = [item for item in versions if item.fact.version == version]
        return standing[0] if standing else None

    def training_set(self, project: str, name: str, before: datetime | None) -> TrainingSetWritten | None:
        """Give the newest build of a training set, not built after a time."""
        rows = self.artifacts.newest("training-set", project, name, self.view)
        fit = [row for row in rows if before is None or row.said_at <= before]
        return TrainingSetWritten.model_validate(fit[0].content) if fit else None

    def endpoint(self, project: str, name: str) -> tuple[EndpointDeployed, datetime] | None:
        """Give what an endpoint serves, and since when."""
        rows = self.artifacts.newest("endpoint", project, name, self.view, limit=1)
        return (EndpointDeployed.model_validate(rows[0].content), rows[0].said_at) if rows else None

    def _endpoint_use(self, deployed: EndpointDeployed, feature: FeatureName) -> Use:
        """Tell whether one of the served versions uses the feature; what is not known may use it."""
        uses = [self._variant_uses(deployed.project, variant, feature) for variant in deployed.variants]
        used = not deployed.deleted and (not uses or any(use is not False for use in uses))
        return Use(used, owner=deployed.owner)

    def _variant_uses(self, project: str, variant: ServedVariant, feature: FeatureName) -> bool | None:
        version = version_of(variant)
        found = self.model(project, variant.artifact, version) if variant.artifact and version else None
        return model_uses(found.fact, feature) if found else None


def version_of(variant: ServedVariant) -> int | None:
    """Read the version out of the ARN of a model package."""
    tail = (variant.model_package or "").rsplit("/", 1)[-1]
    return int(tail) if tail.isdigit() and int(tail) > 0 else None


def model_uses(fact: ModelVersionFact, feature: FeatureName) -> bool | None:
    """Tell whether a version of a model uses a feature; None when it does not say which it uses."""
    _, feature_set, name = feature
    if not fact.features:
        return None
    return bool({f"{feature_set}.{name}", name} & set(fact.features))


def _training_set_uses(written: TrainingSetWritten, feature: FeatureName) -> bool:
    project, feature_set, name = feature
    for use in written.feature_sets:
        if (use.project, use.feature_set) == (project, feature_set):
            return name in {*use.features, use.record_identifier, use.event_time}
    return not written.feature_sets


def _model_use(versions: Sequence[ModelVersion], feature: FeatureName) -> Use:
    for item in versions:
        if item.fact.event != "deleted" and model_uses(item.fact, feature) is not False:
            return Use(True, item.fact.version, item.approval)
    return Use(not versions)


def _versions(rows: Sequence[ArtifactFactTable]) -> list[ModelVersion]:
    """Put together what was said of each version, the newest version first.

    Only a registration says what a version is made of; a later decision says its approval and no more.
    """
    said: dict[int | None, list[tuple[datetime, ModelVersionFact]]] = defaultdict(list)
    for row in rows:
        said[row.version].append((row.said_at, ModelVersionFact.model_validate(row.content)))
    found: list[ModelVersion] = []
    for items in said.values():
        made = next((item for item in items if item[1].event in {"registered", "onboarded"}), items[-1])
        newest = items[0][1]
        approval = next((fact.approval for _, fact in items if fact.approval), None)
        fact = made[1].model_copy(update={"event": newest.event if newest.event == "deleted" else made[1].event})
        found.append(ModelVersion(fact, made[0], approval))
    return sorted(found, key=lambda item: (item.fact.version or 0, item.registered_at), reverse=True)
