"""Where the lock file is, and how to reach the registry of packages; read when asked, never at import."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from festaf.provider.dag_packages.errors import PackageError
from festaf.provider.dag_packages.importing.lock import Lock, read_lock
from festaf.provider.lineage.settings import SECTION, load_settings

if TYPE_CHECKING:
    from festaf.client.dag_packages import DagPackageClient

LOCK_FILE = "lock_file"


def lock_path() -> Path:
    """Give the place of the lock file: ``[festaf] lock_file``, or ``festaf/dags.lock`` in Airflow's home."""
    from airflow.configuration import conf

    configured = conf.get(SECTION, LOCK_FILE, fallback="").strip()
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow"))
    return (Path(configured) if configured else home / "festaf" / "dags.lock").expanduser()


def current_lock(path: Path) -> Lock:
    """Read the lock file, at most once for each content of it.

    :raises LockError: it cannot be read, or contradicts itself
    """
    try:
        found = path.stat()
    except OSError:
        return read_lock(path)
    return _read(path, found.st_mtime_ns, found.st_size, found.st_ino)


def lock_state(path: Path) -> str:
    """Name the content of the lock file without reading it: each change of it makes another file."""
    try:
        found = path.stat()
    except OSError:
        return "absent"
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


@lru_cache(maxsize=4)
def _read(path: Path, _time: int, _size: int, _inode: int) -> Lock:
    return read_lock(path)


def open_registry(registry: str | None = None, *, patience: float | None = None) -> DagPackageClient:
    """Open the registry that the configuration or the connection names; close it after use.

    :param registry: the one that is meant; another is not asked
    :param patience: seconds to wait for one answer, asked for once; without it, as long as a download may take
    :raises PackageError: none is named, or another than is meant
    """
    from festaf.client.dag_packages import DagPackageClient

    try:
        endpoint = load_settings().endpoint()
    except ValueError as error:
        raise PackageError(f"No registry is configured: {error}") from error
    if patience is None:
        client = DagPackageClient(endpoint.url, endpoint.token)
    else:
        client = DagPackageClient(endpoint.url, endpoint.token, patience, retry=False)
    if registry is not None and client.url != registry:
        client.close()
        raise PackageError(
            f"The package was imported from {registry}, and this Airflow is configured for {client.url}. A package is "
            "asked for only where it came from: configure that registry again, or import it anew from this one"
        )
    return client
