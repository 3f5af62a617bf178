"""What festaf notes in the CustomerMetadataProperties of a model package: keys, and what AWS takes as a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "festaf:"
REGISTRATION = "festaf:registration"
"""Identifies what was registered by which task of which run, so that nothing is registered twice."""
RECORD = "festaf:record"
"""URI of the ModelVersionFact, which has all that does not fit here."""
PROJECT = "festaf:project"
OWNER = "festaf:owner"
DAG = "festaf:dag"
RUN = "festaf:run"
TASK = "festaf:task"
MAP_INDEX = "festaf:map_index"
LOGIC = "festaf:logic_sha256"
BUNDLE = "festaf:bundle"
TRAINING_SET = "festaf:training_set"
TRAINING_JOB = "festaf:training_job"
FEATURES = "festaf:features"
HELD_OUT = "festaf:held_out"
HELD_OUT_SHA256 = "festaf:held_out_sha256"
METRIC = "festaf:metric:"
DECIDED_BY = "festaf:decided_by"
"""The DAG, run and task that approved or rejected."""
SUPERSEDED_BY = "festaf:superseded_by"
"""The version that took this one's place."""
SUPERSEDES = "festaf:supersedes"
ONBOARDED = "festaf:onboarded"
"""True for a version that was made elsewhere and adopted."""

MOST = 50
"""Entries that AWS takes."""
AT_FIRST = 45
"""Entries of a new version; the others are for what is decided later."""
LONGEST = 256
"""Characters of a value that AWS takes."""
_TAKEN = re.compile(r"[\w .:/=+\-@]*")


def writable(values: Mapping[str, str | None], most: int = MOST) -> dict[str, str]:
    """Leave out what AWS does not take: nothing at all, too long, other characters, and entries beyond ``most``."""
    fit = {
        key: value
        for key, value in values.items()
        if value and len(value) <= LONGEST and len(key) <= 128 and _TAKEN.fullmatch(value) and _TAKEN.fullmatch(key)
    }
    return dict(list(fit.items())[:most])


def extended(standing: Mapping[str, str], notes: Mapping[str, str | None]) -> dict[str, str]:
    """Lay notes over what stands, which is never left out; those for which there is no room are."""
    fit = writable(notes)
    room = MOST - len(standing.keys() - fit.keys())
    return {**standing, **dict(list(fit.items())[: max(0, room)])}
