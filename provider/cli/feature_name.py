"""A feature as a person writes it: ``project/feature_set/feature``, or shorter where that is clear."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from festaf.provider.cli.connection import fail

if TYPE_CHECKING:
    from festaf.client import RegistryClient
    from festaf.contract.feature import Feature, FeatureSummary

SEARCHED = 5_000
SUGGESTED = 5


@dataclass(frozen=True)
class FeatureName:
    """A feature; the project is None when it was not said."""

    project: str | None
    feature_set: str
    name: str

    @classmethod
    def parse(cls, text: str) -> FeatureName:
        """Read ``project/feature_set/feature``, ``feature_set/feature`` or ``feature_set.feature``.

        :raises ValueError: it is none of these
        """
        parts = text.split("/") if "/" in text else text.rsplit(".", 1)
        if len(parts) not in {2, 3} or not all(parts):
            raise ValueError(
                f"{text!r} is no feature: write project/feature_set/feature, feature_set/feature or feature_set.feature"
            )
        *project, feature_set, name = parts
        return cls(project[0] if project else None, feature_set, name)

    def __str__(self) -> str:
        return "/".join(part for part in (self.project, self.feature_set, self.name) if part)


def find(client: RegistryClient, text: str, as_of: datetime | None = None, known_at: datetime | None = None) -> Feature:
    """Ask for a feature, or end with a sentence that suggests what may have been meant."""
    wanted = _parse(text)
    project = wanted.project or _project_of(client, wanted)
    feature = None
    if project:
        feature = client.feature(project, wanted.feature_set, wanted.name, as_of=as_of, known_at=known_at)
    if feature is None:
        fail(_unknown(client, wanted, as_of, known_at))
    return feature


def locate(client: RegistryClient, text: str) -> tuple[str, str, str]:
    """Give project, feature set and name of a feature, or end with a sentence; whether it exists is not asked."""
    wanted = _parse(text)
    project = wanted.project or _project_of(client, wanted)
    if project is None:
        fail(_unknown(client, wanted))
    return project, wanted.feature_set, wanted.name


def moment_of(text: str | None) -> datetime | None:
    """Read a time that a person gave, or end with a sentence."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no time: write it as in 2026-11-21T12:00:00Z")
    if moment.tzinfo is None:
        fail(f"{text!r} has no time zone: add Z for UTC, as in {moment.isoformat()}Z")
    return moment


def _parse(text: str) -> FeatureName:
    try:
        return FeatureName.parse(text)
    except ValueError as error:
        fail(str(error))


def _project_of(client: RegistryClient, wanted: FeatureName) -> str | None:
    """Find the one project that has the feature; None when none has."""
    projects = {found.project for found in client.features(feature_set=wanted.feature_set) if _same(found, wanted)}
    if len(projects) > 1:
        names = ", ".join(f"{project}/{wanted}" for project in sorted(projects))
        fail(f"{wanted} stands in several projects: say which, one of {names}")
    return next(iter(projects), None)


def _same(found: FeatureSummary, wanted: FeatureName) -> bool:
    return (found.feature_set, found.name) == (wanted.feature_set, wanted.name)


def _unknown(
    client: RegistryClient, wanted: FeatureName, as_of: datetime | None = None, known_at: datetime | None = None
) -> str:
    known = [f"{found.project}/{found.feature_set}/{found.name}" for found in islice(client.features(), SEARCHED)]
    sentence = f"The registry at {client.url} knows no feature {wanted}"
    if as_of:
        sentence += f" at {as_of.isoformat()}"
    if known_at:
        sentence += f", by what it knew at {known_at.isoformat()}"
    if not known:
        return f"{sentence}; it knows no features yet"
    if any(f"/{name}".endswith(f"/{wanted}") for name in known):
        return f"{sentence}; it does now"
    near = _near(str(wanted), known)
    return f"{sentence}; did you mean {' or '.join(near)}?" if near else f"{sentence}; see: festaf features list"


def _near(wanted: str, known: list[str]) -> list[str]:
    """Choose the names most like the wanted one, compared by as many parts as it has."""
    parts = wanted.count("/") + 1
    shorter = {"/".join(name.split("/")[-parts:]): name for name in known}
    last = {name.split("/")[-1]: name for name in known}
    near = [shorter[match] for match in difflib.get_close_matches(wanted, shorter, SUGGESTED, 0.6)]
    name = wanted.rsplit("/", maxsplit=1)[-1]
    near += [last[match] for match in difflib.get_close_matches(name, last, SUGGESTED, 0.75)]
    return list(dict.fromkeys(near))[:SUGGESTED]
