"""SageMaker's operations Search and GetSearchSuggestions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.resources.listing import read_token, write_token
from festaf.local_aws.search.expression import check_expression, invalid, test_of
from festaf.local_aws.search.properties import ALIASES, names_of, values_of
from festaf.local_aws.search.records import FEATURES, KINDS, Record, Records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import ServiceModel

    from festaf.local_aws.service import Call, Handler

DEFAULT_PAGE = 10
MOST_SUGGESTIONS = 100


class SearchService:
    """Answers Search and GetSearchSuggestions over what is ours; experiments and the like are moto's.

    :param model: SageMaker's, which says what properties a record may have
    """

    name = "sagemaker"

    def __init__(self, records: Records, model: ServiceModel) -> None:
        self._records = records
        self._members = {
            resource: frozenset([*model.shape_for(_SHAPES.get(resource, resource)).members, *_MORE.get(resource, ())])
            for resource in (*KINDS, *FEATURES)
        }
        self.operations: Mapping[str, Handler] = {"Search": self.search, "GetSearchSuggestions": self.suggest}

    def search(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Give a page of the resources that satisfy an expression."""
        resource = request["Resource"]
        found = self._records.all(call, resource)
        members = self._members[resource]
        if "SearchExpression" in request:
            limit = None if resource in FEATURES else 1
            check_expression(request["SearchExpression"], members, contains=limit)
            satisfies = test_of(request["SearchExpression"])
            found = [record for record in found if satisfies(_shown(record, members))]
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            found = []
        _sort(found, request, members)
        start = int(read_token(request.get("NextToken"), 0))
        end = start + request.get("MaxResults", DEFAULT_PAGE)
        return {
            "Results": [{resource: record} for record in found[start:end]],
            "NextToken": write_token(end) if end < len(found) else None,
            "TotalHits": {"Value": len(found), "Relation": "EqualTo"},
        }

    def suggest(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Give names of properties that begin with a hint: those of the model, and those that records have."""
        resource = request["Resource"]
        records = self._records.all(call, resource)
        members = self._members[resource]
        hint = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "")
        names = {name for record in records for name in names_of(_shown(record, members))} | members
        fitting = sorted(name for name in names if name.lower().startswith(hint.lower()))
        return {"PropertyNameSuggestions": [{"PropertyName": name} for name in fitting[:MOST_SUGGESTIONS]]}


_SHAPES = {"Model": "ModelDashboardModel"}
"""The shapes of records, where they have another name than the resource."""
_MORE = {
    "FeatureMetadata": ("AllParameters",),
    "TrainingJob": tuple(ALIASES),
}
"""Names that filters know besides the members of a record."""


def _shown(record: Record, members: frozenset[str]) -> Record:
    return {name: value for name, value in record.items() if name in members and value is not None}


def _sort(found: list[Record], request: Mapping[str, Any], members: frozenset[str]) -> None:
    """Sort by a property; what does not have it comes last.

    :raises ApiError: ValidationException
    """
    name = request.get("SortBy", "LastModifiedTime")
    if name.partition(".")[0] not in members and name != "LastModifiedTime":
        raise invalid(f"Unknown property name: {name}")

    def value(record: Record) -> Any:
        known = values_of(record, name)
        if not known and name == "LastModifiedTime":
            known = values_of(record, "CreationTime") or values_of(record, "Model.CreationTime")
        return known[0] if known else None

    having = [record for record in found if value(record) is not None]
    having.sort(key=value, reverse=request.get("SortOrder", "Descending") == "Descending")
    found[:] = [*having, *(record for record in found if value(record) is None)]
