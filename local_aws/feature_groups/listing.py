"""ListFeatureGroups: filters, order and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.resources.listing import DEFAULT_PAGE, read_token, write_token

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def page_of(summaries: Sequence[dict[str, Any]], request: Mapping[str, Any]) -> dict[str, Any]:
    """Give one page of ListFeatureGroups.

    :param summaries: FeatureGroupSummary of every visible group
    :raises ApiError: ValidationException, when NextToken is none of ours
    """
    found = sorted((one for one in summaries if _fits(one, request)), key=lambda one: _order(one, request))
    if request.get("SortOrder", "Ascending") == "Descending":
        found.reverse()
    start = int(read_token(request.get("NextToken"), 0))
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    token = write_token(end) if end < len(found) else None
    return {"FeatureGroupSummaries": found[start:end], "NextToken": token}


def _fits(summary: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    offline = (summary.get("OfflineStoreStatus") or {}).get("Status")
    created = summary["CreationTime"]
    return (
        request.get("NameContains", "") in summary["FeatureGroupName"]
        and request.get("FeatureGroupStatusEquals") in (None, summary["FeatureGroupStatus"])
        and request.get("OfflineStoreStatusEquals") in (None, offline)
        and ("CreationTimeAfter" not in request or created >= request["CreationTimeAfter"])
        and ("CreationTimeBefore" not in request or created <= request["CreationTimeBefore"])
    )


def _order(summary: Mapping[str, Any], request: Mapping[str, Any]) -> tuple[Any, str]:
    match request.get("SortBy", "CreationTime"):
        case "Name":
            first: Any = summary["FeatureGroupName"]
        case "FeatureGroupStatus":
            first = summary["FeatureGroupStatus"]
        case "OfflineStoreStatus":
            first = (summary.get("OfflineStoreStatus") or {}).get("Status", "")
        case _:
            first = summary["CreationTime"]
    return first, summary["FeatureGroupName"]
