"""Say what was read as the contract says it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from festaf.contract.dag_inspection import (
    ConnectionNeed,
    DagInspection,
    InspectedTask,
    Place,
    VariableNeed,
)
from festaf.sharing.reading import distributions
from festaf.sharing.reading.airflow import catalogue
from festaf.sharing.reading.airflow.assets import uris_of
from festaf.sharing.reading.airflow.schedules import schedule_of, scheduled_assets, summary
from festaf.sharing.reading.evaluator.files import placeless
from festaf.sharing.reading.needs import Need, template_connections, template_variables
from festaf.sharing.reading.parameters import parameters_of
from festaf.sharing.reading.values import Function, List, LocalClass, Set, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from festaf.sharing.reading.airflow.model import Dag, Task
    from festaf.sharing.reading.machine import Machine

TEMPLATES = (
    ".sql",
    ".hql",
    ".sh",
    ".json",
    ".yaml",
    ".yml",
    ".j2",
    ".jinja",
    ".jinja2",
    ".html",
    ".txt",
    ".md",
    ".py.j2",
)


def inspect_dag(machine: Machine, dag: Dag, path: str) -> DagInspection:
    """Describe one DAG."""
    scheduled, gap = uris_of(scheduled_assets(schedule_of(dag)))
    if gap is not None:
        dag.doubt("scheduled_on", gap.reason, gap.place or dag.place)
    inlets, outlets = _lets(dag, "inlets"), _lets(dag, "outlets")
    connections = _connections(machine, dag)
    variables = _variables(machine, dag)
    start = _start_date(dag)
    tasks = tuple(_task(task) for task in dag.tasks.values())
    schedule = _schedule(dag)
    tags, owners = _tags(dag), _owners(dag)
    needs = _field_needs(machine, dag)
    providers, requirements = distributions.split(machine.modules.outside)
    for what, reason, place, of in machine.needs.undecided:
        if of is None or of is dag:
            dag.doubt(what, reason, place)
    return DagInspection(
        dag_id=dag.dag_id,
        file=path,
        line=dag.place.line,
        schedule=schedule,
        timezone=_timezone(start),
        start_date=start.isoformat() if start is not None else None,
        catchup=_flag(dag, "catchup"),
        description=_text(dag, "description"),
        doc_md=_text(dag, "doc_md") or dag.doc,
        tags=tags,
        owners=owners,
        params=parameters_of(dag),
        tasks=tasks,
        connections=tuple(need.conn_id for need in connections),
        variables=tuple(need.key for need in variables),
        assets=_sorted({*inlets, *outlets, *scheduled}),
        inlets=inlets,
        outlets=outlets,
        scheduled_on=_sorted(scheduled),
        providers=tuple(providers),
        requirements=tuple(requirements),
        local_modules=_sorted(machine.modules.local),
        local_files=_sorted(machine.modules.local.values()),
        data_files=_sorted(machine.needs.data_files),
        connection_needs=connections,
        variable_needs=variables,
        confidence=dict(sorted(dag.confidence.items())),
        unresolved=(*dag.unresolved, *machine.unresolved),
        **needs,
    )


def _sorted(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(items)))


def _task(task: Task) -> InspectedTask:
    group = task.group.group_id if task.group is not None else None
    downstream = sorted({other.task_id for other in task.downstream if other.task_id is not None})
    return InspectedTask(
        task_id=task.task_id or "",
        operator=task.operator,
        module=task.path.rpartition(".")[0] if task.path else None,
        mapped=task.mapped or (task.group is not None and task.group.in_mapped),
        group=group,
        downstream=tuple(downstream),
        line=task.place.line,
    )


def _schedule(dag: Dag) -> str | None:
    value = schedule_of(dag)
    if value is None and dag.options.gap is not None:
        value = dag.options.gap
    shown = summary(value)
    if isinstance(shown, Unknown):
        dag.doubt("schedule", shown.reason, shown.place or dag.place, "unknown")
        return None
    return shown


def _start_date(dag: Dag) -> datetime | None:
    value = dag.option("start_date")
    if value is None:
        value = dag.default_args.get("start_date")
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if value is not None:
        reason = value.reason if isinstance(value, Unknown) else "The start date is not known"
        dag.doubt("start_date", reason, dag.place, "unknown")
    return None


def _timezone(start: datetime | None) -> str | None:
    if start is None:
        return None
    return str(start.tzinfo).replace("timezone.utc", "UTC") if start.tzinfo is not None else "UTC"


def _flag(dag: Dag, name: str) -> bool | None:
    value = dag.option(name)
    if isinstance(value, bool) or value is None:
        return value
    dag.doubt(name, value.reason if isinstance(value, Unknown) else f"{name} is not known", dag.place, "unknown")
    return None


def _text(dag: Dag, name: str) -> str | None:
    value = dag.option(name)
    if isinstance(value, str) and not placeless(value):
        return value
    if value is not None:
        dag.doubt(name, value.reason if isinstance(value, Unknown) else f"{name} is not known", dag.place, "unknown")
    return None


def _tags(dag: Dag) -> tuple[str, ...]:
    value = dag.option("tags")
    if value is None:
        return ()
    if isinstance(value, List | tuple | Set):
        gap = getattr(value, "gap", None)
        texts = [item for item in value if isinstance(item, str) and not placeless(item)]
        if len(texts) < len(value):
            gap = gap or next((item for item in value if isinstance(item, Unknown)), Unknown("A tag is not known"))
        if gap is not None:
            dag.doubt("tags", gap.reason, gap.place or dag.place)
        return _sorted(texts)
    dag.doubt("tags", value.reason if isinstance(value, Unknown) else "The tags are not known", dag.place, "unknown")
    return ()


def _owners(dag: Dag) -> tuple[str, ...]:
    """Give the owners of all tasks, as Airflow's ``dag.owner`` joins them."""
    owners: set[str] = set()
    for task in dag.tasks.values():
        value = task.options.get("owner", task.options.gap or "airflow")
        if isinstance(value, str):
            owners.add(value)
        else:
            reason = value.reason if isinstance(value, Unknown) else "An owner is not known"
            dag.doubt("owners", reason, task.place)
    if "tasks" in dag.confidence:
        dag.confidence.setdefault("owners", "partial")
    return _sorted(owners)


def _lets(dag: Dag, name: str) -> tuple[str, ...]:
    found: set[str] = set()
    for task in dag.tasks.values():
        uris, gap = uris_of(task.options.get(name))
        found.update(uris)
        if gap is not None:
            dag.doubt(name, gap.reason, gap.place or task.place)
    return _sorted(found)


def _belongs(need: Need, dag: Dag) -> bool:
    return None in need.dags or dag in need.dags


def _connections(machine: Machine, dag: Dag) -> tuple[ConnectionNeed, ...]:
    found: dict[str, tuple[bool, list[Place]]] = {}

    def add(conn_id: str, place: Place, default: bool) -> None:
        was, places = found.get(conn_id, (True, []))
        if place not in places and len(places) < 20:
            places.append(place)
        found[conn_id] = (was and default, places)

    for task in dag.tasks.values():
        for conn_id, default in _task_connections(dag, task):
            add(conn_id, task.place, default)
    for conn_id, need in machine.needs.connections.items():
        if _belongs(need, dag):
            for place in need.places:
                add(conn_id, place, False)
    for path, text in _template_files(machine):
        for conn_id in template_connections(text):
            add(conn_id, Place(file=path, line=1), False)
    return tuple(
        ConnectionNeed(conn_id=conn_id, default=default, places=tuple(places))
        for conn_id, (default, places) in sorted(found.items())
    )


def _task_connections(dag: Dag, task: Task) -> Iterable[tuple[str, bool]]:
    outside = task.cls.outside.path if isinstance(task.cls, LocalClass) and task.cls.outside else task.path or ""
    known = catalogue.find(outside)
    takes = known.parameters if known is not None and not isinstance(task.cls, LocalClass) else None
    for name, value in task.options.keywords().items():
        if not name.endswith("conn_id"):
            continue
        if takes is not None and name not in takes and name not in task.given:
            continue
        if isinstance(value, str) and value and "{{" not in value:
            yield value, False
        elif isinstance(value, Unknown):
            dag.doubt(
                "connections", f"The {name} of {task.task_id or 'a task'} is not known: {value.reason}", task.place
            )
    if known is not None:
        for name, conn_id in known.connections.items():
            if name not in task.options and task.options.gap is None:
                yield conn_id, True
    yield from _class_connections(task)


def _class_connections(task: Task) -> Iterable[tuple[str, bool]]:
    """Give the connections that an operator of the package takes when it is told no other."""
    initialise = task.cls.find("__init__") if isinstance(task.cls, LocalClass) else None
    if isinstance(initialise, Function):
        for name, value in initialise.defaults.items():
            if name.endswith("conn_id") and name not in task.options and isinstance(value, str) and value:
                yield value, True


def _variables(machine: Machine, dag: Dag) -> tuple[VariableNeed, ...]:
    found: dict[str, tuple[bool, list[Place]]] = {}
    for key, need in machine.needs.variables.items():
        if _belongs(need, dag):
            found[key] = (need.has_default, list(need.places))
    for path, text in _template_files(machine):
        for key, default in template_variables(text):
            was, places = found.get(key, (True, []))
            places.append(Place(file=path, line=1))
            found[key] = (was and default, places)
    return tuple(
        VariableNeed(key=key, has_default=default, places=tuple(places))
        for key, (default, places) in sorted(found.items())
    )


def _template_files(machine: Machine) -> Iterable[tuple[str, str]]:
    for path in sorted(machine.needs.data_files):
        content = machine.modules.sources.get(path, b"")
        if path.endswith(TEMPLATES) and len(content) < 512 * 1024:
            yield path, content.decode("utf-8", "replace")


def _field_needs(machine: Machine, dag: Dag) -> dict[str, tuple[str, ...]]:
    """Give pools, queues, executors, environment variables and images."""
    fields: dict[str, set[str]] = {"pools": set(), "queues": set(), "executors": set(), "images": set()}
    for task in dag.tasks.values():
        for option, name in (("pool", "pools"), ("queue", "queues"), ("executor", "executors"), ("image", "images")):
            value = task.options.get(option)
            if isinstance(value, str) and value and not (option == "pool" and value == "default_pool"):
                fields[name].add(value)
            elif isinstance(value, Unknown):
                dag.doubt(name, f"The {option} of {task.task_id or 'a task'} is not known: {value.reason}", task.place)
    fields["images"].update(key for key, need in machine.needs.images.items() if _belongs(need, dag))
    fields["environment"] = {key for key, need in machine.needs.environment.items() if _belongs(need, dag)}
    return {name: _sorted(values) for name, values in fields.items()}
