"""What Athena leaves of a query: a file of results in S3, and pages of it for GetQueryResults."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena.types import athena_type, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    import pyarrow as pa


@dataclass(frozen=True)
class Results:
    """Results as text: what the file has and what the pages show."""

    columns: tuple[dict[str, Any], ...]
    """ColumnInfo of each."""
    rows: pa.Table
    header: bool
    """Whether the first row of the first page repeats the names, as it does for a SELECT."""
    update_count: int | None = None
    """How many rows a statement wrote; None when it is none that writes. Its results have no file."""

    @classmethod
    def of_query(cls, rows: pa.Table, names: Sequence[str], json_places: Container[int] = ()) -> Results:
        """Write the result of a SELECT as text.

        :param json_places: of the columns whose text is JSON

        :raises NotSupportedError: a column has a type that Athena's results do not have
        """
        import pyarrow as pa

        kinds = [athena_type(field.type) for field in rows.schema]
        kinds = [{**kind, "Type": "json"} if place in json_places else kind for place, kind in enumerate(kinds)]
        columns = tuple(_column(name, kind) for name, kind in zip(names, kinds, strict=True))
        table = pa.Table.from_arrays([texts(column) for column in rows.columns], names=list(names))
        return cls(columns, table, header=True)

    @classmethod
    def of_statement(cls, names: Sequence[str] = (), rows: Sequence[Sequence[str]] = ()) -> Results:
        """Make the result of a DDL statement: lines of text without a header."""
        import pyarrow as pa

        columns = tuple(_column(name, athena_type(pa.string())) for name in names)
        arrays = [pa.array([row[index] for row in rows], pa.string()) for index in range(len(names))]
        return cls(columns, pa.Table.from_arrays(arrays, names=list(names)), header=False)

    @classmethod
    def of_lines(cls, names: Sequence[str], lines: Sequence[str]) -> Results:
        """Make the result of DESCRIBE: every row is one text with tabs in it, whatever the columns say."""
        import pyarrow as pa

        columns = tuple(_column(name, athena_type(pa.string())) for name in names)
        return cls(columns, pa.table({"line": pa.array(lines, pa.string())}), header=False)

    @classmethod
    def of_writing(cls, count: int) -> Results:
        """Make the result of a statement that wrote rows."""
        import pyarrow as pa

        columns = (_column("rows", athena_type(pa.int64())),)
        return cls(columns, pa.table({"rows": pa.array([], pa.string())}), header=False, update_count=count)

    @classmethod
    def of_file(cls, read: Callable[[], bytes], metadata: bytes) -> Results:
        """Read results from their file and the file beside it."""
        import pyarrow as pa
        from pyarrow import csv

        described = json.loads(metadata)
        if described.get("UpdateCount") is not None:
            return cls.of_writing(described["UpdateCount"])
        content = read()
        columns = tuple(described["ColumnInfo"])
        names = [column["Name"] for column in columns]
        if not described["Header"] and described.get("Lines"):
            return cls.of_lines(names, content.decode().splitlines())
        if not described["Header"]:
            return cls.of_statement(names, [line.split("\t", len(names) - 1) for line in content.decode().splitlines()])
        places = [str(index) for index in range(len(names))]
        table = csv.read_csv(
            io.BytesIO(content),
            read_options=csv.ReadOptions(column_names=places, skip_rows=1),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        return cls(columns, table.rename_columns(names), header=True)

    def file(self) -> bytes:
        """Give the file's content: CSV with every field quoted but nulls; tab-separated lines of a statement."""
        from pyarrow import csv

        if not self.header:
            return "".join("\t".join(row) + "\n" for row in zip(*self._lists(), strict=True)).encode()
        sink = io.BytesIO()
        csv.write_csv(self.rows, sink, csv.WriteOptions(quoting_style="all_valid"))
        return sink.getvalue()

    def metadata(self) -> bytes:
        """Give the content of the file beside it; AWS's is binary and not documented, this one is JSON."""
        described = {"Header": self.header, "ColumnInfo": self.columns, "UpdateCount": self.update_count}
        described["Lines"] = not self.header and self.rows.num_columns < len(self.columns)
        return json.dumps(described).encode()

    def page(self, start: int, length: int) -> tuple[list[dict[str, Any]], int | None]:
        """Give rows as GetQueryResults does, and where the next page starts.

        :param start: counts the header as a row
        """
        header = 1 if self.header else 0
        rows: list[dict[str, Any]] = []
        if start < header:
            rows.append({"Data": [{"VarCharValue": column["Name"]} for column in self.columns]})
        first = max(start - header, 0)
        part = self.rows.slice(first, length - len(rows))
        rows.extend({"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in _across(part))
        following = start + length
        return rows, following if following < self.rows.num_rows + header else None

    def _lists(self) -> list[list[str]]:
        return [column.to_pylist() for column in self.rows.columns]


def _across(table: pa.Table) -> Iterator[tuple[str | None, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _column(name: str, kind: dict[str, Any]) -> dict[str, Any]:
    return {"CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": name, "Label": name, **kind}
