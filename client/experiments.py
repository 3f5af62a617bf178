"""Experiments over HTTP: record training runs, list and compare them, and have a chain checked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import TypeAdapter

from festaf.client.answer import read
from festaf.client.sender import Sender
from festaf.contract.experiment import Comparison, ExperimentRun, ExperimentSummary, Verification
from festaf.contract.http import API, Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from festaf.contract.experiment import TrainingRecord

_PATH = f"{API}/experiments"
_EXPERIMENTS = TypeAdapter(Page[ExperimentSummary])
_RUNS = TypeAdapter(Page[ExperimentRun])
_RUN = TypeAdapter(ExperimentRun)
_COMPARISON = TypeAdapter(Comparison)
_VERIFICATION = TypeAdapter(Verification)


class ExperimentClient(Sender):
    """A connection to one registry that records and reads experiments."""

    def experiments(self, project: str | None = None) -> Iterator[ExperimentSummary]:
        """List experiments by project and name."""
        yield from self._pages(_PATH, {"project": project}, _EXPERIMENTS)

    def runs(self, project: str, experiment: str) -> Iterator[ExperimentRun]:
        """List the runs of an experiment, the newest first.

        :raises AbsentError: the registry does not know the experiment
        """
        yield from self._pages(f"{_path(project, experiment)}/runs", {}, _RUNS)

    def run(self, project: str, experiment: str, run: str) -> ExperimentRun:
        """Ask what is recorded of a run.

        :raises AbsentError: the registry does not know the run
        """
        return read(self._get(f"{_path(project, experiment)}/runs/{quote(run, safe='')}", {}), _RUN)

    def compare(self, project: str, experiment: str, runs: Sequence[str]) -> Comparison:
        """Lay two or more runs beside each other, in the order given.

        :raises AbsentError: the registry does not know one of them
        """
        return read(self._get(f"{_path(project, experiment)}/compare", {"run": list(runs)}), _COMPARISON)

    def verify(self, project: str, experiment: str) -> Verification:
        """Have the experiment's chain checked.

        :raises AbsentError: the registry does not know the experiment
        """
        return read(self._get(f"{_path(project, experiment)}/verify", {}), _VERIFICATION)

    def record(self, record: TrainingRecord) -> ExperimentRun:
        """Record a training run; the same record again changes nothing.

        :raises InvalidError: the registry will never accept it
        """
        content = record.model_dump_json(exclude_none=True).encode()
        headers = {"Content-Type": "application/json"}
        return read(
            self._call(self._http.build_request("POST", self.url + _PATH, content=content, headers=headers)), _RUN
        )


def _path(project: str, experiment: str) -> str:
    return f"{_PATH}/{quote(project, safe='')}/{quote(experiment, safe='')}"
