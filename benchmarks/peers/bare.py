"""The floor: FastAPI and SQLAlchemy on the registry's own database, answering no more than a look-up.

python -m benchmarks.peers.bare DATABASE_URL PORT
"""

from __future__ import annotations

import sys
from collections.abc import Iterator  # noqa: TC003 - FastAPI reads the annotations.
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from festaf.registry_api.database import read_url
from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.graph.tables import EdgeSetTable, EdgeTable, NodeTable

engine = create_engine(read_url(sys.argv[1]))
app = FastAPI()


def opened() -> Iterator[Session]:
    """Open a session for one request."""
    with Session(engine) as session:
        yield session


Reading = Annotated[Session, Depends(opened)]


@app.get("/features/{project}/{feature_set}/{feature}")
def look_up(project: str, feature_set: str, feature: str, session: Reading) -> dict[str, Any]:
    """Look one row up by its names."""
    row = session.execute(
        select(FeatureTable.name, FeatureTable.type, FeatureTable.owner, FeatureTable.description, FeatureTable.dag_id)
        .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
        .where(
            FeatureSetTable.project == project,
            FeatureSetTable.name == feature_set,
            FeatureTable.name == feature,
        )
    ).one()
    return dict(row._mapping)


@app.get("/graph/{node}")
def graph(node: int, session: Reading, limit: int = 110) -> dict[str, Any]:
    """Walk upstream level by level with IN lists until so many nodes are found, then name them."""
    seen, level, edges = {node}, {node}, []
    while level and len(seen) < limit:
        query = (
            select(EdgeTable.source_id, EdgeTable.target_id)
            .join(EdgeSetTable, EdgeSetTable.id == EdgeTable.edge_set_id)
            .where(EdgeTable.target_id.in_(level), EdgeSetTable.current.is_(True))
        )
        found = set()
        for source, target in session.execute(query):
            edges.append((source, target))
            if source not in seen and len(seen) < limit:
                seen.add(source)
                found.add(source)
        level = found
    names = select(NodeTable.id, NodeTable.kind, NodeTable.namespace, NodeTable.name, NodeTable.field)
    rows = session.execute(names.where(NodeTable.id.in_(seen))).all()
    return {"nodes": [tuple(row) for row in rows], "edges": edges}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
