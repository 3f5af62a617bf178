"""Put runs together from their entries, and lay several beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from festaf.contract.experiment import Compared, Comparison, ExperimentRun, TrainingRecord
from festaf.registry_api.experiments import chain
from festaf.registry_api.experiments.tables import EntryTable, ExperimentTable

TOGETHER = ("parameters", "metrics", "tags")
"""What several entries of a run add to each other; anything else that is said again replaces what was said."""


def run_of(experiment: ExperimentTable, entries: Sequence[EntryTable], *, whole: bool) -> ExperimentRun:
    """Put a run together; the entries stand in the order of the chain."""
    said: dict[str, Any] = {}
    for entry in entries:
        record = chain.read(entry, experiment)
        for name, value in record.model_dump(exclude_defaults=True, exclude_none=True).items():
            said[name] = {**said.get(name, {}), **value} if name in TOGETHER or name in {"code", "model"} else value
    return ExperimentRun(
        record=TrainingRecord.model_validate(said),
        entries=tuple(entry.number for entry in entries),
        first_recorded=entries[0].recorded_at,
        last_recorded=entries[-1].recorded_at,
        whole=whole,
    )


def compare(project: str, experiment: str, runs: Sequence[ExperimentRun]) -> Comparison:
    """Lay runs beside each other, in the order given."""
    records = [run.record for run in runs]
    return Comparison(
        project=project,
        experiment=experiment,
        runs=tuple(record.run for record in records),
        parameters=_rows([record.parameters for record in records]),
        metrics=_rows([record.metrics for record in records]),
        facts=_rows([dict(_facts(record)) for record in records]),
    )


def _rows(found: Sequence[Mapping[str, str | float]]) -> tuple[Compared, ...]:
    names = sorted({name for one in found for name in one})
    return tuple(
        Compared(name=name, values=values, differs=len(set(values)) > 1)
        for name in names
        if (values := tuple(one.get(name) for one in found))
    )


def _facts(record: TrainingRecord) -> Iterable[tuple[str, str]]:
    """Give the facts that two runs may differ in."""
    code, model = record.code, record.model
    found: dict[str, Any] = {
        "state": record.state,
        "code.image": code and code.image,
        "code.uri": code and code.uri,
        "code.sha256": code and code.sha256,
        "code.commit": code and code.commit,
        "code.bundle_version": code and code.bundle_version,
        "model.name": model and model.name,
        "model.version": model and model.version,
    }
    for item in record.data:
        found |= {f"data.{item.name}.uri": item.uri, f"data.{item.name}.manifest": item.manifest}
        found |= {f"data.{item.name}.sha256": item.sha256, f"data.{item.name}.rows": item.rows}
    return ((name, str(value)) for name, value in found.items() if value is not None)
