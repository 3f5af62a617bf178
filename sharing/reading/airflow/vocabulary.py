"""The names of Airflow that a DAG file is written with, whichever module they are imported from."""

from __future__ import annotations

import ast
from collections.abc import Callable

from festaf.sharing.reading.airflow import assets, edges
from festaf.sharing.reading.airflow.dags import make_dag
from festaf.sharing.reading.airflow.decorators import KINDS, call_decorator
from festaf.sharing.reading.airflow.model import Decorator, Label
from festaf.sharing.reading.airflow.tasks import add_group
from festaf.sharing.reading.machine import Machine
from festaf.sharing.reading.scope import Scope
from festaf.sharing.reading.values import Arguments, Dict, External, Made, Unknown

Speak = Callable[[Machine, External, Arguments, ast.AST, Scope], object]
LOOSE = ("airflow.providers.common.compat.", "airflow.providers.standard.version_compat")


def is_vocabulary(function: External) -> bool:
    """Say whether a name is one of Airflow's own that are evaluated here."""
    return word(function) is not None


def word(function: External) -> str | None:
    """Give the word that a path of Airflow stands for, or None."""
    path = function.path
    if not path.startswith("airflow."):
        return None
    if path.startswith("airflow.providers.") and not path.startswith(LOOSE):
        return None
    parts = path.split(".")
    if len(parts) > 2 and parts[-2] == "task" and "decorators" not in parts[-1]:
        return "task." + parts[-1]
    if parts[-2:] == ["asset", "multi"]:
        return "asset.multi"
    if parts[-2:] in (["Asset", "ref"], ["Variable", "get"], ["Variable", "setdefault"], ["Asset", "from_uri"]):
        return ".".join(parts[-2:])
    return parts[-1] if parts[-1] in WORDS else None


def call_airflow(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Call one of Airflow's own names."""
    name = word(function) or ""
    if name in KINDS or name.startswith("task."):
        return call_decorator(machine, Decorator(name, function.path), arguments, node, scope)
    return WORDS[name](machine, function, arguments, node, scope)


def _dag(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return make_dag(machine, arguments, node, scope)


def _group(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    suffix = arguments.get("add_suffix_on_collision") is True
    return add_group(machine, arguments.get("group_id", 0), arguments, node, scope, suffix)


def _chain(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return edges.chain(machine, arguments, node, scope)


def _chain_linear(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return edges.chain_linear(machine, arguments, node, scope)


def _cross(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return edges.cross_downstream(machine, arguments, node, scope)


def _label(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return Label()


def _asset(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return assets.make_asset(machine, function.name, arguments, node, scope)


def _asset_reference(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return assets.reference(machine, function.name, arguments, node, scope)


def _params(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    given = arguments.get("dict_obj", 0)
    return given if given is not None else Dict(dict(arguments.keywords), machine.doubt, arguments.gap)


def _made(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return Made(function, tuple(arguments.positional), dict(arguments.keywords), arguments.gap)


def _variable(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    key = arguments.get("key", 0)
    default = "default" in arguments.keywords or "default_var" in arguments.keywords or len(arguments.positional) > 1
    machine.needs.variable(machine, key, default or function.name == "setdefault", node, scope)
    label = f" {key}" if isinstance(key, str) else ""
    return machine.plain(f"The value of the Variable{label} is not in the package", node, scope)


def _connection(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    conn_id = arguments.get("conn_id", 0)
    machine.needs.connection(machine, conn_id, node, scope)
    return machine.plain("A connection is not in the package", node, scope)


def _nothing(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    return Unknown(f"{function.path} is decided when the DAG runs", machine.place(node, scope))


TIMETABLES = (
    "CronTriggerTimetable", "CronDataIntervalTimetable", "DeltaTriggerTimetable", "DeltaDataIntervalTimetable",
    "MultipleCronTriggerTimetable", "EventsTimetable", "AssetOrTimeSchedule", "DatasetOrTimeSchedule",
    "PartitionedAssetTimetable", "CronPartitionTimetable", "PartitionedAtRuntime",
)  # fmt: skip
WORDS: dict[str, Speak] = {
    "DAG": _dag,
    "TaskGroup": _group,
    "chain": _chain,
    "chain_linear": _chain_linear,
    "cross_downstream": _cross,
    "Label": _label,
    "Asset": _asset,
    "Dataset": _asset,
    "AssetAlias": _asset,
    "DatasetAlias": _asset,
    "AssetAll": _asset,
    "AssetAny": _asset,
    "DatasetAll": _asset,
    "DatasetAny": _asset,
    "Asset.ref": _asset_reference,
    "Param": _made,
    "ParamsDict": _params,
    "Variable.get": _variable,
    "Variable.setdefault": _variable,
    "get_connection": _connection,
    **dict.fromkeys(TIMETABLES, _made),
    **dict.fromkeys(KINDS, _nothing),
}
