"""The names by which a feature set, another artifact, a source and a run are known on both sides.

A feature set of project ``nyc`` named ``weather`` is the asset and dataset ``x-festaf://nyc/weather``; a model of it
named ``delay`` is ``x-festaf-model://nyc/delay``. The ``x-`` keeps Airflow from loading every provider's URI handler
while it parses a DAG file.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args
from urllib.parse import urlsplit

SCHEME = "x-festaf"
ArtifactKind = Literal["training-set", "model", "endpoint", "monitor"]
"""The kinds of artifact besides the feature set, as they stand in the scheme of their URIs."""

DEFAULT_PROJECT = "default"
DEFAULT_NAMESPACE = "default"
DEFAULT_OWNER = "airflow"
MASKED = "***"
"""What Airflow's secret masker leaves of an owner."""
PROJECT_PATTERN = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?")


@dataclass(frozen=True)
class DatasetName:
    """A dataset in OpenLineage's words, with the column when one is meant."""

    namespace: str
    name: str
    field: str | None = None

    @property
    def uri(self) -> str:
        """Give the URI that ``dataset_name`` reads back into this name."""
        if self.namespace == "file":
            base = f"file://{self.name}"
        else:
            base = f"{self.namespace}/{self.name}" if self.name else self.namespace
        return f"{base}#{self.field}" if self.field else base


def feature_set_uri(project: str, feature_set: str) -> str:
    """Name a feature set as an Airflow asset.

    :raises ValueError: the project is not 1 to 64 letters, digits, dots, dashes or underscores
    """
    return _uri(SCHEME, project, feature_set)


def artifact_uri(kind: ArtifactKind, project: str, name: str) -> str:
    """Name a training set, model, endpoint or monitor as an Airflow asset.

    :raises ValueError: the project is not 1 to 64 letters, digits, dots, dashes or underscores
    """
    return _uri(f"{SCHEME}-{kind}", project, name)


def artifact_dataset(kind: ArtifactKind, project: str, name: str) -> DatasetName:
    """Name a training set, model, endpoint or monitor as an OpenLineage dataset."""
    return DatasetName(namespace=f"{SCHEME}-{kind}://{project}", name=name)


def _uri(scheme: str, project: str, name: str) -> str:
    if not PROJECT_PATTERN.fullmatch(project):
        raise ValueError(
            f"{project!r} is no project name: use 1 to 64 letters, digits, '.', '-' and '_', "
            "with a letter or digit at both ends"
        )
    return f"{scheme}://{project}/{name}"


def definition_uri(project: str, feature_set: str) -> str:
    """Name the definition of a feature set as an asset of its own.

    A new definition is not new data: a DAG that is scheduled on the feature set must not run because of it.
    """
    return f"{feature_set_uri(project, feature_set)}/definition"


def feature_set_dataset(project: str, feature_set: str) -> DatasetName:
    """Name a feature set as an OpenLineage dataset."""
    return DatasetName(namespace=f"{SCHEME}://{project}", name=feature_set)


def feature_set_of(dataset: DatasetName) -> tuple[str, str] | None:
    """Read project and feature set out of a dataset's name; None when it names something else."""
    prefix = f"{SCHEME}://"
    if not dataset.namespace.startswith(prefix) or not dataset.name or "/" in dataset.name:
        return None
    return dataset.namespace.removeprefix(prefix), dataset.name


def project_of(dataset: DatasetName) -> str | None:
    """Read the project that an artifact of ours belongs to; None when the dataset is no artifact of ours."""
    scheme, separator, project = dataset.namespace.partition("://")
    ours = scheme == SCHEME or scheme.removeprefix(f"{SCHEME}-") in get_args(ArtifactKind)
    return project if separator and ours and PROJECT_PATTERN.fullmatch(project) else None


def dataset_name(uri: str) -> DatasetName:
    """Read a URI such as ``s3://bucket/key#column`` as OpenLineage's naming specification does.

    :raises ValueError: the text has no scheme
    """
    base, _, field = uri.partition("#")
    parts = urlsplit(base)
    if not parts.scheme:
        raise ValueError(f"{uri!r} is no source: write it as a URI, such as 's3://bucket/key' or 'file:///path#column'")
    if parts.scheme == "file":
        return DatasetName("file", parts.path or "/", field or None)
    name = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    return DatasetName(f"{parts.scheme}://{parts.netloc}", name, field or None)


def can_be_asked_for(name: str) -> bool:
    """Tell whether a name can be shown, and be a part of a path.

    Clients take ``.`` and ``..`` out of a path before they send it (RFC 3986, 5.2.4); U+FFFD stands where one was not
    UTF-8.
    """
    return name.strip() not in {"", ".", ".."} and not {"/", "\x00", "\ufffd"}.intersection(name)


def sha256_of(text: str) -> str:
    """Hash a text as the registry and the Airflow side both do: UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def owners_of(text: str | None) -> tuple[str, ...]:
    """Split a DAG's or task's owners; Airflow's default owner and a masked one say nothing."""
    names = {name.strip() for name in (text or "").split(",")}
    return tuple(sorted(names - {"", DEFAULT_OWNER, MASKED}))


def task_run_id(
    *, namespace: str, dag_id: str, task_id: str, try_number: int, map_index: int, moment: datetime
) -> uuid.UUID:
    """Derive the OpenLineage run id of one try of one task instance.

    The formula is that of Airflow's OpenLineage provider, so that its events and ours speak of the same run.

    :param moment: the DAG run's logical date, or its ``run_after`` when it has none
    """
    return _uuid_at(moment, f"{namespace}.{dag_id}.{task_id}.{try_number}.{map_index}")


def dag_run_id(*, namespace: str, dag_id: str, clear_number: int, moment: datetime) -> uuid.UUID:
    """Derive the OpenLineage run id of a DAG run, by the same formula as Airflow's OpenLineage provider."""
    return _uuid_at(moment, f"{namespace}.{dag_id}.{clear_number}")


def _uuid_at(moment: datetime, data: str) -> uuid.UUID:
    """Build a UUID of version 7 whose random part is a hash: the same moment and data give the same id."""
    utc = moment.astimezone(UTC)
    digest = hashlib.sha1(utc.isoformat().encode() + data.encode(), usedforsecurity=False).digest()
    value = (int(utc.timestamp() * 1000) & (2**48 - 1)) << 80 | int.from_bytes(digest, "big") >> 84
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return uuid.UUID(int=value)
