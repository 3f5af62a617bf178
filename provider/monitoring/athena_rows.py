"""Rows that SQL sees, counted by Athena: the offline store of a feature set, or any Glue table.

No row reaches the worker. Each window costs three statements at most per forty columns: totals, counts between points,
categories.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from festaf.contract.monitor import Frequencies
from festaf.provider.hooks.athena import QUERY_SECONDS, AthenaQuery
from festaf.provider.hooks.patience import Patience
from festaf.provider.monitoring.distance import QUANTILES
from festaf.provider.monitoring.rows import LISTED, ColumnTotals, Totals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from festaf.contract.monitor import ColumnKind
    from festaf.provider.hooks.athena import AthenaHook
    from festaf.provider.monitoring.window import Window

GREATEST = "1.7976931348623157E308"
MODERATE = "1e150"
"""Values beyond it have no part in mean and deviation: their squares are no numbers."""
SHARED = 10_000
"""Codes per column in one statement: more than a histogram has intervals."""
AT_A_TIME = 20
"""Columns of one statement: a text of less than 262,144 bytes holds their points."""

Row = dict[str, "str | None"]


@dataclass(frozen=True)
class AthenaRows:
    """The rows of one table."""

    hook: AthenaHook
    uri: str
    table: str
    """``"database"."table"``."""
    columns: Mapping[str, ColumnKind]
    left_out: Mapping[str, str] = field(default_factory=dict)
    moment: str | None = None
    """An expression that gives the event time as seconds since 1970, as a double."""
    hours: str | None = None
    """An expression that gives the partition's hour as text such as 2013013105; prunes what a window does not touch."""
    only: str | None = None
    """A condition that every row must meet."""
    query: AthenaQuery = field(default_factory=lambda: AthenaQuery(""))
    """Workgroup and output."""
    timeout: float = QUERY_SECONDS

    def newest(self) -> datetime | None:
        """Give the newest event time."""
        if self.moment is None:
            return None
        where = f" WHERE {self.only}" if self.only else ""
        return _time(self._select(f"SELECT max({self.moment}) AS newest FROM {self.table}{where}")[0]["newest"])

    def totals(self, window: Window, *, quantiles: bool) -> Totals:
        """Count and measure every column."""
        rows, first, last = 0, None, None
        found: dict[str, ColumnTotals] = {}
        for names in _in_pieces(list(self.columns)) or [[]]:
            asked = ["count(*) AS n", "min(moment) AS first", "max(moment) AS last"]
            for place, name in enumerate(names):
                asked += _measures(f"c{place}", self.columns[name], quantiles=quantiles)
            answer = self._select(f"{self._windowed(window, names)} SELECT {', '.join(asked)} FROM w")[0]
            rows, first, last = int(answer["n"] or 0), _time(answer["first"]), _time(answer["last"])
            found |= {name: _column_totals(answer, f"c{place}") for place, name in enumerate(names)}
        return Totals(rows, first, last, found)

    def histograms(self, window: Window, points: Mapping[str, Sequence[float]]) -> dict[str, list[int]]:
        """Count the values between the points: one number per value tells the column and the interval."""
        counts = {name: [0] * (len(found) + 1) for name, found in points.items()}
        for names in _in_pieces(list(points)):
            codes = [
                f"{place * SHARED} + width_bucket(CASE WHEN NOT is_nan(c{place}) THEN c{place} END, "
                f"ARRAY[{', '.join(map(_number, points[name]))}])"
                for place, name in enumerate(names)
            ]
            sql = (
                f"{self._windowed(window, names)} SELECT u.code AS code, count(*) AS n FROM w "
                f"CROSS JOIN UNNEST(ARRAY[{', '.join(codes)}]) AS u(code) WHERE u.code IS NOT NULL GROUP BY u.code"
            )
            for row in self._select(sql):
                place, interval = divmod(int(row["code"] or 0), SHARED)
                counts[names[place]][interval] = int(row["n"] or 0)
        return counts

    def frequencies(self, window: Window, known: Mapping[str, Collection[str]]) -> dict[str, Frequencies]:
        """Count the categories: one text per value tells the column and the category."""
        found: dict[str, Frequencies] = {}
        for names in _in_pieces(list(known)):
            values = [f"concat('{place:02d}:', c{place})" for place in range(len(names))]
            wanted = [_text(f"{place:02d}:{word}") for place, name in enumerate(names) for word in known[name]]
            sql = (
                f"{self._windowed(window, names)}, counted AS (SELECT u.v AS v, substr(u.v, 1, 2) AS f, count(*) AS n "
                f"FROM w CROSS JOIN UNNEST(ARRAY[{', '.join(values)}]) AS u(v) WHERE u.v IS NOT NULL GROUP BY u.v), "
                "ranked AS (SELECT v, f, n, row_number() OVER (PARTITION BY f ORDER BY n DESC, v) AS r, "
                "count(*) OVER (PARTITION BY f) AS d, sum(n) OVER (PARTITION BY f) AS total FROM counted) "
                f"SELECT v, f, n, d, total FROM ranked WHERE r <= {LISTED}"
                + (f" OR v IN ({', '.join(wanted)})" if wanted else "")
                + " ORDER BY f, n DESC, v"
            )
            answer = self._select(sql)
            for place, name in enumerate(names):
                found[name] = _frequencies([row for row in answer if row["f"] == f"{place:02d}"])
        return found

    def _windowed(self, window: Window, names: Sequence[str]) -> str:
        """Begin a statement with the window's rows: event time, and the columns as doubles or texts."""
        shown = [f"{self.moment or 'CAST(NULL AS double)'} AS moment"]
        for place, name in enumerate(names):
            kind = "double" if self.columns[name] == "numeric" else "varchar"
            shown.append(f"CAST({quoted(name)} AS {kind}) AS c{place}")
        conditions = self._conditions(window)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        if window.rows is None:
            return f"WITH w AS (SELECT {', '.join(shown)} FROM {self.table}{where})"
        newest = f"SELECT {self.moment} AS moment FROM {self.table}{where} ORDER BY moment DESC LIMIT {window.rows}"
        since = f"{self.moment} >= (SELECT min(moment) FROM ({newest}) AS newest)"
        rows = f"SELECT {', '.join(shown)} FROM {self.table} WHERE {' AND '.join([*conditions, since])}"
        return f"WITH w AS ({rows})"

    def _conditions(self, window: Window) -> list[str]:
        conditions = [self.only] if self.only else []
        if window.start:
            conditions.append(f"{self.moment} >= {_number(window.start.timestamp())}")
        if window.end:
            conditions.append(f"{self.moment} < {_number(window.end.timestamp())}")
        if self.hours and window.start:
            conditions.append(f"{self.hours} >= '{window.start:%Y%m%d%H}'")
        if self.hours and window.end:
            conditions.append(f"{self.hours} <= '{window.end:%Y%m%d%H}'")
        return conditions

    def _select(self, sql: str) -> list[Row]:
        return self.hook.select(replace(self.query, sql=sql), Patience(self.timeout, through_trouble=False))


def quoted(name: str) -> str:
    """Write a column's name so that no name is mistaken for a word of SQL."""
    return '"' + name.lower().replace('"', '""') + '"'


def _measures(column: str, kind: ColumnKind, *, quantiles: bool) -> Iterator[str]:
    if kind == "category":
        yield f"count({column}) AS {column}_present"
        return
    finite = f"CASE WHEN abs({column}) <= {GREATEST} THEN {column} END"
    moderate = f"CASE WHEN abs({column}) <= {MODERATE} THEN {column} END"
    yield f"count_if(NOT is_nan({column})) AS {column}_present"
    yield f"count_if(abs({column}) = infinity()) AS {column}_infinite"
    yield f"min({finite}) AS {column}_minimum"
    yield f"max({finite}) AS {column}_maximum"
    yield f"avg({moderate}) AS {column}_mean"
    yield f"stddev_pop({moderate}) AS {column}_deviation"
    if quantiles:
        yield f"approx_percentile({finite}, ARRAY[{', '.join(map(_number, QUANTILES))}]) AS {column}_quantiles"


def _column_totals(answer: Row, column: str) -> ColumnTotals:
    def number(measure: str) -> float | None:
        text = answer.get(f"{column}_{measure}")
        return None if text is None else float(text)

    texts = (answer.get(f"{column}_quantiles") or "[]").strip("[]")
    return ColumnTotals(
        present=int(answer[f"{column}_present"] or 0),
        infinite=int(answer.get(f"{column}_infinite") or 0),
        minimum=number("minimum"),
        maximum=number("maximum"),
        mean=number("mean"),
        deviation=number("deviation"),
        quantiles=tuple(float(text) for text in texts.split(",")) if texts else (),
    )


def _frequencies(rows: list[Row]) -> Frequencies:
    counts = {(row["v"] or "")[3:]: int(row["n"] or 0) for row in rows}
    if not rows:
        return Frequencies(counts={}, distinct=0)
    total, distinct = int(rows[0]["total"] or 0), int(rows[0]["d"] or 0)
    return Frequencies(counts=counts, others=total - sum(counts.values()), distinct=distinct)


def _in_pieces(names: list[str]) -> list[list[str]]:
    return [names[start : start + AT_A_TIME] for start in range(0, len(names), AT_A_TIME)]


def _number(value: float) -> str:
    """Write a double as Trino reads it back exactly; without an exponent it would be a decimal."""
    text = repr(float(value))
    return text.replace("e", "E") if "e" in text else f"{text}E0"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromtimestamp(float(text), UTC)
