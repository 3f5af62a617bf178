"""What an operator says of itself to OpenLineage, and what its hooks collected, bounded in time.

Operators of other providers have ``get_openlineage_facets_on_complete``; it is called here without needing Airflow's
OpenLineage provider to be turned on. Some ask a database, so it runs in a thread that is left behind when it is late.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

from festaf.contract import datasets
from festaf.contract.facets import Facet, sql_query
from festaf.contract.names import DatasetName
from festaf.contract.openlineage import InputDataset, OutputDataset
from festaf.provider.lineage import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from festaf.provider.lineage.sql import Read

log = logging.getLogger(__name__)

_told_before: set[tuple[str, str, int]] = set()
SQL_KEY = "sql_job"
"""Under which a hook of Airflow's common.sql provider reports a statement."""


@dataclass(frozen=True)
class Extracted:
    """Datasets and facets, ready for an event."""

    inputs: tuple[InputDataset, ...] = ()
    outputs: tuple[OutputDataset, ...] = ()
    run_facets: dict[str, Facet] = field(default_factory=dict)
    job_facets: dict[str, Facet] = field(default_factory=dict)


def extract(task: Any, task_instance: Any, *, failed: bool, seconds: float) -> Extracted:
    """Ask the operator and its hooks; what fails or is late is logged and left out.

    :param seconds: how long it may take; 0 asks nobody
    """
    statements = sql.statements_of(getattr(task, "sql", None))
    known = Extracted(job_facets={"sql": sql_query(";\n".join(statements))} if statements else {})
    if seconds <= 0 or getattr(task, "tells_lineage_itself", False):
        return known
    found: list[Extracted] = []
    thread = Thread(target=_ask, args=(task, task_instance, failed, found), name="festaf-extraction", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.warning("The lineage of task %s was not known after %.0f s", getattr(task, "task_id", "?"), seconds)
    return joined(known, found[-1]) if found else known


def joined(first: Extracted, second: Extracted) -> Extracted:
    """Put together what two say of one task; where both speak of the same, the first stands."""
    return Extracted(
        tuple(_merged([*first.inputs, *second.inputs])),
        tuple(_merged([*first.outputs, *second.outputs])),
        second.run_facets | first.run_facets,
        second.job_facets | first.job_facets,
    )


def _merged(found: Iterable[Any]) -> list[Any]:
    every: dict[tuple[str, str], Any] = {}
    for item in found:
        key = (item.namespace, item.name)
        known = every.get(key)
        if known is None:
            every[key] = item
            continue
        update = {"facets": item.facets | known.facets}
        for name in ("input_facets", "output_facets"):
            if hasattr(item, name):
                update[name] = getattr(item, name) | getattr(known, name)
        every[key] = known.model_copy(update=update)
    return list(every.values())


def _ask(task: Any, task_instance: Any, failed: bool, found: list[Extracted]) -> None:
    """Read the SQL, then ask the operator, and the hooks only when neither named a dataset; the last found is best."""
    parsed = _guarded("the SQL", lambda: _sql(task, Extracted()))
    if parsed is not None:
        found.append(parsed)
    own = _guarded("the operator", lambda: _own(task, task_instance, failed=failed))
    if own is not None:
        again = _guarded("the SQL", lambda: _sql(task, own)) or Extracted()
        found.append(joined(again, _without_columns(own, again.outputs)))
    if not found or not (found[-1].inputs or found[-1].outputs):
        collected = _guarded("the hooks", _hooks)
        if collected is not None:
            found.append(joined(found[-1], collected) if found else collected)
    _guarded("the hooks", _remember)


def _guarded(who: str, ask: Callable[[], Extracted | None]) -> Extracted | None:
    try:
        return ask()
    except BaseException:
        # A thread's border; the parser of SQL panics with a BaseException of its own.
        log.warning("What %s says of the lineage could not be read", who, exc_info=True)
        return None


def _own(task: Any, task_instance: Any, *, failed: bool) -> Extracted | None:
    """Call the operator's own method, as Airflow's OpenLineage provider does."""
    names = ("complete", "start")
    for name in ("failure", *names) if failed else names:
        method = getattr(task, f"get_openlineage_facets_on_{name}", None)
        if callable(method):
            said = method() if name == "start" else method(task_instance)
            return _read(said) if said is not None else None
    return None


def _read(said: Any) -> Extracted:
    """Read the OpenLineage client's objects."""
    from openlineage.client.serde import Serde

    def plain(facet: Any) -> Any:
        return facet if isinstance(facet, dict) else Serde.to_dict(facet)

    def facets_of(given: Mapping[str, Any] | None) -> dict[str, Facet]:
        return {name: plain(facet) for name, facet in (given or {}).items()}

    return Extracted(
        tuple(
            InputDataset(
                namespace=item.namespace,
                name=item.name,
                facets=facets_of(item.facets),
                input_facets=facets_of(getattr(item, "inputFacets", None)),
            )
            for item in said.inputs or ()
        ),
        tuple(
            OutputDataset(
                namespace=item.namespace,
                name=item.name,
                facets=_without_unnamed(facets_of(item.facets), alone=len(said.outputs) == 1),
                output_facets=facets_of(getattr(item, "outputFacets", None)),
            )
            for item in said.outputs or ()
        ),
        facets_of(said.run_facets),
        facets_of(said.job_facets),
    )


def _without_unnamed(given: dict[str, Facet], *, alone: bool) -> dict[str, Facet]:
    """Leave out columns without a name; and all of them where the parser gave several tables the same ones."""
    lineage = given.get("columnLineage")
    if lineage is None:
        return given
    rest = {name: facet for name, facet in given.items() if name != "columnLineage"}
    fields = {
        column: body
        for column, body in lineage.get("fields", {}).items()
        if not column.startswith(sql.UNNAMED) and all(item.get("name") for item in body.get("inputFields", ()))
    }
    return rest | {"columnLineage": {**lineage, "fields": fields}} if fields and alone else rest


def _sql(task: Any, own: Extracted) -> Extracted | None:
    """Read the statements of a SQL operator ourselves: its own method takes a query's names for those of the table.

    :param own: what the operator said, for the columns of the tables
    """
    statements = sql.statements_of(getattr(task, "sql", None))
    if not statements or not hasattr(task, "get_db_hook"):
        return None
    columns = {
        DatasetName(item.namespace, item.name): [field["name"] for field in item.facets["schema"]["fields"]]
        for item in own.outputs
        if "schema" in item.facets
    }
    return _told(sql.read(statements, sql.database_of(task.get_db_hook(), getattr(task, "database", None)), columns))


def _without_columns(own: Extracted, read: Iterable[OutputDataset]) -> Extracted:
    """Leave the origins of columns to who read them better."""
    names = {(item.namespace, item.name) for item in read}
    outputs = tuple(
        item.model_copy(
            update={"facets": {name: facet for name, facet in item.facets.items() if name != "columnLineage"}}
        )
        if (item.namespace, item.name) in names
        else item
        for item in own.outputs
    )
    return Extracted(own.inputs, outputs, own.run_facets, own.job_facets)


def _told(found: Read | None) -> Extracted | None:
    if found is None:
        return None
    return Extracted(
        tuple(InputDataset(namespace=name.namespace, name=name.name) for name in found.inputs),
        tuple(
            OutputDataset(namespace=name.namespace, name=name.name, facets=sql.column_lineage(columns))
            for name, columns in found.outputs.items()
        ),
    )


def _hooks() -> Extracted | None:
    """Read what hooks reported to Airflow's collector since the task before, if this process has one."""
    inputs, outputs, extra = (
        [item for item in items if (kind, *_key(item)) not in _told_before] for kind, items in _collected().items()
    )
    if not (inputs or outputs or extra):
        return None
    read, written = (
        [name for item in items if (name := datasets.asset_dataset(str(item.asset.uri)))] for items in (inputs, outputs)
    )
    found = Extracted(
        tuple(InputDataset(namespace=name.namespace, name=name.name) for name in read),
        tuple(OutputDataset(namespace=name.namespace, name=name.name) for name in written),
    )
    for item in extra:
        if item.key == SQL_KEY and isinstance(text := item.value.get("sql"), str):
            database = sql.database_of(item.context, item.value.get("default_db"))
            said = _told(sql.read(sql.statements_of(text), database))
            found = joined(found, said) if said else found
    return found


def _remember() -> Extracted | None:
    """Keep what was collected until now from the next task: ``airflow dags test`` runs them all in one process."""
    for kind, items in _collected().items():
        _told_before.update((kind, *_key(item)) for item in items)
    return None


def _collected() -> dict[str, list[Any]]:
    collector = _collector()
    if collector is None or not getattr(collector, "has_collected", False):
        return {"inputs": [], "outputs": [], "extra": []}
    found = collector.collected_assets
    return {kind: list(getattr(found, kind, ())) for kind in ("inputs", "outputs", "extra")}


def _key(item: Any) -> tuple[str, int]:
    """Tell one entry of the collector from the others; what is done again is counted up."""
    what = item.asset.uri if hasattr(item, "asset") else (item.key, item.value)
    return repr(what), item.count


def _collector() -> Any:
    """Give the process's collector, but never make one: that imports every provider."""
    getter: Any = getattr(sys.modules.get("airflow.sdk.lineage"), "get_hook_lineage_collector", None)
    if hasattr(getter, "cache_info"):
        return getter() if getter.cache_info().currsize else None
    # Airflow 3.1 keeps it in a variable.
    return getattr(sys.modules.get("airflow.lineage.hook"), "_hook_lineage_collector", None)
