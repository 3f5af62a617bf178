"""What code does by being imported, and what it does that deserves a second look.

Airflow imports a DAG file every few seconds in the DAG processor, so whatever stands outside of the tasks runs there,
without anybody asking. This is no verdict: it tells who reviews a package where to look first. Functions that are
called while the file is imported count as well, such as those decorated with ``@dag``.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from festaf.contract.dag_package import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from festaf.sharing.checks.source_text import Syntax

Severity = Literal["warning", "note"]
_FAMILIES: Final = frozenset({"os.exec", "os.spawn", "asyncio.create_subprocess"})
"""Names that many functions begin with."""


@dataclass(frozen=True)
class Capability:
    """Something that code can do, known by the calls that do it."""

    rule: str
    what: str
    names: tuple[str, ...]
    """Dotted; one that ends with a dot stands for everything below it."""
    in_import: Severity | None = "warning"
    in_function: Severity | None = None

    @cached_property
    def beginnings(self) -> tuple[str, ...]:
        """Give how the names begin that stand for more than themselves."""
        return tuple(name for name in self.names if name.endswith(".") or name in _FAMILIES)

    def is_done_by(self, name: str) -> bool:
        """Tell whether calling this does it."""
        return name in self.names or name.startswith(self.beginnings)


CAPABILITIES: Final = (
    Capability(
        "runs_process",
        "starts a program",
        (
            "os.system", "os.popen", "os.fork", "os.forkpty", "os.exec", "os.spawn", "os.posix_spawn", "subprocess.",
            "pty.spawn", "multiprocessing.Process", "asyncio.create_subprocess", "commands.", "sh.", "pexpect.",
        ),
    ),
    Capability(
        "opens_network",
        "opens a connection",
        (
            "socket.", "urllib.request.", "urllib3.", "requests.", "httpx.", "aiohttp.", "http.client.", "ftplib.",
            "smtplib.", "telnetlib.", "paramiko.", "boto3.", "google.cloud.", "xmlrpc.client.", "websocket.",
        ),
    ),
    Capability(
        "runs_made_code",
        "runs code that it makes or loads",
        (
            "eval", "exec", "compile", "builtins.eval", "builtins.exec", "builtins.compile", "runpy.",
            "code.", "codeop.",
            "types.FunctionType", "types.CodeType", "imp.", "importlib.util.module_from_spec",
            "importlib.machinery.SourceFileLoader",
        ),
        in_function="note",
    ),
    Capability(
        "imports_computed_name",
        "imports a module by a name that is computed",
        (
            "__import__", "importlib.import_module", "importlib.reload", "pkgutil.",
            "airflow.utils.module_loading.import_string",
        ),
    ),
    Capability(
        "loads_unsafe_data",
        "loads data of a kind that can run code",
        (
            "pickle.load", "pickle.loads", "pickle.Unpickler", "cPickle.load", "cPickle.loads", "marshal.load",
            "marshal.loads", "dill.load", "dill.loads", "cloudpickle.load", "cloudpickle.loads", "shelve.open",
            "joblib.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "jsonpickle.decode", "pandas.read_pickle",
            "torch.load", "numpy.load",
        ),
        in_function="note",
    ),
    Capability("calls_native_code", "calls compiled code", ("ctypes.", "cffi.", "_ctypes."), in_function="note"),
    Capability(
        "changes_files",
        "changes files",
        (
            "os.remove", "os.unlink", "os.rename", "os.replace", "os.rmdir", "os.removedirs", "os.makedirs", "os.mkdir",
            "os.chmod", "os.chown", "os.symlink", "os.link", "shutil.", "tempfile.",
        ),
        in_import="note",
    ),
    Capability(
        "reads_connection",
        "reads a connection or a Variable",
        (
            "airflow.hooks.base.BaseHook.get_connection", "airflow.sdk.BaseHook.get_connection",
            "airflow.sdk.bases.hook.BaseHook.get_connection", "airflow.models.Connection.get_connection_from_secrets",
            "airflow.sdk.Connection.get", "airflow.models.Variable.get", "airflow.sdk.Variable.get",
            "airflow.models.variable.Variable.get",
        ),
        in_import="note",
    ),
    Capability(
        "changes_airflow",
        "changes how Airflow works",
        (
            "airflow.listeners.", "airflow.settings.", "airflow.configuration.conf.set", "airflow.policies.",
            "airflow.plugins_manager.register", "sys.setprofile", "sys.settrace", "sys.addaudithook", "atexit.register",
            "signal.signal", "gc.get_objects", "airflow.utils.session.", "airflow.utils.db.",
        ),
        in_function="note",
    ),
    Capability(
        "starts_thread", "starts a thread",
        ("threading.Thread", "threading.Timer", "_thread.", "concurrent.futures."),
    ),
)  # fmt: skip
_PATHS: Final = frozenset({"sys.path", "sys.modules", "sys.meta_path", "sys.path_hooks"})


@dataclass
class _File:
    """The names of a file and the statements that run when it is imported."""

    syntax: Syntax
    aliases: dict[str, str] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.syntax.nodes:
            if isinstance(node, ast.Import):
                for name in node.names:
                    self.aliases[name.asname or name.name.split(".")[0]] = (
                        name.name if name.asname else name.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for name in node.names:
                    self.aliases[name.asname or name.name] = f"{node.module}.{name.name}"
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions.setdefault(node.name, node)

    def dotted(self, node: ast.expr) -> str | None:
        """Give the full name of what an expression names, by the file's imports."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Call):
            inner = self.dotted(node.func)
            return ".".join([inner, *reversed(parts)]) if inner else None
        if not isinstance(node, ast.Name):
            return None
        return ".".join([self.aliases.get(node.id, node.id), *reversed(parts)])


def check_capabilities(path: str, syntax: Syntax) -> Iterator[Finding]:
    """Give what a file does when it is imported, and what is unusual in its functions."""
    file = _File(syntax)
    at_import = _at_import(file)
    told: set[tuple[str, int]] = set()
    for node in syntax.nodes:
        for capability in _capabilities(node, file):
            severity = capability.in_import if id(node) in at_import else capability.in_function
            line = getattr(node, "lineno", 0)
            if severity is None or (capability.rule, line) in told:
                continue
            told.add((capability.rule, line))
            when = "when it is imported" if id(node) in at_import else "in a function"
            message = f"The file {capability.what} {when}: {_shown(node)}"
            yield Finding(rule=capability.rule, severity=severity, message=message, file=path, line=line)


def _capabilities(node: ast.AST, file: _File) -> Iterator[Capability]:
    if isinstance(node, ast.Call):
        name = file.dotted(node.func) or ""
        for capability in CAPABILITIES:
            if capability.is_done_by(name) and not _is_harmless(capability, node):
                yield capability
        if name == "open" and _writes(node):
            yield Capability("changes_files", "writes a file", (), "note")
        if name.rpartition(".")[0] in _PATHS:
            yield Capability("changes_imports", "changes where Python finds modules", (), "warning", "note")
        if name in ("setattr", "unittest.mock.patch") and node.args:
            target = file.dotted(node.args[0]) or ""
            if target.split(".")[0] == "airflow":
                yield Capability("changes_airflow", "changes a class of Airflow", (), "warning", "warning")
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
        targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
        yield from _assigned(targets, file)
    elif isinstance(node, ast.ClassDef) and any(
        (file.dotted(base) or "").endswith("AirflowPlugin") for base in node.bases
    ):
        yield Capability("is_plugin", "defines an Airflow plugin, which a bundle does not load", (), "note", "note")


def _assigned(targets: Iterable[ast.expr], file: _File) -> Iterator[Capability]:
    for target in targets:
        base = target.value if isinstance(target, ast.Subscript) else target
        name = file.dotted(base) or ""
        if name in _PATHS:
            yield Capability("changes_imports", "changes where Python finds modules", (), "warning", "note")
        elif name == "os.environ":
            yield Capability("changes_environment", "changes the environment", (), "note")
        elif isinstance(base, ast.Attribute) and name.startswith("airflow."):
            yield Capability("changes_airflow", "changes a class of Airflow", (), "warning", "warning")


def _is_harmless(capability: Capability, call: ast.Call) -> bool:
    """Leave out what the same call does without harm: a module by its own name, YAML by the safe loader."""
    if capability.rule == "imports_computed_name":
        return bool(call.args) and isinstance(call.args[0], ast.Constant)
    if capability.rule == "loads_unsafe_data":
        return any("Safe" in ast.unparse(item.value) for item in call.keywords if item.arg == "Loader")
    return False


def _writes(call: ast.Call) -> bool:
    given = [*call.args[1:2], *(item.value for item in call.keywords if item.arg == "mode")]
    return any(
        isinstance(mode, ast.Constant) and isinstance(mode.value, str) and set(mode.value) & set("wax+")
        for mode in given
    )


def _at_import(file: _File) -> set[int]:
    """Give the nodes that are evaluated while the file is imported, by their ids."""
    found: set[int] = set()
    waiting: list[ast.AST] = list(file.syntax.tree.body)
    entered: set[str] = set()
    while waiting:
        node = waiting.pop()
        found.add(id(node))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, node.args]
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in file.functions:
            called = file.functions[node.func.id]
            if called.name not in entered and not _is_task(called):
                entered.add(called.name)
                waiting += called.body
        waiting += ast.iter_child_nodes(node)
    return found


def _is_task(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether calling a function only makes a task, whose body runs on a worker."""
    decorators = [node.func if isinstance(node, ast.Call) else node for node in function.decorator_list]
    names = [ast.unparse(node).split(".") for node in decorators if isinstance(node, ast.Name | ast.Attribute)]
    return any("task" in name and name[-1] != "task_group" for name in names)


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    text = f"class {node.name}" if isinstance(node, ast.ClassDef) else ast.unparse(node)
    return ascii(text[:80])[1:-1]
