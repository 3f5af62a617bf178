"""Draw the graphs of jobs and datasets, of columns, and of runs, in Marquez's shapes and within bounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract import marquez_graph
from festaf.registry_api.access.sight import EVERYTHING, Sight
from festaf.registry_api.catalog.described import DescribedRun
from festaf.registry_api.catalog.read_repository import subject_of
from festaf.registry_api.catalog.saying import Subject
from festaf.registry_api.catalog.service import CatalogService
from festaf.registry_api.catalog.tables import DatasetTable, JobTable
from festaf.registry_api.errors import NotFoundError, UnreadableEventError
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.graph.names import NodeName, dataset_node, job_node
from festaf.registry_api.graph.service import GraphService, Neighbour, Side
from festaf.registry_api.graph.walk import Walk
from festaf.registry_api.marquez import shapes
from festaf.registry_api.marquez.names import NodeId, node_id
from festaf.registry_api.viewpoint import Viewpoint

MOST_NODES = 1_000
ABSENT = "no such node is known; write its id as dataset:NAMESPACE:NAME, job:NAMESPACE:NAME or datasetField:..."
COLUMNS = frozenset({"field", "feature"})
TABLES = frozenset({"job", "dataset", "feature_set"})


class VisibleGraph:
    """The standing edges between nodes of some kinds that a caller may see.

    Marquez knows no stubs: what may not be seen is left out, and not walked through.
    """

    def __init__(self, ground: FeatureGraph | GraphService, sight: Sight, view: Viewpoint) -> None:
        self.ground = ground
        self.sight = sight
        self.view = view
        self.kinds = COLUMNS if isinstance(ground, FeatureGraph) else TABLES

    def foresee(self, start: Collection[NodeName], side: Side, depth: int, most: int) -> None:
        """Read at once what a walk over columns will ask for."""
        if isinstance(self.ground, FeatureGraph):
            self.ground.foresee(start, side, depth, most)

    def neighbours(self, nodes: Collection[NodeName], side: Side) -> dict[NodeName, list[Neighbour]]:
        """Give by node what goes into it (``source``) or comes out of it (``target``)."""
        if isinstance(self.ground, FeatureGraph):
            found = self.ground.neighbours(nodes, side)
        else:
            found = self.ground.neighbours(nodes, side, self.view)
        return {
            node: [
                item
                for item in items
                if item.node.kind in self.kinds and self.sight.sees_namespace(item.node.namespace)
            ]
            for node, items in found.items()
        }

    def first_seen(self, nodes: Collection[NodeName]) -> dict[NodeName, datetime]:
        """Give when nodes were first named."""
        return self.ground.first_seen(nodes)

    def deleted(self, _nodes: Collection[NodeName]) -> frozenset[NodeName]:
        """Give none: jobs and datasets that were removed are not shown at all."""
        return frozenset()

    def opaque_ids(self, nodes: Collection[NodeName]) -> dict[NodeName, str]:
        """Give ids that say nothing."""
        return self.ground.opaque_ids(nodes)


class Graphs:
    """Draws graphs from a point of view."""

    def __init__(self, session: Session, sight: Sight, view: Viewpoint) -> None:
        self.session = session
        self.sight = sight
        self.view = view
        self.catalog = CatalogService(session, sight, view)

    def of(self, node: NodeId, depth: int) -> marquez_graph.Graph:
        """Draw what goes into a job or dataset and what comes out of it, ``depth`` jobs far.

        :raises NotFoundError: the node is unknown
        """
        subject = self._subject(node)
        self._look_at_version(node, subject)
        root = _node(subject)
        ground = VisibleGraph(GraphService(self.session), self.sight, self.view)
        found = Walk(ground, root, MOST_NODES, EVERYTHING).go("both", 2 * depth + (1 if subject.kind == "job" else 2))
        subjects = {
            item.id: Subject("job" if item.kind == "job" else "dataset", item.namespace, item.name)
            for item in found.nodes
            if item.namespace is not None and item.name is not None
        }
        ids = {item: node_id(subject.kind, subject.namespace, subject.name) for item, subject in subjects.items()}
        edges = sorted({(ids[edge.source], ids[edge.target]) for edge in found.edges})
        data = self._data({ids[item]: subject for item, subject in subjects.items()})
        return marquez_graph.Graph(
            graph=tuple(
                marquez_graph.GraphNode(
                    id=name,
                    type="JOB" if isinstance(shown, marquez_graph.JobNode) else "DATASET",
                    data=shown,
                    in_edges=_edges(pair for pair in edges if pair[1] == name and pair[0] in data),
                    out_edges=_edges(pair for pair in edges if pair[0] == name and pair[1] in data),
                )
                for name, shown in data.items()
            ),
            truncated=found.truncated,
        )

    def _data(self, named: Mapping[str, Subject]) -> dict[str, marquez_graph.JobNode | marquez_graph.DatasetNode]:
        rows = self.catalog.rows(list(named.values()))
        jobs = [row for row in rows.values() if isinstance(row, JobTable)]
        datasets = [row for row in rows.values() if isinstance(row, DatasetTable)]
        shown: dict[Subject, marquez_graph.JobNode | marquez_graph.DatasetNode] = {}
        for job in self.catalog.describe_jobs(jobs):
            shown[subject_of(job.row)] = shapes.job_node(job)
        for dataset in self.catalog.describe_datasets(datasets):
            shown[subject_of(dataset.row)] = shapes.dataset_node(dataset)
        return {name: shown[subject] for name, subject in sorted(named.items()) if subject in shown}

    def _subject(self, node: NodeId) -> Subject:
        """Find which job or dataset is meant, since names may hold colons."""
        if node.kind not in {"job", "dataset"}:
            raise UnreadableEventError("the graph of jobs and datasets begins at dataset:... or job:...")
        subjects = node.subjects()
        known = self.catalog.rows(subjects)
        for subject in subjects:
            if subject in known:
                return subject_of(known[subject])
        raise NotFoundError(ABSENT)

    def _look_at_version(self, node: NodeId, subject: Subject) -> None:
        """Look from the time at which a version was made."""
        if node.version is None:
            return
        if subject.kind == "dataset":
            row = self.catalog.dataset_row(subject.namespace, subject.name)
            at = self.catalog.dataset_version(row, node.version)[0].at
        else:
            found, _ = self.catalog.job_versions(
                self.catalog.job_row(subject.namespace, subject.name), node.version, 1, 0
            )
            at = found[0][1].row.last_event_at
        self.view = replace(self.view, as_of=at)
        self.catalog = CatalogService(self.session, self.sight, self.view)

    def columns(self, node: NodeId, depth: int, *, downstream: bool) -> marquez_graph.FieldGraph:
        """Draw what columns are made of, and what is made of them, ``depth`` steps far.

        :raises NotFoundError: no such column is known
        """
        roots = self._columns_of(node)
        ground = VisibleGraph(FeatureGraph(self.session, self.view), self.sight, self.view)
        reached = set(roots)
        edges: set[tuple[NodeName, NodeName, str | None]] = set()
        cut = False
        for side in ("source", "target") if downstream else ("source",):
            level: set[NodeName] = set(roots)
            for _ in range(depth):
                found = _step(ground, level, "source" if side == "source" else "target")
                fresh = sorted({end for edge in found for end in edge[:2]} - reached)
                room = max(0, MOST_NODES - len(reached))
                cut = cut or len(fresh) > room
                reached |= set(fresh[:room])
                edges |= {edge for edge in found if edge[0] in reached and edge[1] in reached}
                level = set(fresh[:room])
                if not level:
                    break
        return marquez_graph.FieldGraph(graph=self._field_nodes(reached, edges), truncated=cut)

    def _columns_of(self, node: NodeId) -> list[NodeName]:
        if node.kind == "datasetField":
            return self._column(node)
        subject = self._subject(node)
        self._look_at_version(node, subject)
        if subject.kind == "dataset":
            return sorted(GraphService(self.session).ids(self._columns([subject])))
        job = self.catalog.describe_jobs([self.catalog.job_row(subject.namespace, subject.name)])[0]
        return sorted(GraphService(self.session).ids(self._columns(job.outputs)))

    def _column(self, node: NodeId) -> list[NodeName]:
        """Find which column is meant; none if it is known, but not what it is made of, nor what is made of it."""
        for namespace, dataset, column in node.readings():
            asked = Subject("dataset", namespace, dataset)
            row = self.catalog.rows([asked]).get(asked)
            if row is None:
                continue
            subject, name = subject_of(row), dataset_node(row.namespace, row.name, column)
            found = sorted(GraphService(self.session).ids([name]))
            if found or name in self._columns([subject]):
                self._look_at_version(node, subject)
                return found
        raise NotFoundError(ABSENT)

    def _columns(self, subjects: Sequence[Subject]) -> list[NodeName]:
        """Name the columns of datasets."""
        rows = [row for row in self.catalog.reads.subjects(subjects).values() if isinstance(row, DatasetTable)]
        return [
            dataset_node(item.row.namespace, item.row.name, column)
            for item in self.catalog.describe_datasets(rows)
            for column in item.column_names
        ]

    def _field_nodes(
        self, reached: Collection[NodeName], edges: Collection[tuple[NodeName, NodeName, str | None]]
    ) -> tuple[marquez_graph.FieldNode, ...]:
        types, versions = self._types(reached)
        found = []
        for name in sorted(reached, key=_field_id):
            inputs = sorted((edge for edge in edges if edge[1] == name), key=lambda edge: edge[0].id)
            outputs = sorted((edge for edge in edges if edge[0] == name), key=lambda edge: edge[1].id)
            whole = Subject("dataset", name.namespace, name.name)
            data = marquez_graph.FieldNodeData(
                namespace=name.namespace,
                dataset=name.name,
                dataset_version=versions.get(whole),
                field=name.field or "",
                field_type=types.get((whole, name.field)),
                transformation_type=inputs[0][2] if inputs else None,
                input_fields=tuple(_input(edge, versions) for edge in inputs),
            )
            mine = _field_id(name)
            found.append(
                marquez_graph.FieldNode(
                    id=mine,
                    data=data,
                    in_edges=_edges((mine, _field_id(edge[0])) for edge in inputs),
                    out_edges=_edges((mine, _field_id(edge[1])) for edge in outputs),
                )
            )
        return tuple(found)

    def _types(
        self, names: Iterable[NodeName]
    ) -> tuple[dict[tuple[Subject, str | None], str | None], dict[Subject, UUID | None]]:
        wholes = {Subject("dataset", name.namespace, name.name) for name in names}
        rows = [row for row in self.catalog.reads.subjects(wholes).values() if isinstance(row, DatasetTable)]
        types: dict[tuple[Subject, str | None], str | None] = {}
        versions: dict[Subject, UUID | None] = {}
        for item in self.catalog.describe_datasets(rows):
            whole = subject_of(item.row)
            versions[whole] = item.version_id
            types |= {(whole, column.name): column.type for column in item.columns}
        return types, versions

    def upstream_runs(self, run_id: UUID, depth: int) -> marquez_graph.UpstreamRuns:
        """Give the runs that a run's values came from, through the versions that each read, the run itself first.

        :raises NotFoundError: the run is unknown
        """
        found: dict[UUID, marquez_graph.UpstreamRun] = {}
        level = [self.catalog.run(run_id)]
        for _ in range(depth + 1):
            found |= {run.row.uuid: _upstream(run) for run in level}
            wanted = {item.version.run for run in level for item in run.inputs if item.version} - found.keys()
            rows = self.catalog.runs.runs(sorted(wanted)[: max(0, MOST_NODES - len(found))])
            level = self.catalog.describe_runs(
                [row for _, row in sorted(rows.items()) if self.sight.sees_namespace(row.namespace)]
            )
            if not level:
                break
        return marquez_graph.UpstreamRuns(runs=tuple(found.values()))


def _step(ground: VisibleGraph, level: Collection[NodeName], side: Side) -> set[tuple[NodeName, NodeName, str | None]]:
    return {
        (item.node, name, item.transformation) if side == "source" else (name, item.node, item.transformation)
        for name, items in ground.neighbours(level, side).items()
        for item in items
    }


def _upstream(run: DescribedRun) -> marquez_graph.UpstreamRun:
    job, shown = run.state.job, shapes.run(run)
    return marquez_graph.UpstreamRun(
        job=marquez_graph.JobSummary(namespace=job.namespace, name=job.name, version=run.job_version),
        run=marquez_graph.RunSummary(
            id=run.row.uuid, start=run.row.started_at, end=run.row.ended_at, status=shown.state
        ),
        inputs=tuple(
            marquez_graph.InputSummary(
                namespace=item.subject.namespace,
                name=item.subject.name,
                version=item.version_id,
                produced_by_run_id=item.version.run if item.version else None,
            )
            for item in run.inputs
        ),
    )


def _input(
    edge: tuple[NodeName, NodeName, str | None], versions: Mapping[Subject, UUID | None]
) -> marquez_graph.InputFieldNode:
    name = edge[0]
    return marquez_graph.InputFieldNode(
        namespace=name.namespace,
        dataset=name.name,
        field=name.field or "",
        transformation_type=edge[2],
        dataset_version=versions.get(Subject("dataset", name.namespace, name.name)),
    )


def _edges(pairs: Iterable[tuple[str, str]]) -> tuple[marquez_graph.Edge, ...]:
    return tuple(
        marquez_graph.Edge(origin=origin, destination=destination) for origin, destination in sorted(set(pairs))
    )


def _node(subject: Subject) -> NodeName:
    make = job_node if subject.kind == "job" else dataset_node
    return make(subject.namespace, subject.name)


def _field_id(name: NodeName) -> str:
    return node_id("datasetField", name.namespace, name.name, name.field or "")
