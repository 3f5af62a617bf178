"""A registry in this process that reads a real Airflow."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

from festaf.registry_api.airflow.cycle import Cycle, deployment_of
from festaf.registry_api.airflow.figures import Figures
from festaf.registry_api.airflow.service import AirflowService
from tests.registry_api.conftest import open_registry
from tests.registry_api.contents import PRODUCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from festaf.contract.openlineage import RunEvent
    from tests.provider.lineage.airflow import Airflow
    from tests.registry_api.conftest import Registry

_cycles = itertools.count()


@dataclass
class Synced:
    """A registry that reads the real Airflow, and how to let it read again."""

    registry: Registry

    def read(self) -> Figures:
        figures = Figures()
        with self.registry.database.reading() as session:
            deployment = deployment_of(AirflowService(session, datetime.now(UTC)).require("real"))
        # The DAGs are not due again within a minute; here they are.
        later = datetime.now(UTC) + timedelta(minutes=2 * next(_cycles))
        assert Cycle(self.registry.database, deployment, figures, Event().wait, clock=lambda: later).run() is None
        return figures

    def productions(self) -> int:
        with self.registry.database.engine.connect() as connection:
            return int(connection.exec_driver_sql(PRODUCTIONS).scalar_one())

    def dags(self) -> dict[str, dict[str, Any]]:
        return {dag["dag_id"]: dag for dag in self.registry.get("/dags")["items"]}

    def run(self, event: RunEvent) -> dict[str, Any]:
        """Give what the registry knows of a run, without what only a worker tells.

        Airflow stores when its supervisor took the task; the worker tells when the task's process began.
        """
        found = self.registry.get(f"/runs/{event.run.run_id}")
        found["task"] = found["task"] and found["task"] | {"started_at": None}
        kept = ("state", "ended_at", "parent_run_id", "task", "dag_version")
        datasets = {side: {(item["namespace"], item["name"]) for item in found[side]} for side in ("inputs", "outputs")}
        return {name: found[name] for name in kept} | datasets


@contextmanager
def synced(airflow: Airflow, folder: Path) -> Iterator[Synced]:
    with open_registry(f"sqlite:///{folder / 'registry.db'}") as registry:
        settings = {"base_url": airflow.place.airflow_url, "namespace": "demo"}
        assert registry.http.put("/api/v1/airflows/real", json=settings).status_code == 201
        yield Synced(registry)
