"""What DAGs need of an Airflow, put together from what was read in each of them."""

from __future__ import annotations

import ast
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final, TypeVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from festaf.contract.dag_inspection import ConnectionNeed, VariableNeed
from festaf.contract.dag_package import Finding, Needs, Requires

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from festaf.contract.dag_inspection import DagInspection

DEFAULT_POOL: Final = "default_pool"
OLDEST_AIRFLOW: Final = ">=3.1,<4"
"""Bundles of packages need Airflow 3.1."""
PYTHONS: Final = ((3, 10), (3, 11), (3, 12), (3, 13))
_COME_WITH_AIRFLOW: Final = """
apache-airflow apache-airflow-core apache-airflow-task-sdk alembic attrs cron-descriptor croniter cryptography
deprecated fastapi fsspec httpx jinja2 jsonschema lazy-object-proxy markupsafe msgspec opentelemetry-api packaging
pathspec pendulum pluggy psutil pydantic python-dateutil python-slugify pygments requests rich setproctitle sqlalchemy
structlog tabulate tenacity termcolor typing-extensions universal-pathlib uuid6
"""
COME_WITH_AIRFLOW: Final = frozenset(_COME_WITH_AIRFLOW.split())
"""Distributions that every Airflow 3 brings, so that nobody has to require them."""
Need = TypeVar("Need", ConnectionNeed, VariableNeed)


def needs_of(dags: Iterable[DagInspection]) -> Needs:
    """Put together what the target's administrator has to make."""
    dags = tuple(dags)
    connections: dict[str, ConnectionNeed] = {}
    variables: dict[str, VariableNeed] = {}
    for dag in dags:
        for need in dag.connection_needs:
            known = connections.setdefault(need.conn_id, need)
            places = tuple(dict.fromkeys((*known.places, *need.places)))
            changes = {"places": places, "default": known.default and need.default}
            connections[need.conn_id] = known.model_copy(
                update={**changes, "conn_type": known.conn_type or need.conn_type}
            )
        for variable in dag.variable_needs:
            read = variables.setdefault(variable.key, variable)
            places = tuple(dict.fromkeys((*read.places, *variable.places)))
            changes = {"places": places, "has_default": read.has_default and variable.has_default}
            variables[variable.key] = read.model_copy(update=changes)
    return Needs(
        connections=tuple(connections[key] for key in sorted(connections)),
        variables=tuple(variables[key] for key in sorted(variables)),
        pools=tuple(pool for pool in _all(dags, "pools") if pool != DEFAULT_POOL),
        queues=_all(dags, "queues"),
        executors=_all(dags, "executors"),
        environment=_all(dags, "environment"),
        images=_all(dags, "images"),
        assets=_all(dags, "assets"),
    )


def requires_of(
    dags: Iterable[DagInspection], declared: Requires, files: Mapping[str, bytes]
) -> tuple[Requires, tuple[Finding, ...]]:
    """Complete what the author declares by what is known to work: the versions that are installed here.

    Providers follow semantic versions, so what works with 9.39 is said to work until 10; whoever knows better declares
    it. Other packages are never guessed: the author declares them.
    """
    dags = tuple(dags)
    providers, notes = _providers(_all(dags, "providers"), declared.providers)
    wanted = {canonicalize_name(name): name for name in _all(dags, "requirements")}
    known = {_name(text) for text in (*declared.packages, *providers)}
    if "festaf" in wanted.keys() - known:
        providers = (*providers, _installed("festaf") or "festaf")
        known.add(canonicalize_name("festaf"))
    problems = [_undeclared(wanted[name]) for name in sorted(wanted.keys() - known - COME_WITH_AIRFLOW)]
    complete = declared.model_copy(
        update={
            "airflow": declared.airflow or _airflow(),
            "python": declared.python or _python(files),
            "providers": tuple(sorted(providers)),
        }
    )
    return complete, (*problems, *notes)


def _providers(needed: Iterable[str], declared: tuple[str, ...]) -> tuple[tuple[str, ...], list[Finding]]:
    known = {_name(text) for text in declared}
    found, notes = list(declared), []
    for name in needed:
        if canonicalize_name(name) in known:
            continue
        requirement = _installed(name)
        found.append(requirement or name)
        if requirement is None:
            message = f"{name} is not installed here, so any version of it is required; declare one in providers"
            notes.append(Finding(rule="provider_version_unknown", severity="note", message=message))
    return tuple(found), notes


def _undeclared(name: str) -> Finding:
    requirement = _installed(name) or name
    message = (
        f"The code imports {name}, which is neither in the package, nor Python's, nor a provider's; "
        f'declare it in festaf.toml: [package.requires] packages = ["{requirement.split(",")[0]}"]'
    )
    return Finding(rule="undeclared_requirement", severity="error", message=message)


def _installed(name: str) -> str | None:
    """Give the range of versions that the installed one stands for."""
    try:
        found = Version(version(name))
    except (PackageNotFoundError, ValueError):
        return None
    return f"{name}>={found.major}.{found.minor},<{found.major + 1}"


def _airflow() -> str:
    installed = _installed("apache-airflow")
    return OLDEST_AIRFLOW if installed is None else installed.removeprefix("apache-airflow")


def _python(files: Mapping[str, bytes]) -> str:
    """Give the oldest Python that the syntax of all files is for."""
    sources = [content for path, content in files.items() if path.endswith(".py")]
    for oldest in PYTHONS:
        if all(_parses(source, oldest) for source in sources):
            break
    return f">={oldest[0]}.{oldest[1]}"


def _parses(source: bytes, oldest: tuple[int, int]) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source, feature_version=oldest)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _name(requirement: str) -> str:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return requirement


def _all(dags: Iterable[DagInspection], field: str) -> tuple[str, ...]:
    return tuple(sorted({value for dag in dags for value in getattr(dag, field)}))
