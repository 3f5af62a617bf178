"""What an expression can be while a file is read: a plain Python value, or one of the things below.

Lists, dicts and sets are kinds of their own that may have a *gap*: what they hold is known, and there may be more.
Every value that can change knows the doubt it was born in, so that a change made in another doubt leaves a gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Iterator, Mapping

    from festaf.contract.dag_inspection import Place
    from festaf.sharing.reading.scope import Scope


@dataclass(slots=True, eq=False)
class Unknown:
    """A value that reading cannot decide, and why."""

    reason: str
    place: Place | None = None
    inert: bool = False
    """Whether it is surely plain data: nothing of Airflow's, and nothing that can be called to make such."""


@dataclass(slots=True, eq=False)
class Doubt:
    """A stretch of code of which it is unknown whether, or how often, it runs."""

    reason: str
    place: Place | None


class List(list[object]):
    """A list that may have a gap."""

    __slots__ = ("born", "gap")

    def __init__(self, items: Iterable[object] = (), born: Doubt | None = None, gap: Unknown | None = None) -> None:
        super().__init__(items)
        self.born = born
        self.gap = gap


class Dict(dict[object, object]):
    """A dict that may have a gap."""

    __slots__ = ("born", "gap")

    def __init__(
        self, items: Mapping[Any, object] | None = None, born: Doubt | None = None, gap: Unknown | None = None
    ) -> None:
        super().__init__(items or {})
        self.born = born
        self.gap = gap

    def keywords(self) -> dict[str, object]:
        """Give the items whose keys are text, as keyword arguments."""
        return {key: value for key, value in self.items() if isinstance(key, str)}


class Set(dict[object, None]):
    """A set, in the order of insertion, that may have a gap."""

    __slots__ = ("born", "gap")

    def __init__(self, items: Iterable[object] = (), born: Doubt | None = None, gap: Unknown | None = None) -> None:
        super().__init__(dict.fromkeys(items))
        self.born = born
        self.gap = gap


class Tuple(tuple[object, ...]):
    """A tuple that has a gap; one without is a plain tuple."""

    gap: Unknown | None = None


@dataclass(slots=True, eq=False)
class External:
    """Something of a module that is not read, by its full dotted name: ``builtins.len``, ``airflow.sdk.DAG``.

    It is optional when the code goes on without it where it is not installed.
    """

    path: str
    optional: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def root(self) -> str:
        """The first part of the path."""
        return self.path.partition(".")[0]

    @property
    def certain(self) -> bool:
        """Whether this is surely a class or a function, not a constant of some module."""
        name = self.name
        if self.optional:
            return False
        return self.root == "builtins" or (name[:1].isupper() and not name.isupper())


@dataclass(slots=True, eq=False)
class Function:
    """A function of a file that is read."""

    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    defaults: dict[str, object] = field(default_factory=dict)
    owner: LocalClass | None = None
    kind: str = "function"
    attributes: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Method:
    """A function bound to what it is called on; also a method of a built-in value, by its name."""

    function: Function | str
    owner: object


@dataclass(slots=True, eq=False)
class LocalClass:
    """A class of a file that is read."""

    name: str
    bases: tuple[object, ...]
    attributes: dict[str, object]
    fields: tuple[str, ...] = ()
    dataclass: bool = False
    enum: bool = False
    line: int = 0

    def lineage(self) -> Iterator[object]:
        """Give the class and its bases, nearest first."""
        seen: set[int] = set()
        waiting: list[object] = [self]
        while waiting:
            current = waiting.pop(0)
            if id(current) in seen or len(seen) > 50:
                continue
            seen.add(id(current))
            yield current
            if isinstance(current, LocalClass):
                waiting.extend(current.bases)

    def find(self, name: str) -> object | None:
        """Find an attribute on the class or its bases."""
        for ancestor in self.lineage():
            if isinstance(ancestor, LocalClass) and name in ancestor.attributes:
                return ancestor.attributes[name]
        return None

    @property
    def outside(self) -> External | None:
        """The nearest base that is not read, other than ``object``."""
        for ancestor in self.lineage():
            if isinstance(ancestor, External) and ancestor.path not in PLAIN_BASES:
                return ancestor
        return None


PLAIN_BASES = {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "typing.NamedTuple"}


@dataclass(slots=True, eq=False)
class Instance:
    """An instance of a class that is read."""

    cls: LocalClass
    attributes: dict[str, object] = field(default_factory=dict)
    born: Doubt | None = None


@dataclass(slots=True, eq=False)
class EnumMember:
    """A member of an Enum that is read."""

    cls: LocalClass
    name: str
    value: object


@dataclass(slots=True, eq=False)
class LocalModule:
    """A module of the package that is read."""

    name: str
    scope: Scope


@dataclass(slots=True, eq=False)
class Made:
    """An instance of a class that is not read, with the arguments that made it."""

    cls: External
    positional: tuple[object, ...] = ()
    keywords: dict[str, object] = field(default_factory=dict)
    gap: Unknown | None = None


@dataclass(slots=True, eq=False)
class Super:
    """``super()`` inside a method: attributes are looked for after a class, on an owner."""

    after: LocalClass
    owner: object


@dataclass(slots=True, eq=False)
class BoundPartial:
    """``functools.partial``."""

    function: object
    positional: list[object]
    keywords: dict[str, object]


@dataclass(slots=True)
class Arguments:
    """The arguments of a call; with a gap when ``*`` or ``**`` unpacked what is unknown."""

    positional: list[object] = field(default_factory=list)
    keywords: dict[str, object] = field(default_factory=dict)
    gap: Unknown | None = None

    def get(self, name: str, position: int | None = None, default: object = None) -> object:
        """Give an argument by its name or position; one that a gap may hold is unknown."""
        if name in self.keywords:
            return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return self.gap if self.gap is not None else default
