"""``GET /lineage``, ``/column-lineage`` and ``/runlineage/upstream``."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from festaf.contract import marquez_graph
from festaf.registry_api.edge import Answered, View
from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.marquez.graphs import Graphs
from festaf.registry_api.marquez.names import Depth, NodeIdText, read_node_id

router = APIRouter(tags=["marquez"])


@router.get("/lineage", response_model=marquez_graph.Graph, summary="Draw the graph around a job or dataset")
async def get_lineage(node: NodeIdText, answering: Answered, view: View, depth: Depth = 20) -> Response:
    """Draw what goes into a job or dataset and what comes out of it, ``depth`` jobs far, at most 1,000 nodes."""

    def read(session: Session) -> marquez_graph.Graph:
        return Graphs(session, answering.caller.sight, view).of(read_node_id(node), depth)

    return await answering.give(read)


@router.get("/column-lineage", response_model=marquez_graph.FieldGraph, summary="Draw the graph around columns")
async def get_column_lineage(
    node: NodeIdText,
    answering: Answered,
    view: View,
    depth: Depth = 20,
    downstream: Annotated[bool, Query(alias="withDownstream")] = False,
) -> Response:
    """Draw what the columns of a dataset, of a job's outputs, or one column are made of, at most 1,000 nodes."""

    def read(session: Session) -> marquez_graph.FieldGraph:
        found = read_node_id(node)
        if found.version and downstream:
            raise BadRequestError("Node version cannot be specified when withDownstream is true")
        return Graphs(session, answering.caller.sight, view).columns(found, depth, downstream=downstream)

    return await answering.give(read)


@router.get(
    "/runlineage/upstream",
    response_model=marquez_graph.UpstreamRuns,
    summary="List the runs that a run's values came from",
)
async def get_upstream_runs(
    run_id: Annotated[UUID, Query(alias="runId")], answering: Answered, view: View, depth: Depth = 20
) -> Response:
    """List the run itself and the runs that wrote what it read, and so on, at most 1,000."""

    def read(session: Session) -> marquez_graph.UpstreamRuns:
        return Graphs(session, answering.caller.sight, view).upstream_runs(run_id, depth)

    return await answering.give(read)
