"""Which package a run's code came from: Airflow's bundle version names the bytes, on whichever Airflow it ran."""

from __future__ import annotations

from sqlalchemy.orm import Session

from festaf.contract.feature import PackageRef
from festaf.contract.http import API
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.sharing.errors import NameRefusedError
from festaf.sharing.names import parse_bundle_version


def package_of(session: Session, bundle_version: str | None, sight: Sight) -> PackageRef | None:
    """Give the package version that a bundle version names, if it is known here and may be seen."""
    if bundle_version is None:
        return None
    try:
        said = parse_bundle_version(bundle_version)
    except NameRefusedError:
        return None
    for package, row in PackageRepository(session).beginning(said.version, said.digest_start):
        if sight.sees(package.namespace):
            return PackageRef(
                namespace=package.namespace,
                name=package.name,
                version=row.version,
                digest=row.digest,
                href=f"{API}/dag-packages/{package.namespace}/{package.name}/{row.version}",
            )
    return None
