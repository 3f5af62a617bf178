"""Find and read the modules of the package; everything else stays a name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from festaf.sharing.reading.bounds import MAXIMUM_MODULES, ExhaustedError
from festaf.sharing.reading.evaluator.files import ROOT
from festaf.sharing.reading.scope import Scope
from festaf.sharing.reading.syntax import Source, UnreadableError, parse
from festaf.sharing.reading.values import External, List, LocalModule, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from festaf.sharing.reading.machine import Machine

CONSTANTS: dict[str, object] = {
    "typing.TYPE_CHECKING": False,
    "os.sep": "/",
    "os.linesep": "\n",
    "string.ascii_lowercase": "abcdefghijklmnopqrstuvwxyz",
    "string.ascii_uppercase": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "string.digits": "0123456789",
}


RULES = {"TriggerRule", "WeightRule"}
"""Airflow's enumerations whose members are their names in lower case."""


class Library:
    """The files of a package, each parsed at most once."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self.sources = sources
        self._parsed: dict[str, Source | UnreadableError] = {}
        self.folders = {folder for path in sources for folder in _folders(path)}

    def parse(self, path: str) -> Source:
        """Parse a file.

        :raises UnreadableError: when it cannot be read.
        """
        if path not in self._parsed:
            try:
                self._parsed[path] = parse(path, self.sources[path])
            except UnreadableError as error:
                self._parsed[path] = error
        parsed = self._parsed[path]
        if isinstance(parsed, UnreadableError):
            raise parsed
        return parsed


def _folders(path: str) -> Iterable[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[: index + 1]) for index in range(len(parts)))


class Modules:
    """The modules that one file imports, directly or not."""

    def __init__(self, library: Library, path: str) -> None:
        self.library = library
        self.sources = library.sources
        folder = path.rpartition("/")[0]
        self.roots = [""] if not folder else ["", folder]
        self.local: dict[str, str] = {}
        """By dotted name: the path of each module that was read."""
        self.outside: set[str] = set()
        """Dotted names that were imported and are not in the package."""
        self.trees: dict[str, tuple[Source, Scope]] = {}
        self._loaded: dict[str, LocalModule] = {}

    def run_main(self, machine: Machine, source: Source) -> Scope:
        """Run the file itself."""
        scope = _module_scope(source.path, _name_of(source.path))
        self.trees[source.path] = (source, scope)
        self._loaded[source.path] = LocalModule(_name_of(source.path), scope)
        scope.names["__doc__"] = ast.get_docstring(source.tree, clean=False)
        machine.run(source.tree.body, scope)
        return scope

    def find(self, dotted: str) -> tuple[str, str | None] | None:
        """Find a module: its folder or file, and the path of the source to run, None for a bare folder."""
        relative = dotted.replace(".", "/")
        for root in self.roots:
            base = f"{root}/{relative}" if root else relative
            for path in (f"{base}/__init__.py", f"{base}.py"):
                if path in self.sources:
                    return base, path
        for root in self.roots:
            base = f"{root}/{relative}" if root else relative
            if base in self.library.folders and not base.startswith("airflow"):
                return base, None
        return None

    def load(self, machine: Machine, dotted: str, node: ast.AST, scope: Scope) -> object:
        """Give a module of the package, having run it and the packages around it; or the name of another."""
        found = self.find(dotted) if dotted else None
        if found is None:
            self.outside.add(dotted)
            return External(dotted)
        parent = dotted.rpartition(".")[0]
        outer = self.load(machine, parent, node, scope) if parent else None
        base, path = found
        module = self._run(machine, dotted, base, path, node, scope)
        if isinstance(outer, LocalModule):
            outer.scope.names.setdefault(dotted.rpartition(".")[2], module)
        return module

    def _run(
        self, machine: Machine, dotted: str, base: str, path: str | None, node: ast.AST, scope: Scope
    ) -> LocalModule | Unknown:
        key = path or f"{base}/"
        if key in self._loaded:
            if path is not None:
                self.local.setdefault(dotted, path)
            return self._loaded[key]
        if len(self._loaded) > MAXIMUM_MODULES:
            raise ExhaustedError(f"The file imports more than {MAXIMUM_MODULES} modules of the package")
        inner = _module_scope(path or f"{base}/__init__.py", dotted)
        module = LocalModule(dotted, inner)
        self._loaded[key] = module
        if path is None:
            return module
        self.local[dotted] = path
        try:
            source = self.library.parse(path)
        except UnreadableError as error:
            machine.tell("local_modules", f"{path} cannot be read: {error}", machine.place(node, scope))
            return machine.unknown(f"{path} cannot be read", node, scope)
        self.trees[path] = (source, inner)
        _run_apart(machine, source, inner)
        return module

    def load_late(self, machine: Machine) -> None:
        """Load what functions import when they are called: no task is run here, and each needs its modules."""
        done: set[str] = set()
        while late := [path for path in self.trees if path not in done]:
            for path in late:
                done.add(path)
                source, scope = self.trees[path]
                for node in _imports_in_functions(source.tree):
                    self._load_named(machine, node, scope)

    def _load_named(self, machine: Machine, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.load(machine, alias.name, node, scope)
            return
        dotted = self._absolute(node, scope)
        if dotted is None:
            return
        self.load(machine, dotted, node, scope)
        for alias in node.names:
            named = f"{dotted}.{alias.name}" if dotted else alias.name
            if self.find(named) is not None:
                self.load(machine, named, node, scope)

    def import_names(self, machine: Machine, node: ast.ImportFrom, scope: Scope) -> None:
        """Bind what ``from x import y`` names."""
        dotted = self._absolute(node, scope)
        if dotted is None:
            for alias in node.names:
                scope.names[alias.asname or alias.name] = machine.unknown(
                    "An import leads out of the package", node, scope
                )
            return
        module = self.load(machine, dotted, node, scope)
        for alias in node.names:
            if alias.name == "*":
                self._import_all(machine, module, dotted, node, scope)
                continue
            bound = alias.asname or alias.name
            scope.home(bound).names[bound] = self._named(machine, module, dotted, alias.name, node, scope)

    def _absolute(self, node: ast.ImportFrom, scope: Scope) -> str | None:
        if not node.level:
            return node.module or ""
        parts = scope.module.path.split("/")[:-1]
        up = node.level - 1
        if up > len(parts):
            return None
        parts = parts[: len(parts) - up]
        return ".".join([*parts, *(node.module.split(".") if node.module else [])])

    def _named(self, machine: Machine, module: object, dotted: str, name: str, node: ast.AST, scope: Scope) -> object:
        if isinstance(module, LocalModule):
            return self.attribute(machine, module, name, node, scope)
        if isinstance(module, External):
            self.outside.add(f"{dotted}.{name}")
            return self.member(machine, module, name, node, scope)
        return module

    def _import_all(self, machine: Machine, module: object, dotted: str, node: ast.AST, scope: Scope) -> None:
        if not isinstance(module, LocalModule):
            scope.names["*"] = machine.unknown(f"All names of {dotted} are imported, which is not read", node, scope)
            return
        listed = module.scope.names.get("__all__")
        names = list(listed) if isinstance(listed, List | tuple) else [n for n in module.scope.names if n[:1] != "_"]
        for name in names:
            if isinstance(name, str) and name in module.scope.names:
                scope.names[name] = module.scope.names[name]
        if "*" in module.scope.names:
            scope.names["*"] = module.scope.names["*"]

    def attribute(self, machine: Machine, module: LocalModule, name: str, node: ast.AST, scope: Scope) -> object:
        """Give a name of a module of the package, or one of its modules."""
        names = module.scope.names
        if name in names:
            return names[name]
        if module.name and self.find(f"{module.name}.{name}") is not None:
            return self.load(machine, f"{module.name}.{name}", node, scope)
        star = names.get("*")
        if isinstance(star, Unknown):
            return star
        return machine.unknown(f"{module.name or 'The module'} has no {name} that was read", node, scope)

    def member(self, machine: Machine, module: External, name: str, node: ast.AST, scope: Scope) -> object:
        """Give a name of a module that is not read."""
        path = f"{module.path}.{name}"
        if path in CONSTANTS:
            return CONSTANTS[path]
        if name == "__name__":
            # A class may be called differently where it is defined, and a module's own name is its path.
            return machine.plain(f"The name of {module.path} where it is defined is not known", node, scope)
        if module.name in RULES and path.startswith("airflow."):
            return name.lower()
        if path.startswith("airflow.") and name.startswith("AIRFLOW_V_3") and name.endswith("PLUS"):
            return True
        return External(path)


def _imports_in_functions(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))


def _run_apart(machine: Machine, source: Source, scope: Scope) -> None:
    """Run a module's body, for which no doubt or context of the importing code counts."""
    doubts, machine.doubts = machine.doubts, []
    dags, machine.dag_stack = machine.dag_stack, []
    groups, machine.group_stack = machine.group_stack, []
    nesting, machine.budget.nesting = machine.budget.nesting, machine.budget.nesting // 2
    try:
        machine.run(source.tree.body, scope)
    finally:
        machine.doubts, machine.dag_stack, machine.group_stack = doubts, dags, groups
        machine.budget.nesting = nesting


def _module_scope(path: str, name: str) -> Scope:
    scope = Scope("module", None, path)
    scope.names["__file__"] = f"{ROOT}/{path}"
    scope.names["__name__"] = name
    scope.names["__doc__"] = None
    return scope


def _name_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
