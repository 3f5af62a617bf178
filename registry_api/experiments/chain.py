"""The chain: how an entry is hashed, and how an entry and a chain are checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from pydantic import ValidationError

from festaf.contract.experiment import TrainingRecord
from festaf.contract.names import sha256_of
from festaf.registry_api.experiments.tables import EntryTable, ExperimentTable
from festaf.registry_api.table import as_utc


def canonical(record: TrainingRecord) -> str:
    """Write a record as JSON in the one form that is hashed: sorted keys, no spaces, nothing that was not said."""
    said = record.model_dump(mode="json", exclude_none=True, exclude_defaults=False)
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read(entry: EntryTable, experiment: ExperimentTable) -> TrainingRecord:
    """Give what an entry says; of one that was changed so that it says nothing, which run it is of."""
    try:
        return TrainingRecord.model_validate_json(entry.content)
    except ValidationError:
        return TrainingRecord(project=experiment.project, experiment=experiment.name, run=entry.run)


def link(previous: str | None, number: int, content_sha256: str, recorded_at: datetime, recorded_by: str) -> str:
    """Hash an entry with the one before it."""
    moment = as_utc(recorded_at).isoformat(timespec="microseconds")
    parts = json.dumps([previous, number, content_sha256, moment, recorded_by])
    return hashlib.sha256(parts.encode()).hexdigest()


def fault(entries: Iterable[EntryTable], head: str | None, count: int) -> tuple[int, str] | None:
    """Give number and reason of the first entry that is not as it was written; None for a whole chain.

    :param head: hash of the last entry, as the experiment's own row says it
    :param count: number of entries, as the experiment's own row says it
    """
    previous: str | None = None
    number = 0
    for number, entry in enumerate(entries, 1):
        if entry.number != number:
            return number, f"entry {number} is missing"
        if reason := _changed(entry, previous):
            return number, reason
        previous = entry.sha256
    if number != count or previous != head:
        return number + 1, "entries at the end are missing"
    return None


def stands(entry: EntryTable, previous: str | None, following: str | None) -> bool:
    """Tell whether an entry is as it was written, and between those that it was written between.

    :param previous: hash of the entry before it; None when there is none
    :param following: the hash that the entry after it says is this one's; None when there is none
    """
    return _changed(entry, previous) is None and entry.sha256 == following


def _changed(entry: EntryTable, previous: str | None) -> str | None:
    if sha256_of(entry.content) != entry.content_sha256:
        return "its content is not the one that was hashed"
    if entry.previous_sha256 != previous:
        return "it does not follow the entry before it"
    if link(previous, entry.number, entry.content_sha256, entry.recorded_at, entry.recorded_by) != entry.sha256:
        return "its time, author or place is not the one that was hashed"
    return None
