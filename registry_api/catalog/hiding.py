"""Leave out of facets and events what names a namespace that a caller may not see. Pure functions."""

from __future__ import annotations

from typing import Any

from festaf.registry_api.access.sight import Sight


def without_hidden(value: Any, sight: Sight) -> Any:
    """Give a JSON value without the objects in it that name a job or dataset of a hidden namespace."""
    if sight.everything:
        return value
    if isinstance(value, list):
        return [without_hidden(item, sight) for item in value if not _hidden(item, sight)]
    if isinstance(value, dict):
        return {key: without_hidden(item, sight) for key, item in value.items() if not _hidden(item, sight)}
    return value


def _hidden(value: Any, sight: Sight) -> bool:
    named = value.get("namespace") if isinstance(value, dict) else None
    return isinstance(named, str) and not sight.sees_namespace(named)
