"""Publish from inside a task: the same steps as on the command line, with errors that Airflow understands."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from festaf.client.errors import RefusedError
from festaf.provider.dag_packages.export.errors import ExportError
from festaf.provider.dag_packages.export.preparing import prepare
from festaf.provider.dag_packages.export.publishing import publish
from festaf.provider.errors import InputError
from festaf.sharing.errors import SharingError
from festaf.sharing.signature import read_private_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.provider.hooks.registry import RegistryHook

PASSPHRASE = "FESTAF_SIGNING_PASSPHRASE"
log = logging.getLogger(__name__)


def publish_path(
    hook: RegistryHook, path: str, *, named: Mapping[str, str | None], key_file: str | None
) -> dict[str, Any]:
    """Publish a DAG file or a folder of them.

    :param named: namespace, name and version that take the place of those in festaf.toml
    :raises InputError: it cannot be shared, or the registry refuses it for good
    """
    try:
        prepared = prepare(Path(path), namespace=named["namespace"], name=named["name"], version=named["version"])
        for finding in prepared.findings:
            log.info("%s %s: %s", finding.severity, finding.file or "", finding.message)
        archive = prepared.archive()
        key = read_private_key(Path(key_file), os.environ.get(PASSPHRASE)) if key_file else None
        with hook.get_packages() as client:
            done = publish(client, archive, key=key, tell=lambda step: log.info("%s", step))
    except (ExportError, SharingError, RefusedError) as error:
        raise InputError(str(error)) from error
    version = done.version
    return {
        "package": f"{version.namespace}/{version.name}",
        "version": version.version,
        "digest": version.digest,
        "outcome": done.outcome,
        "signed_by": done.signed_by,
        "waiting_for": done.waiting_for,
    }
