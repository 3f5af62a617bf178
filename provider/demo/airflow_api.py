"""Airflow's public REST API (v2), as far as the demo asks it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from festaf.provider.demo.errors import RunError, StartError

FINISHED = {"success", "failed"}


@dataclass(frozen=True)
class DagRun:
    """A DAG run and the states of its task instances, by task id."""

    dag_id: str
    run_id: str
    state: str
    tasks: dict[str, str]

    @property
    def finished(self) -> bool:
        """Tell whether the run has ended."""
        return self.state in FINISHED


class AirflowApi:
    """A client for one Airflow whose simple auth manager takes everyone as an admin."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)

    def log_in(self) -> None:
        """Get a token and keep it."""
        token = self._client.get("/auth/token").raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def wait_for_dag(self, dag_id: str, *, seconds: float) -> None:
        """Wait until the dag-processor has stored a DAG.

        :raises StartError: Airflow cannot read it, or did not in time
        """
        deadline = time.monotonic() + seconds
        while (answer := self._client.get(f"/api/v2/dags/{dag_id}")).status_code == httpx.codes.NOT_FOUND:
            if errors := self.get("/api/v2/importErrors")["import_errors"]:
                last_line = errors[0]["stack_trace"].strip().splitlines()[-1]
                raise StartError(f"Airflow cannot read {errors[0]['filename']}: {last_line}")
            if time.monotonic() > deadline:
                raise StartError(f"Airflow's dag-processor had not read the DAG {dag_id} after {seconds:.0f} s")
            time.sleep(0.5)
        answer.raise_for_status()

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self._client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).raise_for_status()

    def make_pool(self, name: str, slots: int) -> None:
        """Make a pool that counts deferred tasks; one that stands is left as it is."""
        content = {"name": name, "slots": slots, "include_deferred": True}
        answer = self._client.post("/api/v2/pools", json=content)
        if answer.status_code != httpx.codes.CONFLICT:
            answer.raise_for_status()

    def start(self, dag_id: str) -> str | None:
        """Start a run and give its id; None when the scheduler is about to start one that is due."""
        due = self.get(f"/api/v2/dags/{dag_id}")["next_dagrun_run_after"]
        if due and datetime.fromisoformat(due) <= datetime.now(UTC):
            return None
        answer = self._client.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None})
        run_id: str = answer.raise_for_status().json()["dag_run_id"]
        return run_id

    def latest_run(self, dag_id: str) -> DagRun | None:
        """Give the newest run of a DAG, or None when it never ran."""
        runs = self.get(f"/api/v2/dags/{dag_id}/dagRuns", order_by="-run_after", limit=1)["dag_runs"]
        return self.run(dag_id, runs[0]["dag_run_id"]) if runs else None

    def run(self, dag_id: str, run_id: str) -> DagRun:
        """Give a run with its task instances."""
        base = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        state = self.get(base)["state"]
        instances = self.get(f"{base}/taskInstances", limit=100)["task_instances"]
        tasks = {instance["task_id"]: instance["state"] or "waiting" for instance in instances}
        return DagRun(dag_id, run_id, state, tasks)

    def xcom(self, run: DagRun, task_id: str) -> Any:
        """Give what a task returned, or None when it returned nothing."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        answer = self._client.get(path, params={"deserialize": False})
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.raise_for_status().json()["value"]

    def check(self, run: DagRun) -> None:
        """Make sure that a finished run succeeded.

        :raises RunError: it failed; names the task and what its log says last
        """
        if run.state == "success":
            return
        failed = next((task for task, state in run.tasks.items() if state == "failed"), None)
        reason = self._last_error(run, failed) if failed else "no task of it failed"
        raise RunError(f"The run {run.run_id} of {run.dag_id} failed in the task {failed}: {reason}")

    def _last_error(self, run: DagRun, task_id: str) -> str:
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}"
        try_number = self.get(path)["try_number"]
        lines = self.get(f"{path}/logs/{try_number}", full_content="true")["content"]
        errors = [line for line in lines if isinstance(line, dict) and line.get("level") in {"error", "critical"}]
        if not errors:
            return "its log names no error"
        detail = errors[-1].get("error_detail") or [{}]
        cause = f"{detail[0].get('exc_type')}: {detail[0].get('exc_value')}" if detail[0].get("exc_type") else ""
        return cause or str(errors[-1].get("event", ""))

    def get(self, path: str, **parameters: Any) -> Any:
        """Ask any path of the API."""
        return self._client.get(path, params=parameters).raise_for_status().json()
