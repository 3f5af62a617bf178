"""What differs between two versions of a package, as a table, and the code below it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from festaf.provider.cli.answer import plain_table, show

if TYPE_CHECKING:
    from rich.table import Table

    from festaf.contract.dag_package import FileChange, PackageDiff

CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\ufffd")
"""What a terminal would obey is shown as something else."""


def show_difference(found: PackageDiff, *, code: bool = True) -> None:
    """Print what differs.

    :param code: whether the text of the files is shown, too, or only their names
    """
    table = _table(found)
    if not table.row_count and not found.files:
        typer.echo("Nothing differs.")
        return
    if table.row_count:
        show(table, unwrapped=True)
    for file in found.files:
        typer.echo(_file(file) if code else f"{file.path} {file.change}")


def _table(found: PackageDiff) -> Table:
    table = plain_table("what", "before", "after")
    for value in (*found.values, *found.needs):
        name = f"{value.dag_id}: {value.field}" if value.dag_id else value.field
        table.add_row(name, json.dumps(value.before), json.dumps(value.after))
    for task in found.tasks:
        before, after = (json.dumps(side) if side else "" for side in (task.before, task.after))
        table.add_row(f"{task.dag_id}: task {task.task_id} {task.change}", before, after)
    for dag_id, upstream, downstream in found.edges_removed:
        table.add_row(f"{dag_id}: edge", f"{upstream} -> {downstream}", "")
    for dag_id, upstream, downstream in found.edges_added:
        table.add_row(f"{dag_id}: edge", "", f"{upstream} -> {downstream}")
    return table


def _file(file: FileChange) -> str:
    rest = " (cut short)" if file.truncated else ""
    return f"\n{file.path} {file.change}{rest}\n{(file.diff or '').translate(CONTROLS)}".rstrip("\n")
