"""Bring a training set about: find it built, go on where another worker was killed, or begin."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from festaf.contract.training_set import FeatureSetUse, Statement, TrainingSetManifest, TrainingSetWritten
from festaf.provider.artifacts.feature_set import GlueTable
from festaf.provider.errors import FinalError, ServiceError, SpecificationError
from festaf.provider.training_sets.entities import put_table, table_input
from festaf.provider.training_sets.progress import DOCUMENT, Progress
from festaf.provider.training_sets.sql import count_rows, create_table, join, match_features, number_entities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.contract.training_set import DataFile
    from festaf.provider.hooks.athena import AthenaHook, AthenaQuery
    from festaf.provider.training_sets.folder import Folder
    from festaf.provider.training_sets.specification import TrainingSetSpecification
    from festaf.provider.training_sets.sql import Table

MANIFEST = "manifest.json"
ENTITIES, DATA, COUNTS = "entities", "training set", "counts"
OWNER = "festaf:training_set"
"""The parameter of a Glue table that says whose it is."""


@dataclass
class Build:
    """One build of a training set, in a folder of its own; the manifest, written last, says that it is done.

    :param query: where Athena's queries run
    :param database: where the tables stand that live while it is built
    :param origin: what is known of the DAG run, for the manifest
    """

    specification: TrainingSetSpecification
    folder: Folder
    athena: AthenaHook
    query: AthenaQuery
    database: str
    origin: Mapping[str, str | None] = field(default_factory=dict)

    def standing(self) -> TrainingSetManifest | None:
        """Read the manifest; None while the build is not done."""
        content = self.folder.read(MANIFEST)
        return None if content is None else TrainingSetManifest.model_validate_json(content)

    def make(self, table: str | None) -> TrainingSetManifest:
        """Build, and write the manifest.

        :raises FinalError: it cannot be built; what was made on the way is gone then
        :raises ServiceError: AWS fails; the next try goes on from here
        """
        progress = self._resumed()
        if progress.steps:
            self.athena.log.info("An earlier try got to %s; going on from there", ", ".join(progress.steps))
        try:
            manifest = self._made(progress, table)
        except FinalError:
            self.tidy(keep=None)
            raise
        self.folder.write(MANIFEST, manifest.model_dump_json(indent=1).encode())
        return manifest

    def forget(self) -> None:
        """Delete what stands, the manifest first."""
        self.folder.delete_document(MANIFEST)
        self.folder.delete()

    def written(self, manifest: TrainingSetManifest, *, reused: bool) -> TrainingSetWritten:
        """Say what was built or found built."""
        from hashlib import sha256

        content = self.folder.read(MANIFEST)
        if content is None:
            raise ServiceError(f"The manifest {self.folder.uri}/{MANIFEST} was deleted while the task ran")
        shared = {"project", "training_set", "build", "uri", "table", "snapshot", "rows", "entities", "columns"}
        return TrainingSetWritten(
            **{name: getattr(manifest, name) for name in shared},
            feature_sets=manifest.feature_sets,
            manifest=f"{self.folder.uri}/{MANIFEST}",
            manifest_sha256=sha256(content).hexdigest(),
            bytes=sum(file.bytes for file in manifest.files),
            files=len(manifest.files),
            reused=reused,
        )

    def publish(self, manifest: TrainingSetManifest, table: Table) -> None:
        """Let a Glue table of a lasting name show this build.

        :raises SpecificationError: a table of this name stands that is none of ours
        """
        hook = self.folder.hook
        owner = f"{manifest.project}/{manifest.training_set}"
        found = self.folder.patience.ask(lambda: hook.glue_table(GlueTable("", *table)))
        theirs = None if found is None else (found.get("Parameters") or {}).get(OWNER)
        if found is not None and theirs != owner:
            raise SpecificationError(
                f"Training set {manifest.training_set}",
                (f"Glue table {'.'.join(table)}: wanted {owner}'s, found {theirs or 'one that is not ours'}",),
            )
        columns = [{"Name": column.name, "Type": column.type} for column in manifest.columns]
        parameters = {"classification": "parquet", OWNER: owner, "festaf:build": manifest.build}
        put_table(self.folder, table[0], table_input(table[1], manifest.uri, columns, parameters))
        self.athena.log.info("Glue table %s shows build %s", ".".join(table), manifest.build)

    def tidy(self, keep: str | None) -> None:
        """Take away what was made on the way; nothing is left to do when the build's progress is forgotten.

        :param keep: URI of the folder that holds the data; None when the build failed
        """
        if self.folder.read(DOCUMENT) is None:
            return
        progress = self._resumed()
        self.athena.stop_all()
        tables = [self._source]
        for step, attempt in progress.steps.items():
            tables += [self._table(step, number) for number in range(1, attempt.number + 1)]
        for table in tables:
            self.folder.patience.ask(partial(self.folder.hook.delete_glue_table, GlueTable("", *table)))
        self.folder.under("work").delete()
        data = progress.steps.get(DATA)
        for number in range(1, (data.number if data else 0) + 1):
            if (place := self._place(DATA, number)).uri != (keep or "").rstrip("/"):
                place.delete()
        progress.done()

    def _resumed(self) -> Progress:
        return Progress.resumed(self.folder, self.athena, replace(self.query, database=self.database))

    def _made(self, progress: Progress, table: str | None) -> TrainingSetManifest:
        asked = self.specification
        self._make_source()
        statements = [self._finish(progress, ENTITIES, number_entities(asked.entities.from_(self._source)))]
        entities = self._table(ENTITIES, progress.number(ENTITIES))
        kinds = self._columns(entities)
        columns = asked.columns(kinds)
        statements += self._matched(progress, entities, kinds)
        tables = [self._table(step, progress.number(step)) for step in self._match_steps]
        names = [column.name for column in columns if column.feature_set is None]
        pairs = list(zip(asked.matches, tables, strict=True))
        statements.append(self._finish(progress, DATA, join(entities, names, pairs)))
        number = progress.number(DATA)
        statements.append(progress.finish(COUNTS, lambda _: count_rows(entities, self._table(DATA, number), tables)))
        rows, matched = self._counted(statements[-1])
        place = self._place(DATA, number)
        return TrainingSetManifest(
            project=asked.project,
            training_set=asked.name,
            build=asked.build,
            specification=asked.sha256,
            snapshot=asked.snapshot,
            created_at=datetime.now(UTC),
            uri=f"{place.uri}/",
            files=tuple(self._files(place, rows)),
            table=table,
            statements=tuple(statements),
            entities=asked.entities.source,
            columns=columns,
            feature_sets=tuple(self._uses(rows, matched)),
            rows_entities=rows,
            rows=rows,
            region=asked.matches[0].found.region,
            account=asked.matches[0].found.account,
            **self.origin,
        )

    def _make_source(self) -> None:
        if self.specification.entities.source.kind == "parquet":
            self.specification.entities.make_table(self._source, self.folder.under("work/source"))

    def _matched(self, progress: Progress, entities: Table, kinds: Mapping[str, str]) -> list[Statement]:
        """Match every feature set, all at the same time."""
        asked = self.specification
        queries = {
            step: match_features(match, entities, asked.event_time, kinds, asked.snapshot)
            for step, match in zip(self._match_steps, asked.matches, strict=True)
        }
        for step, query in queries.items():
            progress.start(step, partial(self._statement, step, query))
        return [self._finish(progress, step, query) for step, query in queries.items()]

    def _finish(self, progress: Progress, step: str, query: str) -> Statement:
        return progress.finish(step, partial(self._statement, step, query))

    def _statement(self, step: str, query: str, number: int) -> str:
        return create_table(self._table(step, number), f"{self._place(step, number).uri}/", query)

    def _counted(self, counts: Statement) -> tuple[int, list[int]]:
        """Read what was counted: the rows, and for how many of them each feature set had a record.

        :raises FinalError: a row was lost or doubled, which the queries rule out
        """
        answer = self.athena.rows(counts.query_execution_id, self.folder.patience)
        found = [tuple(int(row[name] or 0) for name in ("step", "n", "matched")) for row in answer]
        rows = {count for _, count, _ in found}
        if len(rows) != 1:
            raise FinalError(
                f"Training set {self.specification.name} is not used, its rows do not agree. Entity rows, training set "
                f"and each feature set have {', '.join(str(count) for _, count, _ in found)}; did another change the "
                f"tables {self._prefix}* in {self.database}?"
            )
        return rows.pop(), [matched for step, _, matched in found if step > 0]

    def _files(self, place: Folder, rows: int) -> list[DataFile]:
        files = list(place.files())
        if rows and not files:
            raise ServiceError(f"Athena has written {rows:,} rows, and there is no file in {place.uri}")
        if not rows:
            self.athena.log.warning("Training set %s is empty: there are no entity rows", self.specification.name)
        return files

    def _uses(self, rows: int, matched: list[int]) -> list[FeatureSetUse]:
        uses = []
        for match, count in zip(self.specification.matches, matched, strict=True):
            age = match.view.max_age_microseconds
            uses.append(
                FeatureSetUse(
                    project=match.project,
                    feature_set=match.found.name,
                    arn=match.found.arn,
                    created_at=match.found.created_at,
                    version=match.version,
                    table=f"{match.table.database}.{match.table.table}",
                    record_identifier=match.found.record_identifier,
                    event_time=match.found.event_time,
                    entity_column=match.entity,
                    point_in_time=match.view.point_in_time,
                    strict=match.view.strict,
                    max_age_seconds=None if age is None else age / 1_000_000,
                    features=tuple(taken.feature.name for taken in match.taken),
                    rows_matched=count,
                    rows_unmatched=rows - count,
                )
            )
            self.athena.log.info("%s: %s of %s rows have a record", match.found.name, f"{count:,}", f"{rows:,}")
        return uses

    def _columns(self, table: Table) -> dict[str, str]:
        """Read a table's columns with their types, in their order."""
        found = self.folder.patience.ask(lambda: self.folder.hook.glue_table(GlueTable("", *table)))
        if found is None:
            raise ServiceError(f"Glue table {'.'.join(table)} was made by Athena, and is not to be seen")
        return {item["Name"]: item["Type"] for item in found["StorageDescriptor"]["Columns"]}

    @property
    def _match_steps(self) -> list[str]:
        return [f"match {number}" for number in range(1, len(self.specification.matches) + 1)]

    @property
    def _prefix(self) -> str:
        return f"festaf_{self.specification.build}_"

    @property
    def _source(self) -> Table:
        return self.database, f"{self._prefix}source"

    def _table(self, step: str, number: int) -> Table:
        return self.database, f"{self._prefix}{step.replace(' ', '_')}_{number}"

    def _place(self, step: str, number: int) -> Folder:
        """Give the folder of one attempt of a step; each has its own, since Athena writes into empty ones only."""
        if step == DATA:
            return self.folder.under(f"data-{number}")
        return self.folder.under(f"work/{step.replace(' ', '-')}-{number}")
