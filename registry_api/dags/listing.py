"""List DAGs and the contents that they had, as they are seen from a viewpoint."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.dag import Dag, DagVersion
from festaf.contract.http import Page
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dags.repository import DagRepository
from festaf.registry_api.dags.saying_repository import SayingRepository
from festaf.registry_api.dags.seen import Seen, SeenDag
from festaf.registry_api.dags.tables import DagTable, DagVersionTable
from festaf.registry_api.errors import BadRequestError, NotFoundError
from festaf.registry_api.page import decode_cursor, encode_cursor
from festaf.registry_api.viewpoint import Viewpoint

VersionRow = tuple[DagVersionTable, DagTable, int | None, str | None]
"""Version, DAG, number and text."""
WRONG_CURSOR = "the cursor is not one that this list gave out"


class DagListing:
    """Lists DAGs and versions."""

    def __init__(self, session: Session, view: Viewpoint, sight: Sight) -> None:
        self.view = view
        self.sight = sight
        self.dags = DagRepository(session)
        self.seen = Seen(session, view, sight)
        self.sayings = SayingRepository(session, view)

    def dags_page(self, namespace: str | None, cursor: str | None, limit: int) -> Page[Dag]:
        """List DAGs; a page from an earlier viewpoint may hold fewer than ``limit`` before the last one."""
        after = decode_cursor(cursor, 2) if cursor else None
        namespaces = None if self.sight.everything else self.sight.namespaces
        rows = self.dags.dags(namespace, after, limit + 1, namespaces)
        shown = self.seen.dags_by_id({row.id for row in rows[:limit]})
        more = encode_cursor(rows[limit - 1].dag_id, rows[limit - 1].namespace) if len(rows) > limit else None
        return Page(items=tuple(_dag(shown[row.id]) for row in rows[:limit] if row.id in shown), cursor=more)

    def versions_page(self, dag_id: str, namespace: str | None, cursor: str | None, limit: int) -> Page[DagVersion]:
        """List the contents of a DAG, the newest first.

        :raises NotFoundError: no Airflow reported such a DAG, or did not by then, or the caller may not see it
        """
        dags = [dag for dag in self.dags.named(dag_id, namespace) if self.sight.sees_namespace(dag.namespace)]
        if not self.view.now:
            known = self.seen.dags_by_id({dag.id for dag in dags})
            dags = [dag for dag in dags if dag.id in known]
        if not dags:
            raise NotFoundError(f"no DAG {dag_id!r} is known")
        pks, before = [dag.id for dag in dags], _version_key(cursor)
        if self.view.now:
            rows = [(row, row[0].first_seen, row[0].last_seen) for row in self.dags.versions(pks, before, limit + 1)]
            found = [((row[0], row[1], row[2], row[3]), first, last) for row, first, last in rows]
        else:
            found = self._past_versions(pks, before)[: limit + 1]
        items = tuple(_version(row, first, last) for row, first, last in found[:limit])
        end = found[limit - 1] if len(found) > limit else None
        more = encode_cursor(end[1].isoformat(), end[0][0].content_sha256) if end else None
        return Page(items=items, cursor=more)

    def _past_versions(
        self, pks: list[int], before: tuple[datetime, str] | None
    ) -> list[tuple[VersionRow, datetime, datetime]]:
        said = self.sayings.versions(pks)
        shown = _telling(said)
        shown.sort(key=lambda item: (item[2], item[0].content_sha256), reverse=True)
        texts = self.dags.codes({row.source_sha256 for row, *_ in shown if row.source_sha256})
        found: list[tuple[VersionRow, datetime, datetime]] = []
        for row, dag, first, last in shown:
            if before is None or (first, row.content_sha256) < before:
                number = self.sayings.number(dag.id, row.version_id) if row.version_id else None
                found.append(((row, dag, number, texts.get(row.source_sha256 or "")), first, last))
        return found


def _telling(
    said: list[tuple[DagVersionTable, DagTable, datetime, datetime]],
) -> list[tuple[DagVersionTable, DagTable, datetime, datetime]]:
    """Leave out a content of which another with the same version id tells more."""
    rows = [row for row, *_ in said if row.version_id]
    sourced = [row for row in rows if row.source_sha256]
    told = {(row.dag_pk, row.version_id, bundle) for row in sourced for bundle in (row.bundle_version, None)}
    pinned = {(row.dag_pk, row.version_id, row.source_sha256) for row in rows if row.bundle_version}
    return [
        item
        for item in said
        if (item[0].source_sha256 or (item[0].dag_pk, item[0].version_id, item[0].bundle_version) not in told)
        and (item[0].bundle_version or (item[0].dag_pk, item[0].version_id, item[0].source_sha256) not in pinned)
    ]


def _version(row: VersionRow, first: datetime, last: datetime) -> DagVersion:
    version, dag, number, text = row
    return DagVersion(
        namespace=dag.namespace,
        dag_id=dag.dag_id,
        id=version.version_id,
        number=number,
        bundle_name=version.bundle_name,
        bundle_version=version.bundle_version,
        path=version.path,
        source=text,
        source_sha256=version.source_sha256,
        first_seen=first,
        last_seen=last,
    )


def _dag(dag: SeenDag) -> Dag:
    return Dag(
        namespace=dag.namespace,
        dag_id=dag.dag_id,
        owners=dag.owners,
        tags=tuple(dag.facts.get("tags") or ()),
        description=dag.facts.get("description"),
        schedule=dag.facts.get("schedule"),
        next_run=dag.next_run,
        paused=dag.paused,
        deleted=dag.deleted,
        first_seen=dag.first_seen,
        last_seen=dag.last_seen,
    )


def _version_key(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    moment, sha256 = decode_cursor(cursor, 2)
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError as error:
        raise BadRequestError(WRONG_CURSOR) from error
    if parsed.tzinfo is None:
        raise BadRequestError(WRONG_CURSOR)
    return parsed, sha256
