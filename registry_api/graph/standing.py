"""Which edges stand: the queries over edge sets and their sightings, built once for each kind of viewpoint."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, Select, Subquery, bindparam, case, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, aliased

from festaf.registry_api.graph.tables import EdgeSetTable, EdgeTable, NodeTable, SightingTable
from festaf.registry_api.listed import among_rows, one_of
from festaf.registry_api.table import Moment
from festaf.registry_api.viewpoint import AS_OF, standing

End = Literal["source", "target"]
ENDS = "ends"
"""The parameter of these queries: the ids of nodes."""
WHOLE_STEP = 2
"""Half steps from one feature to the next."""
EXACT = ("lineage_facet", "column_lineage")
"""The origins that say more of a target than that it is the output of a job."""


@cache
def edges_query(end: End, dated: bool, known: bool, sqlite: bool) -> Select[*tuple[Any, ...]]:
    """Build the query for the standing edges whose ``end`` is one of the nodes ``ends``, with the node at the other.

    Building it takes longer than running it.
    """
    here, other = (
        (EdgeTable.source_id, EdgeTable.target_id) if end == "source" else (EdgeTable.target_id, EdgeTable.source_id)
    )
    return (
        select(
            here,
            other,
            EdgeSetTable.asserter_id,
            EdgeSetTable.origin,
            type_coerce(_since(known), Moment),
            type_coerce(_last(SightingTable.stated_at, dated, known), Moment),
            _last(SightingTable.last_run, dated, known),
            EdgeTable.transformation,
            NodeTable.kind,
            NodeTable.namespace,
            NodeTable.name,
            NodeTable.field,
            NodeTable.first_seen,
        )
        .select_from(EdgeTable)
        .join(EdgeSetTable, EdgeSetTable.id == EdgeTable.edge_set_id)
        .join(NodeTable, NodeTable.id == other)
        .where(one_of(here, ENDS, sqlite=sqlite))
        .where(stands(dated, known) if dated or known else EdgeSetTable.current.is_(True))
    )


@cache
def exact_query(dated: bool, known: bool, sqlite: bool) -> Select[*tuple[Any, ...]]:
    """Build the query for what says exactly what goes into the nodes ``ends``: target, asserter, origin, when last."""
    held = _sets_into(sqlite=sqlite)
    return (
        select(
            held.c.target_id,
            EdgeSetTable.asserter_id,
            EdgeSetTable.origin,
            type_coerce(_last(SightingTable.stated_at, dated, known), Moment),
        )
        .join(EdgeSetTable, EdgeSetTable.id == held.c.edge_set_id)
        .where(EdgeSetTable.origin.in_(EXACT))
        .where(stands(dated, known) if dated or known else EdgeSetTable.current.is_(True))
    )


@cache
def completed_query(dated: bool, known: bool, sqlite: bool) -> Select[*tuple[Any, ...]]:
    """Build the query for when edges into ``ends`` were last stated by a run that had completed, or by a job event."""
    last = (
        select(SightingTable.stated_at)
        .where(
            SightingTable.edge_set_id == EdgeSetTable.id,
            SightingTable.closing.is_(True),
            *_seen(SightingTable, dated, known),
        )
        .order_by(SightingTable.stated_at.desc())
        .limit(1)
        .correlate(EdgeSetTable)
        .scalar_subquery()
    )
    held = _sets_into(sqlite=sqlite)
    return (
        select(held.c.target_id, EdgeSetTable.asserter_id, EdgeSetTable.origin, type_coerce(last, Moment))
        .join(EdgeSetTable, EdgeSetTable.id == held.c.edge_set_id)
        .where(stands(dated, known) if dated or known else EdgeSetTable.current.is_(True))
    )


def _sets_into(*, sqlite: bool) -> Subquery:
    """Read which sets hold edges into ``ends``: an index knows, and a set may hold many into one node."""
    into = select(EdgeTable.target_id, EdgeTable.edge_set_id).distinct()
    return into.where(one_of(EdgeTable.target_id, ENDS, sqlite=sqlite)).subquery()


@cache
def reachable_query(end: End, sqlite: bool) -> Select[*tuple[Any, ...]]:
    """Build the query for the nodes to which edges lead that stand now, from nodes that are their ``end``.

    The nearest come first, and one that is reached in so many ways of different lengths comes so often. Who takes the
    first rows only has the database walk no further. From one set to the next by way of a job is as far as from one
    feature to the next, so each of those two steps is half of it: lengths are counted in halves. Whether a set stands
    is asked of each edge by itself, and of the way that leads there: for a join, and for what is asked of edges alone,
    SQLite reads the whole table once to be able to skip some rows.
    """
    here, other = (
        (EdgeTable.source_id, EdgeTable.target_id) if end == "source" else (EdgeTable.target_id, EdgeTable.source_id)
    )
    pace = select(case((EdgeSetTable.origin == "inputs_outputs", 1), else_=WHOLE_STEP)).where(
        EdgeSetTable.id == EdgeTable.edge_set_id
    )
    pace_now = pace.where(EdgeSetTable.current.is_(True)).correlate(EdgeTable).scalar_subquery()
    first = select(other.label("id"), pace_now.label("distance"))
    reached = first.where(one_of(here, ENDS, sqlite=sqlite), pace_now.is_not(None)).cte("reached", recursive=True)
    distance = reached.c.distance + pace_now
    step = select(other, distance).select_from(reached).join(EdgeTable, here == reached.c.id)
    further = reached.c.distance < bindparam("half_steps", type_=Integer)
    reached = reached.union(step.where(distance.is_not(None), further))
    nearest = select(reached.c.id).limit(bindparam("most", type_=Integer))
    columns = (NodeTable.id, NodeTable.kind, NodeTable.namespace, NodeTable.name, NodeTable.field, NodeTable.first_seen)
    return select(*columns).where(among_rows(NodeTable.id, nearest, sqlite=sqlite))


def stands(dated: bool, known: bool) -> ColumnElement[bool]:
    """Say of an edge set that it was stated no earlier than its asserter's last closing statement.

    The mapped instances of a task are one job with one run each; what they state within one DAG run stands together.
    """
    closing, own, sibling, last = (aliased(SightingTable) for _ in range(4))
    last_closing = (
        select(func.max(last.stated_at))
        .where(
            last.asserter_id == EdgeSetTable.asserter_id,
            last.origin == EdgeSetTable.origin,
            last.closing.is_(True),
            *_seen(last, dated, known),
        )
        .correlate(EdgeSetTable)
        .scalar_subquery()
    )
    last_own = (
        select(func.max(own.stated_at))
        .where(own.edge_set_id == EdgeSetTable.id, *_seen(own, dated, known))
        .correlate(EdgeSetTable)
        .scalar_subquery()
    )
    together = (
        select(sibling.id)
        .join(closing, (closing.mapped_in == sibling.mapped_in) & (closing.asserter_id == sibling.asserter_id))
        .where(
            sibling.edge_set_id == EdgeSetTable.id,
            sibling.closing.is_(True),
            closing.closing.is_(True),
            closing.origin == EdgeSetTable.origin,
            closing.stated_at == last_closing,
            *_seen(sibling, dated, known),
            *_seen(closing, dated, known),
        )
        .correlate(EdgeSetTable)
        .exists()
    )
    return last_own.is_not(None) & (last_closing.is_(None) | (last_own >= last_closing) | together)


def _since(known: bool) -> ColumnElement[Any]:
    """Read when an edge was first stated by its asserter, from its origin; other sets may have held it before.

    Most asserters have stated one set only.
    """
    edge, edge_set, sighting = aliased(EdgeTable), aliased(EdgeSetTable), aliased(SightingTable)
    of_asserter = (edge_set.asserter_id == EdgeSetTable.asserter_id, edge_set.origin == EdgeSetTable.origin)
    query = (
        select(func.min(sighting.stated_at if known else edge_set.valid_from))
        .select_from(edge)
        .join(edge_set, edge.edge_set_id == edge_set.id)
        .where(edge.source_id == EdgeTable.source_id, edge.target_id == EdgeTable.target_id, *of_asserter)
    )
    if known:
        query = query.join(sighting, sighting.edge_set_id == edge_set.id).where(*standing(sighting, known))
        return query.correlate(EdgeTable, EdgeSetTable).scalar_subquery()
    others = select(edge_set.id).where(*of_asserter, edge_set.id != EdgeSetTable.id).correlate(EdgeSetTable).exists()
    return case((others, query.correlate(EdgeTable, EdgeSetTable).scalar_subquery()), else_=EdgeSetTable.valid_from)


def _last(
    column: InstrumentedAttribute[datetime] | InstrumentedAttribute[str | None], dated: bool, known: bool
) -> ColumnElement[Any]:
    """Read a column of the last sighting of an edge set; of now, it is repeated on the set."""
    if not dated and not known:
        of_now: ColumnElement[Any] = type_coerce(
            EdgeSetTable.last_stated if column is SightingTable.stated_at else EdgeSetTable.last_run, column.type
        )
        return of_now
    return (
        select(column)
        .where(SightingTable.edge_set_id == EdgeSetTable.id, *_seen(SightingTable, dated, known))
        .order_by(SightingTable.stated_at.desc(), SightingTable.last_run.desc().nulls_last())
        .limit(1)
        .correlate(EdgeSetTable)
        .scalar_subquery()
    )


def _seen(sighting: type[SightingTable], dated: bool, known: bool) -> list[ColumnElement[bool]]:
    """Say of sightings that they are seen from the viewpoint."""
    return [*standing(sighting, known), *([sighting.stated_at <= AS_OF] if dated else [])]
