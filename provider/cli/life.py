"""A feature's history and impact as text that reads well at 80 columns, in colour or piped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from festaf.provider.cli.answer import HIDDEN, gone, moment, of_airflow, show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from festaf.contract.history import Change, HistoryItem, Teller
    from festaf.contract.impact import Affected, Impact

INDENT = "  "


def show_history(items: Iterable[HistoryItem]) -> None:
    """Print what happened, the newest first."""
    lines = [line for item in items for line in _happened(item)]
    show(Group(*lines) if lines else Text("Nothing is known."), unwrapped=True)


def show_impact(impact: Impact) -> None:
    """Print what stands downstream, the nearest first, and who is to be told."""
    lines = [_affected(item) for item in impact.affected]
    counts = ", ".join(
        f"{count} {kind.replace('_', ' ')}{'' if count == 1 else 's'}" for kind, count in impact.counts.items()
    )
    summary = [Text(counts or "Nothing stands downstream.", style="bold")]
    if impact.owners:
        summary.append(Text(f"to be told: {', '.join(impact.owners)}"))
    if impact.truncated:
        summary.append(Text("There is more: --depth goes further.", style="dim"))
    show(Group(*lines, *summary), unwrapped=True)


def _happened(item: HistoryItem) -> list[Text]:
    version = f" version {item.version}" if item.version else ""
    by = _teller(item.by) if item.by else ""
    lines = [Text.assemble(f"{moment(item.at)}  ", (f"{item.kind.replace('_', ' ')}{version}", "bold"), by)]
    for change in item.changes:
        lines += _change(change)
    return lines


def _change(change: Change) -> list[Text]:
    if change.diff:
        return [Text(f"{INDENT}{change.field}:"), *(Text(INDENT * 2 + line) for line in change.diff.splitlines())]
    return [Text(f"{INDENT}{change.field}: {_value(change.before)} -> {_value(change.after)}")]


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)


def _teller(by: Teller) -> str:
    if by.declared_by:
        return f", by {by.declared_by}"
    task = ".".join(part for part in (by.dag_id, by.task_id) if part)
    task += f" map index {by.map_index}" if by.map_index >= 0 else ""
    number = f" version {by.dag_version.number}" if by.dag_version and by.dag_version.number else ""
    run, airflow = f" in {by.run_id}" if by.run_id else "", f" of {by.namespace}" if by.namespace else ""
    return f", by {task}{number}{run}{airflow}"


def _affected(item: Affected) -> Text:
    version = f" version {item.version}" if item.version else ""
    approval = f" {item.approval}" if item.approval else ""
    state = f"{of_airflow(item.kind, item.namespace)}{version}{approval}{gone(item.access)}"
    owners = f"  {', '.join(item.owners)}" if item.owners else ""
    return Text.assemble(
        f"{item.distance:>2}  {item.kind.replace('_', ' ')} {item.name or HIDDEN}{state}", (owners, "dim")
    )
