"""Secrets of deployments: the database keeps only where each stands, and it is read when it is used.

A reference is ``env:NAME`` or ``file:PATH``. Who may add a deployment could otherwise have the server read any variable
or file and send it to an address of their choice: so only variables named ``FESTAF_AIRFLOW_...`` and files in the
folder of secrets are read.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from festaf.registry_api.airflow.errors import SecretError

VARIABLE = re.compile(r"FESTAF_AIRFLOW_[A-Z0-9_]{1,100}")
FOLDER_VARIABLE = "FESTAF_AIRFLOW_SECRETS"
DEFAULT_FOLDER = "/run/secrets"
MAX_BYTES = 64 * 1024


def check_reference(reference: str) -> None:
    """Make sure that a reference may be used, without reading what stands there.

    :raises ValueError: it may not
    """
    kind, _, place = reference.partition(":")
    if kind == "env" and VARIABLE.fullmatch(place):
        return
    if kind == "file" and (Path(place).is_absolute() or not place) and _inside(Path(place)):
        return
    raise ValueError(
        "a secret is 'env:FESTAF_AIRFLOW_...' or 'file:/path' of a file in the folder of secrets "
        f"(${FOLDER_VARIABLE}, or {DEFAULT_FOLDER}); the secret itself is never stored"
    )


def read_secret(reference: str) -> str:
    """Read a secret.

    :raises SecretError: it is not there, or may not be read
    """
    try:
        check_reference(reference)
    except ValueError as error:
        raise SecretError(str(error)) from None
    kind, _, place = reference.partition(":")
    if kind == "env":
        text = os.environ.get(place, "")
    else:
        try:
            with Path(place).open("rb") as file:
                text = file.read(MAX_BYTES).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise SecretError(f"the secret {reference} cannot be read: {type(error).__name__}") from None
    if not text.strip():
        raise SecretError(f"the secret {reference} is empty or not set where the registry runs")
    return text.strip()


def _inside(path: Path) -> bool:
    folder = Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER).resolve()
    return path.resolve().is_relative_to(folder)
