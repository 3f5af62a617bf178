"""``festaf experiments``: which training runs there were, how they differ, and whether the record is whole."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.connection import AsJson, Registry, Token, connect_as, fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from festaf.client.experiments import ExperimentClient
    from festaf.contract.experiment import Compared, ExperimentRun

app = typer.Typer(no_args_is_help=True, help="List, compare, check and export training runs.")
Experiment = Annotated[str, typer.Argument(help="project/experiment.")]
SHOWN_METRICS = 3


@app.command("list")
def list_experiments(
    experiment: Annotated[str | None, typer.Argument(help="project/experiment lists its runs; all without.")] = None,
    project: Annotated[str | None, typer.Option(help="Only experiments of this project.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List experiments, or the runs of one."""
    from festaf.provider.cli import answer

    with _connect(registry, token) as client:
        if experiment is None:
            found = list(islice(client.experiments(project), limit))
            if as_json:
                _print([item.model_dump(mode="json") for item in found])
            elif not found:
                typer.echo("No experiments.")
            else:
                table = _table("experiment", "runs", "last recorded")
                for item in found:
                    when = answer.moment(item.last_recorded) or ""
                    table.add_row(f"{item.project}/{item.experiment}", str(item.runs), when)
                answer.show(table, unwrapped=True)
            return
        runs = list(islice(client.runs(*_name(experiment)), limit))
    if as_json:
        _print([run.model_dump(mode="json") for run in runs])
    else:
        answer.show(_runs(runs), unwrapped=True)


@app.command()
def show(
    experiment: Experiment,
    run: Annotated[str, typer.Argument(help="Name of the run: the training job's.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show what is recorded of a run."""
    from festaf.provider.cli import answer

    with _connect(registry, token) as client:
        found = client.run(*_name(experiment), run)
    if as_json:
        _print(found.model_dump(mode="json"))
        return
    if found.whole is False:
        typer.echo(f"The record of {run} was changed; 'festaf experiments verify {experiment}' says where.", err=True)
    table = _table("", "")
    said = found.record.model_dump(mode="json", exclude_none=True, exclude={"data"})
    for name, value in said.items():
        if isinstance(value, dict):
            for inner, item in value.items():
                table.add_row(f"{name}.{inner}", _text(item))
        else:
            table.add_row(name, _text(value))
    for item in found.record.data:
        table.add_row(f"data.{item.name}", item.manifest or item.uri)
    answer.show(table, unwrapped=True)


@app.command()
def compare(
    experiment: Experiment,
    runs: Annotated[list[str], typer.Argument(help="Two or more runs.")],
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same in all of them.")] = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Lay runs beside each other: parameters, metrics, data, code and model."""
    from festaf.provider.cli import answer

    if len(runs) < 2:
        fail("name two runs or more")
    with _connect(registry, token) as client:
        found = client.compare(*_name(experiment), runs)
    if as_json:
        _print(found.model_dump(mode="json"))
        return
    table = _table("", *found.runs)
    for title, rows in (("parameter", found.parameters), ("metric", found.metrics), ("", found.facts)):
        _add(table, title, [row for row in rows if everything or row.differs])
    if table.row_count:
        answer.show(table, unwrapped=True)
    else:
        typer.echo("Nothing differs.")


@app.command()
def verify(experiment: Experiment, registry: Registry = None, token: Token = None, as_json: AsJson = False) -> None:
    """Check that nobody changed the record: exit code 0 when the chain is whole, 1 when it is not."""
    with _connect(registry, token) as client:
        found = client.verify(*_name(experiment))
    if as_json:
        _print(found.model_dump(mode="json"))
    elif found.whole:
        typer.echo(f"{experiment} is whole: {found.entries} entries, the last hashes to {found.head_sha256}.")
    else:
        typer.echo(f"{experiment} was changed: entry {found.broken_at}: {found.reason}.", err=True)
    if not found.whole:
        raise typer.Exit(1)


@app.command()
def export(
    experiment: Experiment,
    to: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Address of an MLflow tracking server.")],
    name: Annotated[str | None, typer.Option(help="Name of the MLflow experiment; the same without.")] = None,
    mlflow_token: Annotated[str | None, typer.Option(envvar="MLFLOW_TRACKING_TOKEN", help="Its token.")] = None,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Export runs to MLflow; a run that is there already is completed and not doubled."""
    from festaf.provider.experiments.mlflow import MlflowError, MlflowExport

    with _connect(registry, token) as client:
        runs = list(client.runs(*_name(experiment)))
    done = []
    try:
        for item in MlflowExport(to, mlflow_token).export(name or experiment, reversed(runs)):
            done.append({"run": item.run, "mlflow_run_id": item.mlflow_run_id, "created": item.created})
            if not as_json:
                typer.echo(f"{item.run} -> {item.mlflow_run_id}{'' if item.created else ' (was there)'}")
    except MlflowError as error:
        fail(f"{error}; {len(done)} of {len(runs)} runs were exported")
    if as_json:
        _print(done)


def _connect(url: str | None, token: str | None) -> ExperimentClient:
    from festaf.client.experiments import ExperimentClient

    return connect_as(ExperimentClient, url, token)


def _name(text: str) -> tuple[str, str]:
    project, separator, experiment = text.partition("/")
    if not (project and separator and experiment):
        fail(f"{text!r} is no experiment: write project/experiment")
    return project, experiment


def _print(found: object) -> None:
    typer.echo(json.dumps(found, indent=2))


def _table(*columns: str) -> Table:
    from festaf.provider.cli.answer import plain_table

    return plain_table(*columns)


def _runs(runs: Sequence[ExperimentRun]) -> Table:
    from festaf.provider.cli.answer import moment

    table = _table("run", "state", "ended", "metrics", "model")
    for run in runs:
        record, model = run.record, run.record.model
        metrics = [f"{name} {_text(value)}" for name, value in sorted(record.metrics.items())]
        more = f", {len(metrics) - SHOWN_METRICS} more" if len(metrics) > SHOWN_METRICS else ""
        made = f"{model.name}:{model.version}" if model and model.name else ""
        ended = moment(record.ended_at) or ""
        name = f"{record.run} (changed)" if run.whole is False else record.run
        table.add_row(name, record.state or "", ended, ", ".join(metrics[:SHOWN_METRICS]) + more, made)
    return table


def _add(table: Table, title: str, rows: Sequence[Compared]) -> None:
    for row in rows:
        table.add_row(f"{title} {row.name}".strip(), *(_text(value) for value in row.values))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
