"""Call built-in functions and the parts of the standard library that DAG files compute with."""

from __future__ import annotations

import builtins
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.model import Dag, Group, Task
from festaf.sharing.reading.airflow.operators import call_unlisted
from festaf.sharing.reading.evaluator import files, moments
from festaf.sharing.reading.evaluator.operations import PLAIN, format_value
from festaf.sharing.reading.evaluator.sequences import SEQUENCES, Standard
from festaf.sharing.reading.machine import Machine, RaisedError, truth
from festaf.sharing.reading.scope import Missing, Scope
from festaf.sharing.reading.values import (
    Arguments,
    BoundPartial,
    Dict,
    EnumMember,
    External,
    Function,
    Instance,
    List,
    LocalClass,
    LocalModule,
    Made,
    Set,
    Super,
    Unknown,
)

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

BUILTINS = frozenset(dir(builtins)) - {"__loader__", "__spec__"}


def call_standard(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Call something of a module that is not read."""
    standard = STANDARD.get(function.path)
    if standard is not None:
        return standard(machine, arguments, node, scope)
    machine.needs.called(machine, function, arguments, node, scope)
    return call_unlisted(machine, function, arguments, node, scope)


def _text(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if not arguments.positional:
        return ""
    return format_value(machine, arguments.positional[0], "s", "", node, scope)


def _representation(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return format_value(machine, arguments.get("obj", 0), "r", "", node, scope)


def _number(convert: Callable[..., object]) -> Standard:
    def number(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
        values = arguments.positional
        if all(isinstance(value, PLAIN) for value in values) and not any(
            isinstance(value, str) and len(value) > 1000 for value in values
        ):
            try:
                return convert(*values)
            except Exception:
                raise RaisedError("ValueError", "a number cannot be read") from None
        return next((value for value in values if isinstance(value, Unknown)), None) or machine.unknown(
            "A number is not known", node, scope
        )

    return number


def _boolean(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    decided = truth(arguments.get("x", 0, False))
    return machine.unknown("A condition is not known", node, scope) if decided is None else decided


def _isinstance(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    value, kinds = arguments.get("obj", 0), arguments.get("cls", 1)
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    names = {kind.path.rpartition(".")[2] for kind in wanted if isinstance(kind, External)}
    if isinstance(value, Instance):
        lineage = list(value.cls.lineage())
        if any(kind in lineage for kind in wanted):
            return True
    mine = _type_names(value)
    if mine and all(isinstance(kind, External | LocalClass) for kind in wanted):
        return bool(mine & names)
    return machine.unknown("The kind of a value is not known", node, scope)


def _type_names(value: object) -> set[str]:
    for kind, names in (
        (bool, {"bool", "int"}),
        (str, {"str", "Sequence", "Iterable"}),
        (int, {"int", "Number"}),
        (float, {"float", "Number"}),
        (List, {"list", "Sequence", "Iterable"}),
        (Dict, {"dict", "Mapping", "Iterable"}),
        (Set, {"set", "Iterable"}),
        (tuple, {"tuple", "Sequence", "Iterable"}),
        (type(None), {"NoneType"}),
        (Dag, {"DAG"}),
        (Group, {"TaskGroup"}),
    ):
        if isinstance(value, kind):
            return names
    return set()


def _getattr(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    from festaf.sharing.reading.evaluator.attributes import get_attribute

    name = arguments.get("name", 1)
    if not isinstance(name, str):
        return machine.unknown("The name of an attribute is not known", node, scope)
    try:
        return get_attribute(machine, arguments.get("object", 0), name, node, scope)
    except RaisedError:
        if len(arguments.positional) > 2:
            return arguments.positional[2]
        raise


def _setattr(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    from festaf.sharing.reading.evaluator.targets import set_attribute

    name = arguments.get("name", 1)
    if isinstance(name, str):
        set_attribute(machine, arguments.get("obj", 0), name, arguments.get("value", 2), node, scope)
    return None


def _globals(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return LocalModule("", scope.module)


def _names_here(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Give what ``locals()`` and ``vars()`` give: in the body of a file, its names."""
    if scope is scope.module and not arguments.positional:
        return LocalModule("", scope)
    return machine.unknown("Names that are read or set in a function are not followed", node, scope)


def _super(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if len(arguments.positional) == 2 and isinstance(arguments.positional[0], LocalClass):
        return Super(arguments.positional[0], arguments.positional[1])
    value = scope.look_up("super()")
    return machine.unknown("super() is used outside a method", node, scope) if isinstance(value, Missing) else value


def _type(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    value = arguments.get("object", 0)
    if isinstance(value, Instance | EnumMember):
        return value.cls
    if isinstance(value, Task) and value.cls is not None:
        return value.cls
    return machine.unknown("The type of a value is not known", node, scope)


def _partial(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if not arguments.positional or arguments.gap is not None:
        return machine.unknown("A partial function is not known", node, scope)
    function, *rest = arguments.positional
    return BoundPartial(function, rest, dict(arguments.keywords))


def _copy(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return _copied(machine, arguments.get("x", 0), 0)


def _copied(machine: Machine, value: object, depth: int) -> object:
    machine.budget.step()
    if depth > 30:
        return Unknown("A value is nested deeper than what is read")
    if isinstance(value, Dict):
        return Dict({k: _copied(machine, v, depth + 1) for k, v in value.items()}, machine.doubt, value.gap)
    if isinstance(value, List):
        return List([_copied(machine, item, depth + 1) for item in value], machine.doubt, value.gap)
    if isinstance(value, Instance):
        return Instance(
            value.cls, {k: _copied(machine, v, depth + 1) for k, v in value.attributes.items()}, machine.doubt
        )
    return value


def _path(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    parts = arguments.positional or ["."]
    if all(isinstance(part, str | PurePosixPath) for part in parts):
        return PurePosixPath(*parts)  # type: ignore[arg-type]
    return next((part for part in parts if isinstance(part, Unknown)), None) or machine.unknown(
        "A path is not known", node, scope
    )


def _path_text(convert: Callable[..., object]) -> Standard:
    def path_text(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
        parts = arguments.positional
        if parts and all(isinstance(part, str | PurePosixPath) for part in parts):
            result = convert(*(str(part) for part in parts))
            return str(result)
        return next((part for part in parts if isinstance(part, Unknown)), None) or machine.unknown(
            "A path is not known", node, scope
        )

    return path_text


def _split_extension(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    path = arguments.get("p", 0)
    if not isinstance(path, str | PurePosixPath):
        return machine.unknown("A path is not known", node, scope)
    suffix = PurePosixPath(path).suffix
    return str(path).removesuffix(suffix), suffix


def _open(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return Made(External("builtins.open"), tuple(arguments.positional[:1]))


def _load_json(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return files.load_json(machine, files.read(machine, arguments.get("fp", 0), node, scope), node, scope)


def _loads_json(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return files.load_json(machine, arguments.get("s", 0), node, scope)


def _load_yaml(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return files.load_yaml(machine, arguments.get("stream", 0), node, scope)


def _field(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return Made(External("dataclasses.field"), (), dict(arguments.keywords), arguments.gap)


def _nothing(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return None


def _identity(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return arguments.get("value", 0)


def _pendulum(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return moments.make_datetime(machine, arguments, node, scope, pendulum=True)


def _new_type(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return External("builtins.object")


def _callable(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    value = arguments.get("obj", 0)
    if isinstance(value, Function | LocalClass):
        return True
    if isinstance(value, PLAIN):
        return False
    return machine.unknown("Whether a value can be called is not known", node, scope)


STANDARD: dict[str, Standard] = {
    **SEQUENCES,
    "builtins.str": _text,
    "builtins.repr": _representation,
    "builtins.int": _number(int),
    "builtins.float": _number(float),
    "builtins.round": _number(round),
    "builtins.abs": _number(abs),
    "builtins.chr": _number(chr),
    "builtins.bool": _boolean,
    "builtins.isinstance": _isinstance,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.globals": _globals,
    "builtins.locals": _names_here,
    "builtins.vars": _names_here,
    "builtins.super": _super,
    "builtins.type": _type,
    "builtins.callable": _callable,
    "builtins.open": _open,
    "builtins.print": _nothing,
    "functools.partial": _partial,
    "dataclasses.field": _field,
    "copy.copy": _copy,
    "copy.deepcopy": _copy,
    "datetime.datetime": moments.make_datetime,
    "datetime.date": moments.make_date,
    "datetime.timedelta": moments.make_duration,
    "datetime.datetime.fromisoformat": moments.parse_datetime,
    "datetime.datetime.strptime": moments.parse_with_format,
    "pendulum.datetime": _pendulum,
    "pendulum.DateTime": _pendulum,
    "pendulum.duration": moments.make_duration,
    "pendulum.parse": moments.parse_datetime,
    "pendulum.instance": _identity,
    "airflow.utils.timezone.datetime": _pendulum,
    "airflow.sdk.timezone.datetime": _pendulum,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "pathlib.PurePosixPath": _path,
    "os.path.join": _path_text(PurePosixPath),
    "os.path.dirname": _path_text(lambda path: PurePosixPath(path).parent),
    "os.path.basename": _path_text(lambda path: PurePosixPath(path).name),
    "os.path.abspath": _path_text(PurePosixPath),
    "os.path.realpath": _path_text(PurePosixPath),
    "os.path.normpath": _path_text(PurePosixPath),
    "os.path.splitext": _split_extension,
    "os.fspath": _path_text(str),
    "json.load": _load_json,
    "json.loads": _loads_json,
    "yaml.safe_load": _load_yaml,
    "typing.cast": lambda machine, arguments, node, scope: arguments.get("val", 1),
    "typing.TypeVar": _new_type,
    "typing.NewType": _new_type,
    "textwrap.dedent": _identity,
    "inspect.cleandoc": _identity,
}
