"""Leave out of facets and events what names a namespace that a caller may not see. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from festaf.contract.names import SCHEME
from festaf.registry_api.access.sight import Sight

OURS = re.compile(rf"{SCHEME}[a-z-]*://[^/#]*")
"""The namespace that a URI of ours begins with."""
NAMING = {"sources", "waits_for"}
"""Keys of lists of URIs that name datasets of anybody."""
MADE_OF = {"features", "columns"}
"""Keys of what a training set or a model was made from: ``feature_set.feature``, or objects with a ``feature_set``."""


def without_hidden(value: Any, sight: Sight) -> Any:
    """Give a JSON value without what names a job or dataset of a hidden namespace: objects, and URIs of ours."""
    if sight.everything:
        return value
    if isinstance(value, list):
        return [without_hidden(item, sight) for item in value if not _hidden(item, sight)]
    if isinstance(value, dict):
        hidden_sets = _hidden_sets(value.get("feature_sets"), sight)
        return {
            key: without_hidden(_seen(key, item, sight, hidden_sets) if isinstance(item, list) else item, sight)
            for key, item in value.items()
            if not _hidden(item, sight)
        }
    return value


def seen_sources(sources: Iterable[Any], sight: Sight) -> list[Any]:
    """Give declared sources without the URIs of hidden datasets; what is no URI names none."""
    return [item for item in sources if not isinstance(item, str) or sight.sees_source(item)]


def _seen(key: str, items: list[Any], sight: Sight, hidden_sets: set[str]) -> list[Any]:
    if key in NAMING:
        return seen_sources(items, sight)
    if key in MADE_OF and hidden_sets:
        return [item for item in items if _set_of(item) not in hidden_sets]
    return items


def _hidden_sets(used: Any, sight: Sight) -> set[str]:
    """Name the hidden ones of the feature sets that a training set or a model was made from."""
    hidden = [item for item in used if _hidden(item, sight)] if isinstance(used, list) else []
    return {str(item.get("feature_set")) if isinstance(item, dict) else item.rpartition("/")[2] for item in hidden}


def _set_of(made_of: Any) -> str:
    return str(made_of.get("feature_set")) if isinstance(made_of, dict) else str(made_of).partition(".")[0]


def _hidden(value: Any, sight: Sight) -> bool:
    if isinstance(value, dict) and "feature_set" in value and isinstance(project := value.get("project"), str):
        return not sight.sees(project)
    named = value.get("namespace") if isinstance(value, dict) else None
    if isinstance(value, str) and (found := OURS.match(value)):
        named = found[0]
    return isinstance(named, str) and not sight.sees_namespace(named)
