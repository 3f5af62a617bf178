"""``festaf notebook``: keep a notebook and a module in step, write DAGs of notebooks and notebooks of DAGs."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

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


@app.command("to-dag")
def to_dag(
    notebook: Notebook,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The DAG file; by default it is printed.")
    ] = None,
    *,
    schedule: Annotated[str | None, typer.Option(help="When the DAG runs, such as @daily.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who owns the tasks.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the DAG; may be given several times.")] = None,
    dag_id: Annotated[str | None, typer.Option(help="The DAG's id; by default the notebook's name.")] = None,
    module: Annotated[
        str | None, typer.Option(help="Import the functions from this synced module instead of writing them out.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite a file that was not written from a notebook.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a TaskFlow DAG from the tagged cells of a notebook."""
    from festaf.provider.notebooks.dag_file import write_dag
    from festaf.provider.notebooks.document import read_document
    from festaf.provider.notebooks.errors import NotebookError, UnreadableError
    from festaf.provider.notebooks.files import Original, write_all

    given = {"schedule": schedule, "owner": owner, "tags": tag, "dag_id": dag_id}
    try:
        original = Original.read(notebook)
        if original.data is None:
            raise UnreadableError(f"There is no notebook {notebook}")
        dag = write_dag(read_document(original.text, notebook.name), notebook.name, given, module)
        if output is not None:
            target = Original.read(output)
            ours = target.data is None or target.text.startswith("# festaf: written from ") or target.text == dag.text
            if not ours and not force:
                raise UnreadableError(
                    f"{output} stands already and was not written from a notebook; --force overwrites it"
                )
            write_all([target.with_text(dag.text)])
    except NotebookError as error:
        _refuse(error, as_json)
    told = {"dag_id": dag.dag_id, "tasks": dag.tasks, "notes": dag.notes, "file": str(output) if output else None}
    _answer(dag.text, told, output, as_json)


@app.command("to-notebook")
def to_notebook(
    dag: Annotated[Path, typer.Argument(help="The DAG file (.py).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The notebook; by default it is printed.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option(help="Overwrite a notebook that stands already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a notebook that tells what a DAG file does, section by section; nothing of the file is lost."""
    from festaf.provider.notebooks.carrying import write_notebook
    from festaf.provider.notebooks.errors import NotebookError, UnreadableError
    from festaf.provider.notebooks.files import Original, write_all

    try:
        original = Original.read(dag)
        if original.data is None:
            raise UnreadableError(f"There is no DAG file {dag}")
        document = write_notebook(original.text, dag)
        text = document.text()
        if output is not None:
            target = Original.read(output)
            if target.data is not None and target.text != text and not force:
                raise UnreadableError(f"{output} stands already, and may hold outputs; --force overwrites it")
            write_all([target.with_text(text)])
    except NotebookError as error:
        _refuse(error, as_json)
    tasks = [cell.id for cell in document.cells if cell.role == "task"]
    told = {"cells": len(document.cells), "tasks": tasks, "notes": [], "file": str(output) if output else None}
    _answer(text, told, output, as_json)


def _answer(text: str, told: dict[str, Any], output: Path | None, as_json: bool) -> None:
    """Print what was written and what its author should know."""
    if as_json:
        typer.echo(json.dumps(told | {"text": text}))
        return
    for note in told["notes"]:
        typer.echo(f"Note: {note}", err=True)
    if output is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"Wrote {output}")


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
