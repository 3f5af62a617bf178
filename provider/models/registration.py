"""What is asked for when a version of a model is registered, and how it is written for AWS."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from festaf.contract.model_version import HeldOut, ModelVersionFact
from festaf.contract.names import DEFAULT_PROJECT, feature_set_uri
from festaf.provider.errors import InputError
from festaf.provider.models import metadata as keys
from festaf.provider.models.evaluation import Evaluation
from festaf.provider.models.record import Container

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.provider.models.origin import Origin
    from festaf.provider.models.record import ModelVersion

_TYPES = {
    "content_types": "SupportedContentTypes",
    "response_types": "SupportedResponseMIMETypes",
    "instance_types": "SupportedRealtimeInferenceInstanceTypes",
    "transform_instance_types": "SupportedTransformInstanceTypes",
}


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A version as it is asked for."""

    group: str
    """Name, or the ARN of a group that another account shares."""
    containers: tuple[Mapping[str, Any], ...]
    """As AWS spells them (ModelPackageContainerDefinition)."""
    serving: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """content_types, response_types, instance_types and transform_instance_types."""
    evaluation: Evaluation = field(default_factory=Evaluation)
    problem: str = "regression"
    features: tuple[str, ...] = ()
    feature_sets: tuple[str, ...] = ()
    """URIs; empty derives them from the features' names."""
    training_set: str | None = None
    training_set_name: str | None = None
    training_job: str | None = None
    experiment: str | None = None
    description: str | None = None
    approval: str = "PendingManualApproval"
    metadata: Mapping[str, str] = field(default_factory=dict)
    output_s3_uri: str | None = None
    project: str = DEFAULT_PROJECT
    etags: tuple[str | None, ...] = ()
    """Of the containers' model data, which tell new data under an old URI."""

    def check(self) -> None:
        """Find what cannot be right before AWS is asked.

        :raises InputError: something is missing or contradicts itself
        """
        if not self.containers:
            raise InputError(
                f"Model {self.name} has no container: give image_uri and model_data_url, training_job or containers"
            )
        for container in self.containers:
            if not container.get("Image"):
                raise InputError(
                    f"A container of model {self.name} has no image: give image_uri, or Image in containers"
                )
        if self.approval not in {"Approved", "Rejected", "PendingManualApproval"}:
            raise InputError(f"approval_status is {self.approval!r}: write Approved, Rejected or PendingManualApproval")
        if self.output_s3_uri and not self.output_s3_uri.startswith("s3://"):
            raise InputError(f"output_s3_uri {self.output_s3_uri!r} is no S3 URI: write s3://bucket/prefix")
        if mine := [key for key in self.metadata if key.startswith(keys.PREFIX)]:
            raise InputError(f"metadata has {', '.join(mine)}: keys with {keys.PREFIX!r} are festaf's own")
        if refused := sorted(self.metadata.keys() - keys.writable(self.metadata).keys()):
            raise InputError(
                f"AWS does not take the metadata {', '.join(refused)}: at most {keys.LONGEST} letters, digits, spaces "
                f"and _.:/=+-@, and at most {keys.AT_FIRST} entries"
            )

    def key(self, origin: Origin) -> str:
        """Identify what is registered by whom: the same task of the same run and the same model have the same key.

        Another model, made by a run that was cleared and trained again, has another.
        """
        content = {
            "origin": origin.identity,
            "group": self.name,
            "containers": [dict(container) for container in self.containers],
            "etags": self.etags,
            "serving": {name: list(values) for name, values in self.serving.items()},
            "metrics": dict(self.evaluation.metrics),
            "held_out": [self.evaluation.held_out, self.evaluation.sha256],
            "features": self.features,
            "training": [self.training_set, self.training_job],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def folder(self, key: str) -> str | None:
        """Give where evaluation and record are kept: beside the model data, when nothing else was asked for."""
        if self.output_s3_uri:
            return f"{self.output_s3_uri.rstrip('/')}/{key[:16]}"
        data = next((container.model_data for container in self.parsed if container.model_data), None)
        parts = urlsplit(data or "")
        if parts.scheme != "s3":
            return None
        parent = parts.path.strip("/").rpartition("/")[0]
        return "/".join(part for part in (f"s3://{parts.netloc}", parent, "festaf", key[:16]) if part)

    @property
    def name(self) -> str:
        """Give the group's name."""
        return self.group.rpartition("/")[2]

    @property
    def parsed(self) -> tuple[Container, ...]:
        """Read the containers."""
        return tuple(map(Container.of, self.containers))

    def request(self, key: str, origin: Origin, attempt: int) -> dict[str, Any]:
        """Write the request of CreateModelPackage.

        :param attempt: how many versions with this key failed before
        """
        folder = self.folder(key)
        specification: dict[str, Any] = {"Containers": [dict(container) for container in self.containers]}
        specification |= {_TYPES[name]: list(values) for name, values in self.serving.items() if values}
        asked: dict[str, Any] = {
            "ModelPackageGroupName": self.group,
            "ModelPackageDescription": self.description,
            "InferenceSpecification": specification,
            "ModelApprovalStatus": self.approval,
            "MetadataProperties": self._properties(origin),
            "ModelMetrics": self._reports(folder),
            "CustomerMetadataProperties": self._notes(key, origin, folder),
            "ClientToken": token(key, attempt),
        }
        return {name: value for name, value in asked.items() if value}

    def fact(self, origin: Origin, version: ModelVersion | None = None) -> ModelVersionFact:
        """Give the contract's form; without a version what is known before AWS has made one."""
        evaluation = self.evaluation
        held_out = HeldOut(uri=evaluation.held_out, sha256=evaluation.sha256, rows=evaluation.rows)
        return ModelVersionFact(
            project=self.project,
            model=self.name,
            description=self.description,
            images=tuple(item.image for item in self.parsed if item.image),
            model_data=tuple(item.model_data for item in self.parsed if item.model_data),
            metrics=dict(evaluation.metrics),
            held_out=held_out if evaluation.held_out or evaluation.sha256 else None,
            features=self.features,
            feature_sets=self.feature_sets or feature_sets_of(self.features, self.project),
            training_set=self.training_set,
            training_set_name=self.training_set_name,
            training_job=self.training_job,
            experiment=self.experiment,
            **(standing(version) if version else {}),
            **origin.fields,
        )

    def _properties(self, origin: Origin) -> dict[str, str]:
        """Say where it comes from, in the fields that AWS has for it and draws its own lineage from."""
        known = {
            "GeneratedBy": self.training_job,
            "Repository": origin.bundle_name,
            "CommitId": origin.bundle_version,
        }
        return {name: value for name, value in known.items() if value}

    def _reports(self, folder: str | None) -> dict[str, Any]:
        if folder is None or not self.evaluation.metrics:
            return {}
        uri = f"{folder}/{EVALUATION}"
        return {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": uri}}}

    def _notes(self, key: str, origin: Origin, folder: str | None) -> dict[str, str]:
        """Write the metadata: what operators look for first, then what the user said, then the metrics."""
        notes = {
            keys.REGISTRATION: key,
            keys.RECORD: f"{folder}/{RECORD}" if folder else None,
            keys.PROJECT: self.project,
            **origin.notes,
            keys.TRAINING_SET: self.training_set,
            keys.TRAINING_JOB: self.training_job,
            keys.HELD_OUT: self.evaluation.held_out,
            keys.HELD_OUT_SHA256: self.evaluation.sha256,
            keys.FEATURES: " ".join(self.features),
            **self.metadata,
        }
        metrics = {f"{keys.METRIC}{name}": repr(value) for name, value in self.evaluation.metrics.items()}
        return keys.writable(notes | metrics, keys.AT_FIRST)


EVALUATION = "evaluation.json"
RECORD = "registration.json"


def feature_sets_of(features: tuple[str, ...], project: str) -> tuple[str, ...]:
    """Name the feature sets of features that are written as ``feature_set.feature``."""
    names = [feature.partition(".")[0] for feature in features if "." in feature]
    return tuple(feature_set_uri(project, name) for name in dict.fromkeys(names))


def token(key: str, attempt: int) -> str:
    """Give the ClientToken of a registration, by which AWS knows a request that is sent again."""
    return hashlib.sha256(f"{key}/{attempt}".encode()).hexdigest()[:36]


def standing(version: ModelVersion) -> dict[str, Any]:
    """Give the fields of a ModelVersionFact that AWS tells."""
    _, _, _, region, account, _ = version.arn.split(":", 5)
    return {
        "version": version.number or None,
        "arn": version.arn,
        "status": version.status,
        "approval": version.approval,
        "approval_description": version.approval_description,
        "region": region,
        "account": account,
    }
