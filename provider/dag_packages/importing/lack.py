"""Compare what a package needs with what an Airflow has, and say all that is lacking with the command that makes it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.dag_packages.importing.lock import LockedPackage

Kind = Literal[
    "airflow", "python", "package", "plugin", "connection", "variable", "pool", "environment", "dag_id", "unknown"
]
NEVER_MADE = frozenset({"default_pool"})


@dataclass(frozen=True)
class Lack:
    """Something that is not there, or in the way."""

    kind: Kind
    name: str
    reason: str
    remedy: str
    """A command or a sentence that cures it."""


class Target(Protocol):
    """An Airflow into which a package is to come. None means that it cannot be told from here."""

    airflow: str
    python: str

    def distribution(self, name: str) -> str | None:
        """Give the installed version of a distribution; None when it is not installed."""

    def has_plugin(self, name: str) -> bool | None:
        """Tell whether an Airflow plugin is loaded."""

    def has_connection(self, conn_id: str) -> bool | None:
        """Tell whether a connection is known."""

    def has_variable(self, key: str) -> bool | None:
        """Tell whether a Variable is known."""

    def has_pool(self, name: str) -> bool | None:
        """Tell whether there is a pool."""

    def has_environment(self, name: str) -> bool | None:
        """Tell whether an environment variable is set."""

    def bundle_of(self, dag_id: str) -> str | None:
        """Give the bundle that defines a DAG; None when there is no such DAG.

        :raises LookupError: it cannot be told from here
        """


def lacking(package: LockedPackage, target: Target) -> tuple[Lack, ...]:
    """Give everything that keeps a package from running there; DAGs that its own bundle has are not in the way."""
    return (
        *_versions(package, target),
        *_distributions(package, target),
        *_made(package, target),
        *_clashes(package, target),
    )


def _versions(package: LockedPackage, target: Target) -> Iterator[Lack]:
    requires = package.requires
    for kind, wanted, found, word in (
        ("airflow", requires.airflow, target.airflow, "Airflow"),
        ("python", requires.python, target.python, "Python"),
    ):
        if wanted and not _fits(wanted, found):
            yield Lack(
                "airflow" if kind == "airflow" else "python",
                wanted,
                f"it needs {word} {wanted}, and this is {word} {found}",
                f"choose another version of the package ('festaf dag show {package.package}'), or another {word}",
            )


def _distributions(package: LockedPackage, target: Target) -> Iterator[Lack]:
    for text in (*package.requires.providers, *package.requires.packages):
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            yield Lack("package", text, f"it asks for {text!r}, which is no requirement: {error}", "tell its owners")
            continue
        if requirement.url:
            yield Lack("package", text, f"it asks for {text!r} from an address of its own", "tell its owners")
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        found = target.distribution(requirement.name)
        if found is None or not _fits(str(requirement.specifier), found):
            state = "is not installed" if found is None else f"is installed in version {found}"
            yield Lack(
                "package",
                requirement.name,
                f"it needs {text}, and {requirement.name} {state}",
                f"pip install {shlex.quote(text)}",
            )


def _made(package: LockedPackage, target: Target) -> Iterator[Lack]:
    needs = package.needs
    for plugin in package.requires.plugins:
        yield from _one("plugin", plugin, target.has_plugin(plugin), "put it into Airflow's plugins folder")
    for connection in needs.connections:
        kind = f" --conn-type {shlex.quote(connection.conn_type)}" if connection.conn_type else " --conn-type ..."
        remedy = f"airflow connections add {shlex.quote(connection.conn_id)}{kind}"
        yield from _one("connection", connection.conn_id, target.has_connection(connection.conn_id), remedy)
    for variable in needs.variables:
        if not variable.has_default:
            remedy = f"airflow variables set {shlex.quote(variable.key)} ..."
            yield from _one("variable", variable.key, target.has_variable(variable.key), remedy)
    for pool in needs.pools:
        if pool not in NEVER_MADE:
            remedy = f"airflow pools set {shlex.quote(pool)} <slots> <description>"
            yield from _one("pool", pool, target.has_pool(pool), remedy)
    for name in needs.environment:
        remedy = f"set {name} in the environment of the DAG processor and the workers"
        yield from _one("environment", name, target.has_environment(name), remedy)


def _one(
    kind: Literal["plugin", "connection", "variable", "pool", "environment"],
    name: str,
    there: bool | None,
    remedy: str,
) -> Iterator[Lack]:
    if there is False:
        yield Lack(kind, name, f"there is no {kind} {name!r}", remedy)
    elif there is None:
        yield Lack(
            "unknown", name, f"whether there is a {kind} {name!r} cannot be told from here", f"check it: {remedy}"
        )


def _clashes(package: LockedPackage, target: Target) -> Iterator[Lack]:
    author = {here: own for own, here in package.renamed.items()}
    for dag_id in package.dag_ids:
        try:
            owner = target.bundle_of(dag_id)
        except LookupError:
            reason = f"whether there is a DAG {dag_id!r} already cannot be told from here"
            yield Lack("unknown", dag_id, reason, f"check it: airflow dags details {shlex.quote(dag_id)}")
            continue
        if owner is not None and owner != package.bundle:
            yield Lack(
                "dag_id",
                dag_id,
                f"the bundle {owner!r} defines a DAG {dag_id!r} already, and Airflow would silently run this one in "
                "its place",
                f"call it otherwise here: --rename {shlex.quote(author.get(dag_id, dag_id))}=<another id>; or remove "
                f"the DAG from {owner!r} and delete it (airflow dags delete {shlex.quote(dag_id)})",
            )


def _fits(specifier: str, version: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        return False
