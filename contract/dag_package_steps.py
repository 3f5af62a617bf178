"""What is sent to take a step with a version of a DAG package, and to keep keys; and a version's DAGs as graphs.

Each step names the digest that it is about, so that nobody agrees to bytes that they did not look at.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from festaf.contract.dag_package import PublisherKey
from festaf.contract.model import Model, Moment, Sha256

Text = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]
"""What somebody writes; U+0000 is a character that no database keeps."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[^\x00]+$")]


class PublishRequest(Model):
    """Publish these bytes."""

    digest: Sha256


class ApproveRequest(Model):
    """Agree to these bytes."""

    digest: Sha256
    comment: Text = ""


class ReasonRequest(Model):
    """Yank or quarantine a version."""

    reason: Reason


class KeyRequest(Model):
    """Let a key sign for a namespace."""

    public_key: str = Field(min_length=44, max_length=44)
    """Base64 of the 32 raw bytes."""
    comment: Annotated[Text, Field(max_length=200)] = ""
    expires_at: Moment | None = None


class PublisherKeys(Model):
    """The keys of a namespace, with those that were revoked."""

    items: tuple[PublisherKey, ...]


class GraphTask(Model):
    """A node: a task of a DAG."""

    task_id: str
    operator: str
    group: str | None = None
    mapped: bool = False


class DagGraph(Model):
    """A DAG drawn from its code; ``edges`` are pairs of task ids."""

    dag_id: str | None
    file: str
    schedule: str | None = None
    tasks: tuple[GraphTask, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    complete: bool = True
    """False when reading the code could not tell all tasks or edges."""


class PackageGraph(Model):
    """The DAGs of a version as graphs."""

    dags: tuple[DagGraph, ...]
    truncated: bool = False
