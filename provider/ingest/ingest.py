"""Prepare an ingest: everything that can be found wrong is found here, before anything is sent."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import FailedArtifactError, InputError, RejectedRowsError, ServiceError
from festaf.provider.ingest.columns import misfit
from festaf.provider.ingest.dead_letter import DeadLetter
from festaf.provider.ingest.engine import Engine, Totals
from festaf.provider.ingest.ledger import Ledger
from festaf.provider.ingest.progress import Progress
from festaf.provider.ingest.rows import RowEncoder
from festaf.provider.ingest.sender import Sender
from festaf.provider.ingest.source import fingerprint
from festaf.provider.ingest.work import open_work_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk.types import Logger

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.ingest.source import Source

STORES = {"OnlineStore": "online", "OfflineStore": "offline"}


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """The rows of a source, to be written into a feature set."""

    feature_set: FeatureSet
    source: Source
    hook: FeatureStoreHook
    log: Logger
    columns: Sequence[str] | Mapping[str, str] | None = None
    """The columns to send, when not all: names, or a mapping from column to feature."""
    target_stores: Sequence[str] | None = None
    ttl: Mapping[str, Any] | None = None
    work_dir: str | None = None
    resume: bool = True
    threads: int = 4
    retry_seconds: float = 300.0
    max_rejected_rows: int = 0
    stop_at_first_bad_row: bool = False
    by_feature: Mapping[str, str] = field(init=False)
    """By feature name: the column that holds its values."""

    def __post_init__(self) -> None:
        _check_stores(self.feature_set, self.target_stores)
        types = self.source.types()
        by_feature = _by_feature(self.feature_set, list(types), self.columns, self.source.name)
        for name, column in by_feature.items():
            feature = self.feature_set.feature(name)
            assert feature is not None
            if wrong := misfit(feature, types[column], is_text=self.source.is_text):
                raise InputError(f"Column {column!r} of {self.source.name} {wrong}")
        object.__setattr__(self, "by_feature", by_feature)

    def run(self) -> Totals:
        """Send the rows.

        :raises RejectedRowsError: more rows were rejected than allowed, after all good ones were sent
        :raises FestafError: AWS or the source failed; running again sends what is missing
        """
        encoder = RowEncoder(
            self.feature_set,
            self.by_feature,
            is_text=self.source.is_text,
            target_stores=self.target_stores,
            ttl=self.ttl,
        )
        folder = open_work_folder(self.work_dir, self._name(), self.hook)
        with closing(folder):
            engine = Engine(
                source=self.source,
                columns=list(dict.fromkeys(self.by_feature.values())),
                encoder=encoder,
                sender=Sender(
                    self.hook,
                    self.feature_set.name,
                    encoder.head,
                    self.log,
                    threads=self.threads,
                    retry_seconds=self.retry_seconds,
                ),
                ledger=Ledger(folder, resume=self.resume),
                dead_letter=DeadLetter(folder, self.log),
                progress=Progress(self.log, self.source.total),
                log=self.log,
                threads=self.threads,
                stop_at_first_bad_row=self.stop_at_first_bad_row,
            )
            totals = engine.run()
        self._report(totals)
        return totals

    def _name(self) -> str:
        """Name what is resumed: the same rows into the same feature set and stores."""
        created = int(self.feature_set.created_at.timestamp())
        stores = ",".join(sorted(self.target_stores or ()))
        mapping = ",".join(f"{name}={column}" for name, column in sorted(self.by_feature.items()))
        key = fingerprint(self.source.fingerprint, self.feature_set.arn, stores, mapping, repr(self.ttl))
        return f"{self.feature_set.name}-{created}-{key[:24]}"

    def _report(self, totals: Totals) -> None:
        sent = totals.accepted - totals.resumed
        self.log.info(
            "%s rows read, %s accepted (%s of them by an earlier run), %s rejected; %.1f s, %.0f rows/s",
            f"{totals.read:,}",
            f"{totals.accepted:,}",
            f"{totals.resumed:,}",
            f"{totals.rejected:,}",
            totals.seconds,
            sent / max(totals.seconds, 0.001),
        )
        if totals.rejected > self.max_rejected_rows:
            raise RejectedRowsError(
                f"{totals.rejected:,} of {totals.read:,} rows were rejected, {self.max_rejected_rows:,} are allowed; "
                f"the other {totals.accepted:,} are written; see {totals.dead_letter}",
                rejected=totals.rejected,
                allowed=self.max_rejected_rows,
                dead_letter=totals.dead_letter,
            )


def writable(hook: FeatureStoreHook, name: str, seconds: float, log: Logger) -> FeatureSet:
    """Describe a feature set that takes records, waiting for one that AWS still creates.

    :raises InputError: there is none of this name
    :raises FailedArtifactError: it takes no records and never will
    :raises ServiceError: it is still being created after that many seconds
    """
    deadline = time.monotonic() + seconds
    waiting = False
    while True:
        found = hook.find(name)
        if found is None:
            raise InputError(f"There is no feature set {name} in {hook.place}: create it first")
        if found.status == "Created":
            return found
        if found.status != "Creating":
            raise FailedArtifactError(f"Feature set {name}", found.status, found.failure_reason)
        if time.monotonic() > deadline:
            raise ServiceError(f"Feature set {name} is still being created after {seconds:.0f} s")
        if not waiting:
            log.info("AWS still creates feature set %s; waiting", name)
        waiting = True
        time.sleep(2.0)


def _check_stores(feature_set: FeatureSet, stores: Sequence[str] | None) -> None:
    for store in stores or ():
        if store not in STORES:
            raise InputError(f"target_stores has {store!r}: write OnlineStore or OfflineStore")
        if getattr(feature_set, STORES[store]) is None:
            raise InputError(f"target_stores asks for {store}, feature set {feature_set.name} has none")


def _by_feature(
    feature_set: FeatureSet, found: list[str], columns: Sequence[str] | Mapping[str, str] | None, where: str
) -> dict[str, str]:
    """Find the column of each feature.

    :raises InputError: a column is missing or is no feature
    """
    known = [feature.name for feature in feature_set.features]
    if columns is None:
        wanted = {name: name for name in found}
    elif isinstance(columns, dict):
        wanted = {feature: column for column, feature in columns.items()}
    else:
        wanted = {name: name for name in columns}
    if missing := [column for column in wanted.values() if column not in found]:
        raise InputError(f"{where} has no column {_list(missing)}; it has {_list(found)}")
    if unknown := [name for name in wanted if name not in known]:
        raise InputError(
            f"{where} has column {_list(unknown)}, which feature set {feature_set.name} does not have; "
            "name the columns to send in columns, or add the feature"
        )
    needed = known if columns is None else [feature_set.record_identifier, feature_set.event_time]
    if absent := [name for name in needed if name not in wanted]:
        raise InputError(
            f"{where} has no column for feature {_list(absent)} of feature set {feature_set.name}"
            + ("; name the columns to send in columns if that is meant" if columns is None else "")
        )
    return wanted


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
