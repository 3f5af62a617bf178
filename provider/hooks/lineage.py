"""The hook to SageMaker lineage: artifacts, actions and the associations between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.provider.errors import RefusedError
from festaf.provider.hooks.aws import AwsHook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.provider.write_back.entities import Entity

TAKEN = ("already exists", "must be unique")


class LineageHook(AwsHook):
    """Reach SageMaker lineage; its parameters are those of AwsHook."""

    def ensure(self, entity: Entity) -> tuple[str, bool]:
        """Make an entity stand as asked; give its ARN, and whether it was made now."""
        return self._artifact(entity) if entity.kind == "artifact" else self._action(entity)

    def associate(self, source: str, target: str, relation: str) -> bool:
        """Add an association (AddAssociation); False when it stands already.

        :param source: ARN
        :param target: ARN
        """
        for page in self.pages("sagemaker", "list_associations", SourceArn=source, DestinationArn=target):
            if page["AssociationSummaries"]:
                return False
        return self._once(
            "add_association", {"SourceArn": source, "DestinationArn": target, "AssociationType": relation}
        )

    def _artifact(self, entity: Entity) -> tuple[str, bool]:
        """Find an artifact by its source (ListArtifacts) or create it, and complete its properties."""
        asked = {"SourceUri": entity.source_uri, "ArtifactType": entity.type}
        for page in self.pages("sagemaker", "list_artifacts", **asked):
            for found in page["ArtifactSummaries"]:
                self._complete("artifact", {"ArtifactArn": found["ArtifactArn"]}, entity)
                return found["ArtifactArn"], False
        answer = self.call(
            "sagemaker",
            "create_artifact",
            ArtifactName=entity.name,
            ArtifactType=entity.type,
            Source={
                "SourceUri": entity.source_uri,
                "SourceTypes": [{"SourceIdType": "Custom", "Value": entity.source_type}],
            },
            Properties=dict(entity.properties),
        )
        return answer["ArtifactArn"], True

    def _action(self, entity: Entity) -> tuple[str, bool]:
        """Create an action, whose name tells its content, or find it, and complete it."""
        request = {
            "ActionName": entity.name,
            "ActionType": entity.type,
            "Source": {"SourceUri": entity.source_uri, "SourceType": entity.source_type},
            "Status": entity.status,
            "Properties": dict(entity.properties),
        }
        found = self.call_or_none("sagemaker", "describe_action", ActionName=entity.name)
        if found is None and self._once("create_action", request):
            found = self.patiently(lambda: self.call_or_none("sagemaker", "describe_action", ActionName=entity.name))
            assert found is not None
            return found["ActionArn"], True
        found = found or self.call("sagemaker", "describe_action", ActionName=entity.name)
        if found.get("Status") != entity.status or not _has(found.get("Properties"), entity.properties):
            self.call(
                "sagemaker",
                "update_action",
                ActionName=entity.name,
                Status=entity.status,
                Properties=dict(entity.properties),
            )
        return found["ActionArn"], False

    def _complete(self, kind: str, name: Mapping[str, str], entity: Entity) -> None:
        if not entity.properties:
            return
        found = self.call("sagemaker", f"describe_{kind}", **name)
        if not _has(found.get("Properties"), entity.properties):
            self.call("sagemaker", f"update_{kind}", **name, Properties=dict(entity.properties))

    def _once(self, operation: str, request: Mapping[str, Any]) -> bool:
        """Create a thing; False when it stands already, which a lost reply or another task made."""
        try:
            self.call("sagemaker", operation, **request)
        except RefusedError as error:
            if any(words in str(error) for words in TAKEN):
                return False
            raise
        return True


def _has(standing: Mapping[str, str] | None, asked: Mapping[str, str]) -> bool:
    return all((standing or {}).get(name) == value for name, value in asked.items())
