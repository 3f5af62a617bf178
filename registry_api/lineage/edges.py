"""Read the edges that a run or an event says, each by what said it. Pure functions.

Three parts of an event speak of edges: OpenLineage's explicit lineage facet, the column lineage of its outputs, and no
more than its inputs and outputs. Each part is a statement of its own, so that none overwrites or closes another's;
which of them counts where they contradict each other is decided when a graph is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from festaf.contract.feature import Origin
from festaf.registry_api.graph.names import (
    NO_SOURCE,
    EdgeName,
    EdgeStatement,
    NodeName,
    dataset_node,
    is_definition,
    job_node,
    source_node,
)
from festaf.registry_api.lineage import reading
from festaf.registry_api.memo import Memo

Facets = Mapping[str, dict[str, Any]]
Body = Mapping[str, Any]
SAID: Memo[tuple[tuple[Origin, frozenset[EdgeName]], ...]] = Memo()
"""The edges that were read last: a task says the same in each of its runs."""


@dataclass(frozen=True)
class DatasetFacets:
    """A dataset and the facets that stand for it."""

    namespace: str
    name: str
    facets: Facets

    @property
    def node(self) -> NodeName:
        """Name its node."""
        return dataset_node(self.namespace, self.name)


class Edges:
    """Edges as they are gathered: what several parts say of the same two ends is one edge."""

    def __init__(self) -> None:
        self.steps: dict[tuple[NodeName, NodeName], set[str]] = defaultdict(set)

    def add(self, source: NodeName, target: NodeName, steps: Iterable[str] = ()) -> None:
        """Add an edge with the transformations on it."""
        if source != target or NO_SOURCE in steps:
            self.steps[source, target].update(steps)

    def add_none(self, target: NodeName) -> None:
        """Say that nothing which is known goes into a target."""
        self.add(target, target, (NO_SOURCE,))

    def names(self) -> frozenset[EdgeName]:
        """Give the edges; a target that something goes into has sources, whatever else was said."""
        fed = {target for source, target in self.steps if source != target}
        return frozenset(
            EdgeName(source, target, ", ".join(sorted(steps)) or None)
            for (source, target), steps in self.steps.items()
            if source != target or target not in fed
        )


def edges_of(
    asserter: NodeName,
    inputs: Sequence[DatasetFacets],
    outputs: Sequence[DatasetFacets],
    explicit: Sequence[Body] = (),
    *,
    stated_at: datetime,
    closing: bool,
    last_run: str | None = None,
    mapped_in: str | None = None,
) -> tuple[EdgeStatement, ...]:
    """Read what was said of edges: at most one statement from each origin; one that says nothing is left out.

    :param explicit: bodies of the job's explicit lineage facet
    """
    said = SAID.get(_spoken(asserter, inputs, outputs, explicit), lambda: _said(asserter, inputs, outputs, explicit))
    return tuple(
        EdgeStatement(asserter, origin, edges, stated_at, closing, last_run, mapped_in) for origin, edges in said
    )


def _said(
    asserter: NodeName, inputs: Sequence[DatasetFacets], outputs: Sequence[DatasetFacets], explicit: Sequence[Body]
) -> tuple[tuple[Origin, frozenset[EdgeName]], ...]:
    """Read the edges of each origin that says any."""
    said: dict[Origin, Edges] = {
        "lineage_facet": _explicit(asserter, outputs, explicit),
        "column_lineage": _columns(outputs),
        "inputs_outputs": _inputs_and_outputs(asserter, inputs, outputs),
    }
    return tuple((origin, names) for origin, edges in said.items() if (names := edges.names()))


def _spoken(
    asserter: NodeName, inputs: Sequence[DatasetFacets], outputs: Sequence[DatasetFacets], explicit: Sequence[Body]
) -> Any:
    """Give all that edges are read from: where it is the same, so are the edges."""
    return [
        [asserter.kind, asserter.namespace, asserter.name],
        [[item.namespace, item.name] for item in inputs],
        [
            [
                *(item.namespace, item.name, is_data(item)),
                write.source if (write := reading.write(item.facets)) else None,
                *(item.facets.get(facet) for facet in ("columnLineage", "lineage")),
            ]
            for item in outputs
        ],
        explicit,
    ]


def _inputs_and_outputs(asserter: NodeName, inputs: Iterable[DatasetFacets], outputs: Iterable[DatasetFacets]) -> Edges:
    """Read what goes into the job and comes out of it."""
    edges = Edges()
    for item in inputs:
        if not is_definition(item.namespace, item.name):
            edges.add(item.node, asserter)
    for output in outputs:
        write = reading.write(output.facets)
        if asserter.kind == "job" and is_data(output):
            edges.add(asserter, output.node)
        if write and write.source:
            edges.add(source_node(write.source), asserter)
    return edges


def is_data(output: DatasetFacets) -> bool:
    """Tell whether a run put data there; making or retiring a feature set does not, nor does dropping a dataset."""
    if output.facets.get("lifecycleStateChange", {}).get("lifecycleStateChange") in {"DROP", "TRUNCATE"}:
        return False
    if reading.write(output.facets) is not None:
        return True
    defined = reading.definition(output.facets) is not None
    return not (defined or is_definition(output.namespace, output.name))


def _columns(outputs: Iterable[DatasetFacets]) -> Edges:
    """Read column lineage.

    A facet that lists what the dataset as a whole depends on is complete: it names every dataset that goes into it.
    One that speaks of columns only says nothing of the whole; nor does an empty list, which openlineage-python writes
    whenever nobody gave it one.
    """
    edges = Edges()
    for output in outputs:
        facet = output.facets.get("columnLineage", {})
        sources: set[NodeName] = set()
        for column, body in _items(facet.get("fields")):
            target = dataset_node(output.namespace, output.name, column)
            for source, steps in _input_fields(body):
                edges.add(source, target, steps)
                sources.add(source)
        whole = facet.get("dataset")
        for source, steps in _input_fields({"inputFields": whole}):
            edges.add(source, output.node, steps)
            sources.add(source)
        if isinstance(whole, list) and whole:
            for source in sources:
                edges.add(source.whole or source, output.node)
    return edges


def _input_fields(body: Body) -> Iterator[tuple[NodeName, set[str]]]:
    """Read input fields; the transformation that older events give for the column as a whole is each field's."""
    inputs = body.get("inputFields")
    for item in inputs if isinstance(inputs, list) else ():
        if not isinstance(item, dict) or not reading.names_field(item.get("field")):
            continue
        if all(_is_text(item.get(key)) for key in ("namespace", "name")):
            steps = _steps(item.get("transformations")) or _old_step(body.get("transformationType"))
            yield dataset_node(item["namespace"], item["name"], item["field"]), steps


def _explicit(asserter: NodeName, outputs: Iterable[DatasetFacets], bodies: Iterable[Body]) -> Edges:
    """Read explicit lineage: it is the whole of what goes into the datasets of its event.

    An output that it does not mention is made by the job itself, from nothing that is tracked.
    """
    edges = Edges()
    described: set[NodeName] = set()
    facets = [body for body in bodies if isinstance(body.get("entries"), list) and body.get("_deleted") is not True]
    for body in facets:
        for entry in body["entries"]:
            if isinstance(entry, dict) and (target := _end(entry, asserter)):
                described.add(target)
                _add_entry(edges, asserter, target, entry)
    for output in outputs:
        facet = output.facets.get("lineage", {})
        if isinstance(facet.get("inputs"), list) or _items(facet.get("fields")):
            described.add(output.node)
            _add_entry(edges, asserter, output.node, facet)
        elif facets and output.node not in described and is_data(output):
            edges.add_none(output.node)
    return edges


def _add_entry(edges: Edges, asserter: NodeName, target: NodeName, entry: Body) -> None:
    """Add what goes into one target, and into its columns."""
    inputs, fields = entry.get("inputs"), _items(entry.get("fields"))
    _add_inputs(edges, asserter, target, inputs)
    if target.kind == "job":
        return
    sources: set[NodeName] = set()
    for column, body in fields:
        column_target = dataset_node(target.namespace, target.name, column)
        sources |= _add_inputs(edges, asserter, column_target, body.get("inputs"))
    if fields and not isinstance(inputs, list):
        for source in sources:
            edges.add(source.whole or source, target)
        if not sources:
            edges.add_none(target)


def _add_inputs(edges: Edges, asserter: NodeName, target: NodeName, inputs: Any) -> set[NodeName]:
    sources: set[NodeName] = set()
    for item in inputs if isinstance(inputs, list) else ():
        source = _end(item, asserter) if isinstance(item, dict) else None
        if source is not None:
            edges.add(source, target, _steps(item.get("transformations")))
            sources.add(source)
    if inputs == [] and target.kind != "job":
        edges.add_none(target)
    return sources


def _end(body: Body, asserter: NodeName) -> NodeName | None:
    """Read a dataset, column or job of an explicit edge; a job without a name is the event's own."""
    namespace, name, field = body.get("namespace"), body.get("name"), body.get("field")
    job = body.get("type") == "JOB"
    if namespace is None and name is None:
        return asserter if job and asserter.kind == "job" else None
    if not (isinstance(namespace, str) and isinstance(name, str) and namespace and name):
        return None
    return (
        job_node(namespace, name)
        if job
        else dataset_node(namespace, name, field if reading.names_field(field) else None)
    )


def _steps(found: Any) -> set[str]:
    """Write transformations as ``DIRECT/AGGREGATION`` and ``DIRECT/TRANSFORMATION masked``."""
    steps: set[str] = set()
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            text = "/".join(str(item[key]) for key in ("type", "subtype") if _is_text(item.get(key)))
            masked = "masked" if item.get("masking") is True else ""
            steps.add(f"{text} {masked}".strip())
    return steps - {""}


def _old_step(kind: Any) -> set[str]:
    """Write the transformation of facets before 1-1-0: ``IDENTITY`` or ``MASKED``."""
    if not _is_text(kind):
        return set()
    return {"DIRECT masked" if kind == "MASKED" else f"DIRECT/{kind}"}


def _items(value: Any) -> list[tuple[str, Body]]:
    """Give the columns of a facet that can be read."""
    found = value.items() if isinstance(value, dict) else ()
    return [(name, body) for name, body in found if reading.names_field(name) and isinstance(body, dict)]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
