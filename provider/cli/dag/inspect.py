"""``festaf dag inspect``: what a DAG is and needs, from its text alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from festaf.provider.cli.answer import show
from festaf.provider.cli.dag.comparison import compare, dagbag_answers
from festaf.provider.cli.dag.summary import summary
from festaf.sharing.reading import may_define_dags, read_file
from festaf.sharing.reading.folder import Folder, TooManyFilesError, import_root

if TYPE_CHECKING:
    from festaf.contract.dag_inspection import FileInspection

app = typer.Typer()


@app.command("inspect")
def inspect(
    paths: Annotated[list[Path], typer.Argument(help="DAG files, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of one object per DAG.")] = False,
    root: Annotated[
        Path | None, typer.Option(help="Where imports start from (the bundle's root); found by itself otherwise.")
    ] = None,
    with_dagbag: Annotated[
        bool,
        typer.Option(
            "--with-dagbag",
            help="Also IMPORT AND RUN the files with the Airflow that is installed, and show where its answer differs.",
        ),
    ] = False,
) -> None:
    """Say what DAGs are and need, without importing or running them.

    What the text does not decide is listed as unresolved, never guessed. With --with-dagbag the files are imported,
    which runs them; the exit code is then 2 when an answer differs from Airflow's.
    """
    found: list[FileInspection] = []
    differences: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in paths:
        base, inspections = _read(path, root)
        found.extend(inspections)
        if with_dagbag:
            files = [item.file for item in inspections]
            differences.update(compare(inspections, dagbag_answers(base, files)))
    _tell_errors(found)
    dags = [dag for item in found for dag in item.dags]
    if not dags:
        _fail(f"There is no DAG in {', '.join(map(str, paths))}")
    if as_json:
        typer.echo(
            json.dumps([_object(dag.model_dump(mode="json"), differences, with_dagbag) for dag in dags], indent=2)
        )
    else:
        for dag in dags:
            show(summary(dag, differences.get((dag.file, dag.dag_id or ""), []) if with_dagbag else None))
    if any(differences.values()):
        raise typer.Exit(2)


def _read(path: Path, root: Path | None) -> tuple[Path, list[FileInspection]]:
    """Read a file, or all DAG files of a folder, with the modules around."""
    if not path.exists():
        _fail(f"There is no file or folder {path}")
    base = (root or import_root(path.absolute())).absolute()
    target = path.absolute()
    if not target.is_relative_to(base):
        _fail(f"{path} is not in the root {base}; name a root that holds it with --root")
    try:
        sources = Folder(base)
        if target.is_file():
            return base, [read_file(sources, target.relative_to(base).as_posix())]
        prefix = target.relative_to(base).as_posix()
        inside = [name for name in sources if prefix == "." or name.startswith(f"{prefix}/")]
        chosen = [name for name in inside if name.endswith(".py") and may_define_dags(name, sources[name])]
        answers = [read_file(sources, name) for name in chosen]
    except TooManyFilesError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{path} cannot be read: {error.strerror or error}")
    return base, [item for item in answers if item.dags or item.error or item.unresolved]


def _tell_errors(found: list[FileInspection]) -> None:
    for item in found:
        if item.error:
            typer.echo(f"{item.file}: {item.error}", err=True)
        elif not item.dags:
            for told in item.unresolved:
                line = f":{told.place.line}" if told.place else ""
                typer.echo(f"{item.file}{line}: {told.reason}", err=True)


def _object(
    dag: dict[str, Any], differences: dict[tuple[str, str], list[dict[str, Any]]], with_dagbag: bool
) -> dict[str, Any]:
    if with_dagbag:
        dag["differences"] = differences.get((dag["file"], dag["dag_id"] or ""), [])
    return dag


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
