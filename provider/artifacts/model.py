"""A model as it stands at AWS: a model package group with its versions, a SageMaker model, or both of one name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.contract.names import DEFAULT_PROJECT
from festaf.provider.artifacts.feature_set import OWNER_TAG, PROJECT_TAG
from festaf.provider.errors import InputError
from festaf.provider.models import metadata as keys
from festaf.provider.models.evaluation import Evaluation, known_evaluation
from festaf.provider.models.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.contract.model_version import ModelVersionFact
    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.record import ModelGroup, ModelVersion, SageMakerModel, VersionSummary


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model with everything that AWS knows of it; what nobody noted is named in ``unknown``."""

    name: str
    group: ModelGroup | None = None
    versions: tuple[VersionSummary, ...] = ()
    """Of the group, newest first."""
    version: ModelVersion | None = None
    """The version that was asked for, or the newest."""
    sagemaker_model: SageMakerModel | None = None
    evaluation: Evaluation = field(default_factory=Evaluation)
    """Of ``version``."""
    record: ModelVersionFact | None = None
    """What the task noted that registered ``version``."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        name: str,
        version: int | str | None = None,
        *,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        hook: ModelHook | None = None,
    ) -> Model | None:
        """Read everything that AWS knows of a model; None when there is none, or not that version.

        Calls DescribeModelPackageGroup, ListModelPackages, DescribeModelPackage, DescribeModel and ListTags, and reads
        the version's evaluation and record from S3.

        :param name: a group or SageMaker model, ``group:version``, or an ARN
        """
        from festaf.provider.models.facts import read_record

        hook = hook or _hook(aws_conn_id, region_name)
        asked = ModelName.of(name, version)
        group = hook.describe_group(asked.group) if asked.kind != "model" else None
        found = hook.describe_version(asked) if group else None
        if asked.version is not None and found is None:
            return None
        model = hook.describe_model(asked.name) if asked.kind in {None, "model"} else None
        if group is None and model is None:
            return None
        arn = group.arn if group else model.arn if model else ""
        return cls(
            name=asked.name,
            group=group,
            versions=tuple(hook.versions(group.arn)) if group else (),
            version=found,
            sagemaker_model=model,
            evaluation=known_evaluation(hook, found) if found else Evaluation(),
            record=read_record(hook, found) if found else None,
            tags=hook.tags(arn),
        )

    @classmethod
    def onboard(
        cls,
        name: str,
        *,
        project: str = DEFAULT_PROJECT,
        owner: str | None = None,
        version: int | str | None = None,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        hook: ModelHook | None = None,
    ) -> Model:
        """Adopt a model that was made elsewhere: tag it with its project and owner, and note what is known.

        What AWS knows of the version in other places (its evaluation, the job that made it) is noted in its metadata,
        where the operators of festaf look; what a note says already is left as it is. ``unknown`` of the answer names
        the rest.

        :raises InputError: there is none of this name
        """
        hook = hook or _hook(aws_conn_id, region_name)
        found = cls.load(name, version, hook=hook)
        if found is None:
            raise InputError(f"There is no model {ModelName.of(name, version).label} to onboard in {hook.place}")
        hook.add_tags(found.arn, {PROJECT_TAG: project} | ({OWNER_TAG: owner} if owner else {}))
        if found.version is not None:
            known = {key: value for key, value in found._notes().items() if key not in found.version.metadata}
            notes = keys.extended(found.version.metadata, known)
            if notes != found.version.metadata:
                hook.update_version(found.version.arn, CustomerMetadataProperties=notes)
        loaded = cls.load(name, version, hook=hook)
        if loaded is None:
            raise InputError(f"Model {name} was deleted while it was onboarded")
        return loaded

    @property
    def arn(self) -> str:
        """Give the ARN of the group, or of the SageMaker model when there is no group."""
        if self.group is not None:
            return self.group.arn
        return self.sagemaker_model.arn if self.sagemaker_model else ""

    @property
    def region(self) -> str:
        """Give the AWS region, from the ARN."""
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        """Give the AWS account, from the ARN."""
        return self.arn.split(":")[4]

    @property
    def champion(self) -> VersionSummary | None:
        """Give the newest approved version; None when there is none."""
        return next((item for item in self.versions if item.approval == "Approved"), None)

    @property
    def features(self) -> tuple[str, ...]:
        """Give the features that it was trained on, as far as they are known."""
        if self.record is not None and self.record.features:
            return self.record.features
        return tuple((self._noted(keys.FEATURES) or "").split())

    @property
    def training_set(self) -> str | None:
        """Give the URI of the training set's manifest."""
        return (self.record.training_set if self.record else None) or self._noted(keys.TRAINING_SET)

    @property
    def training_job(self) -> str | None:
        """Give the job that trained it."""
        generated = self.version.generated_by if self.version else None
        return (self.record.training_job if self.record else None) or self._noted(keys.TRAINING_JOB) or generated

    @property
    def unknown(self) -> tuple[str, ...]:
        """Name what nobody noted, in the order in which a user would ask for it."""
        facts: dict[str, Any] = {
            "owner": self.tags.get(OWNER_TAG) or self._noted(keys.OWNER),
            "versions": self.version,
            "metrics": self.evaluation.metrics,
            "held-out data": self.evaluation.held_out or self.evaluation.sha256,
            "features": self.features,
            "training set": self.training_set,
            "training job": self.training_job,
            "DAG, run and task": self._noted(keys.DAG),
        }
        return tuple(name for name, known in facts.items() if not known)

    def _noted(self, key: str) -> str | None:
        return self.version.metadata.get(key) if self.version else None

    def _notes(self) -> dict[str, str | None]:
        """Put together what is known in other places than the metadata."""
        notes: dict[str, str | None] = {
            keys.ONBOARDED: "true",
            keys.TRAINING_JOB: self.training_job,
            keys.HELD_OUT: self.evaluation.held_out,
            keys.HELD_OUT_SHA256: self.evaluation.sha256,
        }
        return notes | {f"{keys.METRIC}{name}": repr(value) for name, value in self.evaluation.metrics.items()}


def _hook(aws_conn_id: str | None, region_name: str | None) -> ModelHook:
    from festaf.provider.hooks.model import ModelHook

    return ModelHook(aws_conn_id=aws_conn_id, region_name=region_name)
