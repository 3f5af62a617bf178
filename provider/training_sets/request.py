"""From what a task was given to one build: views laid over feature sets, entities found, the snapshot fixed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from festaf.contract.names import sha256_of
from festaf.provider.errors import InputError, NotReadyError
from festaf.provider.readiness.bounds import Bounds, read_moment
from festaf.provider.readiness.readiness import Readiness
from festaf.provider.training_sets.build import Build
from festaf.provider.training_sets.entities import Entities
from festaf.provider.training_sets.folder import Folder
from festaf.provider.training_sets.match import Match
from festaf.provider.training_sets.specification import TrainingSetSpecification
from festaf.provider.training_sets.view import FeatureView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.provider.hooks.athena import AthenaHook, AthenaQuery
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.hooks.patience import Patience
    from festaf.provider.training_sets.sql import Table

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_TABLE = re.compile(r"([a-z0-9_]+)\.([a-z0-9_]+)")
NOW = "SELECT CAST(to_unixtime(current_timestamp) * 1000 AS bigint) AS milliseconds"


@dataclass(frozen=True)
class Request:
    """A training set in the words of a task; the operator's parameters."""

    hook: FeatureStoreHook
    athena: AthenaHook
    query: AthenaQuery
    """Where Athena's queries run."""
    patience: Patience
    training_set: str
    project: str
    entities: str
    feature_sets: Sequence[FeatureView | Mapping[str, Any] | str]
    output: str
    event_time: str | None
    entity_columns: Mapping[str, str]
    labels: Sequence[str]
    snapshot: datetime | str | None
    table_name: str | None
    database: str | None
    check_ready: bool
    origin: Mapping[str, str | None]

    def build(self) -> Build:
        """Give the build that this asks for.

        :raises InputError: the request contradicts itself, or names what is not there
        """
        if not _NAME.fullmatch(self.training_set):
            raise InputError(
                f"{self.training_set!r} is no name of a training set: use letters, digits, '.', '_' and '-'"
            )
        _ = self.table
        matches = self._matches
        region = matches[0].found.region if matches else ""
        specification = TrainingSetSpecification(
            name=self.training_set,
            project=self.project,
            entities=Entities.of(self.entities, self._time_column, self._home, region),
            event_time=self._time_column,
            labels=self._label_columns,
            matches=matches,
            snapshot=datetime.fromtimestamp(0, UTC),
        )
        specification.check()
        specification = specification.at(self._moment())
        database = self.database or matches[0].table.database
        folder = self._home.under(specification.build)
        return Build(specification, folder, self.athena, self.query, database, self.origin)

    @cached_property
    def table(self) -> Table | None:
        """Give the lasting table's database and name.

        :raises InputError: it is not ``database.table`` in lower case
        """
        if self.table_name is None:
            return None
        found = _TABLE.fullmatch(self.table_name)
        if found is None:
            raise InputError(f"table {self.table_name!r} is no name: write database.table, in lower case")
        return found[1], found[2]

    def prove_ready(self) -> None:
        """Prove that SQL sees rows of every feature set.

        :raises NotReadyError: of one it does not
        """
        if not self.check_ready:
            return
        bounds = Bounds(athena_output=self.query.output, workgroup=self.query.workgroup)
        for match in self._matches:
            look = Readiness(self.hook, match.found.name, "QUERYABLE", bounds).look
            if missing := self.patience.ask(look):
                raise NotReadyError(f"Feature set {match.found.name}", "QUERYABLE", missing, 0.0)

    @property
    def _home(self) -> Folder:
        return Folder.of(self.hook, self.patience, self.output).under(self.training_set)

    @property
    def _time_column(self) -> str | None:
        return self.event_time.lower() if self.event_time else None

    @property
    def _label_columns(self) -> tuple[str, ...]:
        if isinstance(self.labels, str):
            raise InputError(f"labels is the text {self.labels!r}: write a list of columns")
        return tuple(label.lower() for label in self.labels)

    @cached_property
    def _matches(self) -> tuple[Match, ...]:
        if isinstance(self.feature_sets, str):
            raise InputError(f"feature_sets is the text {self.feature_sets!r}: write a list")
        return tuple(self._match(FeatureView.of(given)) for given in self.feature_sets)

    def _match(self, view: FeatureView) -> Match:
        found = self.patience.ask(lambda: self.hook.find(view.feature_set))
        if found is None:
            raise InputError(f"There is no feature set {view.feature_set} in {self.hook.place}")
        return Match.of(view, found, self.entity_columns, self.project)

    def _moment(self) -> datetime:
        """Give the snapshot, to the millisecond.

        One that was not given is the time of the first try, by the clock of Athena and not of the worker; it is kept,
        so that every later try of the same task in the same DAG run builds the same.

        :raises InputError: it is no time, or has no zone
        """
        if self.snapshot is not None and self.snapshot != "":
            try:
                moment = read_moment(self.snapshot)
            except ValueError as error:
                raise InputError(f"snapshot {self.snapshot!r}: {error}") from error
            if moment > datetime.now(UTC) + timedelta(minutes=1):
                self.athena.log.warning("The snapshot %s is yet to come: the same task may find more then", moment)
            return _whole(moment)
        runs = self._home.under("_runs")
        name = f"{sha256_of(json.dumps(self.origin, sort_keys=True))[:32]}.json"
        kept = runs.read(name)
        if kept is None:
            fresh = {"snapshot": self._now().isoformat(), **self.origin}
            kept = runs.write_new(name, json.dumps(fresh).encode())
        return read_moment(json.loads(kept)["snapshot"])

    def _now(self) -> datetime:
        """Ask Athena what time it is, to the millisecond."""
        now = self.athena.run(replace(self.query, sql=NOW), self.patience, "the time of the snapshot")
        (row,) = self.athena.rows(now.identity, self.patience)
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(row["milliseconds"] or 0))


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
