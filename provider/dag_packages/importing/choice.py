"""Which version an importer means, what they chose for its parameters, and how its DAGs are called here."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from festaf.provider.dag_packages.errors import PackageError, QuarantinedError, TargetError, UntrustedPackageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from festaf.contract.dag_package import Package, PackageParameter, VersionSummary

DAG_ID = re.compile(r"[\w.-]{1,250}", re.ASCII)
"""What Airflow takes for a DAG id."""


@dataclass(frozen=True)
class Reference:
    """``<namespace>/<name>``, with a version or a specifier after ``@``."""

    namespace: str
    name: str
    wanted: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read what a person wrote, such as ``acme/sales``, ``acme/sales@1.4.0`` or ``acme/sales@~=1.4``.

        :raises PackageError: it names no package
        """
        package, _, wanted = text.partition("@")
        namespace, slash, name = package.partition("/")
        if not (namespace and slash and name) or "/" in name:
            raise PackageError(f"{text!r} names no package: write namespace/name or namespace/name@version")
        return cls(namespace, name, wanted.strip())

    @property
    def exact(self) -> Version | None:
        """Give the version when exactly one is meant."""
        try:
            return Version(self.wanted)
        except InvalidVersion:
            return None

    def accepts(self) -> SpecifierSet:
        """Give the versions that are meant.

        :raises PackageError: what stands after ``@`` is neither a version nor a specifier
        """
        if (exact := self.exact) is not None:
            return SpecifierSet(f"=={exact}")
        try:
            return SpecifierSet(self.wanted)
        except InvalidSpecifier as error:
            raise PackageError(
                f"{self.wanted!r} is neither a version such as 1.4.0 nor a specifier such as '~=1.4'"
            ) from error


def choose(package: Package, reference: Reference, now: datetime, *, cooling: bool = False) -> VersionSummary:
    """Give the newest version that is meant and may be imported.

    :param cooling: whether a version is taken that was published so lately that few have looked at it
    :raises UntrustedPackageError: only versions are meant that may not be imported; it says which and why
    :raises PackageError: no such version was ever published
    """
    named = f"{reference.namespace}/{reference.name}"
    accepted = reference.accepts()
    meant = [found for found in package.versions if accepted.contains(found.version, prereleases=True)]
    if not meant:
        there = ", ".join(found.version for found in package.versions[:10]) or "none"
        raise PackageError(f"No version of {named} is {reference.wanted or 'published'}; there are: {there}")
    reasons = {found.version: _refusal(found, now, cooling=cooling) for found in meant}
    allowed = [found for found in meant if reasons[found.version] is None]
    finals = [found for found in allowed if not Version(found.version).is_prerelease]
    chosen = (allowed if reference.exact or not finals else finals)[:]
    if not chosen:
        newest = max(meant, key=lambda found: Version(found.version))
        kind = QuarantinedError if newest.state == "quarantined" else UntrustedPackageError
        said = "; ".join(f"{version} {reason}" for version, reason in reasons.items())
        raise kind(f"{named} may not be imported: {said}")
    return max(chosen, key=lambda found: Version(found.version))


def _refusal(found: VersionSummary, now: datetime, *, cooling: bool) -> str | None:
    if found.state == "staged":
        return "is not published yet; its namespace may want it approved first"
    if found.state != "published":
        return f"is {found.state}" + (f": {found.reason}" if found.reason else "")
    if found.cooling_until is not None and found.cooling_until > now and not cooling:
        return (
            f"is fresh: until {found.cooling_until:%Y-%m-%d %H:%M} UTC others may find what is wrong with it "
            "(--allow-cooling takes it now)"
        )
    return None


def parameters(
    declared: Iterable[PackageParameter], chosen: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """Give what the importer chose for each parameter, now or before; a default is left to the package.

    :raises TargetError: something is chosen that the author does not ask for, that does not fit, or is left out
    """
    asked = {parameter.name: parameter for parameter in declared}
    there = ", ".join(asked) or "none"
    wrong = [f"there is no parameter {name!r}; there are: {there}" for name in sorted(chosen.keys() - asked.keys())]
    values = {name: value for name, value in {**before, **chosen}.items() if name in asked}
    for name, parameter in asked.items():
        if name in values:
            wrong += [f"{name}: {reason}" for reason in _mismatches(values[name], parameter)]
        elif parameter.required:
            wrong.append(f"{name} has to be chosen: --set {name}=... ({parameter.description or 'no description'})")
    if wrong:
        raise TargetError("The parameters cannot be as they are chosen: " + "; ".join(wrong))
    return values


def renames(dag_ids: Iterable[str], chosen: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Give the ids that DAGs have here, by those of their author, as chosen now or before.

    A DAG that is renamed to the author's own id has that one again.

    :raises TargetError: a DAG is renamed that there is not, to no DAG id, or to that of another DAG of the package
    """
    own = sorted(dag_ids)
    there = ", ".join(own) or "none"
    wrong = [f"there is no DAG {name!r}; there are: {there}" for name in sorted(chosen.keys() - set(own))]
    wrong += [
        f"{name!r} is no DAG id: letters, digits, '_', '-' and '.', at most 250"
        for name in sorted(chosen.values())
        if not DAG_ID.fullmatch(name)
    ]
    here = {name: {**before, **chosen}.get(name, name) for name in own}
    twice = sorted(name for name, count in Counter(here.values()).items() if count > 1)
    wrong += [f"two DAGs of the package would be called {name!r}" for name in twice]
    if wrong:
        raise TargetError("The DAGs cannot be renamed so: " + "; ".join(wrong))
    return {name: other for name, other in here.items() if other != name}


def _mismatches(value: Any, parameter: PackageParameter) -> list[str]:
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(parameter.json_schema)
    except SchemaError as error:
        return [f"the package's schema for it is no JSON schema ({error.message}); tell its owners"]
    return [error.message for error in Draft202012Validator(parameter.json_schema).iter_errors(value)]
