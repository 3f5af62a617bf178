"""What the demo shows while it works: one line an event, and how far each DAG run is."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from festaf.provider.demo.airflow_api import DagRun
    from festaf.provider.demo.figures import Figures, Served

SHOWN = ("success", "running", "deferred", "queued", "scheduled", "up_for_retry", "up_for_reschedule", "failed")


class Display:
    """Prints to a terminal or a file; never redraws, so that a log of it reads well."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._start = time.monotonic()
        self._last: dict[str, str] = {}

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        self.console.print(f"[dim]{time.monotonic() - self._start:5.0f} s[/]  {text}", soft_wrap=True)

    def progress(self, run: DagRun) -> None:
        """Print how far a run is, when that has changed."""
        counts = Counter(run.tasks.values())
        done = counts["success"]
        rest = ", ".join(f"{counts[state]} {state.replace('_', ' ')}" for state in SHOWN[1:] if counts[state])
        working = ", ".join(task for task, state in sorted(run.tasks.items()) if state in {"running", "deferred"})
        line = f"[bold]{run.dag_id}[/] {done}/{len(run.tasks)} tasks done" + (f"; {rest}" if rest else "")
        if working:
            line += f": {working}"
        if self._last.get(run.dag_id) != line:
            self._last[run.dag_id] = line
            self.say(line)

    def headline(self, text: str) -> None:
        """Print what comes next."""
        self.console.print(f"\n[bold]{text}[/]\n")

    def figures(self, figures: Iterable[Figures]) -> None:
        """Print how many rows went where."""
        table = Table("feature set", box=None, padding=(0, 1, 0, 0))
        for name in ("read", "accepted", "rejected", "offline", "distinct ids", "online"):
            table.add_column(name, justify="right")
        for row in figures:
            counts = (row.read, row.accepted, row.rejected, row.offline, row.identifiers, row.online)
            table.add_row(row.feature_set, *(f"{count:,}" for count in counts))
        self.headline("How many rows went where?")
        self.console.print(table)

    def served(self, served: Served) -> None:
        """Print how good the model is that serves."""
        table = Table("on flights from October on", box=None, padding=(0, 1, 0, 0))
        for name in ("log loss", "area under ROC"):
            table.add_column(name, justify="right")
        table.add_row(f"model {served.model}", f"{served.log_loss:.4f}", f"{served.auc:.4f}")
        table.add_row("share of late flights", f"{served.naive_log_loss:.4f}", f"{served.naive_auc:.4f}")
        table.add_row(f"endpoint {served.endpoint}, 200 flights", "", f"{served.answered_auc:.4f}")
        self.headline("Does the model know more than the timetable?")
        self.console.print(table)

    def addresses(self, places: Iterable[tuple[str, str]]) -> None:
        """Print where to look."""
        self.console.print("\n[bold]Look around[/]")
        for name, url in places:
            self.console.print(f"  {name:<18} {url}", soft_wrap=True)
