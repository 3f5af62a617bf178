"""Repeat on features' rows which Airflow the DAG is of that wrote them last: another may have one of the same id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NEWEST = """
JOIN run ON run.id = feature_set_write.run_id JOIN dag ON dag.id = run.dag_pk
WHERE feature_set_write.ended_at = feature.last_written AND feature_set_write.superseded_at IS NULL
AND dag.dag_id = feature.dag_id
"""
LISTED = f"""
UPDATE feature SET dag_namespace = (
    SELECT run.namespace FROM feature_version
    JOIN listed_version ON listed_version.version_id = feature_version.id
    JOIN feature_set_write ON feature_set_write.feature_list_id = listed_version.feature_list_id
    {NEWEST} AND feature_version.feature_id = feature.id ORDER BY run.uuid DESC LIMIT 1
) WHERE dag_id IS NOT NULL
"""
WHOLE = f"""
UPDATE feature SET dag_namespace = (
    SELECT run.namespace FROM feature_set_write
    {NEWEST} AND feature_set_write.feature_set_id = feature.feature_set_id
    AND feature_set_write.lists_features IS {{no}} ORDER BY run.uuid DESC LIMIT 1
) WHERE dag_id IS NOT NULL AND dag_namespace IS NULL
"""


def upgrade() -> None:
    op.add_column("feature", sa.Column("dag_namespace", sa.Text()))
    sqlite = op.get_context().dialect.name == "sqlite"
    if not sqlite:
        # Of tables that an earlier step filled, or that were restored, PostgreSQL knows nothing, and would seek in an
        # index by time alone: for each feature among all writes.
        op.execute("ANALYZE feature_version, listed_version, feature_set_write, run, dag")
    op.execute(LISTED)
    # Only a condition that is written as the partial index has it lets that be used.
    op.execute(WHOLE.format(no="0" if sqlite else "false"))
