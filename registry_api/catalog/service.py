"""Answer for jobs, datasets, runs and versions: what a caller may see, from where it looks."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.registry_api.access.sight import Sight
from festaf.registry_api.catalog.described import (
    DescribedDataset,
    DescribedJob,
    DescribedRun,
    InRun,
    columns_of,
    hashes_in,
    linked_dataset,
    with_code,
)
from festaf.registry_api.catalog.hiding import without_hidden
from festaf.registry_api.catalog.read_repository import CatalogReads, NamespaceRow, SubjectTable
from festaf.registry_api.catalog.run_repository import RunReads, Version, Written
from festaf.registry_api.catalog.saying import Subject
from festaf.registry_api.catalog.tables import DatasetTable, JobTable
from festaf.registry_api.catalog.versions import dataset_version_id
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.graph.names import NodeName, dataset_node, job_node
from festaf.registry_api.graph.service import GraphService, Side
from festaf.registry_api.lineage.folding import Body, DatasetState, RunState, bodies, read_state
from festaf.registry_api.viewpoint import NOW, Viewpoint


class CatalogService:
    """Gives what the catalog knows."""

    def __init__(self, session: Session, sight: Sight, view: Viewpoint = NOW) -> None:
        self.reads = CatalogReads(session, sight)
        self.runs = RunReads(session, view)
        self.graph = GraphService(session)
        self.sight = sight
        self.view = view

    def namespace(self, name: str) -> NamespaceRow:
        """Give a namespace.

        :raises NotFoundError: it is unknown or hidden
        """
        found = self.reads.namespace(name)
        if found is None:
            raise NotFoundError(f"Namespace '{name}' not found.")
        return found

    def dataset_row(self, namespace: str, name: str) -> DatasetTable:
        """Give a dataset's row; of one that is only an end of edges or a declared source, one that says no more.

        A name that is only known as another name of a dataset gives that dataset's row, with the name that it bears.

        :raises NotFoundError: it is unknown, hidden or removed, or was not seen yet
        """
        subject = Subject("dataset", namespace, name)
        found = self.rows([subject]).get(subject)
        if not isinstance(found, DatasetTable) or (self.view.as_of and found.first_seen > self.view.as_of):
            self.namespace(namespace)  # Marquez names what is absent from the outside in.
            raise NotFoundError(f"Dataset '{name}' not found.")
        return found

    def rows(self, subjects: Collection[Subject]) -> dict[Subject, SubjectTable]:
        """Give the rows of those jobs and datasets that are known; see ``dataset_row``."""
        found = self.reads.subjects(subjects)
        return {**found, **self._linked([subject for subject in subjects if subject not in found])}

    def _linked(self, subjects: Collection[Subject]) -> dict[Subject, SubjectTable]:
        """Give rows of datasets of which no event speaks by these names; of one that somebody removed there is none."""
        seen = {item for item in subjects if item.kind == "dataset" and self.sight.sees_namespace(item.namespace)}
        nodes = {dataset_node(item.namespace, item.name): item for item in seen - self.reads.kept(seen)}
        named = sorted(self.graph.first_seen(nodes).items()) if nodes else ()
        others = self._by_other_names([node for node, _ in named]) if named else {}
        found: dict[Subject, SubjectTable] = {}
        for place, (node, at) in enumerate(named, 1):
            row = others[node] if node in others else linked_dataset(nodes[node], -place, at)
            if row is not None:
                found[nodes[node]] = row
        return found

    def _by_other_names(self, nodes: Collection[NodeName]) -> dict[NodeName, SubjectTable | None]:
        """Give the rows of the datasets of which these are other names; None of one that somebody removed."""
        shown = {
            node: Subject("dataset", name.namespace, name.name)
            for node, name in self.graph.resolve(nodes, self.view).items()
            if name != node and self.sight.sees_namespace(name.namespace)
        }
        if not shown:
            return {}
        kept, rows = self.reads.kept(set(shown.values())), self.reads.subjects(shown.values())
        return {node: rows.get(subject) for node, subject in shown.items() if subject in kept}

    def job_row(self, namespace: str, name: str) -> JobTable:
        """Give a job's row.

        :raises NotFoundError: it is unknown, hidden or removed, or was not seen yet
        """
        found = self.reads.subject(Subject("job", namespace, name))
        if not isinstance(found, JobTable) or (self.view.as_of and found.first_seen > self.view.as_of):
            self.namespace(namespace)
            raise NotFoundError(f"Job '{name}' not found.")
        return found

    def datasets(self, namespace: str, limit: int, offset: int) -> tuple[list[DescribedDataset], int]:
        """Give a part of a namespace's datasets, and how many there are."""
        rows, count = self.reads.list_datasets(namespace, self.view.as_of, limit, offset)
        return self.describe_datasets(rows), count

    def describe_datasets(self, rows: Sequence[DatasetTable]) -> list[DescribedDataset]:
        """Describe datasets: their facets as they stand, or as the newest write until the asked time said them."""
        versions = self.runs.standing([(row.id, None) for row in rows])
        tags = self.reads.tags(row.key for row in rows)
        facets = (
            self.reads.facets("dataset", [row.id for row in rows]) if self.view.now else self._facets_then(versions)
        )
        columns = {row.id: columns_of(facets.get(row.id, {})) for row in rows}
        features = self.reads.features([row for row in rows if not columns[row.id]])
        return [
            DescribedDataset(
                row=row,
                facets=without_hidden(facets.get(row.id, {}), self.sight),
                tags=tuple(tags[row.key]),
                version=versions.get((row.id, None)),
                columns=tuple(columns[row.id] or features.get(row.id, ())),
            )
            for row in rows
        ]

    def _facets_then(self, versions: dict[tuple[int, datetime | None], Written]) -> dict[int, dict[str, Body]]:
        runs = self.runs.runs({version.run for version in versions.values()})
        found: dict[int, dict[str, Body]] = {}
        for (dataset_id, _), version in versions.items():
            for output in self.describe_runs([runs[version.run]])[0].outputs:
                if output.version and output.version.dataset_id == dataset_id:
                    found[dataset_id] = bodies(output.state.facets)
        return found

    def dataset_versions(
        self, row: DatasetTable, limit: int, offset: int
    ) -> tuple[list[tuple[Written, DescribedRun]], int]:
        """Give a part of what runs wrote of a dataset, the newest first, and how often that was."""
        versions, count = self.runs.versions_of_dataset(row.id, limit, offset)
        return self._with_runs(versions), count

    def dataset_version(self, row: DatasetTable, version: UUID) -> tuple[Written, DescribedRun]:
        """Give what a run wrote of a dataset.

        :raises NotFoundError: no run wrote such a version
        """
        found = self.runs.wrote(row.id, dataset_version_id(row.key, version))
        if found is None:
            raise NotFoundError(f"Dataset version '{version}' not found.")
        return self._with_runs([found])[0]

    def _with_runs(self, versions: Sequence[Written]) -> list[tuple[Written, DescribedRun]]:
        rows = self.runs.runs({version.run for version in versions})
        described = {run.row.uuid: run for run in self.describe_runs(list(rows.values()))}
        return [(version, described[version.run]) for version in versions]

    def jobs(
        self, namespace: str | None, states: Collection[str], limit: int, offset: int
    ) -> tuple[list[DescribedJob], int]:
        """Give a part of the jobs, and how many there are."""
        rows, count = self.reads.list_jobs(namespace, states, self.view.as_of, limit, offset)
        return self.describe_jobs(rows), count

    def describe_jobs(self, rows: Sequence[JobTable]) -> list[DescribedJob]:
        """Describe jobs."""
        ids = [row.id for row in rows]
        latest = self.runs.latest(ids)
        newest = {job_id: runs[0].uuid for job_id, runs in latest.items() if runs}
        if self.view.now:
            newest |= {row.id: row.latest_run for row in rows if row.latest_run}
        runs = self.runs.runs(set(newest.values()))
        described = {run.row.uuid: run for run in self.describe_runs(list(runs.values()))}
        facets = (
            self.reads.facets("job", ids)
            if self.view.now
            else {
                row.id: bodies(described[newest[row.id]].state.job_facets)
                for row in rows
                if newest.get(row.id) in described
            }
        )
        texts = self.runs.code(hashes_in(facets.values()))
        tags = self.reads.tags(row.key for row in rows)
        versions = self.runs.current_versions(ids)
        inputs, outputs = self._around(rows, "source"), self._around(rows, "target")
        return [
            DescribedJob(
                row=row,
                facets=with_code(without_hidden(facets.get(row.id, {}), self.sight), texts),
                tags=tuple(sorted({tag for column, tag in tags[row.key] if not column})),
                inputs=inputs[row.id],
                outputs=outputs[row.id],
                latest_run=described.get(newest[row.id]) if row.id in newest else None,
                latest_runs=tuple(latest[row.id]),
                current_version=versions.get(row.id),
            )
            for row in rows
        ]

    def _around(self, rows: Sequence[JobTable], side: Side) -> dict[int, tuple[Subject, ...]]:
        nodes = {job_node(row.namespace, row.name): row.id for row in rows}
        found: dict[int, tuple[Subject, ...]] = {row.id: () for row in rows}
        for node, items in self.graph.neighbours(list(nodes), side, self.view).items():
            names = {
                Subject("dataset", item.node.namespace, item.node.name)
                for item in items
                if item.node.kind in {"dataset", "feature_set"} and self.sight.sees_namespace(item.node.namespace)
            }
            found[nodes[node]] = tuple(sorted(names))
        return found

    def job_versions(
        self, row: JobTable, uuid: UUID | None, limit: int, offset: int
    ) -> tuple[list[tuple[Version, DescribedRun]], int]:
        """Give a part of a job's versions with the run that ran each last, and how many there are.

        :raises NotFoundError: one is asked for that no run ran
        """
        versions, count = self.runs.versions_of_job(row.id, uuid, limit, offset)
        if uuid and not versions:
            raise NotFoundError(f"Job version '{uuid}' not found.")
        rows = self.runs.runs({version.latest for version in versions})
        described = {run.row.uuid: run for run in self.describe_runs(list(rows.values()))}
        return [(version, described[version.latest]) for version in versions], count

    def runs_of(self, row: JobTable, limit: int, offset: int) -> tuple[list[DescribedRun], int]:
        """Give a part of a job's runs, the newest first, and how many there are."""
        rows, count = self.runs.of_job(row.id, limit, offset)
        return self.describe_runs(rows), count

    def run_row(self, uuid: UUID) -> RunTable:
        """Give a run's row.

        :raises NotFoundError: it is unknown, or of a hidden job
        """
        found = self.runs.runs([uuid]).get(uuid)
        if found is None or not self.sight.sees_namespace(found.namespace):
            raise NotFoundError(f"Run '{uuid}' not found.")
        return found

    def run(self, uuid: UUID) -> DescribedRun:
        """Give a run.

        :raises NotFoundError: it is unknown, or of a hidden job
        """
        return self.describe_runs([self.run_row(uuid)])[0]

    def job_facets(self, run: DescribedRun) -> dict[str, Body]:
        """Give the facets of the job that a run's events said, with the code."""
        facets = bodies(run.state.job_facets)
        return with_code(facets, self.runs.code(hashes_in([facets])))

    def describe_runs(self, rows: Sequence[RunTable]) -> list[DescribedRun]:
        """Describe runs with the versions that they read (those that stood when they began) and wrote."""
        states = {row.uuid: self._state(row) for row in rows}
        versions = self.runs.job_versions_of([row.id for row in rows])
        named = {
            Subject("dataset", item.namespace, item.name)
            for state in states.values()
            for item in (*state.inputs.values(), *state.outputs.values())
        }
        known = {subject: found.id for subject, found in self.reads.subjects(named).items()}
        asked = [
            (known[subject], _began(row))
            for row in rows
            for item in states[row.uuid].inputs.values()
            if (subject := Subject("dataset", item.namespace, item.name)) in known
        ]
        standing = self.runs.standing(asked)
        found: list[DescribedRun] = []
        for row in rows:
            state = states[row.uuid]
            inputs: list[InRun] = []
            for item in self._seen(state.inputs):
                dataset_id = known.get(Subject("dataset", item.namespace, item.name))
                inputs.append(InRun(item, standing.get((dataset_id, _began(row))) if dataset_id else None))
            outputs: list[InRun] = []
            for item in self._seen(state.outputs):
                dataset_id = known.get(Subject("dataset", item.namespace, item.name))
                ended = row.ended_at or row.last_event_at
                outputs.append(InRun(item, Written(dataset_id or 0, row.uuid, ended)))
            found.append(
                DescribedRun(
                    row,
                    state,
                    versions.get(row.id),
                    tuple(inputs),
                    tuple(outputs),
                    self.sight.sees_namespace(row.namespace),
                )
            )
        return found

    def _state(self, row: RunTable) -> RunState:
        if self.sight.everything:
            return read_state(row.folded)
        said = json.loads(row.folded)
        return read_state(json.dumps({**without_hidden(said, self.sight), "job": said["job"]}))

    def _seen(self, datasets: dict[str, DatasetState]) -> list[DatasetState]:
        return [item for _, item in sorted(datasets.items()) if self.sight.sees_namespace(item.namespace)]


def _began(row: RunTable) -> datetime:
    return row.started_at or row.last_event_at
