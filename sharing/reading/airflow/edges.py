"""Draw edges as Airflow does: ``>>``, ``chain``, groups' roots and leaves, and those that XComs imply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.model import Dag, Group, Label, Task, XCom
from festaf.sharing.reading.values import Arguments, Dict, External, List, Set, Unknown

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

Node = Task | Group | XCom | Label


def shift(machine: Machine, left: object, right: object, forward: bool, node: ast.AST, scope: Scope) -> object:
    """Evaluate ``left >> right`` or ``left << right``."""
    if isinstance(left, int) and isinstance(right, int):
        small = 0 <= right < 512 and left.bit_length() < 4096
        if not small:
            return machine.unknown("The result of an operation is not known", node, scope)
        return left << right if not forward else left >> right
    connect(machine, left, right, forward, node, scope)
    if isinstance(left, List | tuple) and isinstance(right, Node):
        return right
    return right


def connect(machine: Machine, left: object, right: object, forward: bool, node: ast.AST, scope: Scope) -> None:
    """Draw the edges between two things, or tell that they are not known."""
    lefts, left_gap = members(left)
    rights, right_gap = members(right)
    gap = left_gap or right_gap
    if gap is not None:
        _tell_gap(machine, gap, [*lefts, *rights], node, scope)
    doubt = machine.doubt
    if doubt is not None:
        for dag in _dags([*lefts, *rights]):
            if doubt is not dag.born:
                dag.doubt("edges", doubt.reason, doubt.place)
    if not forward:
        lefts, rights = rights, lefts
    for upstream in lefts:
        for downstream in rights:
            _connect(machine, upstream, downstream)


def members(value: object) -> tuple[list[Node], Unknown | None]:
    """Give the nodes that an operand stands for, and the gap when there may be others."""
    if isinstance(value, Node):
        return [value], None
    if isinstance(value, Unknown):
        return [], value
    if isinstance(value, List | tuple | Set):
        found: list[Node] = []
        gap: Unknown | None = getattr(value, "gap", None)
        for item in value:
            inner, inner_gap = members(item)
            found.extend(inner)
            gap = gap or inner_gap
        return found, gap
    if value is None:
        return [], None
    return [], Unknown("An end of an edge is not known")


def _tell_gap(machine: Machine, gap: Unknown, nodes: list[Node], node: ast.AST, scope: Scope) -> None:
    dags = _dags(nodes)
    if not dags and machine.current_dag is not None:
        dags = [machine.current_dag]
    for dag in dags:
        dag.doubt("edges", gap.reason, machine.place(node, scope))
    if not dags:
        machine.tell("edges", gap.reason, machine.place(node, scope))


def _dags(nodes: Iterable[Node]) -> list[Dag]:
    found: dict[Dag, None] = {}
    for node in nodes:
        if isinstance(node, Group | Task):
            if node.dag is not None:
                found[node.dag] = None
        elif isinstance(node, XCom):
            for task in node.tasks:
                if task.dag is not None:
                    found[task.dag] = None
    return list(found)


def _connect(machine: Machine, upstream: Node, downstream: Node) -> None:
    if isinstance(upstream, Label):
        upstream.downstream.append(downstream)
        for before in upstream.upstream:
            if isinstance(before, Node):
                _connect(machine, before, downstream)
        return
    if isinstance(downstream, Label):
        downstream.upstream.append(upstream)
        for after in downstream.downstream:
            if isinstance(after, Node):
                _connect(machine, upstream, after)
        return
    if isinstance(downstream, Group) and not isinstance(upstream, Group):
        downstream.upstream_tasks.update({task.task_id: None for task in _leaves(upstream) if task.task_id})
    firsts, lasts = _leaves(upstream), _roots(downstream)
    for first in firsts:
        for last in lasts:
            draw(machine, first, last)


def _roots(node: Node) -> list[Task]:
    if isinstance(node, Task):
        return [node]
    if isinstance(node, XCom):
        return list(node.tasks)
    if isinstance(node, Group):
        tasks = list(node.tasks())
        inside = set(tasks)
        return [task for task in tasks if inside.isdisjoint(task.upstream)]
    return []


def _leaves(node: Node) -> list[Task]:
    if isinstance(node, Task):
        return [node]
    if isinstance(node, XCom):
        return list(node.tasks)
    if isinstance(node, Group):
        return _group_leaves(node)
    return []


def _group_leaves(group: Group) -> list[Task]:
    """Give the tasks after which a group is done; teardowns do not count, and an empty group looks before itself."""
    current: Group | None = group
    while current is not None:
        leaves = _own_leaves(current)
        if leaves:
            return leaves
        if current.upstream_tasks:
            return [current.dag.tasks[task_id] for task_id in current.upstream_tasks if task_id in current.dag.tasks]
        current = current.parent
    return []


def _own_leaves(group: Group) -> list[Task]:
    tasks = list(group.tasks())
    inside = set(tasks)
    leaves: dict[Task, None] = {}
    for task in tasks:
        if inside.isdisjoint(task.downstream):
            if task.teardown:
                leaves.update(dict.fromkeys(_before_teardown(task, inside, set())))
            else:
                leaves[task] = None
    return list(leaves)


def _before_teardown(task: Task, inside: set[Task], seen: set[Task]) -> list[Task]:
    found: list[Task] = []
    if task in seen:
        return found
    seen.add(task)
    for upstream in task.upstream:
        if upstream not in inside:
            continue
        if upstream.teardown:
            found.extend(_before_teardown(upstream, inside, seen))
        elif task.teardown and upstream.setup:
            continue
        elif not any(d is not task and d in inside and not d.teardown for d in upstream.downstream):
            found.append(upstream)
    return found


def draw(machine: Machine, upstream: Task, downstream: Task) -> None:
    """Draw one edge; a task without a DAG takes the other's."""
    machine.budget.step()
    if upstream is downstream:
        return
    if upstream.dag is None or downstream.dag is None:
        from festaf.sharing.reading.airflow.tasks import adopt

        for task, other in ((upstream, downstream), (downstream, upstream)):
            if task.dag is None and other.dag is not None:
                adopt(machine, task, other.dag)
    upstream.downstream[downstream] = None
    downstream.upstream[upstream] = None
    for task in (upstream, downstream):
        if task.task_id is None and task.dag is not None:
            task.dag.doubt("edges", "An edge leads to or from a task whose id is not known", task.place)


def references(value: object, depth: int = 0) -> list[Task]:
    """Find the tasks whose results a value holds, as deep as Airflow looks."""
    if isinstance(value, XCom):
        return list(value.tasks)
    if depth > 20:
        return []
    found: list[Task] = []
    if isinstance(value, Dict):
        for item in value.values():
            found.extend(references(item, depth + 1))
    elif isinstance(value, List | tuple | Set):
        for item in value:
            found.extend(references(item, depth + 1))
    elif isinstance(value, Task) and depth:
        for item in value.options.values():
            if isinstance(item, XCom):
                found.extend(item.tasks)
    return found


def chain(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Evaluate ``chain(a, [b, c], d)``."""
    _tell_open(machine, arguments, node, scope)
    for left, right in zip(arguments.positional, arguments.positional[1:], strict=False):
        both = isinstance(left, List | tuple) and isinstance(right, List | tuple)
        if both and len(left) == len(right):  # type: ignore[arg-type]
            for first, second in zip(left, right, strict=True):  # type: ignore[call-overload]
                connect(machine, first, second, True, node, scope)
        else:
            connect(machine, left, right, True, node, scope)
    return None


def chain_linear(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Evaluate ``chain_linear``: every element of one list before every one of the next."""
    _tell_open(machine, arguments, node, scope)
    for left, right in zip(arguments.positional, arguments.positional[1:], strict=False):
        connect(machine, left, right, True, node, scope)
    return None


def cross_downstream(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Evaluate ``cross_downstream``."""
    connect(machine, arguments.get("from_tasks", 0), arguments.get("to_tasks", 1), True, node, scope)
    return None


def _tell_open(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> None:
    if arguments.gap is not None:
        nodes = [item for value in arguments.positional for item in members(value)[0]]
        _tell_gap(machine, arguments.gap, nodes, node, scope)


def set_stream(
    machine: Machine, owner: object, arguments: Arguments, forward: bool, node: ast.AST, scope: Scope
) -> object:
    """Evaluate ``set_upstream`` or ``set_downstream``."""
    other = arguments.get("task_or_task_list", 0, arguments.get("other"))
    connect(machine, owner, other, forward, node, scope)
    return None


def is_outside(value: object) -> bool:
    """Say whether a value is of a module that is not read."""
    return isinstance(value, External)
