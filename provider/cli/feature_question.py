"""Ask about a feature that a person named, and say what may have been meant when there is none."""

from __future__ import annotations

import difflib
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from festaf.client.errors import AbsentError
from festaf.provider.cli.connection import fail
from festaf.provider.cli.feature_name import FeatureName
from festaf.provider.cli.feature_requests import line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from festaf.client import RegistryClient
    from festaf.contract.feature import Feature, FeatureSummary

SEARCHED = 5_000
SUGGESTED = 5
STANDING = ("open", "planned", "declined")
"""Requests that are not done, nor taken back."""

Found = TypeVar("Found")


def find(client: RegistryClient, text: str, as_of: datetime | None = None, known_at: datetime | None = None) -> Feature:
    """Ask for a feature, or end with a sentence that suggests what may have been meant."""
    return ask(client, text, client.feature, as_of, known_at)


def ask(
    client: RegistryClient,
    text: str,
    question: Callable[..., Found | None],
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Found:
    """Ask a question about a feature, or end with a sentence that suggests what may have been meant.

    :param question: a method of the client that takes project, feature set and name, and both times as keywords
    """
    wanted = _parse(text)
    project = wanted.project or _project_of(client, wanted)
    found = None
    if project:
        with suppress(AbsentError):
            found = question(project, wanted.feature_set, wanted.name, as_of=as_of, known_at=known_at)
    if found is None:
        fail(_unknown(client, wanted, as_of, known_at))
    return found


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
    if any(f"/{name}".endswith(f"/{wanted}") for name in known):
        return f"{sentence}; it does now"
    near = _near(str(wanted), known)
    if near:
        sentence += f"; did you mean {' or '.join(near)}?"
    else:
        sentence += "; see: festaf features list" if known else "; it knows no features yet"
    return "\n".join((sentence, *_asked_for(client, wanted)))


def _asked_for(client: RegistryClient, wanted: FeatureName) -> Iterator[str]:
    """Say what became of requests for a feature that is not there, or how to ask for it."""
    standing = client.feature_requests(query=wanted.name, project=wanted.project, states=STANDING)
    requests = list(islice(standing, SUGGESTED))
    for request in requests:
        yield f"Asked for: {line(request)}"
    if not requests:
        project = wanted.project or "PROJECT"
        yield f"Ask for it: festaf features request {wanted.name} --project {project} --purpose WHY"


def _near(wanted: str, known: list[str]) -> list[str]:
    """Choose the names most like the wanted one, compared by as many parts as it has."""
    parts = wanted.count("/") + 1
    shorter = {"/".join(name.split("/")[-parts:]): name for name in known}
    last = {name.split("/")[-1]: name for name in known}
    near = [shorter[match] for match in difflib.get_close_matches(wanted, shorter, SUGGESTED, 0.6)]
    name = wanted.rsplit("/", maxsplit=1)[-1]
    near += [last[match] for match in difflib.get_close_matches(name, last, SUGGESTED, 0.75)]
    return list(dict.fromkeys(near))[:SUGGESTED]
