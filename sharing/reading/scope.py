"""Where names are looked up: a module, a function's call, a class body or a comprehension."""

from __future__ import annotations

from typing import Literal


class Missing:
    """Stand for a name that no scope has."""


MISSING = Missing()


class Scope:
    """Names and their values, inside an outer scope."""

    __slots__ = ("aliases", "kind", "module", "names", "outer", "path")

    def __init__(
        self, kind: Literal["module", "function", "class", "comprehension"], outer: Scope | None, path: str
    ) -> None:
        self.kind = kind
        self.outer = outer
        self.path = path
        self.module: Scope = outer.module if outer is not None else self
        self.names: dict[str, object] = {}
        self.aliases: dict[str, Scope] = {}
        """Names declared ``global`` or ``nonlocal``, and where they live."""

    def look_up(self, name: str) -> object:
        """Give a name's value, or MISSING."""
        scope: Scope | None = self
        first = True
        while scope is not None:
            if scope.aliases and name in scope.aliases:
                return scope.aliases[name].names.get(name, MISSING)
            if name in scope.names and (first or scope.kind != "class"):
                return scope.names[name]
            first = first and scope.kind == "comprehension"
            scope = scope.outer
        return MISSING

    def home(self, name: str) -> Scope:
        """Give the scope that an assignment of the name writes to."""
        return self.aliases.get(name, self)

    def function_names(self) -> Scope:
        """Give the scope that a walrus in a comprehension writes to."""
        scope = self
        while scope.kind == "comprehension" and scope.outer is not None:
            scope = scope.outer
        return scope
