"""What a package may say that it requires: names and ranges of versions, never an address to fetch something from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from festaf.contract.dag_package import MANIFEST_PATH
from festaf.sharing import limits
from festaf.sharing.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.contract.dag_package import Requires

OWN_FIELD: Final = {"apache-airflow": "airflow", "apache-airflow-core": "airflow", "python": "python"}
"""Distributions that have a field of their own."""


def refused_requirements(requires: Requires) -> Iterator[ArchiveError]:
    """Give every requirement that cannot be, with the reason."""
    for field, specifier in (("python", requires.python), ("airflow", requires.airflow)):
        if specifier is not None and not _is_specifier(specifier):
            message = f"{field} = {specifier[:80]!a} is no range of versions; write it like '>=3.1,<4'"
            yield _refused("bad_specifier", message)
    told = 0
    for field, given in (("providers", requires.providers), ("packages", requires.packages)):
        known: set[str] = set()
        for text in given:
            told += 1
            reason = _reason(text)
            if reason is not None:
                yield _refused(*reason)
                continue
            name = canonicalize_name(Requirement(text).name)
            if name in known:
                yield _refused("requirement_twice", f"{name} is required twice in {field}; put it into one line")
            known.add(name)
    if told > limits.REQUIREMENTS:
        yield _refused("many_requirements", f"there are more than {limits.REQUIREMENTS} requirements")
    for text in (*requires.plugins, *requires.system):
        if not 0 < len(text) <= limits.REQUIREMENT_LENGTH or not text.isprintable():
            yield _refused("bad_requirement", f"{text[:80]!a} is empty, too long, or not printable")


def _reason(text: str) -> tuple[str, str] | None:
    shown = ascii(text[:80])
    if len(text) > limits.REQUIREMENT_LENGTH:
        return "long_requirement", f"the requirement {shown} is longer than {limits.REQUIREMENT_LENGTH}"
    if not text.isascii() or not text.isprintable():
        return "bad_requirement", f"the requirement {shown} has a line's end or another character that none has"
    if text.lstrip().startswith("-"):
        return "requirement_option", f"{shown} is an option of pip, not a requirement"
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return "bad_requirement", f"{shown} is no requirement; write it like 'pandas>=2.2' (PEP 508)"
    if requirement.url is not None:
        message = (
            f"{requirement.name[:80]!a} is required from an address; name a version instead: importers have an index"
        )
        return "requirement_url", message
    name = canonicalize_name(requirement.name)
    if name in OWN_FIELD:
        return (
            "requirement_field",
            f"{name} has a field of its own: {OWN_FIELD[name]} = '{requirement.specifier or '>=3.1'}'",
        )
    return None


def _is_specifier(text: str) -> bool:
    if len(text) > limits.REQUIREMENT_LENGTH or not text.isascii() or not text.isprintable():
        return False
    try:
        SpecifierSet(text)
    except (InvalidSpecifier, ValueError):
        return False
    return True


def _refused(code: str, message: str) -> ArchiveError:
    return ArchiveError(code, f"The manifest is refused: {message}", MANIFEST_PATH)
