"""Leave out of facets and events what names a namespace that a caller may not see. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from festaf.contract.names import SCHEME, dataset_name
from festaf.registry_api.access.sight import Sight

OURS = re.compile(rf"{SCHEME}[a-z-]*://[^/#]*")
"""The namespace that a URI of ours begins with."""
NAMING = {"sources", "waits_for"}
"""Keys of lists of URIs that name datasets of anybody."""


def without_hidden(value: Any, sight: Sight) -> Any:
    """Give a JSON value without what names a job or dataset of a hidden namespace: objects, and URIs of ours."""
    if sight.everything:
        return value
    if isinstance(value, list):
        return [without_hidden(item, sight) for item in value if not _hidden(item, sight)]
    if isinstance(value, dict):
        return {
            key: without_hidden(seen_sources(item, sight) if key in NAMING and isinstance(item, list) else item, sight)
            for key, item in value.items()
            if not _hidden(item, sight)
        }
    return value


def seen_sources(sources: Iterable[Any], sight: Sight) -> list[Any]:
    """Give declared sources without the URIs of hidden datasets; what is no URI names none."""
    return [item for item in sources if not (isinstance(item, str) and _of_hidden(item, sight))]


def _of_hidden(source: str, sight: Sight) -> bool:
    try:
        return not sight.sees_namespace(dataset_name(source).namespace)
    except ValueError:
        return False


def _hidden(value: Any, sight: Sight) -> bool:
    named = value.get("namespace") if isinstance(value, dict) else None
    if isinstance(value, str) and (found := OURS.match(value)):
        named = found[0]
    return isinstance(named, str) and not sight.sees_namespace(named)
