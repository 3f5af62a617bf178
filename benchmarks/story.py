"""Events of a company: tasks that write feature sets, again and again, each from the columns of others.

A large company has many divisions that are alike: their events differ in one mark, which every name holds that is not
the same for all. So a registry of a million features can be made from one division's rows; see ``divisions.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from festaf.contract.names import task_run_id
from festaf.contract.openlineage import PRODUCER, RUN_EVENT_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "airflow"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
Json = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """So many feature sets with so many features each, every set written by a task of its own.

    :param sources: columns that each feature is made from
    :param chained: how many of them are features of sets before it; the others are columns of raw tables
    :param division: whose events they are
    """

    sets: int
    features: int = 10
    sources: int = 2
    chained: int = 2
    division: int = 0

    @property
    def mark(self) -> str:
        """Give what stands in the names of the division's things."""
        return mark(self.division)

    def names(self, number: int) -> tuple[str, str]:
        """Give project and name of a set."""
        return f"project{number % 20}{self.mark}", f"set_{number}"

    def events(self, rounds: int) -> Iterator[Json]:
        """Give one COMPLETE for each set and round."""
        for turn in range(rounds):
            for number in range(self.sets):
                yield self.event(number, turn)

    def event(self, number: int, turn: int) -> Json:
        """Tell that a set was written."""
        project, name = self.names(number)
        moment = BEGIN + timedelta(hours=turn, milliseconds=number * 30)
        dag = f"dag{self.mark}_{number // 10}"
        run = task_run_id(
            namespace=NAMESPACE, dag_id=dag, task_id=f"write_{number}", try_number=1, map_index=-1, moment=moment
        )
        said = [
            {
                "name": f"f_{number}_{index}",
                "type": "Fractional",
                "owner": f"team:{number % 50}",
                "description": f"Feature {index} of set {number}",
                "purpose": "Measure the registry",
                "technique": "rolling mean",
            }
            for index in range(self.features)
        ]
        output = {
            "namespace": f"x-festaf://{project}",
            "name": name,
            "facets": {"columnLineage": _facet(fields=self._columns(number))},
            "outputFacets": {
                "festaf_write": _facet(
                    write={
                        "project": project,
                        "feature_set": name,
                        "rows_read": 1000 + turn,
                        "rows_accepted": 1000 + turn,
                        "features": said,
                    }
                )
            },
        }
        task = {
            "dag_id": dag,
            "task_id": f"write_{number}",
            "run_id": f"scheduled__{turn}",
            "try_number": 1,
            "state": "success",
            "operator": "IngestFeaturesOperator",
            "ended_at": moment.isoformat(),
        }
        snapshot = {"dag_id": dag, "owners": ["data"], "schedule": "@hourly", "source": f"# {dag}\n", "path": "dag.py"}
        return {
            "eventType": "COMPLETE",
            "eventTime": moment.isoformat(),
            "producer": PRODUCER,
            "schemaURL": RUN_EVENT_SCHEMA,
            "run": {"runId": str(run), "facets": {"festaf_task": _facet(task=task)}},
            "job": {
                "namespace": NAMESPACE,
                "name": f"{dag}.write_{number}",
                "facets": {"festaf_dag": _facet(dag=snapshot)},
            },
            "inputs": [{"namespace": space, "name": table} for space, table in self._inputs(number)],
            "outputs": [output],
        }

    def _inputs(self, number: int) -> list[tuple[str, str]]:
        found = []
        for step in range(self.sources):
            before = number - 1 - step * 7
            if before < 0 or step >= self.chained:
                found.append((f"s3://raw{self.mark}", f"table_{number % 100}_{step}.parquet"))
            else:
                project, name = self.names(before)
                found.append((f"x-festaf://{project}", name))
        return found

    def _columns(self, number: int) -> Json:
        inputs = self._inputs(number)
        return {
            f"f_{number}_{index}": {
                "inputFields": [
                    {
                        "namespace": space,
                        "name": table,
                        "field": f"f_{table.removeprefix('set_')}_{index}"
                        if table.startswith("set_")
                        else f"c_{index}",
                        "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION"}],
                    }
                    for space, table in inputs
                ]
            }
            for index in range(self.features)
        }


def mark(division: int) -> str:
    """Give the mark of a division; all are equally long."""
    return f"d{division:04}"


def _facet(**body: Any) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": f"{PRODUCER}/facet.json", **body}
