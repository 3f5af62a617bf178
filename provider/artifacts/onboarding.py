"""Adopt artifacts that were made elsewhere: tag them, tell what is known, and name what is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from festaf.contract.model_version import ModelVersionFact
from festaf.provider.artifacts.endpoint import Endpoint
from festaf.provider.artifacts.feature_set import OWNER_TAG, PROJECT_TAG, FeatureSet
from festaf.provider.artifacts.model import Model
from festaf.provider.errors import InputError
from festaf.provider.hooks.endpoint import EndpointHook
from festaf.provider.hooks.feature_store import FeatureStoreHook
from festaf.provider.hooks.model import ModelHook
from festaf.provider.models.facts import fact_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from festaf.contract.endpoint import EndpointDeployed
    from festaf.contract.feature_set import FeatureSetDefinition
    from festaf.provider.artifacts.feature import Feature
    from festaf.provider.hooks.aws import AwsHook

    Definition = FeatureSetDefinition | ModelVersionFact | EndpointDeployed

Kind = Literal["feature_set", "model", "endpoint"]
Artifact = TypeVar("Artifact")
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Onboarded:
    """An artifact after it was adopted."""

    kind: Kind
    arn: str
    definition: Definition
    unknown: tuple[str, ...]
    """What nobody noted."""


@dataclass(frozen=True, kw_only=True)
class Onboarding:
    """What to adopt, and what its new owner knows of it."""

    kind: Kind
    name: str
    project: str
    owner: str | None = None
    description: str | None = None
    purpose: str | None = None
    declared: tuple[Feature, ...] = ()
    """What is known of a feature set's features."""
    take_over: bool = False
    """Whether an artifact of another project may be adopted."""
    connection: Mapping[str, object] = field(default_factory=dict)
    """What the hook is made with."""

    def run(self) -> Onboarded:
        """Read everything, tag, and tell.

        Done again it ends the same.

        :raises InputError: there is no such artifact, or another project has it
        """
        steps: dict[Kind, Callable[[], Onboarded]] = {
            "feature_set": self._feature_set,
            "model": self._model,
            "endpoint": self._endpoint,
        }
        if self.kind not in steps:
            raise InputError(f"kind is {self.kind!r}: write one of {', '.join(KINDS)}")
        return steps[self.kind]()

    def _feature_set(self) -> Onboarded:
        hook = FeatureStoreHook(**self.connection)
        before = self._present(hook, hook.describe(self.name))
        self._check_project(hook, before.arn)
        if unknown := [item.name for item in self.declared if before.feature(item.name) is None]:
            raise InputError(f"Feature set {self.name} has no feature {', '.join(map(repr, unknown))}")
        found = FeatureSet.onboard(self.name, project=self.project, owner=self.owner, hook=hook)
        definition = found.definition(
            project=self.project,
            owner=self.owner or found.tags.get(OWNER_TAG),
            purpose=self.purpose,
            description=self.description,
            declared=self.declared,
        )
        return Onboarded("feature_set", found.arn, definition, tuple(_unknown_of_features(definition)))

    def _model(self) -> Onboarded:
        hook = ModelHook(**self.connection)
        before = self._present(hook, Model.load(self.name, hook=hook))
        self._check_project(hook, before.arn)
        found = Model.onboard(self.name, project=self.project, owner=self.owner, hook=hook)
        if found.version is not None:
            fact = fact_of(hook, found.version, self.project)
        else:
            containers = found.sagemaker_model.containers if found.sagemaker_model else ()
            fact = ModelVersionFact(
                project=self.project,
                model=found.name,
                arn=found.arn,
                description=found.group.description if found.group else None,
                images=tuple(item.image for item in containers if item.image),
                model_data=tuple(item.model_data for item in containers if item.model_data),
                region=found.region,
                account=found.account,
            )
        fact = fact.model_copy(update={"event": "onboarded", "description": self.description or fact.description})
        return Onboarded("model", found.arn, fact, found.unknown)

    def _endpoint(self) -> Onboarded:
        hook = EndpointHook(**self.connection)
        before = self._present(hook, hook.describe(self.name))
        self._check_project(hook, before.arn)
        found = Endpoint.onboard(self.name, project=self.project, owner=self.owner, hook=hook)
        fact = found.deployed("onboarded", project=self.project, owner=self.owner, description=self.description)
        return Onboarded("endpoint", found.arn, fact, tuple(_unknown_of_endpoint(found)))

    def _present(self, hook: AwsHook, found: Artifact | None) -> Artifact:
        if found is None:
            raise InputError(f"There is no {self.kind.replace('_', ' ')} {self.name} to onboard in {hook.place}")
        return found

    def _check_project(self, hook: AwsHook, arn: str) -> None:
        """Leave to another project what it has."""
        other = hook.tags(arn).get(PROJECT_TAG)
        if other and other != self.project and not self.take_over:
            raise InputError(
                f"{self.kind.replace('_', ' ').capitalize()} {self.name} belongs to project {other!r}, not "
                f"{self.project!r}: give take_over=True to move it"
            )


def _unknown_of_features(definition: FeatureSetDefinition) -> list[str]:
    facts = {
        "owner": definition.owner,
        "description": definition.description,
        "purpose": definition.purpose,
        "sources": any(feature.sources for feature in definition.features),
        "logic": any(feature.logic for feature in definition.features),
    }
    unknown = [name for name, known in facts.items() if not known]
    bare = [feature.name for feature in definition.features if not feature.description]
    return [*unknown, *([f"descriptions of the features {', '.join(bare)}"] if bare else [])]


def _unknown_of_endpoint(found: Endpoint) -> list[str]:
    facts = {
        "owner": found.tags.get(OWNER_TAG),
        "configuration": found.configuration,
        f"variants, while it is {found.status}": found.variants,
        "data capture": found.data_capture,
        "previous configuration": found.previous_configuration,
    }
    unknown = [name for name, known in facts.items() if not known]
    for variant in found.variants:
        if variant.model is None:
            unknown.append(f"model of variant {variant.name}")
        elif variant.model_package is None:
            unknown.append(f"registered version of model {variant.model}")
    return unknown
