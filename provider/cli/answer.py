"""The answer to "where does this feature come from?" as a tree that reads well at 80 columns, in colour or piped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from festaf.contract.feature import (
        Access,
        AwaitedAsset,
        Code,
        CodeLocation,
        Consumer,
        ConsumerKind,
        DagVersionRef,
        Feature,
        Freshness,
        RunRef,
        Source,
        When,
    )

CODE_LINES = 12
NAMES = 12
LABEL_WIDTH = 5
KEY_WIDTH = 12
UNKNOWN = "not known"
HIDDEN = "(restricted)"
"""What stands in the place of a name that the caller may not see."""
UNBOUNDED = 10_000
"""Columns: more than any line has."""

Line = tuple[str, "RenderableType | None"]
"""A key and what stands beside it; a line without a value is left out."""


def show(answer: RenderableType, *, unwrapped: bool = False) -> None:
    """Print to stdout; without colours and trailing blanks when it is no terminal.

    :param unwrapped: whether lines are left whole when it is no terminal, so that other programs read them
    """
    console = Console(highlight=False, emoji=False, markup=False)
    if unwrapped and not console.is_terminal:
        console.width = UNBOUNDED
    if console.is_terminal:
        console.print(answer)
        return
    with console.capture() as captured:
        console.print(answer)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")


def plain_table(*columns: str) -> Table:
    """Make a table without lines; long words go on in the next line. Without any name it has no head."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def feature_tree(feature: Feature, *, now: datetime | None = None, whole_code: bool = False) -> Tree:
    """Draw who, when, why, how, which run, sources and consumers of a feature.

    :param now: what "ago" counts from; the present by default
    :param whole_code: show the code to its end
    """
    now = now or datetime.now(UTC)
    tree = Tree(_title(feature), guide_style="dim")
    tree.add(_section("who", _who(feature)))
    tree.add(_section("when", _when(feature, now)))
    tree.add(_section("why", _why(feature)))
    tree.add(_section("how", _how(feature, whole_code)))
    tree.add(_section("run", _run(feature.run)))
    tree.add(_section("from", _names((_source(source), source.origin) for source in feature.sources)))
    tree.add(_section("to", _names((_consumer(user), user.origin) for user in feature.consumers)))
    return tree


def declaration(feature: Feature) -> Group:
    """Show what was declared of a feature, and of the run that wrote it no more than when and by which task."""
    lines: list[Line] = [
        ("type", _type(feature)),
        ("version", str(feature.version) if feature.version else None),
        ("owner", feature.who.owner),
        ("purpose", feature.why.purpose),
        ("description", feature.why.description),
        ("technique", feature.how.technique),
        ("tags", ", ".join(feature.tags) or None),
        ("sources", "\n".join(source.uri or HIDDEN for source in feature.sources) or None),
        ("last written", _written(feature)),
    ]
    return Group(Text(_path(feature), style="bold"), _grid(lines))


def moment(value: datetime | None) -> str | None:
    """Write a time in UTC, to the second."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if value else None


def _written(feature: Feature) -> str | None:
    """Say when values were written last, and which task of which Airflow did."""
    run = feature.run
    by = f", by {run.dag_id}.{run.task_id} of {run.namespace}" if run else ""
    return f"{moment(feature.when.last_written)}{by}" if feature.when.last_written else None


def _title(feature: Feature) -> Text:
    facts = [_type(feature), f"version {feature.version}" if feature.version else None]
    if feature.deleted:
        facts.append("deleted")
    said = ", ".join(fact for fact in facts if fact)
    return Text.assemble((_path(feature), "bold"), (f"  {said}", "dim"))


def _path(feature: Feature) -> str:
    return f"{feature.project}/{feature.feature_set}/{feature.name}"


def _type(feature: Feature) -> str | None:
    return f"{feature.collection}<{feature.type}>" if feature.collection else feature.type


def _section(label: str, content: RenderableType) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=LABEL_WIDTH, no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(Text(label, style="bold cyan"), content)
    return row


def _grid(lines: Iterable[Line]) -> RenderableType:
    said = [(key, value) for key, value in lines if value is not None]
    if not said:
        return Text(UNKNOWN, style="dim")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(min_width=KEY_WIDTH, no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for key, value in said:
        grid.add_row(key, Text(value) if isinstance(value, str) else value)
    return grid


def _who(feature: Feature) -> RenderableType:
    return _grid([("owner", feature.who.owner), ("DAG owners", ", ".join(feature.who.dag_owners) or None)])


def _when(feature: Feature, now: datetime) -> RenderableType:
    when = feature.when
    return _grid(
        [
            ("first seen", moment(when.first_seen)),
            ("last written", _relative(when.last_written, now)),
            ("newest row", moment(when.last_event_time)),
            ("next run", _relative(when.next_run, now)),
            ("waits for", "\n".join(_awaited(asset) for asset in when.waits_for) or None),
            ("schedule", _schedule(when)),
            ("freshness", _freshness(when.freshness)),
        ]
    )


def _awaited(asset: AwaitedAsset) -> str:
    """Name an asset, with the DAG that writes it and runs next."""
    writer = f", written by {asset.dag_id}{of_airflow('dag', asset.dag_namespace)}" if asset.dag_id else ""
    next_run = f", which runs next at {moment(asset.next_run)}" if asset.next_run else ""
    return f"{asset.uri or HIDDEN}{gone(asset.access)}{writer}{next_run}"


def _schedule(when: When) -> str | None:
    """Give the schedule, and why there is no next run."""
    if when.dag_deleted:
        return f"{when.schedule or 'none'} (Airflow no longer has this DAG)"
    return f"{when.schedule} (paused)" if when.schedule and when.dag_paused else when.schedule


def _why(feature: Feature) -> RenderableType:
    return _grid(
        [
            ("purpose", feature.why.purpose),
            ("description", feature.why.description),
            ("tags", ", ".join(feature.tags) or None),
        ]
    )


def _how(feature: Feature, whole: bool) -> RenderableType:
    how = feature.how
    code = how.logic if how.logic and how.logic.text else how.dag_file
    return _grid(
        [
            ("technique", how.technique),
            ("logic" if code is how.logic else "DAG file", _code(code, whole) if code else None),
            ("SQL", _code(how.sql, whole) if how.sql else None),
            ("DAG file", _file(how.dag_file)),
            ("kept at", _location(how.location) if how.location and how.location.url else None),
        ]
    )


def _code(code: Code, whole: bool) -> RenderableType | None:
    if not code.text:
        return None
    lines = code.text.strip("\n").splitlines()
    shown = lines if whole else lines[:CODE_LINES]
    text = Syntax("\n".join(shown), code.language, theme="ansi_dark", background_color="default", word_wrap=True)
    if len(shown) == len(lines):
        return text
    return Group(text, Text(f"... {len(lines) - len(shown)} more lines: --code", style="dim"))


def _file(code: Code | None) -> str | None:
    if code is None:
        return None
    facts = (code.path, f"sha256 {code.sha256[:12]}" if code.sha256 else None)
    return ", ".join(fact for fact in facts if fact) or None


def _run(run: RunRef | None) -> RenderableType:
    if run is None:
        return Text("nothing was written yet", style="dim")
    attempt = f"{run.task_id}, try {run.try_number}"
    if run.map_index >= 0:
        attempt += f", map index {run.map_index}"
    return _grid(
        [
            ("Airflow", run.namespace),
            ("DAG", f"{run.dag_id}{_version(run.dag_version)}"),
            ("run", run.run_id),
            ("triggered by", "\n".join(run.triggered_by) or None),
            ("interval", _interval(run)),
            ("task", attempt + (f" ({run.operator})" if run.operator else "")),
            ("ended", _ended(run)),
            ("rows", _rows(run)),
            ("OpenLineage", str(run.openlineage_run_id)),
        ]
    )


def _version(version: DagVersionRef) -> str:
    facts = []
    if version.number:
        facts.append(f"version {version.number}")
    if version.bundle_name:
        facts.append(f"bundle {version.bundle_name}" + (f" {version.bundle_version}" if version.bundle_version else ""))
    return "".join(f", {fact}" for fact in facts)


def _interval(run: RunRef) -> str | None:
    """Give the time that the run stands for; none when it is a single moment."""
    start, end = run.data_interval_start, run.data_interval_end
    return f"{moment(start)} to {moment(end)}" if start and end and start != end else None


def _ended(run: RunRef) -> str | None:
    ended = moment(run.ended_at)
    if run.started_at:
        return f"{ended}, after {_span(run.ended_at - run.started_at)}"
    return ended


def _rows(run: RunRef) -> str | None:
    if run.rows is None:
        return None
    return f"{run.rows.read:,} read, {run.rows.accepted:,} accepted, {run.rows.rejected:,} rejected"


def _names(items: Iterable[tuple[str, str]]) -> RenderableType:
    lines = [Text.assemble(name, (f"  {origin}", "dim")) for name, origin in items]
    if not lines:
        return Text("none known", style="dim")
    if len(lines) > NAMES:
        lines = [*lines[:NAMES], Text(f"and {len(lines) - NAMES} more: --json", style="dim")]
    return Group(*lines)


def _source(source: Source) -> str:
    return f"{source.uri or HIDDEN}{gone(source.access)}"


def gone(access: Access) -> str:
    """Say that something is no more."""
    return " (deleted)" if access == "deleted" else ""


def of_airflow(kind: ConsumerKind, namespace: str | None) -> str:
    """Say whose a DAG or a task is: another Airflow may have one of the same name."""
    return f" of {namespace}" if namespace and kind in {"dag", "task"} else ""


def _consumer(user: Consumer) -> str:
    """Name a consumer with its version, and how many steps away it is when it is not the next one."""
    version = f" version {user.version}" if user.version else ""
    approval = f" {user.approval}" if user.approval else ""
    steps = f", {user.distance} steps away" if user.distance > 1 else ""
    kind, airflow = user.kind.replace("_", " "), of_airflow(user.kind, user.namespace)
    return f"{kind} {user.name or HIDDEN}{airflow}{version}{approval}{steps}{gone(user.access)}"


def _freshness(freshness: Freshness) -> str | None:
    """Say whether the values are as fresh as was declared, and whether the next run comes in time."""
    if freshness.bound_seconds is None:
        return None
    words = f"{freshness.status}, at most {_span(timedelta(seconds=freshness.bound_seconds))} old"
    if freshness.due_at and freshness.status != "stale":
        words += f", due {moment(freshness.due_at)}"
    if freshness.next_run_in_time is False:
        words += "; the next run comes too late"
    return words


def _location(location: CodeLocation | None) -> str | None:
    if location is None:
        return None
    place = location.url or " ".join(part for part in (location.repository_url, location.path) if part)
    facts = (place or None, f"commit {location.commit}" if location.commit else None)
    return ", ".join(fact for fact in facts if fact) or None


def _relative(value: datetime | None, now: datetime) -> str | None:
    if value is None:
        return None
    distance = value - now
    words = f"in {_span(distance)}" if distance > timedelta(0) else f"{_span(-distance)} ago"
    return f"{moment(value)}, {words}"


def _span(length: timedelta) -> str:
    """Say a length of time in its largest whole unit."""
    seconds = length.total_seconds()
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds:.1f} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
