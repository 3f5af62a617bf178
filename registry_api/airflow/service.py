"""Add, change, list and remove deployments, and tell how reading them goes."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from festaf.contract.airflow import Airflow, AirflowSettings, AirflowState
from festaf.contract.http import Page
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.airflow.repository import AirflowRepository
from festaf.registry_api.airflow.secret import check_reference
from festaf.registry_api.airflow.tables import AirflowTable
from festaf.registry_api.errors import ConflictError, NotFoundError, UnreadableEventError
from festaf.registry_api.page import decode_cursor, encode_cursor

CURSORS = ("events_read_to", "runs_read_to", "assets_read_at", "dags_read_at", "next_at")


class AirflowService:
    """Deployments."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.airflows = AirflowRepository(session)
        self.now = now

    def put(self, name: str, settings: AirflowSettings) -> tuple[Airflow, bool]:
        """Add a deployment, or change it; tell whether it is new. The same again changes nothing.

        One that moves to another address or namespace is read from its beginning.

        :raises UnreadableEventError: the address or the secret's place cannot be used
        :raises ConflictError: another deployment reports under the namespace
        """
        _check(settings)
        settings = settings.model_copy(update={"base_url": settings.base_url.rstrip("/")})
        other = self.airflows.by_namespace(settings.namespace)
        if other is not None and other.name != name:
            raise ConflictError(f"the Airflow {other.name!r} reports under the namespace {settings.namespace!r}")
        row = self.airflows.find(name)
        new, before = row is None, row.base_url if row else None
        if row is None:
            row = AirflowTable(name=name, created_at=self.now, stumbles=0, failures=0, behind=False, counts={})
        elif (row.base_url, row.namespace) != (settings.base_url, settings.namespace):
            self.airflows.forget_reading(row.id)
            for cursor in CURSORS:
                setattr(row, cursor, None)
        for field, value in settings.model_dump().items():
            setattr(row, field, value)
        row.updated_at = self.now
        row.next_at = None
        if new:
            self.airflows.add(row)
        # What a deployment's secret refers to is in the log, the secret itself is not known here.
        said = settings.model_dump_json(exclude_none=True)
        note(self.airflows.session, "airflow.put", name, before=before, after=said)
        return self._shown(row), new

    def give(self, name: str) -> Airflow:
        """Give a deployment.

        :raises NotFoundError: none has this name
        """
        return self._shown(self.require(name))

    def require(self, name: str) -> AirflowTable:
        """Give a deployment's row.

        :raises NotFoundError: none has this name
        """
        row = self.airflows.find(name)
        if row is None:
            raise NotFoundError(f"no Airflow is named {name!r}")
        return row

    def list_airflows(self, cursor: str | None, limit: int) -> Page[Airflow]:
        """List deployments by name."""
        rows = self.airflows.page(decode_cursor(cursor, 1)[0] if cursor else None, limit + 1)
        more = encode_cursor(rows[limit - 1].name) if len(rows) > limit else None
        return Page(items=tuple(self._shown(row) for row in rows[:limit]), cursor=more)

    def remove(self, name: str) -> None:
        """Stop reading a deployment; what it told stays.

        :raises NotFoundError: none has this name
        """
        row = self.require(name)
        self.airflows.remove(row.id)
        note(self.airflows.session, "airflow.delete", name, before=row.base_url)

    def _shown(self, row: AirflowTable) -> Airflow:
        state = AirflowState(
            last_success=row.last_success_at,
            last_error=row.last_error,
            last_error_at=row.last_error_at,
            failures=row.failures,
            events_read_to=row.events_read_to,
            behind=row.behind,
            lag_seconds=max(0.0, (self.now - row.last_success_at).total_seconds()) if row.last_success_at else None,
            next_sync=row.next_at,
            syncing=row.lease_until is not None and row.lease_until > self.now,
            counts=row.counts,
        )
        return Airflow(
            name=row.name,
            base_url=row.base_url,
            namespace=row.namespace,
            username=row.username,
            secret=row.secret,
            enabled=row.enabled,
            poll_seconds=row.poll_seconds,
            state=state,
        )


def _check(settings: AirflowSettings) -> None:
    try:
        parts = urlsplit(settings.base_url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        port_is_right, parts = False, urlsplit("")
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_right or not plain:
        raise UnreadableEventError(
            "base_url is no address of an Airflow: write http(s)://host[:port][/path], without user and password"
        )
    if settings.username and not settings.secret:
        raise UnreadableEventError("a username needs a secret: where the password stands")
    if settings.secret:
        try:
            check_reference(settings.secret)
        except ValueError as error:
            raise UnreadableEventError(str(error)) from error
