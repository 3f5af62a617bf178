"""Make a package of a DAG file or a folder: choose the files, describe them, and find everything that is wrong.

Nothing is imported or run. The files are chosen by what the DAGs import and name; then the chosen files alone are read
again, as the registry and every importer will read them, so that the manifest says what they will see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.contract.dag_package import Finding, Manifest
from festaf.provider.dag_packages.export.errors import RefusedPackageError, SettingsError
from festaf.provider.dag_packages.export.needs import needs_of, requires_of
from festaf.provider.dag_packages.export.repository import source_of
from festaf.provider.dag_packages.export.selection import Selection, select
from festaf.provider.dag_packages.export.settings import PackageSettings, read_settings
from festaf.sharing.archive import build_archive, digest_of, refused
from festaf.sharing.checks import check_files
from festaf.sharing.manifest import list_files
from festaf.sharing.reading import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.contract.dag_inspection import DagInspection, FileInspection


@dataclass(frozen=True)
class Prepared:
    """A package as it would be shared, and all that was found in it."""

    manifest: Manifest
    files: dict[str, bytes]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Give what keeps the package from being shared."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def archive(self) -> bytes:
        """Build the archive.

        :raises RefusedPackageError: something keeps the package from being shared
        """
        if self.problems:
            raise RefusedPackageError(self.problems)
        return build_archive(self.manifest, self.files)

    def digest(self) -> str:
        """Give the digest of the archive.

        :raises RefusedPackageError: something keeps the package from being shared
        """
        return digest_of(self.archive())


def prepare(
    path: Path,
    *,
    namespace: str | None = None,
    name: str | None = None,
    version: str | None = None,
    dag_ids: tuple[str, ...] = (),
) -> Prepared:
    """Make a package of a DAG file, or of all DAG files of a folder.

    :param namespace: instead of what festaf.toml says; so are ``name`` and ``version``
    :param dag_ids: only the files that define these
    :raises SettingsError: there is no such path, or festaf.toml is wrong or lacks something
    """
    path = path.absolute()
    if not path.exists():
        raise SettingsError(f"There is no file or folder {path}")
    given = {"namespace": namespace, "name": name, "version": version}
    settings = read_settings(path).model_copy(update={key: value for key, value in given.items() if value is not None})
    lacking = [key for key in given if getattr(settings, key) is None]
    if lacking:
        options = " ".join(f"--{key}" for key in lacking)
        raise SettingsError(
            f"The package has no {', '.join(lacking)}: write festaf.toml ('festaf dag init'), or give {options}"
        )
    selection = select(path, settings, dag_ids)
    return _described(selection, settings)


def _described(selection: Selection, settings: PackageSettings) -> Prepared:
    inspections = [read_file(selection.files, file) for file in selection.dag_files]
    dags = tuple(dag for inspection in inspections for dag in inspection.dags)
    requires, undeclared = requires_of(dags, settings.requires, selection.files)
    assert settings.namespace is not None
    assert settings.name is not None
    assert settings.version is not None
    manifest = Manifest(
        namespace=settings.namespace,
        name=settings.name,
        version=settings.version,
        summary=settings.summary[:255],
        readme=selection.readme,
        licence=settings.licence,
        maturity=settings.maturity,
        tags=tuple(sorted(set(settings.tags)))[:50],
        owners=settings.owners,
        screenshots=selection.screenshots,
        source=source_of(selection.root, selection.files),
        ancestor=settings.ancestor,
        files=list_files(selection.files),
        dags=dags,
        requires=requires,
        needs=needs_of(dags),
        parameters=settings.parameters,
    )
    findings = [*selection.findings, *_unread(inspections), *undeclared]
    if len(settings.summary) > 255 or len(set(settings.tags)) > 50:
        findings.append(
            _problem("long_text", "The summary is longer than 255 characters, or there are more than 50 tags")
        )
    if manifest.source is not None and manifest.source.dirty:
        message = "The files are not those of the commit; commit them, so that others find what they run"
        findings.append(Finding(rule="dirty", severity="warning", message=message))
    findings += _checked(manifest, selection.files)
    return Prepared(manifest, selection.files, tuple(dict.fromkeys(findings)))


def _checked(manifest: Manifest, files: dict[str, bytes]) -> list[Finding]:
    """Check what may be in a package; what may not is told, and looked at no further."""
    problems = [
        Finding(rule=error.code, severity="error", message=error.message, file=error.path)
        for error in refused(manifest, files)
    ]
    bad = {problem.file for problem in problems}
    sound = {path: content for path, content in files.items() if path not in bad}
    return [*problems, *check_files(sound, manifest)]


def _unread(inspections: list[FileInspection]) -> list[Finding]:
    """Tell what reading could not decide; an importer sees it as a gap."""
    found = [_problem("unreadable", item.error, item.file) for item in inspections if item.error]
    for inspection in inspections:
        for told in (*inspection.unresolved, *(told for dag in inspection.dags for told in dag.unresolved)):
            place = told.place
            found.append(
                Finding(
                    rule="undecided",
                    severity="note",
                    message=f"{told.what}: {told.reason}",
                    file=place.file if place else inspection.file,
                    line=place.line if place else None,
                )
            )
    return found


def _problem(rule: str, message: str, file: str | None = None) -> Finding:
    return Finding(rule=rule, severity="error", message=message, file=file)


def dag_ids(dags: tuple[DagInspection, ...]) -> tuple[str, ...]:
    """Give the ids that are known."""
    return tuple(sorted({dag.dag_id for dag in dags if dag.dag_id}))
