"""Rows per second into a feature set: festaf's engine beside the sagemaker SDK's own ingest and the server's ceiling.

    make bench

All send 20 features per row to one local AWS, each client in a process of its own, in turns. The ceiling is a client
that does nothing but replay requests that were signed before. Two sizes show whether the engine's memory grows.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.local_aws.server import REGION, LocalAws

FEATURES = 20
TARGETS = {"sdk default": 20.0, "sdk best": 7.0, "ceiling": 0.85}
ROWS = {"festaf": 200_000, "ceiling": 200_000, "sdk default": 2_000, "sdk best": 5_000}
SIZES = (50_000, 500_000)
RESULTS = Path(__file__).parent / "results" / "ingest.json"


def names() -> list[str]:
    return ["id", "moment", *(f"feature{number}" for number in range(FEATURES - 2))]


def write_rows(path: Path, count: int) -> None:
    """Write rows of one identifier, one event time and 18 random numbers, in row groups of 50,000."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    chance = np.random.default_rng(7)
    schema = pa.schema([("id", pa.string()), *((name, pa.float64()) for name in names()[1:])])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, count, 50_000):
            size = min(50_000, count - start)
            columns = [pa.array([f"id-{start + number}" for number in range(size)])]
            columns.append(pa.array(np.arange(start, start + size) + 1.7e9))
            columns += [pa.array(chance.random(size)) for _ in names()[2:]]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def client_festaf(name: str, path: str, work: str) -> float:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.ingest.ingest import Ingest
    from festaf.provider.ingest.source import open_source

    hook = FeatureStoreHook()
    feature_set = hook.describe(name)
    assert feature_set is not None
    log = logging.getLogger("benchmark")
    threads = int(os.environ.get("BENCHMARK_THREADS", "4"))
    source = open_source(path, None, hook)
    ingest = Ingest(feature_set=feature_set, source=source, hook=hook, log=log, work_dir=work, threads=threads)
    return ingest.run().seconds


def client_sdk(name: str, path: str, **settings: Any) -> float:
    import pandas as pd
    from sagemaker.mlops.feature_store import ingest_dataframe

    rows = pd.read_parquet(path)
    started = time.perf_counter()
    ingest_dataframe(feature_group_name=name, data_frame=rows, region=REGION, **settings)
    return time.perf_counter() - started


def client_ceiling(name: str, path: str, url: str) -> float:
    """Replay signed requests on plain sockets, two at a time."""
    import threading

    requests = _signed_requests(name, path, url)
    host, port = url.removeprefix("http://").split(":")
    started = time.perf_counter()
    threads = [threading.Thread(target=_replay, args=(host, int(port), requests[place::2])) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def _signed_requests(name: str, path: str, url: str) -> list[bytes]:
    import boto3
    import numpy as np
    import pyarrow.parquet as pq
    from botocore.awsrequest import AWSResponse

    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.ingest.rows import RowEncoder
    from festaf.provider.ingest.source import Chunk

    feature_set = FeatureStoreHook().describe(name)
    assert feature_set is not None
    encoder = RowEncoder(feature_set, {feature: feature for feature in names()}, is_text=False)
    client = boto3.client("sagemaker-featurestore-runtime", endpoint_url=url, region_name=REGION)
    captured: list[Any] = []

    def capture(request: Any, **_: Any) -> AWSResponse:
        captured.append(request)
        raw = type("Raw", (), {"stream": lambda self: iter([b'{"Errors":[],"UnprocessedEntries":[]}'])})()
        return AWSResponse(request.url, 200, {}, raw)

    client.meta.events.register("before-send", capture)
    client.batch_write_record(
        Entries=[{"FeatureGroupName": name, "Record": [{"FeatureName": "id", "ValueAsString": "1"}]}]
    )
    kept = {key: value for key, value in captured[0].headers.items() if key.lower() != "content-length"}
    head = "POST /BatchWriteRecord HTTP/1.1\r\nHost: localhost\r\n" + "".join(
        f"{key}: {value.decode() if isinstance(value, bytes) else value}\r\n" for key, value in kept.items()
    )
    requests = []
    for batch in pq.ParquetFile(path).iter_batches(batch_size=5_000):
        entries = encoder.encode(Chunk(batch, np.arange(batch.num_rows))).entries
        for start in range(0, len(entries), 25):
            body = b'{"Entries":[' + b",".join(entries[start : start + 25]) + b"]}"
            requests.append(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    return requests


def _replay(host: str, port: int, requests: list[bytes]) -> None:
    import socket

    with socket.create_connection((host, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert b" 200 " in head.split(b"\r\n", 1)[0], answer[:500]
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)


def run_client(kind: str, name: str, path: str, url: str, work: str) -> None:
    """Run one client in this process and print what it took."""
    if kind == "festaf":
        seconds = client_festaf(name, path, work)
    elif kind == "ceiling":
        seconds = client_ceiling(name, path, url)
    elif kind == "sdk default":
        seconds = client_sdk(name, path)
    else:
        seconds = client_sdk(name, path, use_batch_write_record=True, max_workers=4)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss / 1024}))


def measure(server: LocalAws, kind: str, path: Path, folder: Path) -> dict[str, float]:
    """Run one client in a process of its own, into a feature set of its own."""
    name = f"bench-{time.time_ns()}"
    server.client("sagemaker").create_feature_group(
        FeatureGroupName=name,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="moment",
        FeatureDefinitions=[
            {"FeatureName": feature, "FeatureType": "String" if feature == "id" else "Fractional"}
            for feature in names()
        ],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    config = folder / "sagemaker.yaml"
    config.write_text("SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n")
    environment = os.environ | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW_CONN_AWS_DEFAULT": server.connection(),
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(config),
    }
    command = [
        sys.executable,
        "-m",
        "benchmarks.ingest",
        "--client",
        kind,
        name,
        str(path),
        server.url,
        str(folder / name),
    ]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{kind} failed:\n{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}")
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    server.client("sagemaker").delete_feature_group(FeatureGroupName=name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", nargs=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="only the engine and the ceiling; keeps no result")
    arguments = parser.parse_args()
    if arguments.client:
        run_client(*arguments.client)
        return
    speeds: dict[str, list[float]] = {kind: [] for kind in ROWS}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary, LocalAws.started() as server:
        folder = Path(temporary)
        for count in sorted({*ROWS.values(), *SIZES}):
            write_rows(folder / f"{count}.parquet", count)
        for turn in range(arguments.rounds):
            for kind, count in ROWS.items():
                if arguments.quick and kind.startswith("sdk"):
                    continue
                found = measure(server, kind, folder / f"{count}.parquet", folder)
                speeds[kind].append(count / found["seconds"])
                print(f"round {turn + 1}  {kind:12} {speeds[kind][-1]:9,.0f} rows/s", flush=True)
        for size in () if arguments.quick else SIZES:
            memory[str(size)] = measure(server, "festaf", folder / f"{size}.parquet", folder)["megabytes"]
    if not arguments.quick:
        report(speeds, memory)


def report(speeds: dict[str, list[float]], memory: dict[str, float]) -> None:
    """Print medians and ratios, and keep them with a description of the machine."""
    medians = {kind: statistics.median(values) for kind, values in speeds.items()}
    ratios = {kind: medians["festaf"] / medians[kind] for kind in TARGETS}
    for kind, value in medians.items():
        print(f"{kind:12} {value:9,.0f} rows/s (median)")
    for kind, target in TARGETS.items():
        met = "met" if ratios[kind] >= target else "missed"
        print(f"festaf is {ratios[kind]:.2f} times the {kind}; target {target}: {met}")
    for size, megabytes in memory.items():
        print(f"peak memory at {int(size):,} rows: {megabytes:,.0f} MB")
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpus": os.cpu_count(),
            "load": os.getloadavg(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "features": FEATURES,
        "rows": ROWS,
        "rows_per_second": speeds,
        "median": medians,
        "ratios": ratios,
        "targets": TARGETS,
        "peak_megabytes": memory,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
