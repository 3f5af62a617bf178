"""Prove which text of a DAG file stands in a version of its bundle.

Airflow has a text and versions of bundles, but no two of them are a pair: the bundle version of a DAG version is older
than the text when the DAG was parsed twice within half a minute, and newer in Airflow before 3.3; and a file that was
being parsed when its bundle moved on is stored under the new version with the text of the old one. What is written in
one transaction is a DAG's own bundle version, the time of the parse, and its newest text. So a text belongs to a
version when the parse was the same before and after it was read, and began when that version was in use everywhere.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from festaf.contract.openlineage import DagSnapshot, JobEvent
from festaf.registry_api.airflow import telling
from festaf.registry_api.airflow.answers import Dag, Version
from festaf.registry_api.airflow.details import Details, path_of
from festaf.registry_api.airflow.errors import AbsentError, RefusedError, UnexpectedError
from festaf.registry_api.airflow.work import Work

SETTLED = timedelta(minutes=1)
"""So long after the first parse from a version each DAG processor has it; they look for it every few seconds."""
TRIES = 2
"""How often a text is read that is parsed again meanwhile."""


def proven_text(work: Work, details: Details, dag: Dag, number: int, since: datetime | None) -> str | None:
    """Give the newest text of a DAG, if it is that of the bundle's version that the DAG was listed with.

    :param number: of the newest version
    :param since: the first parse that was seen from this version of the bundle
    :raises AirflowError: Airflow stopped answering
    """
    now = dag
    for attempt in range(TRIES):
        if now.bundle_version != dag.bundle_version or not _is_settled(now, since):
            return None
        text = details.source(dag.dag_id, number, again=attempt > 0)
        before = now
        try:
            now = work.one(Dag, path_of("dags", dag.dag_id))
        except (AbsentError, RefusedError, UnexpectedError):
            return None
        if now.last_parsed == before.last_parsed:
            return text
    return None


def proof(namespace: str, dag: Dag, version: Version, text: str, since: datetime) -> JobEvent:
    """Tell that a text stands in the version of the bundle, as it did when it was first parsed."""
    snapshot = DagSnapshot(
        dag_id=dag.dag_id,
        dag_version_id=version.id,
        version_number=version.version_number,
        bundle_name=dag.bundle_name,
        bundle_version=dag.bundle_version,
        path=dag.relative_fileloc,
        source=text,
    )
    return telling.dag_event(namespace, snapshot, since)


def _is_settled(dag: Dag, since: datetime | None) -> bool:
    began = dag.parse_began
    if dag.bundle_version is None or since is None or began is None or dag.has_import_errors:
        return False
    return began - since >= SETTLED
