"""The things of Airflow that a file makes while it is read: DAGs, groups, tasks, and what stands between them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.contract.dag_inspection import Confidence, Place, Unresolved
from festaf.sharing.reading.values import Arguments, Dict, Doubt, Function, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = re.compile(r"__\d+$")


@dataclass(slots=True, eq=False)
class Dag:
    """A DAG, its tasks, and which of its fields are not exact."""

    dag_id: str | None
    options: Arguments
    place: Place
    born: Doubt | None = None
    doc: str | None = None
    root: Group = field(init=False)
    tasks: dict[str, Task] = field(default_factory=dict)
    group_ids: set[str] = field(default_factory=set)
    parameters: dict[str, object] = field(default_factory=dict)
    default_args: Dict = field(default_factory=Dict)
    changed: dict[str, object] = field(default_factory=dict)
    """Attributes that the code sets after the DAG is made."""
    confidence: dict[str, Confidence] = field(default_factory=dict)
    unresolved: list[Unresolved] = field(default_factory=list)
    auto_register: bool = True

    def __post_init__(self) -> None:
        self.root = Group(None, self, None)

    def doubt(self, what: str, reason: str, place: Place | None, level: Confidence = "partial") -> None:
        """Tell that a field is not exact, and why."""
        if self.confidence.get(what) != "unknown":
            self.confidence[what] = level
        item = Unresolved(what=what, reason=reason, place=place)
        if item not in self.unresolved and len(self.unresolved) < 200:
            self.unresolved.append(item)

    def option(self, name: str, default: object = None) -> object:
        """Give an option, as it was set last."""
        return self.changed.get(name, self.options.get(name, None, default))


@dataclass(slots=True, eq=False)
class Group:
    """A task group; the root has no label."""

    label: str | None
    dag: Dag
    parent: Group | None
    prefix: bool = True
    default_args: Dict = field(default_factory=Dict)
    children: dict[str, Task | Group] = field(default_factory=dict)
    mapped: bool = False
    sources: list[Task] = field(default_factory=list)
    """Tasks whose results the group is mapped over."""
    upstream_tasks: dict[str, None] = field(default_factory=dict)

    @property
    def group_id(self) -> str | None:
        """The id with the parents' prefixes."""
        if self.label and self.parent is not None and self.parent.prefix and self.parent.label:
            return self.parent.child_id(self.label)
        return self.label

    def child_id(self, label: str) -> str:
        """Give the id of a child of this label."""
        group_id = self.group_id
        return f"{group_id}.{label}" if self.prefix and group_id else label

    def tasks(self) -> Iterator[Task]:
        """Walk over the tasks, also of inner groups, in order."""
        for child in self.children.values():
            if isinstance(child, Group):
                yield from child.tasks()
            else:
                yield child

    @property
    def in_mapped(self) -> bool:
        """Whether this group or one around it is mapped."""
        group: Group | None = self
        while group is not None:
            if group.mapped:
                return True
            group = group.parent
        return False


@dataclass(slots=True, eq=False)
class Task:
    """A task. One whose id is not known stands in no DAG's list, but edges to it can be drawn and are told."""

    task_id: str | None
    operator: str
    path: str | None
    place: Place
    dag: Dag | None = None
    group: Group | None = None
    cls: object = None
    options: Dict = field(default_factory=Dict)
    attributes: dict[str, object] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    """Names of the arguments that the code gives, for what the operator's own defaults say."""
    mapped: bool = False
    setup: bool = False
    teardown: bool = False
    upstream: dict[Task, None] = field(default_factory=dict)
    downstream: dict[Task, None] = field(default_factory=dict)
    born: Doubt | None = None
    ready: bool = False
    decorated: Function | None = None


@dataclass(slots=True, eq=False)
class XCom:
    """What tasks will have returned when they ran."""

    tasks: tuple[Task, ...]
    key: str = "return_value"


@dataclass(slots=True, eq=False)
class DagParam:
    """A param of a DAG as a value that is known only when it runs."""

    name: str


@dataclass(slots=True, eq=False)
class Label:
    """An edge's label: what stands before it and after it is connected."""

    upstream: list[object] = field(default_factory=list)
    downstream: list[object] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class AssetLike:
    """An asset, an alias, or several combined."""

    kind: str
    uris: tuple[str, ...] = ()
    parts: tuple[AssetLike, ...] = ()
    gap: Unknown | None = None
    name: object = None

    def walk(self) -> Iterator[AssetLike]:
        """Walk over the single assets."""
        if self.parts or self.kind in {"all", "any"}:
            for part in self.parts:
                yield from part.walk()
        else:
            yield self


@dataclass(slots=True, eq=False)
class TaskFactory:
    """A function decorated with ``@task``: each call makes a task."""

    function: Function | None
    operator: str
    path: str
    options: Dict
    setup: bool = False
    teardown: bool = False
    partial: Dict | None = None
    name: str = ""


@dataclass(slots=True, eq=False)
class GroupFactory:
    """A function decorated with ``@task_group``: each call makes a group."""

    function: Function
    options: Dict
    partial: Dict | None = None


@dataclass(slots=True, eq=False)
class DagFactory:
    """A function decorated with ``@dag``: each call makes a DAG."""

    function: Function
    positional: list[object]
    options: Arguments


@dataclass(slots=True, eq=False)
class OperatorPartial:
    """``Operator.partial(...)``, before it is expanded."""

    cls: object
    options: Arguments
    group: Group | None


@dataclass(slots=True, eq=False)
class Decorator:
    """``@task``, ``@task.bash``, ``@dag`` and their like, with the options given so far."""

    kind: str
    path: str
    options: Arguments = field(default_factory=Arguments)


@dataclass(slots=True, eq=False)
class SetupContext:
    """``with setup_task >> teardown_task:`` and the tasks made inside."""

    setups: list[Task]
    teardowns: list[Task]
    tasks: list[Task] = field(default_factory=list)
