"""Give datasets other names, and tell by what each edge was said.

Older rows hold what a run said of edges in one set of the origin ``lineage``. Edges from and to jobs become the origin
``inputs_outputs``, the others ``column_lineage``; a set that held both becomes two.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PARTS = {True: "inputs_outputs", False: "column_lineage"}
COPIED = "asserter_id, stated_at, closing, last_run, mapped_in, run_id, event_id, recorded_at, superseded_at"
STANDS = """
SELECT s.edge_set_id, min(s.stated_at), max(s.stated_at), max(s.stated_at) >= COALESCE(
    (SELECT max(c.stated_at) FROM sighting c WHERE c.asserter_id = s.asserter_id AND c.origin = s.origin AND c.closing),
    max(s.stated_at)),
  (SELECT min(c.stated_at) FROM sighting c WHERE c.asserter_id = s.asserter_id AND c.origin = s.origin AND c.closing
    AND c.stated_at > max(s.stated_at)),
  EXISTS (SELECT 1 FROM sighting o JOIN sighting c ON c.mapped_in = o.mapped_in AND c.asserter_id = o.asserter_id
    WHERE o.edge_set_id = s.edge_set_id AND o.closing AND c.closing AND c.origin = s.origin AND c.stated_at = (
      SELECT max(l.stated_at) FROM sighting l
      WHERE l.asserter_id = s.asserter_id AND l.origin = s.origin AND l.closing))
FROM sighting s WHERE s.edge_set_id = :id GROUP BY s.edge_set_id, s.asserter_id, s.origin
"""
"""Of one set: first and last statement, whether no other closed it, when one did, and whether its DAG run stands."""


def upgrade() -> None:
    op.create_table(
        "alias",
        sa.Column("id", KEY, nullable=False),
        sa.Column("node_id", KEY, nullable=False),
        sa.Column("other_id", KEY, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_alias_node_id")),
        sa.ForeignKeyConstraint(["other_id"], ["node.id"], name=op.f("fk_alias_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alias")),
        sa.UniqueConstraint("node_id", "other_id", name=op.f("uq_alias_node_id_other_id")),
    )
    op.create_index(op.f("ix_alias_other_id"), "alias", ["other_id"])
    op.create_table(
        "lifecycle",
        sa.Column("id", KEY, nullable=False),
        sa.Column("node_id", KEY, nullable=False),
        sa.Column("change", sa.String(8), nullable=False),
        sa.Column("other_id", KEY, nullable=True),
        sa.Column("said_at", MOMENT, nullable=False),
        sa.Column("run_id", KEY, nullable=True),
        sa.Column("event_id", KEY, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("superseded_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_lifecycle_node_id")),
        sa.ForeignKeyConstraint(["other_id"], ["node.id"], name=op.f("fk_lifecycle_other_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_lifecycle_run_id")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_lifecycle_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lifecycle")),
    )
    op.create_index(op.f("ix_lifecycle_node_id_change"), "lifecycle", ["node_id", "change"])
    op.create_index(op.f("ix_lifecycle_other_id"), "lifecycle", ["other_id"])
    op.create_index(op.f("ix_lifecycle_run_id"), "lifecycle", ["run_id"])
    _split_edge_sets(op.get_bind())


def _split_edge_sets(connection: sa.Connection) -> None:
    """Turn each set into one or two by the shape of its edges; parts that are equal now become one set."""
    old = connection.execute(sa.text("SELECT id, asserter_id FROM edge_set WHERE origin = 'lineage' ORDER BY id")).all()
    made: set[int] = set()
    for set_id, asserter_id in old:
        edges = connection.execute(
            sa.text(
                "SELECT e.source_id, e.target_id, e.transformation, s.key, t.key, s.kind = 'job' OR t.kind = 'job'"
                " FROM edge e JOIN node s ON s.id = e.source_id JOIN node t ON t.id = e.target_id"
                " WHERE e.edge_set_id = :id"
            ),
            {"id": set_id},
        ).all()
        parts: dict[str, list[Any]] = defaultdict(list)
        for edge in edges:
            parts[PARTS[bool(edge[5])]].append(edge)
        for origin, part in sorted(parts.items()):
            made.add(_keep_part(connection, set_id, asserter_id, origin, part))
        for table, column in (("sighting", "edge_set_id"), ("edge", "edge_set_id"), ("edge_set", "id")):
            connection.execute(sa.text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": set_id})
    for set_id in sorted(made):
        _refresh(connection, set_id)


def _keep_part(connection: sa.Connection, old: int, asserter_id: int, origin: str, edges: list[Any]) -> int:
    ends = sorted([edge[3], edge[4], edge[2] or ""] for edge in edges)
    sha256 = hashlib.sha256(json.dumps(ends, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    named = {"asserter": asserter_id, "origin": origin, "sha256": sha256}
    find = sa.text("SELECT id FROM edge_set WHERE asserter_id = :asserter AND origin = :origin AND sha256 = :sha256")
    found = connection.execute(find, named).scalar()
    if found is None:
        connection.execute(
            sa.text(
                "INSERT INTO edge_set (asserter_id, origin, sha256, current)"
                " VALUES (:asserter, :origin, :sha256, :current)"
            ),
            named | {"current": False},
        )
        found = connection.execute(find, named).scalar_one()
        connection.execute(
            sa.text(
                "INSERT INTO edge (edge_set_id, source_id, target_id, transformation)"
                " VALUES (:id, :source, :target, :transformation)"
            ),
            [{"id": found, "source": edge[0], "target": edge[1], "transformation": edge[2]} for edge in edges],
        )
    connection.execute(
        sa.text(
            f"INSERT INTO sighting (origin, edge_set_id, {COPIED})"
            f" SELECT CAST(:origin AS VARCHAR(16)), :id, {COPIED} FROM sighting WHERE edge_set_id = :old"
        ),
        {"origin": origin, "id": found, "old": old},
    )
    return int(found)


def _refresh(connection: sa.Connection, set_id: int) -> None:
    """Write on a set what its sightings say, as the registry does it when an event comes in."""
    row = connection.execute(sa.text(STANDS), {"id": set_id}).first()
    if row is None:
        return
    _, first, last, latest, closed, together = row
    last_run = connection.execute(
        sa.text(
            "SELECT last_run FROM sighting WHERE edge_set_id = :id"
            " ORDER BY stated_at DESC, last_run IS NULL, last_run DESC LIMIT 1"
        ),
        {"id": set_id},
    ).scalar()
    current = bool(latest) or bool(together)
    connection.execute(
        sa.text(
            "UPDATE edge_set SET valid_from = :first, last_stated = :last, last_run = :run, current = :current,"
            " valid_to = :closed WHERE id = :id"
        ),
        {
            "first": first,
            "last": last,
            "run": last_run,
            "current": current,
            "closed": None if current else closed,
            "id": set_id,
        },
    )
