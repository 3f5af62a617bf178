"""Adopt artifacts that were made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from festaf.operators.task import ArtifactTask
from festaf.provider.assets import artifact_asset, attach, definition_asset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Asset, Context

    from festaf.provider.artifacts import Feature
    from festaf.provider.artifacts.onboarding import Onboarded


class OnboardArtifactOperator(ArtifactTask):
    """Adopt a feature set, model or endpoint that was made elsewhere.

    Everything that AWS knows of it is read; it is tagged with its project and owner; what is known is told to the
    registry, what is not is named in the log and in the result. Nothing else of it is changed. Running again ends the
    same.

    :param kind: feature_set, model or endpoint (templated)
    :param name: name of the artifact; of a model also ``group:version`` or an ARN (templated)
    :param owner: who answers for it; None leaves the owner that it has
    :param description: what it is (templated)
    :param purpose: why a feature set exists (templated)
    :param features: what is known of a feature set's features, as ``Feature`` or mappings with its fields
    :param take_over: whether an artifact that is tagged with another project may be adopted
    :return: ``kind``, ``name``, ``arn``, ``definition`` (what is known) and ``unknown`` (a list)
    """

    template_fields: Sequence[str] = ("kind", "name", "description", "purpose", *ArtifactTask.template_fields)

    def __init__(
        self,
        *,
        kind: Literal["feature_set", "model", "endpoint"],
        name: str,
        owner: str | None = None,
        description: str | None = None,
        purpose: str | None = None,
        features: Sequence[Feature | Mapping[str, Any]] = (),
        take_over: bool = False,
        **kwargs: Any,
    ) -> None:
        if owner is not None:
            kwargs["owner"] = owner
        super().__init__(**kwargs)
        self.kind = kind
        self.name = name
        self.declared_owner = owner
        self.description = description
        self.purpose = purpose
        self.features = features
        self.take_over = take_over

    def execute(self, context: Context) -> dict[str, Any]:
        """Adopt, and attach what is known to the definition's asset event."""
        from festaf.provider.artifacts import Feature
        from festaf.provider.artifacts.onboarding import Onboarding

        onboarding = Onboarding(
            kind=self.kind,
            name=self.name,
            project=self.project,
            owner=self.declared_owner,
            description=self.description,
            purpose=self.purpose,
            declared=tuple(map(Feature.of, self.features)),
            take_over=self.take_over,
            connection={
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "verify": self.verify,
                "config": self.botocore_config,
            },
        )
        found = onboarding.run()
        attach(context, self.outlets, self._asset(found), found.definition)
        self.log.info("%s %s belongs to project %s now", self.kind, self.name, self.project)
        for item in found.unknown:
            self.log.warning("Nobody noted of %s %s: %s", self.kind, self.name, item)
        return {
            "kind": found.kind,
            "name": self.name,
            "arn": found.arn,
            "definition": found.definition.model_dump(mode="json"),
            "unknown": list(found.unknown),
        }

    def _asset(self, found: Onboarded) -> Asset:
        """Name the definition as an asset: a DAG that waits for new data or versions must not run because of it."""
        definition = found.definition
        if definition.kind == "definition":
            return definition_asset(definition.feature_set, self.project)
        if definition.kind == "model_version":
            return artifact_asset("model", f"{definition.model}/definition", self.project)
        return artifact_asset("endpoint", f"{definition.endpoint}/definition", self.project)
