"""``festaf notebook``: keep a notebook and a module in step, write DAGs of notebooks and notebooks of DAGs."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from festaf.provider.cli.connection import AsJson

if TYPE_CHECKING:
    from festaf.provider.notebooks.errors import NotebookError
    from festaf.provider.notebooks.sync import Step

app = typer.Typer(no_args_is_help=True, help="Notebooks, modules and DAGs: in step, and one from the other.")

Notebook = Annotated[Path, typer.Argument(help="The notebook (.ipynb).")]


class Side(StrEnum):
    """A side of a conflict."""

    NOTEBOOK = "notebook"
    MODULE = "module"


@app.command()
def sync(
    notebook: Notebook,
    module: Annotated[
        Path | None, typer.Argument(help="The module (.py); by default the last one, or one beside the notebook.")
    ] = None,
    *,
    prefer: Annotated[Side | None, typer.Option(help="Which side to take when both changed.")] = None,
    delete: Annotated[bool, typer.Option(help="Delete on one side what is gone from the other.")] = False,
    check: Annotated[bool, typer.Option(help="Write nothing; exit with 1 when they are out of step.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Write nothing; show what would change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep a notebook and a Python module in step, whichever side was edited."""
    from festaf.provider.notebooks.errors import NotebookError
    from festaf.provider.notebooks.sync import sync as keep_in_step

    side: Literal["notebook", "module"] | None = None if prefer is None else prefer.value
    try:
        step = keep_in_step(notebook, module, prefer=side, delete=delete, write=not (check or dry_run))
    except NotebookError as error:
        _refuse(error, as_json)
    if as_json:
        told = {
            "notebook": str(step.notebook), "module": str(step.module), "state": step.state, "updated": step.updated,
            "added": step.added, "deleted": step.deleted, "notes": step.notes,
            "written": [str(path) for path in step.written], "diff": step.difference,
        }  # fmt: skip
        typer.echo(json.dumps(told))
    else:
        _tell(step, dry_run=dry_run, check=check)
    if check and step.state != "in step":
        raise typer.Exit(1)


def _tell(step: Step, *, dry_run: bool, check: bool) -> None:
    if dry_run:
        typer.echo(step.difference, nl=False)
    words = {
        "in step": "are in step",
        "new": "are in step: the module is new",
        "notebook": "are in step: the notebook's changes are in the module",
        "module": "are in step: the module's changes are in the notebook",
    }[step.state]
    if (dry_run or check) and step.state != "in step":
        words = f"are out of step: {'there is no module yet' if step.state == 'new' else f'the {step.state} changed'}"
    for note in step.notes:
        typer.echo(f"Note: {note}", err=True)
    typer.echo(f"{step.notebook} and {step.module} {words}", err=dry_run)


def _refuse(error: NotebookError, as_json: bool) -> NoReturn:
    """End with the reason, and with both sides when they are in conflict."""
    difference = getattr(error, "difference", "")
    if as_json:
        typer.echo(json.dumps({"error": type(error).__name__, "message": str(error), "diff": difference}))
    else:
        if difference:
            typer.echo(difference, nl=False)
        typer.echo(str(error), err=True)
    raise typer.Exit(1)
