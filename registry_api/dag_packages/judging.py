"""Look at an archive that somebody sent: open it, read its code without running it, and compare with what it says.

Nothing here asks the database, so that no transaction waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore

from festaf.contract.dag_inspection import ConnectionNeed, FileInspection, VariableNeed
from festaf.contract.dag_package import Finding, Manifest
from festaf.registry_api.dag_packages.receiving import Received
from festaf.registry_api.errors import UnprocessableError
from festaf.sharing.archive import Archive, open_archive
from festaf.sharing.checks import check_files
from festaf.sharing.errors import SharingError
from festaf.sharing.reading import may_define_dags, read_confined

SECONDS = 30.0
"""How long the files may take to read, shared between them; each has at least ``LEAST_SECONDS``."""
LEAST_SECONDS = 1.0
TOGETHER = 60.0
"""After how long no more of them is read."""
MOST_FILES = 200
AT_ONCE = 2
"""How many archives are looked at at the same time: each may take a few hundred megabytes while it is."""
DEFAULT_POOL = "default_pool"
_turns = BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Judged:
    """An archive that is what it says, and what was seen in it."""

    archive: Archive
    data: bytes
    inspection: tuple[FileInspection, ...]
    findings: tuple[Finding, ...]

    @property
    def manifest(self) -> Manifest:
        """Give the manifest that stands in the archive."""
        return self.archive.manifest


def opened(received: Received) -> Archive:
    """Open an archive.

    :raises UnprocessableError: it is none, or says something else than it holds
    """
    try:
        return open_archive(received.data)
    except SharingError as error:
        where = f" ({error.path})" if error.path else ""
        raise UnprocessableError(f"the archive is refused, {error.code}: {error.message}{where}") from error


def judge(received: Received) -> Judged:
    """Open an archive, read its code, and say what is to be seen in it.

    :raises UnprocessableError: it is none, or says something else than it holds
    """
    with _turns:
        archive = opened(received)
        inspection = inspect(archive)
        if wrong := tuple(refused(archive.manifest, inspection)):
            raise UnprocessableError("the manifest does not say what the code says", wrong)
        return Judged(archive, received.data, inspection, tuple(findings(archive, inspection)))


def require_name(manifest: Manifest, namespace: str, name: str, version: str) -> None:
    """Make sure that an archive was sent to its own address.

    :raises UnprocessableError: it says another name than the address
    """
    if (manifest.namespace, manifest.name, manifest.version) != (namespace, name, version):
        raise UnprocessableError(
            f"the archive is {manifest.namespace}/{manifest.name} {manifest.version}, and was sent to another address"
        )


def inspect(archive: Archive) -> tuple[FileInspection, ...]:
    """Read the files that may define DAGs, in a process of their own with bounds on its time and memory.

    :raises UnprocessableError: there are too many of them
    """
    paths = [path for path, content in archive.files.items() if may_define_dags(path, content)]
    if len(paths) > MOST_FILES:
        raise UnprocessableError(
            f"{len(paths)} files may define DAGs; {MOST_FILES} are allowed, so share them in parts"
        )
    each = max(LEAST_SECONDS, SECONDS / max(len(paths), 1))
    found = read_confined(archive.files, paths, seconds=each, together=TOGETHER)
    return tuple(file for file in found if file.dags or file.error or file.unresolved)


def refused(manifest: Manifest, inspection: Sequence[FileInspection]) -> Iterator[str]:
    """Say what the manifest hides or makes up: ids of DAGs, and what they need of an Airflow."""
    said = {dag.dag_id for dag in manifest.dags if dag.dag_id}
    defined = [(dag.dag_id, file.file) for file in inspection for dag in file.dags if dag.dag_id]
    found = dict(defined)
    for dag_id, file in defined:
        if found[dag_id] != file:
            yield f"the DAG {dag_id!r} is defined in {file} and in {found[dag_id]}; an Airflow holds only one of them"
    for dag_id in sorted(found.keys() - said):
        yield f"{found[dag_id]} defines the DAG {dag_id!r}, which the manifest does not name"
    if all(_certain(file) for file in inspection):
        for dag_id in sorted(said - found.keys()):
            yield f"the manifest names the DAG {dag_id!r}, which no file defines"
    dags = [dag for file in inspection for dag in file.dags]
    needs = manifest.needs
    for kind, needed, told in (
        (
            "connection",
            {need.conn_id for dag in dags for need in dag.connection_needs if not need.default},
            needs.connections,
        ),
        ("variable", {need.key for dag in dags for need in dag.variable_needs}, needs.variables),
        ("pool", {pool for dag in dags for pool in dag.pools if pool != DEFAULT_POOL}, needs.pools),
    ):
        names = {_need(item) for item in told}
        for name in sorted(needed - names):
            yield f"the code needs the {kind} {name!r}, which the manifest does not name"


def findings(archive: Archive, inspection: Sequence[FileInspection]) -> Iterator[Finding]:
    """Give what is to be said of the files; the checks run in a process of their own, too."""
    yield from check_files(archive.files, archive.manifest)
    for file in inspection:
        if file.error is not None:
            yield Finding(rule="unreadable", severity="error", message=file.error, file=file.file)
        for one in file.unresolved:
            line = one.place.line if one.place else None
            yield Finding(rule="unresolved", severity="warning", message=one.reason, file=file.file, line=line)


def _certain(file: FileInspection) -> bool:
    """Tell whether all DAGs of a file are known."""
    return not file.unresolved and all(dag.dag_id for dag in file.dags)


def _need(item: ConnectionNeed | VariableNeed | str) -> str:
    match item:
        case ConnectionNeed():
            return item.conn_id
        case VariableNeed():
            return item.key
    return item
