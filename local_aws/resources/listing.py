"""The List operations: filters, order and pages, the same for every kind."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_PAGE = 10


def page_of(
    summaries: Sequence[dict[str, Any]],
    request: Mapping[str, Any],
    *,
    answer: str,
    name: str,
    status: str | None = None,
    default_sort: str = "CreationTime",
    default_order: str = "Descending",
) -> dict[str, Any]:
    """Give one page of a List operation.

    Filters by NameContains, StatusEquals, CreationTimeBefore and -After, LastModifiedTimeBefore and -After; sorts by
    SortBy and SortOrder; cuts by MaxResults and NextToken: what an operation does not have is never in its request.

    :param summaries: the summary of every resource
    :param answer: the key of the answer, such as ``Endpoints``
    :param name: the key of a summary's name, such as ``EndpointName``
    :param status: the key of a summary's status, such as ``EndpointStatus``
    :raises ApiError: ValidationException, when NextToken is none of ours
    """
    sort = request.get("SortBy", default_sort)
    key = {"Name": name, "Status": status or name}.get(sort, sort)
    found = [one for one in summaries if _fits(one, request, name, status)]
    found.sort(key=lambda one: (one.get(key) is not None, one.get(key), one[name]))
    if request.get("SortOrder", default_order) == "Descending":
        found.reverse()
    start = int(read_token(request.get("NextToken"), 0))
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    return {answer: found[start:end], "NextToken": write_token(end) if end < len(found) else None}


def write_token(place: int | str) -> str:
    """Make the token for the page that starts here, or after this."""
    return base64.urlsafe_b64encode(json.dumps({"from": place}).encode()).decode()


def read_token(token: str | None, start: int | str, code: str = "ValidationException") -> int | str:
    """Read where a page starts; without a token, at the start.

    :raises ApiError: with this code, when the token is none of ours
    """
    if not token:
        return start
    try:
        place: int | str = json.loads(base64.urlsafe_b64decode(token))["from"]
    except (ValueError, KeyError, TypeError):
        place = ""
    if place == "" or type(place) is not type(start):
        raise ApiError(code, "Validation Error: NextToken is not valid.")
    return place


def _fits(summary: Mapping[str, Any], request: Mapping[str, Any], name: str, status: str | None) -> bool:
    if request.get("NameContains", "").lower() not in summary[name].lower():
        return False
    if status and request.get("StatusEquals") not in (None, summary[status]):
        return False
    return all(
        _within(summary.get(key), request.get(f"{key}After"), request.get(f"{key}Before"))
        for key in ("CreationTime", "LastModifiedTime")
    )


def _within(moment: Any, after: Any, before: Any) -> bool:
    if moment is None:
        return after is None and before is None
    return (after is None or moment >= after) and (before is None or moment <= before)
