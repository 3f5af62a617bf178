"""What the registry knows of a feature, as the parameters of its metadata in SageMaker.

UpdateFeatureMetadata takes 25 pairs of at most 255 characters each, of letters, digits, spaces and ``_ . : / = + -``.
So it is chosen what is written, in the order of what people ask first, and said what is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from festaf.contract.feature import Feature
    from festaf.provider.hooks.feature_store import FeatureMetadata

PREFIX = "festaf:"
"""Begins the keys that are ours; other people's pairs are never touched."""
MOST_PAIRS = 25
LONGEST = 255
PROSE = frozenset({"owner", "purpose", "technique", "tags"})
"""What still says something when it is cut or lost a character; anything else is whole or left out."""
_FOREIGN = "has characters that AWS does not take"
_REFUSED = re.compile(r"[^\w\s.:/=+\-]")


@dataclass(frozen=True)
class MetadataChange:
    """What is to be changed of one feature's metadata, and what did not fit."""

    feature: str
    description: str | None
    """None leaves the one that stands."""
    additions: Mapping[str, str]
    removals: tuple[str, ...]
    left_out: tuple[str, ...]
    """One line each."""

    @property
    def request(self) -> dict[str, object]:
        """Give the parameters of UpdateFeatureMetadata; empty when nothing is to be changed."""
        asked: dict[str, object] = {}
        if self.description is not None:
            asked["Description"] = self.description
        if self.additions:
            asked["ParameterAdditions"] = [{"Key": key, "Value": value} for key, value in self.additions.items()]
        if self.removals:
            asked["ParameterRemovals"] = list(self.removals)
        return asked


def metadata_change(feature: Feature, standing: FeatureMetadata) -> MetadataChange:
    """Compare what is known with what stands."""
    left_out: list[str] = []
    wanted: dict[str, str] = {}
    others = [key for key in standing.parameters if not key.startswith(PREFIX)]
    room = MOST_PAIRS - len(others)
    for name, text in _known(feature):
        value, lost = _fitting(text)
        if not value:
            continue
        if lost and name not in PROSE and not name.startswith("source-"):
            left_out.append(f"{name}: {lost}")
            continue
        if len(wanted) >= room:
            left_out.append(f"{name}: the {MOST_PAIRS} pairs are taken, {len(others)} of them by others")
            continue
        wanted[PREFIX + name] = value
        if lost:
            left_out.append(f"{name}: {lost}{', written without them' if lost == _FOREIGN else ''}")
    description = feature.why.description
    if description is not None and len(description) > LONGEST:
        left_out.append(f"description: cut to {LONGEST} of {len(description)} characters")
        description = f"{description[: LONGEST - 3]}..."
    return MetadataChange(
        feature=feature.name,
        description=description if description and description != standing.description else None,
        additions={key: value for key, value in wanted.items() if standing.parameters.get(key) != value},
        removals=tuple(key for key in standing.parameters if key.startswith(PREFIX) and key not in wanted),
        left_out=tuple(left_out),
    )


def _known(feature: Feature) -> Iterator[tuple[str, str | None]]:
    """Give what is known, the most asked for first."""
    yield "owner", feature.who.owner or ", ".join(feature.who.dag_owners)
    yield "purpose", feature.why.purpose
    yield "technique", feature.how.technique
    if run := feature.run:
        yield "dag", run.dag_id
        yield "task", run.task_id
        yield "run", run.run_id
        yield "run-ended", _time(run.ended_at)
        yield "airflow", run.namespace
        yield "dag-version", str(run.dag_version.number or "")
        yield "bundle-version", run.dag_version.bundle_version
    if file := feature.how.dag_file:
        yield "dag-file-sha256", file.sha256
    if logic := feature.how.logic:
        yield "logic-sha256", logic.sha256
    if place := feature.how.location:
        yield "repository", place.repository_url
        yield "commit", place.commit
    yield "schedule", feature.when.schedule
    yield "first-seen", _time(feature.when.first_seen)
    yield "version", str(feature.version) if feature.version else None
    yield "project", feature.project
    yield "tags", " ".join(feature.tags)
    for number, source in enumerate((source for source in feature.sources if source.uri), 1):
        yield f"source-{number}", source.uri


def _fitting(text: str | None) -> tuple[str, str]:
    """Write a text as AWS takes it, and say what was lost; a column's ``#`` is written in words."""
    if not text:
        return "", ""
    said = text.replace("#", " column ")
    value = " ".join(_REFUSED.sub(" ", said).split())
    if len(value) > LONGEST:
        return f"{value[: LONGEST - 3]}...", f"cut to {LONGEST} of {len(value)} characters"
    return value, _FOREIGN if _REFUSED.search(said) else ""


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
