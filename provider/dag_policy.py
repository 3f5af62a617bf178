"""Airflow's DAG policy: nobody takes a DAG id from an imported package, and each package version is seen as its own.

Airflow lets the last bundle that defines a DAG id have it, and sends even old runs there; and it makes no new version
of a DAG when only a helper or an SQL file changed. Here the lock file says which bundle a DAG id belongs to and how the
importer calls a DAG, and each DAG of a package is tagged ``pkg:<namespace>/<name>@<version>``, so that another package
version is another DAG version.

It is called for every DAG of every bundle: nothing is imported before there is a lock file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.policies import hookimpl

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from festaf.provider.dag_packages.importing.lock import Lock, LockedPackage

LONGEST_TAG = 100
"""Characters that Airflow keeps of a tag."""
NAMING_DAGS = frozenset({"trigger_dag_id", "external_dag_id"})
"""The arguments by which Airflow's operators name another DAG."""
_TAG_DIGITS = 12


@hookimpl
def dag_policy(dag: DAG) -> None:
    """Refuse a DAG whose id belongs to another bundle; call the DAGs of packages as their importer does, and tag them.

    :raises AirflowClusterPolicyViolation: the DAG's id is claimed by a package that this file is not of, or the file is
        of a package whose manifest does not name the DAG
    """
    from festaf.provider.dag_packages.settings import current_lock, lock_path

    path = lock_path()
    if not path.exists():
        return
    lock = current_lock(path)
    bundle, version = _standing(Path(dag.fileloc))
    package = next((found for found in lock.packages if found.bundle == bundle), None)
    if package is not None:
        _rename(dag, _renamed(package, version))
    _check_claim(dag.dag_id, dag.fileloc, lock, package)
    if package is not None and version is not None:
        dag.tags.add(tag_of(package.package, version.rpartition("-")[0]))


def tag_of(package: str, version: str) -> str:
    """Give the tag of a package version; one too long for Airflow ends in a part of its hash."""
    tag = f"pkg:{package}@{version}"
    if len(tag) <= LONGEST_TAG:
        return tag
    return f"{tag[: LONGEST_TAG - _TAG_DIGITS - 1]}~{hashlib.sha256(tag.encode()).hexdigest()[:_TAG_DIGITS]}"


def _standing(file: Path) -> tuple[str | None, str | None]:
    """Tell bundle and version from where a file stands in Airflow's store: ``<root>/<bundle>/versions/<version>/``."""
    from airflow.dag_processing.bundles.base import get_bundle_storage_root_path

    root: Path = get_bundle_storage_root_path()  # type: ignore[no-untyped-call]
    try:
        bundle, folder, version, *_ = file.relative_to(root).parts
    except ValueError:
        return None, None
    return (bundle, version) if folder == "versions" else (None, None)


def _renamed(package: LockedPackage, version: str | None) -> dict[str, str]:
    """Give how the DAGs of a version are called here; a version that the lock file forgot, as those of the newest."""
    return next((found for found in package.versions if found.bundle_version == version), package).renamed


def _rename(dag: DAG, renamed: dict[str, str]) -> None:
    """Call a DAG as its importer does, and what its tasks say of the package's DAGs likewise.

    Airflow asks the policy before it files the DAG under its id, in the DAG processor and on the workers alike.
    """
    from airflow.sdk.definitions.mappedoperator import MappedOperator

    if not renamed:
        return
    own = dag.dag_id
    dag.dag_id = renamed.get(own, own)
    if dag.dag_display_name == own:
        dag.dag_display_name = dag.dag_id
    for task in dag.tasks:
        given = task.partial_kwargs if isinstance(task, MappedOperator) else vars(task)
        for name in NAMING_DAGS & given.keys():
            if isinstance(given[name], str):
                given[name] = renamed.get(given[name], given[name])


def _check_claim(dag_id: str, file: str, lock: Lock, package: LockedPackage | None) -> None:
    from airflow.exceptions import AirflowClusterPolicyViolation

    holder = next((found for found in lock.packages if dag_id in found.dag_ids), None)
    if holder is not None and (package is None or package.package != holder.package):
        raise AirflowClusterPolicyViolation(
            f"The DAG {dag_id!r} belongs to the package {holder.package} in the bundle {holder.bundle!r}; {file} may "
            f"not take its place. Rename the one in {file}, or remove the package: festaf dag remove {holder.package}"
        )
    if holder is None and package is not None and dag_id not in _ever(package):
        raise AirflowClusterPolicyViolation(
            f"The package {package.package} {package.version} defines the DAG {dag_id!r}, and its manifest does not "
            "name it; tell its owners to publish it again"
        )


def _ever(package: LockedPackage) -> set[str]:
    """Give the DAGs of the version in use and of those before, which runs under way are still of."""
    return {dag_id for version in package.versions for dag_id in version.dag_ids}
