"""Rows with every oddity, as Parquet and as a Glue table in the local AWS."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.feature_store import BUCKET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_aws.server import LocalAws

START = datetime(2013, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GLUE_TYPES = {
    "int64": "bigint",
    "double": "double",
    "string": "string",
    "bool": "boolean",
    "list<item: double>": "array<double>",
}


def table(count: int, seed: int = 1, *, shift: float = 0.0, start: datetime = START) -> pa.Table:
    """Make rows a minute apart: some missing, some infinite, one constant, one without values."""
    random = np.random.default_rng(seed)
    wind = [None if number % 10 == 3 else float(value) for number, value in enumerate(random.normal(shift, 1, count))]
    gust = [[0.0, float("inf"), -0.5, 1e308][number % 4] + shift for number in range(count)]
    return pa.table(
        {
            "at": [(start + number * MINUTE).isoformat().replace("+00:00", "Z") for number in range(count)],
            "wind": pa.array(wind, pa.float64()),
            "gust": pa.array(gust, pa.float64()),
            "seats": pa.array(random.integers(0, 5, count), pa.int64()),
            "same": pa.array([7] * count, pa.int64()),
            "nothing": pa.array([None] * count, pa.float64()),
            "origin": pa.array([["EWR", "JFK", None, "it's"][number % 4] for number in range(count)], pa.string()),
            "tail": pa.array([f"N{number % 150}" for number in range(count)], pa.string()),
            "late": pa.array([number % 3 == 0 for number in range(count)], pa.bool_()),
            "vector": pa.array([[1.0, 2.0]] * count, pa.list_(pa.float64())),
        }
    )


def parquet(path: Path, rows: pa.Table) -> str:
    """Write a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, row_group_size=300)
    return str(path)


def glue_table(aws: LocalAws, name: str, rows: pa.Table) -> str:
    """Write rows to S3 and register them, and give the URI."""
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    aws.client("s3").put_object(Bucket=BUCKET, Key=f"{name}/part.parquet", Body=sink.getvalue())
    glue = aws.client("glue")
    if "tables" not in [item["Name"] for item in glue.get_databases()["DatabaseList"]]:
        glue.create_database(DatabaseInput={"Name": "tables"})
    columns: list[dict[str, Any]] = [{"Name": field.name, "Type": GLUE_TYPES[str(field.type)]} for field in rows.schema]
    serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    glue.create_table(
        DatabaseName="tables",
        TableInput={
            "Name": name,
            "StorageDescriptor": {
                "Columns": columns,
                "Location": f"s3://{BUCKET}/{name}/",
                "SerdeInfo": {"SerializationLibrary": serde},
            },
        },
    )
    return f"glue://tables/{name}"
