"""Tell which DAG package a task's code came in."""

from __future__ import annotations

from typing import Any

from festaf.contract.dag_package import RunningPackage


def package_of(bundle: Any) -> RunningPackage | None:
    """Read it from the bundle that the worker runs from; None when that is no bundle of packages.

    A bundle of ours is known by its class, and only the version that the worker runs is believed: the lock file may say
    another one by now. What cannot be read says nothing, for telling lineage must never fail a task.
    """
    if bundle is None or not type(bundle).__module__.startswith("festaf."):
        return None
    from festaf.provider.bundles.registry import RegistryDagBundle
    from festaf.sharing.errors import SharingError
    from festaf.sharing.names import parse_bundle_version

    if not isinstance(bundle, RegistryDagBundle) or not bundle.version:
        return None
    namespace, _, name = bundle.package.partition("/")
    try:
        running = parse_bundle_version(bundle.version)
    except SharingError:
        return None
    return RunningPackage(namespace=namespace, name=name, version=running.version, digest_start=running.digest_start)
