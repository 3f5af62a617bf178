"""Choose the files of a package: the DAG files, what they import and name, and what the author includes."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from festaf.contract.dag_package import Finding
from festaf.provider.dag_packages.export.errors import SettingsError
from festaf.provider.dag_packages.export.settings import FILE
from festaf.sharing.reading import may_define_dags, read_file
from festaf.sharing.reading.folder import Folder, TooManyFilesError, import_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from festaf.contract.dag_inspection import FileInspection
    from festaf.provider.dag_packages.export.settings import PackageSettings

READMES: Final = ("README.md", "readme.md")


@dataclass(frozen=True)
class Selection:
    """The files of a package by their paths in it."""

    root: Path
    files: dict[str, bytes]
    dag_files: tuple[str, ...]
    readme: str | None
    screenshots: tuple[str, ...]
    findings: tuple[Finding, ...]


def select(path: Path, settings: PackageSettings, dag_ids: tuple[str, ...]) -> Selection:
    """Choose the files for a DAG file or folder.

    :param dag_ids: only the files that define these; all without
    :raises SettingsError: nothing can be chosen, or an included file is not there
    """
    root = (settings.folder / settings.root).resolve() if settings.root else import_root(path)
    if not path.is_relative_to(root):
        raise SettingsError(f"{path} is not in the root {root}; correct root in {FILE}")
    try:
        sources = Folder(root)
    except TooManyFilesError as error:
        raise SettingsError(f"{error}, or set root in {FILE}") from error
    inspections = _inspected(path, root, sources, settings)
    chosen, findings = _chosen(inspections, dag_ids)
    if not chosen:
        wanted = f" with the id {', '.join(dag_ids)}" if dag_ids else ""
        raise SettingsError(f"There is no DAG{wanted} in {path}")
    files = {name: sources[name] for item in chosen for name in _closure(item) if name in sources}
    files |= {name: sources[name] for name in _included(root, sources, settings)}
    files = {name: content for name, content in files.items() if not _matches(name, root, settings, settings.exclude)}
    readme, screenshots = _documents(root, settings, files)
    return Selection(
        root=root,
        files=dict(sorted(files.items())),
        dag_files=tuple(sorted(item.file for item in chosen if item.file in files)),
        readme=readme,
        screenshots=screenshots,
        findings=tuple(findings),
    )


def _inspected(path: Path, root: Path, sources: Folder, settings: PackageSettings) -> list[FileInspection]:
    inside = path.relative_to(root).as_posix()
    if path.is_file():
        return [read_file(sources, inside)]
    names = [name for name in sources if inside == "." or name.startswith(f"{inside}/")]
    wanted = [name for name in names if not _matches(name, root, settings, settings.exclude)]
    return [read_file(sources, name) for name in wanted if may_define_dags(name, sources[name])]


def _chosen(
    inspections: Iterable[FileInspection], dag_ids: tuple[str, ...]
) -> tuple[list[FileInspection], list[Finding]]:
    chosen: list[FileInspection] = []
    findings = []
    for item in inspections:
        ids = {dag.dag_id for dag in item.dags if dag.dag_id}
        if item.error:
            findings.append(Finding(rule="unreadable", severity="error", message=item.error, file=item.file))
        if not item.dags or (dag_ids and not ids & set(dag_ids)):
            continue
        chosen.append(item)
        if dag_ids and (more := sorted(ids - set(dag_ids))):
            message = f"The file defines {', '.join(more)} as well, which go along"
            findings.append(Finding(rule="dags_together", severity="note", message=message, file=item.file))
    missing = sorted(set(dag_ids) - {dag.dag_id for item in chosen for dag in item.dags if dag.dag_id})
    if chosen and missing:
        raise SettingsError(f"There is no DAG with the id {', '.join(missing)}")
    return chosen, findings


def _closure(inspection: FileInspection) -> list[str]:
    names = [inspection.file]
    for dag in inspection.dags:
        names += [*dag.local_files, *dag.data_files]
    return names


def _included(root: Path, sources: Mapping[str, bytes], settings: PackageSettings) -> list[str]:
    found: list[str] = []
    for pattern in settings.include:
        matching = [name for name in sources if _matches(name, root, settings, (pattern,))]
        if not matching:
            raise SettingsError(f"No file matches {pattern!r} of include in {settings.folder / FILE}")
        found += matching
    return found


def _matches(name: str, root: Path, settings: PackageSettings, patterns: Iterable[str]) -> bool:
    """Match a file's path from the folder of the settings; a pattern that names a folder holds for all in it."""
    full = root / name
    if not full.is_relative_to(settings.folder):
        return False
    path = full.relative_to(settings.folder).as_posix()
    return any(fnmatchcase(path, pattern) or path.startswith(f"{pattern.rstrip('/')}/") for pattern in patterns)


def _documents(root: Path, settings: PackageSettings, files: dict[str, bytes]) -> tuple[str | None, tuple[str, ...]]:
    """Add README and screenshots; those that stand outside of the root stand at the root of the package."""
    readme = settings.readme or next((name for name in READMES if (settings.folder / name).is_file()), None)
    placed = _placed(root, settings.folder / readme, files) if readme else None
    return placed, tuple(_placed(root, settings.folder / path, files) for path in settings.screenshots)


def _placed(root: Path, file: Path, files: dict[str, bytes]) -> str:
    if not file.is_file() or file.is_symlink():
        raise SettingsError(f"{file}, which {FILE} names, is no file")
    path = file.resolve().relative_to(root).as_posix() if file.resolve().is_relative_to(root) else file.name
    content = file.read_bytes()
    if files.setdefault(path, content) != content:
        raise SettingsError(f"{file} would take the place of another {path} in the package; move it")
    return path
