"""The tags of every resource of SageMaker that is ours; those of others are moto's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.service import ApiError, Call, Handler, NotOurs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from festaf.local_aws.feature_groups.group import FeatureGroup
    from festaf.local_aws.feature_groups.repository import FeatureGroups
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource

MAX_TAGS = 50
OURS = frozenset(
    {
        "model",
        "model-package",
        "model-package-group",
        "endpoint",
        "endpoint-config",
        "training-job",
        "processing-job",
        "transform-job",
        "artifact",
        "action",
        "context",
        "monitoring-schedule",
        "data-quality-job-definition",
    }
)
"""The kinds, as in an ARN, of which moto keeps none."""


class TagService:
    """Answers AddTags, ListTags and DeleteTags."""

    name = "sagemaker"

    def __init__(self, groups: FeatureGroups, resources: Resources) -> None:
        self._groups = groups
        self._resources = resources
        self.operations: Mapping[str, Handler] = {
            "AddTags": self.add,
            "ListTags": self.list_tags,
            "DeleteTags": self.delete,
        }

    def add(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Add tags, or give those that stand another value."""

        def change(tags: dict[str, str]) -> dict[str, str]:
            changed = tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
            if len(changed) > MAX_TAGS:
                raise ApiError("ValidationException", f"Validation Error: A resource can have at most {MAX_TAGS} tags.")
            return changed

        return {"Tags": _as_list(self._change(call, request["ResourceArn"], change))}

    def list_tags(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the tags; they fit one page, since a page holds 50 at least."""
        return {"Tags": _as_list(self._tagged(call, request["ResourceArn"]).tags)}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete tags; those that do not stand are ignored."""
        self._change(
            call,
            request["ResourceArn"],
            lambda tags: {key: value for key, value in tags.items() if key not in request["TagKeys"]},
        )
        return {}

    def _change(self, call: Call, arn: str, change: Callable[[dict[str, str]], dict[str, str]]) -> Mapping[str, str]:
        with self._groups.lock, self._resources.lock:
            tagged = self._tagged(call, arn)
            tagged.tags = change(tagged.tags)
            if ":feature-group/" in arn:
                self._groups.save(tagged)  # type: ignore[arg-type]  # The ARN says that it is a group.
            else:
                self._resources.save(tagged)  # type: ignore[arg-type]  # The ARN says that it is none.
            return tagged.tags

    def _tagged(self, call: Call, arn: str) -> FeatureGroup | Resource:
        if ":feature-group/" in arn:
            group = self._groups.find(call.region, arn)
            if group is None:
                raise _absent(arn)
            return group
        # A version of a model package group has the tags of its group.
        if ":model-package/" in arn and arn.count("/") > 1:
            arn = arn.replace(":model-package/", ":model-package-group/").rpartition("/")[0]
        found = self._resources.by_arn(arn)
        if found is None:
            raise _absent(arn) if arn.split(":", 5)[5].partition("/")[0] in OURS else NotOurs
        return found


def _absent(arn: str) -> ApiError:
    """Make the error of a resource that is not there; the model documents none of its own for tags."""
    return ApiError("ValidationException", f"Resource {arn} does not exist.")


def _as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
