"""No body, however strange, breaks the registry: it is taken, or refused with a reason, and never a 500."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.lineage.body import parse_json
from tests.registry_api.conftest import open_registry
from tests.registry_api.events import RICH, dag_event, dataset, defined, facet, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_api.conftest import Registry
    from tests.registry_api.events import Json

JSON = {"Content-Type": "application/json"}
COLUMNS = {
    "inputFields": [{"namespace": "s3://raw", "name": "a", "field": "b", "transformations": [{"type": "DIRECT"}]}]
}
OUTPUT = written(RICH) | {"facets": {"columnLineage": facet(fields={"dep_delay": COLUMNS}), "schema": facet(fields=[])}}
VALID: list[Json] = [
    task_event(inputs=(dataset("a"),), outputs=(OUTPUT,), job_facets={"sql": facet(query="SELECT 1")}),
    task_event(outputs=(defined(RICH),), job_facets={"lineage": facet(entries=[{"inputs": [], "type": "JOB"}])}),
    dag_event(),
]
STRANGE: list[Any] = [None, True, 0, -1, 2**31, 2**63, 10**30, 1e300, 0.5, "", "x", "\x00", "\ud800", "é" * 70, [], {}]
STRANGE += [
    [None],
    [[]],
    {"": 1},
    {"a": {"b": []}},
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "x" * 3000,
]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path to every value in a value."""
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(item, (*path, key))


PLACES = [(number, path) for number, event in enumerate(VALID) for path in _places(event)]


def _with(event: Json, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(event)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Give one registry for every strange body."""
    with open_registry(f"sqlite:///{tmp_path_factory.mktemp('strange') / 'registry.db'}") as found:
        yield found


@settings(max_examples=150, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
@given(place=st.sampled_from(PLACES), value=st.sampled_from(STRANGE))
def test_a_strange_value_anywhere_is_taken_or_refused(
    shared: Registry, place: tuple[int, tuple[Any, ...]], value: Any
) -> None:
    event = _with(VALID[place[0]], place[1], value)
    body = json.dumps(event, ensure_ascii=True)

    single = shared.http.post("/api/v1/lineage", content=body, headers=JSON)
    batch = shared.http.post("/api/v1/lineage/batch", content=f"[{body}]", headers=JSON)

    assert single.status_code in {201, 400, 422}, (place, value, single.text)
    assert batch.status_code in {200, 204, 400, 422}, (place, value, batch.text)
    assert (single.status_code == 201) == (batch.status_code == 204)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([2**64, -(2**63) - 1]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
        max_leaves=20,
    )
)
def test_json_is_read_as_the_standard_library_reads_it_or_refused(value: Any) -> None:
    body = json.dumps(value).encode()

    try:
        read = parse_json(body)
    except BadRequestError:
        assert any(sign in body for sign in (b"NaN", b"Infinity", b"\\u0000", b"\\ud"))
        return

    assert json.dumps(read) == json.dumps(json.loads(body))


@pytest.mark.parametrize("depth", [99, 100, 101, 102, 1_000, 100_000])
@pytest.mark.parametrize("ends", [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(depth: int, ends: tuple[str, str]) -> None:
    body = (ends[0] * depth + "1" + ends[1] * depth).encode()

    if depth <= 100:
        parse_json(body)
    else:
        with pytest.raises(BadRequestError):
            parse_json(body)
