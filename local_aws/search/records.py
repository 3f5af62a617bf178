"""What can be searched: the resources of every kind as Search shows them, each with its tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.service import ApiError, Call, Handler, NotOurs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from festaf.local_aws.feature_groups.repository import FeatureGroups
    from festaf.local_aws.resources.repository import Resources

Record = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of resource that is described one by one.

    :param arn: the kind as it stands in an ARN
    :param noun: as its operation and its members begin
    """

    arn: str
    noun: str


KINDS = {
    "TrainingJob": Kind("training-job", "TrainingJob"),
    "Endpoint": Kind("endpoint", "Endpoint"),
    "Model": Kind("model", "Model"),
    "ModelPackage": Kind("model-package", "ModelPackage"),
    "ModelPackageGroup": Kind("model-package-group", "ModelPackageGroup"),
}
FEATURES = ("FeatureGroup", "FeatureMetadata")


class Records:
    """Gives the records of a region.

    :param handler: gives the handler of one of SageMaker's operations
    """

    def __init__(self, groups: FeatureGroups, resources: Resources, handler: Callable[[str], Handler]) -> None:
        self._groups = groups
        self._resources = resources
        self._handler = handler

    def all(self, call: Call, resource: str) -> list[Record]:
        """Give every record of a kind.

        :raises NotOurs: the kind is moto's
        """
        if resource == "FeatureGroup":
            return list(self._feature_groups(call))
        if resource == "FeatureMetadata":
            return list(self._features(call))
        if resource not in KINDS:
            raise NotOurs
        return list(self._described(call, KINDS[resource]))

    def _feature_groups(self, call: Call) -> Iterator[Record]:
        describe = self._handler("DescribeFeatureGroup")
        for group in self._groups.visible(call.region):
            yield {**describe(call, {"FeatureGroupName": group.name}), "Tags": _tags(group.tags)}

    def _features(self, call: Call) -> Iterator[Record]:
        describe = self._handler("DescribeFeatureMetadata")
        for group in self._groups.visible(call.region):
            for feature in group.definitions:
                yield describe(call, {"FeatureGroupName": group.name, "FeatureName": feature["FeatureName"]})

    def _described(self, call: Call, kind: Kind) -> Iterator[Record]:
        describe = self._handler(f"Describe{kind.noun}")
        for resource in self._resources.all(kind.arn, call.region):
            try:
                found = describe(call, {f"{kind.noun}Name": resource.name})
            except ApiError:
                continue  # It is gone by now.
            record = {**found, "Tags": _tags(resource.tags)}
            yield {"Model": record} if kind.noun == "Model" else record


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
