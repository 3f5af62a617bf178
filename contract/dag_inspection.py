"""What reading a DAG file says, without importing or running it: the output of ``festaf dag inspect``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from festaf.contract.model import Model

Confidence = Literal["exact", "partial", "unknown"]
"""``exact``: this is what Airflow would say. ``partial``: what is listed is right, and there is more. ``unknown``: it
could not be decided, and nothing is guessed."""


class Place(Model):
    """A line of a file in the package, so that a reader can look."""

    file: str
    line: int


class Unresolved(Model):
    """Something that could not be decided by reading; it is never guessed."""

    what: str
    """The field of the inspection that is therefore not exact, such as ``tasks`` or ``schedule``."""
    reason: str
    """A sentence for people."""
    place: Place | None = None


class InspectedTask(Model):
    """A task of a DAG; ``operator`` is the class's name as Airflow reports it (``task_type``)."""

    task_id: str
    operator: str
    module: str | None = None
    """The module that the operator was imported from, as written in the file."""
    mapped: bool = False
    group: str | None = None
    """The task group that the task is in, with its parents' prefixes."""
    downstream: tuple[str, ...] = ()
    """Ids of the tasks right after this one, sorted."""
    line: int | None = None


class ConnectionNeed(Model):
    """A connection that the code names."""

    conn_id: str
    conn_type: str | None = None
    default: bool = False
    """True when the code does not name it, and the operator's own default does."""
    places: tuple[Place, ...] = ()


class VariableNeed(Model):
    """A Variable that the code reads."""

    key: str
    has_default: bool = False
    places: tuple[Place, ...] = ()


class DagParameter(Model):
    """A param of the DAG, with its JSON schema; a default that could not be read is absent from the schema."""

    name: str
    json_schema: dict[str, Any] = Field(default_factory=dict)
    default: Any = None
    has_default: bool = False
    description: str | None = None


class DagInspection(Model):
    """One DAG as its file's text tells it. Lists are sorted, but tasks stand in the order of their creation."""

    dag_id: str | None
    """None when the id could not be decided; ``unresolved`` says why."""
    file: str
    line: int | None = None
    schedule: str | None = None
    """As Airflow displays it: a cron expression, ``@daily``, a timedelta's text, the name of a timetable or asset
    expression; None when the DAG has no schedule."""
    timezone: str | None = None
    start_date: str | None = None
    catchup: bool | None = None
    description: str | None = None
    doc_md: str | None = None
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    params: tuple[DagParameter, ...] = ()
    tasks: tuple[InspectedTask, ...] = ()
    connections: tuple[str, ...] = ()
    """Ids; more about each stands in ``needs``."""
    variables: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    executors: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    """Environment variables that the code reads."""
    images: tuple[str, ...] = ()
    """Container images."""
    assets: tuple[str, ...] = ()
    """URIs of all assets, whichever way they are used."""
    inlets: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    scheduled_on: tuple[str, ...] = ()
    """URIs of the assets of the schedule."""
    providers: tuple[str, ...] = ()
    """Distributions of Airflow providers, such as ``apache-airflow-providers-amazon``."""
    requirements: tuple[str, ...] = ()
    """Other distributions that the code and its local modules import."""
    local_modules: tuple[str, ...] = ()
    """Dotted names of the modules beside the DAG that it imports, directly or not."""
    local_files: tuple[str, ...] = ()
    """Paths of the files of those modules, with the ``__init__.py`` of their packages."""
    data_files: tuple[str, ...] = ()
    """Paths of other files that the code names, such as SQL and YAML."""
    connection_needs: tuple[ConnectionNeed, ...] = ()
    variable_needs: tuple[VariableNeed, ...] = ()
    confidence: dict[str, Confidence] = Field(default_factory=dict)
    """By field; a field that is not named is exact."""
    unresolved: tuple[Unresolved, ...] = ()


class FileInspection(Model):
    """What one file says; ``dags`` is empty when it defines none."""

    file: str
    dags: tuple[DagInspection, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    error: str | None = None
    """Why the file cannot be read as Python at all."""
