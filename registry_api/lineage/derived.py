"""Which tables are functions of the events, and which hold what no event says."""

from __future__ import annotations

from sqlalchemy import Delete, Update, select

from festaf.registry_api.table import Table

DERIVED = frozenset(
    {
        *("definition", "declaration", "feature_set_write"),
        *("feature_set", "feature", "feature_version", "feature_source", "feature_list", "listed_version"),
        *("node", "edge_set", "edge", "sighting", "alias", "lifecycle"),
        *("dag", "dag_version", "dag_version_number", "dag_facts", "dag_saying", "source_blob", "run"),
        *("artifact_fact", "search_document", "search_variant"),
        *("namespace", "job", "job_facet", "job_version", "job_run", "dataset", "dataset_facet", "dataset_version"),
    }
)
"""Emptied by a rebuild, and filled again by the recorders."""
NUMBERED = ("feature", "feature_set")
"""Derived tables whose rows a rebuild empties, but keeps with their ids, those that refer to others first.

A search walks features in the order of their ids, and so do the cursors that it gave out.
"""
SOURCES = frozenset(
    {
        *("event", "change", "generation", "access_state", "project", "principal", "team_member", "role_grant"),
        *("project_namespace", "token", "audit", "experiment", "experiment_entry"),
        *("namespace_note", "tag", "removal"),
        *("feature_request", "feature_request_vote", "feature_request_entry"),
        *("airflow", "airflow_event", "airflow_dag", "airflow_run"),
        *("dag_package", "dag_package_version", "dag_package_fact", "dag_package_signature", "dag_package_approval"),
        *("dag_package_change", "dag_package_upload", "dag_package_download", "package_rules", "publisher_key"),
    }
)
"""Left alone by a rebuild."""


PARTLY = {"tagging": ("origin", "facet")}
"""Tables of which only the rows with this value in this column are functions of the events."""


def derived_rows() -> list[Delete | Update]:
    """Give the statements that remove whatever is derived; rows that others refer to come last."""
    found: list[Delete | Update] = [
        table.delete()
        for table in reversed(Table.metadata.sorted_tables)
        if table.name in DERIVED and table.name not in NUMBERED
    ]
    tables = [Table.metadata.tables[name] for name in NUMBERED]
    emptied = [(table, {column.name: None for column in table.columns if column.nullable}) for table in tables]
    found += [table.update().values(said) for table, said in emptied if said]
    for name, (column, value) in PARTLY.items():
        table = Table.metadata.tables[name]
        found.append(table.delete().where(table.c[column] == value))
    return found


def idle_rows() -> list[Delete]:
    """Give the statements that remove what was kept for its id, and is spoken of by no event any more."""
    tables = Table.metadata.sorted_tables
    found: list[Delete] = []
    for idle in (Table.metadata.tables[name] for name in NUMBERED):
        users = [select(column) for table in tables for column in table.columns if column.references(idle.c.id)]
        found.append(idle.delete().where(idle.c.id.in_(select(idle.c.id).except_(*users))))
    return found
