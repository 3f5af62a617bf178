"""A run's state is kept compressed where the database does not do it, and the states of earlier versions are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from festaf.registry_api.dags.tables import RunTable
from tests.registry_api.contents import contents
from tests.registry_api.events import RICH, facet, run_of, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

OUTPUTS = (written(*(RICH | {"name": f"delay_{number}"} for number in range(20))),)


def folded(registry: Registry) -> str:
    with registry.database.reading() as session:
        return session.scalars(select(RunTable.folded)).one()


def test_a_state_takes_a_fraction_of_its_text_in_a_file(registry: Registry) -> None:
    registry.post(task_event(outputs=OUTPUTS))

    with registry.database.reading() as session:
        size = session.execute(text("SELECT length(folded) FROM run")).scalar_one()
    whole = len(folded(registry))
    assert size < whole / 4 if registry.database.sqlite else size == whole


def test_a_state_of_an_earlier_version_is_read_and_goes_on(registry: Registry) -> None:
    registry.post(task_event("START", 5), task_event(outputs=OUTPUTS))
    answer, rows = registry.get(f"/runs/{run_of()}"), contents(registry.database)

    with registry.database.writing() as session:
        session.execute(text("UPDATE run SET folded = :text"), {"text": folded(registry)})
    assert registry.get(f"/runs/{run_of()}") == answer
    assert contents(registry.database) == rows

    registry.post(task_event("RUNNING", 6, run_facets={"late": {"_producer": "x", "_schemaURL": "y"}}))
    assert registry.get(f"/runs/{run_of()}")["facets"].keys() == answer["facets"].keys() | {"late"}
    assert folded(registry)


def test_a_state_with_a_number_that_no_float_holds_is_read_and_goes_on(registry: Registry) -> None:
    registry.post(task_event("START", 5, run_facets={"odd": facet(value="?")}))
    with registry.database.writing() as session:
        told = folded(registry).replace('"?"', "9" * 309)
        session.execute(text("UPDATE run SET folded = :text"), {"text": told})

    assert registry.get(f"/runs/{run_of()}")["facets"]["odd"]["value"] == int("9" * 309)
    registry.post(task_event(outputs=OUTPUTS))
    assert registry.get(f"/runs/{run_of()}")["state"] == "COMPLETE"
