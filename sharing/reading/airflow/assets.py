"""Assets, aliases, and their combinations."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from festaf.sharing.reading.airflow.model import AssetLike
from festaf.sharing.reading.values import Arguments, List, Set, Unknown

if TYPE_CHECKING:
    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

SINGLE = {"Asset", "Dataset", "Model"}
MANY = {"AssetAll": "all", "AssetAny": "any", "DatasetAll": "all", "DatasetAny": "any"}


def make_asset(machine: Machine, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> AssetLike:
    """Make an asset, an alias or a combination from a call of its class."""
    if name in MANY:
        return _combined(MANY[name], arguments.positional, arguments.gap)
    label = arguments.get("name", 0)
    if name in {"AssetAlias", "DatasetAlias"}:
        return AssetLike("alias", (), (), label if isinstance(label, Unknown) else None, label)
    uri = arguments.get("uri", 1 if name != "Dataset" else 0)
    if uri is None:
        uri = label
    if name != "Dataset" and "uri" not in arguments.keywords and len(arguments.positional) < 2:
        uri = arguments.get("name", 0)
    if isinstance(uri, str):
        return AssetLike("asset", (normalize(uri),), (), None, label if isinstance(label, str) else uri)
    gap = uri if isinstance(uri, Unknown) else machine.unknown("The URI of an asset is not known", node, scope)
    return AssetLike("asset", (), (), gap, label)


def reference(machine: Machine, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> AssetLike:
    """Make a reference to an asset that another file defines, ``Asset.ref``."""
    uri = arguments.get("uri") or arguments.get("name")
    if isinstance(uri, str):
        return AssetLike("reference", (uri,), (), None, uri)
    return AssetLike("reference", (), (), machine.unknown("The name of an asset is not known", node, scope), None)


def normalize(uri: str) -> str:
    """Write a URI as Airflow stores it: a scheme in lower case, no final slash of a plain host."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri
    if not parts.scheme or parts.scheme == "file":
        return uri
    return parts._replace(scheme=parts.scheme.lower(), path=parts.path.rstrip("/") or parts.path[:1]).geturl()


def _combined(kind: str, items: list[object], gap: Unknown | None) -> AssetLike:
    parts: list[AssetLike] = []
    for item in items:
        if isinstance(item, AssetLike):
            parts.append(item)
        else:
            gap = gap or (item if isinstance(item, Unknown) else Unknown("A part of an asset expression is not known"))
    return AssetLike(kind, (), tuple(parts), gap)


def combine_assets(
    machine: Machine, op: ast.operator, left: object, right: object, node: ast.AST, scope: Scope
) -> object:
    """Evaluate ``asset & asset`` and ``asset | asset``."""
    if not isinstance(op, ast.BitAnd | ast.BitOr):
        return machine.unknown("The result of an operation on an asset is not known", node, scope)
    return _combined("all" if isinstance(op, ast.BitAnd) else "any", [left, right], None)


def uris_of(value: object, depth: int = 0) -> tuple[list[str], Unknown | None]:
    """Give the URIs of the assets in a value, and the gap when there may be more."""
    if isinstance(value, AssetLike):
        uris: list[str] = []
        gap = value.gap
        for asset in value.walk():
            uris.extend(asset.uris)
            gap = gap or asset.gap
        return uris, gap
    if isinstance(value, List | tuple | Set) and depth < 10:
        uris, gap = [], getattr(value, "gap", None)
        for item in value:
            inner, inner_gap = uris_of(item, depth + 1)
            uris.extend(inner)
            gap = gap or inner_gap
        return uris, gap
    if isinstance(value, Unknown):
        return [], value
    return [], None
