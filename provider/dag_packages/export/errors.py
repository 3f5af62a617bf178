"""What can keep a DAG from being shared, as sentences for its author.

ExportError
├── SettingsError        festaf.toml is wrong, or something that it has to say is missing
├── RefusedPackageError  the package cannot be shared; carries everything that is wrong with it
└── TakenVersionError    the registry has other files under this version
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from festaf.contract.dag_package import Finding


class ExportError(Exception):
    """A DAG cannot be shared; the text says why and what to do."""


class SettingsError(ExportError):
    """festaf.toml is wrong, or something that it has to say is missing."""


class RefusedPackageError(ExportError):
    """The package cannot be shared."""

    def __init__(self, problems: tuple[Finding, ...]) -> None:
        lines = "\n".join(f"  {told(problem)}" for problem in problems)
        super().__init__(f"The package cannot be shared:\n{lines}")
        self.problems = problems

    def __reduce__(self) -> tuple[type[RefusedPackageError], tuple[tuple[Finding, ...]]]:
        return type(self), (self.problems,)


class TakenVersionError(ExportError):
    """The registry has other files under this version."""


def told(finding: Finding) -> str:
    """Write a finding on one line, where it is first."""
    place = f"{finding.file}:{finding.line}: " if finding.file and finding.line else f"{finding.file or ''}: "
    return f"{place if finding.file else ''}{finding.message} [{finding.rule}]"
