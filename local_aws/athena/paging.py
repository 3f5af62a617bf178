"""The pages of Athena's lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGE = 50
"""How many items a page has when nothing is said, and the most of it."""


def invalid(message: str) -> ApiError:
    """Make the error that Athena gives for nearly everything."""
    return ApiError("InvalidRequestException", message)


def offset_of(token: str | None) -> int:
    """Read where a page starts.

    :raises ApiError: the token is none of ours
    """
    if token is None:
        return 0
    if not token.isdigit():
        raise invalid("NextToken is invalid")
    return int(token)


def page_of(items: Sequence[Any], asked: Mapping[str, Any], answer: str) -> dict[str, Any]:
    """Give one page.

    :param answer: the key of the answer, such as ``WorkGroups``
    :raises ApiError: NextToken is none of ours
    """
    start = offset_of(asked.get("NextToken"))
    end = start + (asked.get("MaxResults") or PAGE)
    found: dict[str, Any] = {answer: list(items[start:end])}
    return found | ({"NextToken": str(end)} if end < len(items) else {})
