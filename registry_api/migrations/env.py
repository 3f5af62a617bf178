"""What Alembic runs: the migrations, on the connection that it is handed."""

from __future__ import annotations

from alembic import context

from festaf.registry_api import changes
from festaf.registry_api.access import tables as access
from festaf.registry_api.airflow import tables as airflow
from festaf.registry_api.artifacts import tables as artifacts
from festaf.registry_api.catalog import tables as catalog
from festaf.registry_api.dag_packages import tables as dag_packages
from festaf.registry_api.dags import tables as dags
from festaf.registry_api.experiments import tables as experiments
from festaf.registry_api.feature_requests import tables as feature_requests
from festaf.registry_api.features import tables as features
from festaf.registry_api.graph import tables as graph
from festaf.registry_api.lineage import tables as lineage
from festaf.registry_api.search import tables as search
from festaf.registry_api.table import Table

AREAS = (
    *(access, artifacts, airflow, catalog, dag_packages, dags, experiments, feature_requests, features, graph),
    *(lineage, search, changes),
)
"""Every area, so that its tables are known."""

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    transactional_ddl=True,
    on_version_apply=context.config.attributes.get("on_version_apply"),
)
context.run_migrations()
