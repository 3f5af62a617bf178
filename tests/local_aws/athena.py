"""Athena without a server: its service on moto in this process, and tables to ask about."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as parquet

from festaf.local_aws.athena import AthenaService
from festaf.local_aws.clock import Clock
from festaf.local_aws.faults import Faults
from festaf.local_aws.resources.repository import Resources
from festaf.local_aws.service import Call
from festaf.local_aws.settings import CurrentSettings, Settings
from festaf.local_aws.state.store import NoStore
from festaf.local_aws.written_files import WrittenFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.state.store import Store

REGION = "us-east-1"
CALL = Call("athena", "any", REGION)
OUTPUT = {"OutputLocation": "s3://bucket/results/"}
SERDES = "org.apache.hadoop.hive"
PARQUET = f"{SERDES}.ql.io.parquet.serde.ParquetHiveSerDe"

Rows = list[list[str | None]]


@dataclass
class Athena:
    """A region with a bucket named ``bucket`` and a database named ``db``."""

    cloud: Cloud
    clock: Clock
    service: AthenaService
    written: WrittenFiles

    @classmethod
    def on(cls, cloud: Cloud) -> Athena:
        cloud.reset()
        cloud.client("s3", REGION).create_bucket(Bucket="bucket")
        cloud.client("glue", REGION).create_database(DatabaseInput={"Name": "db"})
        return cls._new(cloud, Clock())

    def another(self, store: Store | None = None) -> Athena:
        """Give an Athena that has read nothing yet, on the same objects and tables."""
        return self._new(self.cloud, self.clock, store)

    @classmethod
    def _new(cls, cloud: Cloud, clock: Clock, store: Store | None = None) -> Athena:
        resources = Resources(clock, store or NoStore(), CurrentSettings(Settings()), Faults())
        written = WrittenFiles()
        return cls(cloud, clock, AthenaService(cloud, clock, resources, written), written)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation as the gateway does, without its checks."""
        return self.service.operations[operation](CALL, parameters)

    def start(self, sql: str, **more: Any) -> str:
        asked = {"QueryString": sql, "QueryExecutionContext": {"Database": "db"}, "ResultConfiguration": OUTPUT} | more
        identity: str = self.service.start(CALL, asked)["QueryExecutionId"]
        return identity

    def finished(self, identity: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while True:
            found: dict[str, Any] = self.service.get(CALL, {"QueryExecutionId": identity})["QueryExecution"]
            if found["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.005)

    def results(self, sql: str, **more: Any) -> dict[str, Any]:
        identity = self.start(sql, **more)
        status = self.finished(identity)["Status"]
        assert status["State"] == "SUCCEEDED", status.get("StateChangeReason")
        found: dict[str, Any] = self.service.results(CALL, {"QueryExecutionId": identity})["ResultSet"]
        return found

    def rows(self, sql: str, **more: Any) -> Rows:
        """Give the rows of a SELECT without the header, as text."""
        return [texts(row) for row in self.results(sql, **more)["Rows"][1:]]

    def reason(self, sql: str, **more: Any) -> str:
        """Give why a query fails."""
        status = self.finished(self.start(sql, **more))["Status"]
        assert status["State"] == "FAILED", status
        reason: str = status["StateChangeReason"]
        return reason

    def put(self, key: str, body: bytes) -> None:
        self.cloud.client("s3", REGION).put_object(Bucket="bucket", Key=key, Body=body)

    def table(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        keys: Mapping[str, str] | None = None,
        serde: str = PARQUET,
        serde_parameters: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        table = {
            "Name": name,
            "Parameters": dict(parameters or {}),
            "PartitionKeys": [{"Name": key, "Type": kind} for key, kind in (keys or {}).items()],
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
                "Location": f"s3://bucket/{name}/",
                "SerdeInfo": {"SerializationLibrary": serde, "Parameters": dict(serde_parameters or {})},
            },
        }
        self.cloud.client("glue", REGION).create_table(DatabaseName="db", TableInput=table)

    def flights_table(self) -> None:
        """Make the table of flights without its files."""
        columns = {
            "id": "bigint",
            "delay": "double",
            "carrier": "string",
            "day": "date",
            "at": "timestamp",
            "codes": "array<bigint>",
            "year": "string",
        }
        self.table("flights", columns)

    def flights(self) -> None:
        """Make the tables that most questions are about."""
        self.flights_table()
        moment = datetime(2013, 1, 31, 5, 6, 7, 891000, UTC)
        data = {
            "id": [1, 2, 3],
            "delay": [1.5, None, -2.5],
            "carrier": ["AA", "UA", None],
            "day": [date(2013, 1, 31)] * 3,
            "at": pa.array([moment] * 3, pa.timestamp("ms", "UTC")).cast(pa.timestamp("ms")),
            "codes": [[1, 2], [], None],
            "year": ["2013", "2013", "2014"],
        }
        self.put("flights/part.parquet", parquet_bytes(data))
        self.table("seats", {"id": "bigint", "seats": "int"})
        self.put("seats/part.parquet", parquet_bytes({"id": [1, 2], "seats": pa.array([100, 200], pa.int32())}))


def parquet_bytes(data: Mapping[str, Any]) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(dict(data)), sink)
    return sink.getvalue()


def texts(row: Mapping[str, Any]) -> list[str | None]:
    return [item.get("VarCharValue") for item in row["Data"]]
