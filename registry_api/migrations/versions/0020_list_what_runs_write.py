"""Keep what runs wrote as lists of contents, of which equal ones are one row, instead of a row for each feature.

A write that older rows gave one row may have listed other features before than after: it becomes one row for each list.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RUNS = 100
"""How many runs are looked at together: each may have written tens of thousands of features."""
WRITES = """
SELECT id, run_id, feature_set_id, recorded_at, superseded_at FROM feature_set_write
WHERE lists_features AND run_id BETWEEN :first AND :last ORDER BY id
"""
PRODUCTIONS = """
SELECT p.run_id, f.feature_set_id, f.name, v.id AS version_id, v.sha256, p.recorded_at, p.superseded_at
FROM production p JOIN feature f ON f.id = p.feature_id JOIN feature_version v ON v.id = p.version_id
WHERE p.run_id BETWEEN :first AND :last
"""
COPIED = "feature_set_id, run_id, ended_at, lists_features, rows_read, rows_accepted, rows_rejected, last_event_time"
CHANGE = "UPDATE feature_set_write SET feature_list_id = :list, superseded_at = :end WHERE id = :id"
SPLIT = (
    f"INSERT INTO feature_set_write ({COPIED}, feature_list_id, recorded_at, superseded_at)"
    f" SELECT {COPIED}, :list, :start, :end FROM feature_set_write WHERE id = :id"
)


def upgrade() -> None:
    op.create_table(
        "feature_list",
        sa.Column("id", KEY, nullable=False),
        sa.Column("feature_set_id", KEY, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["feature_set_id"], ["feature_set.id"], name=op.f("fk_feature_list_feature_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_list")),
        sa.UniqueConstraint("feature_set_id", "sha256", name=op.f("uq_feature_list_feature_set_id_sha256")),
    )
    op.create_table(
        "listed_version",
        sa.Column("version_id", KEY, nullable=False),
        sa.Column("feature_list_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["feature_list_id"], ["feature_list.id"], name="fk_listed_version_feature_list_id"),
        sa.ForeignKeyConstraint(["version_id"], ["feature_version.id"], name=op.f("fk_listed_version_version_id")),
        sa.PrimaryKeyConstraint("version_id", "feature_list_id", name=op.f("pk_listed_version")),
    )
    op.create_index(op.f("ix_listed_version_feature_list_id"), "listed_version", ["feature_list_id"])
    op.drop_index(op.f("ix_feature_set_write_feature_set_id_lists_features_ended_at"), "feature_set_write")
    with op.batch_alter_table("feature_set_write") as batch:
        batch.add_column(sa.Column("feature_list_id", KEY, nullable=True))
        batch.create_foreign_key(
            op.f("fk_feature_set_write_feature_list_id"), "feature_list", ["feature_list_id"], ["id"]
        )
    _Lists(op.get_bind()).fill()
    op.create_index(
        "ix_feature_set_write_whole",
        "feature_set_write",
        ["feature_set_id", "ended_at"],
        sqlite_where=sa.text("lists_features IS 0"),
        postgresql_where=sa.text("lists_features IS false"),
    )
    op.create_index(
        "ix_feature_set_write_feature_list_id",
        "feature_set_write",
        ["feature_list_id", "ended_at"],
        sqlite_where=sa.text("feature_list_id IS NOT NULL"),
        postgresql_where=sa.text("feature_list_id IS NOT NULL"),
    )
    op.drop_table("production")


class _Lists:
    """The lists that were found so far."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.ids: dict[tuple[int, str], int] = {}
        self.rows: list[dict[str, Any]] = []
        self.contents: list[dict[str, Any]] = []

    def fill(self) -> None:
        """Make a list of what each write wrote, some runs at a time."""
        last_run = self.connection.scalar(sa.text("SELECT max(id) FROM run")) or 0
        for first in range(0, last_run + 1, RUNS):
            self._fill({"first": first, "last": first + RUNS - 1})
        if self.ids and self.connection.dialect.name == "postgresql":
            op.execute(
                "SELECT setval(pg_get_serial_sequence('feature_list', 'id'), (SELECT max(id) FROM feature_list))"
            )

    def _fill(self, runs: dict[str, int]) -> None:
        produced: dict[tuple[int, int], list[Any]] = defaultdict(list)
        for row in self.connection.execute(sa.text(PRODUCTIONS), runs):
            produced[row.run_id, row.feature_set_id].append(row)
        changes: list[dict[str, Any]] = []
        splits: list[dict[str, Any]] = []
        for write in self.connection.execute(sa.text(WRITES), runs).all():
            for number, (start, end, standing) in enumerate(
                _times(write, produced[write.run_id, write.feature_set_id])
            ):
                said = {"id": write.id, "end": end, "list": self._list(write.feature_set_id, standing)}
                splits.append({**said, "start": start}) if number else changes.append(said)
        self._write("INSERT INTO feature_list VALUES (:id, :feature_set_id, :sha256)", self.rows)
        self._write("INSERT INTO listed_version VALUES (:version_id, :feature_list_id)", self.contents)
        self._write(SPLIT, splits)
        self._write(CHANGE, changes)
        self.rows, self.contents = [], []

    def _list(self, feature_set_id: int, standing: Sequence[Any]) -> int | None:
        if not standing:
            return None
        ordered = sorted(standing, key=lambda row: row.name)
        sha256 = hashlib.sha256("".join([row.sha256 for row in ordered]).encode()).hexdigest()
        key = (feature_set_id, sha256)
        if key not in self.ids:
            number = self.ids[key] = len(self.ids) + 1
            self.rows.append({"id": number, "feature_set_id": feature_set_id, "sha256": sha256})
            self.contents += [{"version_id": row.version_id, "feature_list_id": number} for row in ordered]
        return self.ids[key]

    def _write(self, statement: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(sa.text(statement), rows)


def _times(write: Any, produced: Sequence[Any]) -> Iterator[tuple[Any, Any, list[Any]]]:
    """Cut the time in which a write was known wherever what it wrote was other than before."""
    moments = {moment for row in produced for moment in (row.recorded_at, row.superseded_at) if moment is not None}
    ends = [moment for moment in moments if write.superseded_at is None or moment < write.superseded_at]
    starts = sorted({write.recorded_at, *(moment for moment in ends if moment > write.recorded_at)})
    for start, end in zip(starts, [*starts[1:], write.superseded_at], strict=True):
        yield start, end, [row for row in produced if _stood(row, start)]


def _stood(row: Any, moment: Any) -> bool:
    return row.recorded_at <= moment and (row.superseded_at is None or row.superseded_at > moment)
