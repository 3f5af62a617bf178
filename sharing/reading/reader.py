"""Read the DAGs of files, never importing or running them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.contract.dag_inspection import DagInspection, FileInspection, Place
from festaf.sharing.reading.airflow.model import Dag
from festaf.sharing.reading.answers import inspect_dag
from festaf.sharing.reading.bounds import ExhaustedError
from festaf.sharing.reading.evaluator.calls import call
from festaf.sharing.reading.evaluator.expressions import EXPRESSIONS
from festaf.sharing.reading.evaluator.statements import STATEMENTS
from festaf.sharing.reading.machine import Machine, RaisedError, Tables
from festaf.sharing.reading.modules import Library, Modules
from festaf.sharing.reading.needs import Needs
from festaf.sharing.reading.syntax import Source, UnreadableError
from festaf.sharing.reading.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.sharing.reading.scope import Scope

TABLES = Tables(EXPRESSIONS, STATEMENTS, call)
FIELDS = ("tasks", "edges", "connections", "variables", "schedule", "tags", "owners")


def read_file(sources: Mapping[str, bytes], path: str) -> FileInspection:
    """Read one file of a package.

    No exception leaves this function, whatever the bytes are.
    """
    return _read(Library(sources), path)


def read_package(sources: Mapping[str, bytes]) -> tuple[FileInspection, ...]:
    """Read all files that define DAGs, and those that cannot be read; each file is parsed once."""
    library = Library(sources)
    found = (_read(library, path) for path in sorted(sources) if may_define_dags(path, sources[path]))
    return tuple(item for item in found if item.dags or item.error or item.unresolved)


def may_define_dags(path: str, content: bytes) -> bool:
    """Say whether Airflow would look into a file for DAGs."""
    lowered = content.lower()
    return path.endswith(".py") and b"airflow" in lowered and (b"dag" in lowered or b"asset" in lowered)


def _read(library: Library, path: str) -> FileInspection:
    if path not in library.sources:
        return FileInspection(file=path, error="The package has no such file")
    try:
        source = library.parse(path)
    except UnreadableError as error:
        return FileInspection(file=path, error=str(error))
    machine = Machine(TABLES, Modules(library, path), Needs(), path)
    for line, trick in source.tricks:
        machine.tell("source", trick, Place(file=path, line=line))
    try:
        return _evaluate(machine, source)
    except (RecursionError, MemoryError):
        return FileInspection(file=path, error="Reading the file goes deeper than what is allowed")
    except ExhaustedError as error:
        return FileInspection(file=path, error=f"{error}")


def _evaluate(machine: Machine, source: Source) -> FileInspection:
    scope: Scope | None = None
    stopped: str | None = None
    try:
        scope = machine.modules.run_main(machine, source)
    except (ExhaustedError, RecursionError, MemoryError) as error:
        stopped = str(error) or "Reading the file goes deeper than what is allowed"
    except RaisedError as error:
        stopped = f"The file raises {error} when it is loaded, as far as it can be read"
    if stopped is not None:
        scope = machine.modules.trees[source.path][1]
        machine.tell("dags", stopped, None)
        for dag in machine.dags:
            for name in FIELDS:
                dag.doubt(name, stopped, None)
    assert scope is not None
    dags = registered(machine, scope)
    _tell_what_may_be_dags(machine, scope, dags)
    machine.budget.steps = max(machine.budget.steps, 50_000)
    machine.budget.nesting = 0
    try:
        machine.modules.load_late(machine)
    except (ExhaustedError, RecursionError, MemoryError, RaisedError) as error:
        machine.tell("local_modules", f"What functions import could not all be read: {error}", None)
    for tree, inner in list(machine.modules.trees.values()):
        machine.needs.scan(machine, tree.tree, inner)
    inspected: list[DagInspection] = [inspect_dag(machine, dag, source.path) for dag in dags]
    return FileInspection(file=source.path, dags=tuple(inspected), unresolved=tuple(machine.unresolved))


def _tell_what_may_be_dags(machine: Machine, scope: Scope, found: list[Dag]) -> None:
    """Say which DAGs are made and not seen where Airflow looks; and, in a file without any, what is not read."""
    named = {id(value) for _, inner in machine.modules.trees.values() for value in inner.names.values()}
    for dag in machine.dags:
        if dag not in found and id(dag) not in named and dag.auto_register:
            reason = (
                f"The DAG {dag.dag_id!r} is made and not seen among the names of the file; Airflow looks only there"
            )
            machine.tell("dags", reason, dag.place)
    for name, value in scope.names.items() if not found else ():
        if isinstance(value, Unknown) and not value.inert:
            machine.tell("dags", f"{name} may be a DAG: {value.reason}", value.place)


def registered(machine: Machine, scope: Scope) -> list[Dag]:
    """Give the DAGs that Airflow finds: those that the module holds, and those that were entered."""
    held = {id(value) for value in scope.names.values() if isinstance(value, Dag)}
    held |= {id(dag) for dag in machine.entered}
    found = [dag for dag in machine.dags if id(dag) in held]
    by_id: dict[str | None, list[Dag]] = {}
    for dag in found:
        by_id.setdefault(dag.dag_id, []).append(dag)
    for dag_id, same in by_id.items():
        if dag_id is not None and len(same) > 1:
            for dag in same:
                dag.doubt("dag_id", f"The dag_id {dag_id!r} is given to {len(same)} DAGs; Airflow keeps one", dag.place)
    return found
