"""The baseline: another window, a training set, or statistics that were kept, made once and never changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from festaf.contract.monitor import KeptStatistics, Statistics
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from festaf.provider.monitoring.store import Store

JSON = "application/json"


@dataclass(frozen=True)
class Baseline:
    """Statistics, and where they come from."""

    statistics: Statistics
    origin: str
    """A URI, or a window in words."""


def read_kept(store: Store, uri: str) -> Statistics | None:
    """Read kept statistics; None when there are none.

    :raises InputError: they were changed since, or are none
    """
    content = store.read(uri)
    if content is None:
        return None
    document = read_document(content, uri)
    if "statistics" not in document:
        raise InputError(f"{uri} is no baseline: it holds {', '.join(sorted(document)[:5]) or 'nothing'}")
    return parse_kept(document, uri)


def parse_kept(document: dict[str, Any], uri: str) -> Statistics:
    """Read statistics and check that no one changed them.

    :raises InputError: someone did, or these are none
    """
    try:
        kept = KeptStatistics.model_validate(document)
    except ValidationError as error:
        raise InputError(f"{uri} is no baseline: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from error
    if kept.statistics.sha256 != kept.sha256:
        raise InputError(
            f"Baseline {uri} was changed after it was made: its content hashes to {kept.statistics.sha256[:12]}, "
            f"it says {kept.sha256[:12]}; make a new one under another name"
        )
    return kept.statistics


def read_document(content: bytes, uri: str) -> dict[str, Any]:
    """Read a JSON object.

    :raises InputError: it is none
    """
    try:
        document = json.loads(content)
    except ValueError as error:
        raise InputError(f"{uri} is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{uri} holds a {type(document).__name__}, not a baseline or a training set's manifest")
    return document


def keep(store: Store, uri: str, statistics: Statistics) -> Statistics:
    """Keep statistics where none are, and give those that stand there then: another task may have been faster."""
    kept = KeptStatistics(sha256=statistics.sha256, statistics=statistics)
    if store.create(uri, kept.model_dump_json(indent=1).encode(), JSON):
        return statistics
    standing = read_kept(store, uri)
    if standing is None:
        raise InputError(f"Baseline {uri} was deleted while it was made")
    return standing
