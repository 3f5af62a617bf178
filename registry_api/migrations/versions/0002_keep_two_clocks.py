"""Keep when each fact was learned and when the registry learned better."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LEARNED = {
    "definition": "COALESCE((SELECT max(e.received_at) FROM event e JOIN run r ON r.uuid = e.run_uuid"
    " WHERE r.id = definition.run_id), (SELECT e.received_at FROM event e WHERE e.id = definition.event_id))",
    "feature_set_write": "(SELECT max(e.received_at) FROM event e JOIN run r ON r.uuid = e.run_uuid"
    " WHERE r.id = feature_set_write.run_id)",
    "declaration": "(SELECT d.recorded_at FROM definition d WHERE d.id = declaration.definition_id)",
    "production": "(SELECT max(e.received_at) FROM event e JOIN run r ON r.uuid = e.run_uuid"
    " WHERE r.id = production.run_id)",
    "sighting": "COALESCE((SELECT max(e.received_at) FROM event e JOIN run r ON r.uuid = e.run_uuid"
    " WHERE r.id = sighting.run_id), (SELECT e.received_at FROM event e WHERE e.id = sighting.event_id))",
}
"""By table, the arrival of the last event that said the fact."""


def upgrade() -> None:
    for table, learned in LEARNED.items():
        op.add_column(table, sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True))
        op.execute(f"UPDATE {table} SET recorded_at = {learned}")
    for table in LEARNED:
        with op.batch_alter_table(table) as batch:
            batch.alter_column("recorded_at", existing_type=sa.DateTime(timezone=True), nullable=False)
            if table == "feature_set_write":
                batch.drop_constraint(op.f("uq_feature_set_write_run_id_feature_set_id"), type_="unique")
                batch.create_unique_constraint(
                    op.f("uq_feature_set_write_run_id_feature_set_id_recorded_at"),
                    ["run_id", "feature_set_id", "recorded_at"],
                )
            if table == "production":
                batch.drop_constraint(op.f("pk_production"), type_="primary")
                batch.create_primary_key(op.f("pk_production"), ["feature_id", "ended_at", "run_id", "recorded_at"])
