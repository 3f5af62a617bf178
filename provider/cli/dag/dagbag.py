"""Ask Airflow's own DagBag what files define. This imports and runs the files: a program of its own, never a module.

    python -P dagbag.py ROOT FILE...

Prints one line of JSON for each file. It needs Airflow and nothing of this project, so that the benchmark can run it
in another environment.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> None:
    """Answer for each file, with nothing else on standard output."""
    root, *files = arguments
    sys.path.insert(0, root)
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for file in files:
            line = json.dumps(ask(Path(root), file))
            answers.write(line + "\n")
            answers.flush()


def ask(root: Path, file: str) -> dict[str, Any]:
    """Import one file as Airflow does."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # Airflow before 3.2 keeps it with its models.
        from airflow.models.dagbag import DagBag  # type: ignore[no-redef]

    begin = time.perf_counter()
    try:
        bag = DagBag(dag_folder=str(root / file), bundle_path=root, safe_mode=False)
    except BaseException as error:
        return {"file": file, "error": f"{type(error).__name__}: {error}", "dags": []}
    failure = "; ".join(str(text).strip().splitlines()[-1] for text in bag.import_errors.values()) or None
    dags = [describe(dag) for dag in bag.dags.values()]
    return {"file": file, "error": failure, "dags": dags, "seconds": time.perf_counter() - begin}


def describe(dag: Any) -> dict[str, Any]:
    """Say of a DAG what an inspection says."""
    try:
        shown = str(_core_timetable(dag.timetable).summary)
    except Exception as error:
        shown = f"? {type(error).__name__}"
    tasks = list(dag.task_dict.values())
    return {
        "dag_id": dag.dag_id,
        "schedule": None if shown == "None" else shown,
        "tags": sorted(dag.tags or ()),
        "owners": sorted({str(task.owner) for task in tasks}),
        "tasks": {task.task_id: _type(task) for task in tasks},
        "order": [task.task_id for task in tasks],
        "edges": sorted([task.task_id, other] for task in tasks for other in task.downstream_task_ids),
        "pools": sorted({task.pool for task in tasks if getattr(task, "pool", None) not in (None, "default_pool")}),
        "connections": sorted({value for task in tasks for value in _connections(task)}),
        "inlets": sorted({uri for task in tasks for uri in _uris(getattr(task, "inlets", None))}),
        "outlets": sorted({uri for task in tasks for uri in _uris(getattr(task, "outlets", None))}),
        "params": sorted(dag.params),
        "description": dag.description,
        "start_date": dag.start_date.isoformat() if dag.start_date else None,
        "catchup": bool(dag.catchup),
        "mapped": sorted(task.task_id for task in tasks if getattr(task, "is_mapped", False)),
    }


def _core_timetable(timetable: Any) -> Any:
    try:
        from airflow.serialization.encoders import coerce_to_core_timetable
    except ImportError:  # Before Airflow 3.2 a DAG holds it itself.
        return timetable
    return coerce_to_core_timetable(timetable)


def _type(task: Any) -> str:
    return str(getattr(task, "task_type", None) or type(task).__name__)


def _connections(task: Any) -> Iterable[str]:
    """Give the connection ids that a task's attributes hold."""
    values = dict(getattr(task, "partial_kwargs", None) or {}) if getattr(task, "is_mapped", False) else vars(task)
    for name, value in values.items():
        if name.endswith("conn_id") and isinstance(value, str) and value:
            yield value


def _uris(value: Any) -> Iterable[str]:
    for item in value or ():
        uri = getattr(item, "uri", None) or (
            getattr(item, "name", None) if type(item).__name__ != "AssetAlias" else None
        )
        if isinstance(uri, str):
            yield uri


if __name__ == "__main__":
    main(sys.argv[1:])
