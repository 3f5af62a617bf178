"""Athena's answer is, row by row, that of a slow and obviously right join, on data made to be hard."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from festaf.operators.training_set import BuildTrainingSetOperator
from festaf.provider.training_sets import FeatureView
from tests.feature_store import BUCKET
from tests.provider.training_sets.history import (
    START,
    Past,
    create_feature_set,
    put_parquet,
    read_training_set,
    write_history,
)
from tests.provider.training_sets.reference import features_of, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run

EXAMPLES = int(os.environ.get("FESTAF_EXAMPLES", "8"))
"""Each asks Athena eleven times about some hundred rows."""
SMALLEST = 40
MINUTE = 60 * 1_000_000_000
AGE = 120.0
UNTIL = 50.0
"""Seconds after START: what was written later is not seen."""
TEXTS = {"key": "String", "seen": "String", "grade": "Integral", "speed": "Fractional", "word": "String"}
NUMBERS = {"number": "Integral", "moment": "Fractional", "height": "Fractional"}
VIEWS = (
    FeatureView(feature_set="texts", prefix="a_"),
    FeatureView(feature_set="texts", prefix="b_", strict=True),
    FeatureView(feature_set="texts", prefix="c_", max_age=AGE, features=["speed", "word"]),
    FeatureView(feature_set="texts", prefix="d_", point_in_time=False, features=["grade"]),
    FeatureView(feature_set="numbers", prefix="e_"),
    FeatureView(feature_set="numbers", prefix="f_", strict=True, max_age=timedelta(seconds=AGE).total_seconds()),
    FeatureView(feature_set="numbers", prefix="g_", point_in_time=False),
)
KEYS = ("A", "B", "C", "D", "E", "nobody")
NUMBERED = (1, 2, 3, 4, 5, 99)


@dataclass(frozen=True)
class Case:
    """Two histories and the rows to join to them."""

    texts: tuple[Past, ...]
    numbers: tuple[Past, ...]
    rows: tuple[Mapping[str, Any], ...]


steps = st.integers(-2, 5).map(lambda minute: minute * MINUTE)
jitters = st.sampled_from([0, 0, 0, 1, -1, 1_000, -1_000_000, 500_000_000])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Write a moment, near or on a minute, in one of the forms of ISO 8601."""
    after = draw(steps) + draw(jitters)
    zone = draw(st.sampled_from(["Z", "Z", "+00:00", "+0130", "-05:00", ""]))
    shift = {"+0130": 90, "-05:00": -300}.get(zone, 0) * MINUTE
    seconds, fraction = divmod(after + shift, 1_000_000_000)
    digits = f"{fraction:09}".rstrip("0")
    digits = digits.ljust(draw(st.integers(len(digits), 9)), "0")
    whole = (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}{'.' if digits else ''}{digits}{zone}"


# A double of seconds holds microseconds, so numbers are made of whole ones.
numbers = st.builds(
    lambda step, micros: (int(START.timestamp()) * 1_000_000 + step // 1_000 + micros) / 1_000_000,
    steps,
    st.sampled_from([0, 0, 0, 1, -1, 1_000]),
)
small = st.sampled_from([0.0, 0.0, 1.0, 2.0])
times = {"written": st.sampled_from([0.0, 0.0, 10.0, 49.999, UNTIL, 50.001, 90.0]), "called": small}


def values(kinds: Mapping[str, str]) -> dict[str, st.SearchStrategy[Any]]:
    made = {
        "Integral": st.integers(-2, 2) | st.none(),
        "Fractional": st.sampled_from([0.5, -1.25, 3.0, None]),
        "String": st.sampled_from(["x", "y", "", None]),
    }
    return {name: made[kind] for name, kind in kinds.items()}


def histories(kinds: Mapping[str, str], keys: st.SearchStrategy[Any], moments: st.SearchStrategy[Any]) -> Any:
    """Make histories: ties, late and deleted records, exact repetitions."""
    identifier, event_time = list(kinds)[:2]
    features = values({name: kind for name, kind in kinds.items() if name not in {identifier, event_time}})

    def past(key: Any, moment: Any, deleted: bool, written: float, called: float, rest: dict[str, Any]) -> Past:
        return Past({identifier: key, event_time: moment, **rest}, written, called, deleted)

    one = st.builds(
        past,
        keys,
        moments,
        st.sampled_from([False, False, False, True]),
        times["written"],
        times["called"],
        st.fixed_dictionaries(features),
    )
    return st.lists(one, min_size=SMALLEST, max_size=120).flatmap(
        lambda rows: st.lists(st.sampled_from(rows), max_size=8).map(lambda more: (*rows, *more))
    )


entity_rows = st.lists(
    st.fixed_dictionaries(
        {
            "who": st.sampled_from([*KEYS, None]),
            "which": st.sampled_from([*NUMBERED, None]),
            "at": texts() | st.none(),
            "label": st.integers(0, 1),
        }
    ),
    min_size=SMALLEST,
    max_size=120,
).flatmap(lambda rows: st.lists(st.sampled_from(rows), max_size=8).map(lambda more: (*rows, *more)))
cases = st.builds(
    Case,
    histories(TEXTS, st.sampled_from(KEYS[:-1]), texts()),
    histories(NUMBERS, st.sampled_from(NUMBERED[:-1]), numbers),
    entity_rows,
)


@pytest.mark.long
def test_athena_answers_as_the_reference_does(hook: FeatureStoreHook, run: Run) -> None:
    sets = {
        "texts": create_feature_set(hook, "texts", TEXTS, "key", "seen"),
        "numbers": create_feature_set(hook, "numbers", NUMBERS, "number", "moment"),
    }

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        # Shrinking asks Athena a hundred times; the rows that differ are said anyway.
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )
    @given(case=cases)
    def check(case: Case) -> None:
        _check(case, sets, hook, run)

    check()


def _check(case: Case, sets: Mapping[str, FeatureSet], hook: FeatureStoreHook, run: Run) -> None:
    write_history(hook, sets["texts"], case.texts)
    write_history(hook, sets["numbers"], case.numbers)
    kinds = {"who": pa.string(), "which": pa.int64(), "at": pa.string(), "label": pa.int64()}
    columns = {name: pa.array([row[name] for row in case.rows], kind) for name, kind in kinds.items()}
    put_parquet(hook, BUCKET, "rows/part.parquet", columns)
    operator = BuildTrainingSetOperator(
        task_id="build",
        training_set="hard",
        entities=f"s3://{BUCKET}/rows/",
        feature_sets=VIEWS,
        output_s3_uri=f"s3://{BUCKET}/sets",
        event_time="at",
        entity_columns={"key": "who", "number": "which"},
        labels=["label"],
        snapshot=START + timedelta(seconds=UNTIL),
        if_exists="rebuild",
        check_ready=False,
        poll_interval=0.05,
    )
    operator.__dict__["hook"] = hook  # Making boto3's clients costs more than the queries.
    written = operator.execute(run.context)
    rows, matched = _wanted(case)
    wanted = _counted(rows)
    found = _counted(read_training_set(hook, written))
    assert (found - wanted, wanted - found) == (Counter(), Counter())
    assert [use["rows_matched"] for use in written["feature_sets"]] == matched
    assert written["rows"] == len(case.rows)


def _counted(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(str(sorted(row.items())) for row in rows)


def _wanted(case: Case) -> tuple[list[dict[str, Any]], list[int]]:
    """Give the rows, and for how many of them each view has a record."""
    records = {
        "texts": (_frame(case.texts, TEXTS), "who"),
        "numbers": (_frame(case.numbers, NUMBERS), "which"),
    }
    rows, matched = [], [0] * len(VIEWS)
    for row in case.rows:
        wanted = dict(row)
        for number, view in enumerate(VIEWS):
            frame, column = records[view.feature_set]
            names = list(view.features or [name for name in frame.columns if name not in _OWN])
            of = {"id": row[column], "at": nanoseconds(row["at"])}
            found = features_of(of, view, frame, names, UNTIL)
            matched[number] += found is not None
            wanted |= {f"{view.prefix}{name}": (found or {}).get(name) for name in names}
        rows.append(wanted)
    return rows, matched


_OWN = ("id", "at", "written", "called", "deleted")


def _frame(past: Sequence[Past], kinds: Mapping[str, str]) -> pd.DataFrame:
    identifier, event_time, *features = kinds
    rows = [
        {
            "id": item.values[identifier],
            "at": nanoseconds(item.values[event_time]),
            "written": item.written,
            "called": item.called,
            "deleted": item.deleted,
            **{name: item.values.get(name) for name in features},
        }
        for item in past
    ]
    return pd.DataFrame(rows, columns=[*_OWN, *features], dtype=object)
