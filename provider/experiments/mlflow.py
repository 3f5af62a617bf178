"""Export runs to MLflow: to a tracking server over its REST API, or into a folder in the file store's form.

Source: MLflow's REST API 2.0 (https://mlflow.org/docs/latest/rest-api.html), which servers of MLflow 2 and 3 answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from festaf.contract.experiment import ExperimentRun, TrainingRecord

API = "/api/2.0/mlflow"
RUN_TAG = "festaf.run"
"""The tag by which an export that is repeated finds its run again."""
MAX_PARAMETER = 6_000
PARAMETERS, METRICS, TAGS = 100, 1_000, 100
"""How many of each log-batch takes."""
STATES = {"Completed": "FINISHED", "Failed": "FAILED", "Stopped": "KILLED"}
UNDER_WAY = "RUNNING"


class MlflowError(Exception):
    """The tracking server cannot be reached, or refused something."""


@dataclass(frozen=True)
class Exported:
    """What became of a run."""

    run: str
    mlflow_run_id: str
    created: bool
    """False when an earlier export had made it."""


class MlflowExport:
    """Puts runs into one tracking server; a run that is there already is completed, never doubled.

    :param tracking_uri: the server's address, such as ``http://127.0.0.1:5000``
    :param token: a bearer token, when the server asks for one
    :param timeout: of one request, in seconds
    """

    def __init__(self, tracking_uri: str, token: str | None = None, timeout: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=tracking_uri.rstrip("/"), headers=headers, timeout=timeout)

    def export(self, name: str, runs: Iterable[ExperimentRun]) -> Iterator[Exported]:
        """Export runs into the MLflow experiment of this name, made if it is new.

        :raises MlflowError: the server did not take something; what was exported before stands
        """
        experiment = self._experiment(name)
        for run in runs:
            yield self._run(experiment, run.record, run.first_recorded)

    def _experiment(self, name: str) -> str:
        found = self._call(
            "GET", "experiments/get-by-name", {"experiment_name": name}, absent="RESOURCE_DOES_NOT_EXIST"
        )
        if found is None:
            found = {"experiment": self._call("POST", "experiments/create", {"name": name})}
        experiment: str = found["experiment"]["experiment_id"]
        return experiment

    def _run(self, experiment: str, record: TrainingRecord, recorded: datetime) -> Exported:
        """Export a run; that of its first record stands for a time that it does not say."""
        known = self._call(
            "POST",
            "runs/search",
            {"experiment_ids": [experiment], "filter": f"tags.`{RUN_TAG}` = '{_quoted(record.run)}'", "max_results": 1},
        )
        runs = (known or {}).get("runs", [])
        if runs:
            run_id = runs[0]["info"]["run_id"]
        else:
            tags = [{"key": RUN_TAG, "value": record.run}, {"key": "mlflow.runName", "value": record.run}]
            started = _milliseconds(record.started_at or record.ended_at or recorded)
            asked = {"experiment_id": experiment, "run_name": record.run, "start_time": started, "tags": tags}
            made = self._call("POST", "runs/create", asked)
            assert made is not None
            run_id = made["run"]["info"]["run_id"]
        self._log(run_id, record, _milliseconds(record.ended_at or record.started_at or recorded))
        update: dict[str, Any] = {"run_id": run_id, "status": status_of(record)}
        if update["status"] != UNDER_WAY:
            update["end_time"] = _milliseconds(record.ended_at or recorded)
        self._call("POST", "runs/update", update)
        return Exported(record.run, run_id, not runs)

    def _log(self, run_id: str, record: TrainingRecord, moment: int) -> None:
        parameters = [{"key": _key(name), "value": value[:MAX_PARAMETER]} for name, value in record.parameters.items()]
        metrics = [
            {"key": _key(name), "value": value, "timestamp": moment, "step": 0}
            for name, value in record.metrics.items()
        ]
        tags = [{"key": name, "value": value} for name, value in tags_of(record).items()]
        for start in range(0, max(len(parameters), 1), PARAMETERS):
            self._batch(run_id, params=parameters[start : start + PARAMETERS])
        for start in range(0, len(metrics), METRICS):
            self._batch(run_id, metrics=metrics[start : start + METRICS])
        for start in range(0, len(tags), TAGS):
            self._batch(run_id, tags=tags[start : start + TAGS])

    def _batch(self, run_id: str, **given: list[dict[str, Any]]) -> None:
        if any(given.values()):
            self._call("POST", "runs/log-batch", {"run_id": run_id, **given})

    def _call(self, verb: str, path: str, asked: dict[str, Any], absent: str | None = None) -> dict[str, Any] | None:
        """Ask the server; None when it answers the error code that means that a thing is not there."""
        given: dict[str, Any] = {"params": asked} if verb == "GET" else {"json": asked}
        try:
            answer = self._http.request(verb, f"{API}/{path}", **given)
        except httpx.HTTPError as error:
            raise MlflowError(f"MLflow at {self._http.base_url} cannot be reached: {error}") from error
        try:
            body: dict[str, Any] = answer.json()
        except ValueError:
            body = {}
        if answer.is_success:
            return body
        if absent and body.get("error_code") == absent:
            return None
        reason = body.get("message") or answer.reason_phrase
        raise MlflowError(f"MLflow at {self._http.base_url} answered {answer.status_code} to {path}: {reason}")


def status_of(record: TrainingRecord) -> str:
    """Give the state of a run in MLflow's words.

    A run is recorded when it ended, so one that says no state went well if it says no reason either. Only a task that
    does not wait for its training job tells of it earlier: that goes on until a version of a model came of it.
    """
    if record.state:
        return STATES[record.state]
    if record.reason:
        return STATES["Failed"]
    registered = record.model and record.model.name
    return UNDER_WAY if record.training_job and not registered else STATES["Completed"]


def tags_of(record: TrainingRecord) -> dict[str, str]:
    """Give what MLflow keeps as tags: data, code, model, and the task that trained."""
    code, model = record.code, record.model
    found: dict[str, object] = {
        "festaf.project": record.project,
        "festaf.training_job": record.training_job,
        "festaf.dag": record.dag_id and f"{record.dag_id}/{record.run_id}/{record.task_id}",
        "mlflow.source.git.commit": code and code.commit,
        "mlflow.source.git.repoURL": code and code.repository,
        "mlflow.source.name": code and (code.entry_point or code.uri),
        "festaf.code.uri": code and code.uri,
        "festaf.code.image": code and code.image,
        "festaf.code.bundle": code and code.bundle_version,
        "festaf.model": model and model.name and f"{model.name}:{model.version}",
        "festaf.model.data": model and ", ".join(model.data),
        "festaf.reason": record.reason,
    }
    for item in record.data:
        found[f"festaf.data.{_key(item.name)}"] = item.manifest or item.uri
    return {name: str(value)[:5000] for name, value in (found | dict(record.tags)).items() if value}


def _key(name: str) -> str:
    """Write a name with the characters that MLflow takes: a colon and others become underscores."""
    return "".join(letter if letter.isalnum() or letter in "_-. /" else "_" for letter in name)[:250]


def _quoted(text: str) -> str:
    return text.replace("'", "\\'")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
