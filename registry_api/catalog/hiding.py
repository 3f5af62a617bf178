"""Leave out of facets and events what names a namespace that a caller may not see. Pure functions."""

from __future__ import annotations

import re
from typing import Any

from festaf.contract.names import SCHEME
from festaf.registry_api.access.sight import Sight

OURS = re.compile(rf"{SCHEME}[a-z-]*://[^/#]*")
"""The namespace that a URI of ours begins with."""


def without_hidden(value: Any, sight: Sight) -> Any:
    """Give a JSON value without what names a job or dataset of a hidden namespace: objects, and URIs of ours."""
    if sight.everything:
        return value
    if isinstance(value, list):
        return [without_hidden(item, sight) for item in value if not _hidden(item, sight)]
    if isinstance(value, dict):
        return {key: without_hidden(item, sight) for key, item in value.items() if not _hidden(item, sight)}
    return value


def _hidden(value: Any, sight: Sight) -> bool:
    named = value.get("namespace") if isinstance(value, dict) else None
    if isinstance(value, str) and (found := OURS.match(value)):
        named = found[0]
    return isinstance(named, str) and not sight.sees_namespace(named)
