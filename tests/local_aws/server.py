"""The local AWS as a process of its own, as its users run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
PATIENCE = 60.0
"""Seconds: a reset waits for what is being written, and the first write imports a lot."""
QUICK = {
    "create_seconds": 0.0,
    "offline_active_seconds": 0.0,
    "glue_seconds": 0.0,
    "visible_seconds": 0.0,
    "update_seconds": 0.0,
    "delete_seconds": 0.0,
    "offline_delay_seconds": 0.0,
    "endpoint_create_seconds": 0.0,
    "endpoint_update_seconds": 0.0,
    "endpoint_delete_seconds": 0.0,
    "model_package_seconds": 0.0,
    "model_package_delete_seconds": 0.0,
    "job_start_seconds": 0.0,
    "job_delete_seconds": 0.0,
    "schedule_seconds": 0.0,
}


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS, with its own small API for what no AWS can do: jump in time and break on demand."""

    url: str
    process: subprocess.Popen[str]

    @classmethod
    @contextmanager
    def started(cls, *arguments: str, **settings: float) -> Iterator[LocalAws]:
        """Start ``festaf local-aws serve`` on a free port and stop it at the end."""
        command = [
            os.environ.get("LOCAL_AWS_PYTHON", sys.executable),
            "-m",
            "festaf.local_aws",
            "serve",
            "--port",
            "0",
            *arguments,
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            server = cls(_ready_url(process), process)
            server.settings(**(QUICK | settings))
            yield server
        finally:
            process.terminate()
            process.wait(timeout=20)
            if process.stdout:
                process.stdout.close()

    def client(self, service: str, region: str = REGION, **config: Any) -> Any:
        """Make an unmodified boto3 client."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            **config,
        )

    def connection(self) -> str:
        """Give the Airflow connection to this server, as JSON for AIRFLOW_CONN_AWS_DEFAULT."""
        extra = f'{{"region_name": "{REGION}", "endpoint_url": "{self.url}"}}'
        return f'{{"conn_type": "aws", "login": "local", "password": "local", "extra": {extra}}}'

    def settings(self, **settings: float) -> None:
        """Set how long things take, in seconds of the server's clock."""
        httpx.put(f"{self.url}/_local/settings", json=settings, timeout=PATIENCE).raise_for_status()

    def advance(self, seconds: float) -> None:
        """Jump ahead in the server's time."""
        httpx.post(f"{self.url}/_local/clock", json={"advance": seconds}, timeout=PATIENCE).raise_for_status()

    def now(self) -> datetime:
        """Give the server's time."""
        found = httpx.get(f"{self.url}/_local/clock", timeout=PATIENCE).raise_for_status().json()["now"]
        return datetime.fromtimestamp(found, UTC)

    def fault(self, **order: Any) -> None:
        """Order a fault: ``operation`` (regex), ``kind``, ``count``, and what the kind asks for."""
        httpx.post(f"{self.url}/_local/faults", json=order, timeout=PATIENCE).raise_for_status()

    def faults(self) -> list[dict[str, Any]]:
        """List the faults that are not used up."""
        found: list[dict[str, Any]] = (
            httpx.get(f"{self.url}/_local/faults", timeout=PATIENCE).raise_for_status().json()["faults"]
        )
        return found

    def clear_faults(self) -> None:
        """Forget every fault that stands."""
        httpx.delete(f"{self.url}/_local/faults", timeout=PATIENCE).raise_for_status()

    def stats(self) -> dict[str, int]:
        """Count the calls by operation since the last reset."""
        calls: dict[str, int] = (
            httpx.get(f"{self.url}/_local/stats", timeout=PATIENCE).raise_for_status().json()["calls"]
        )
        return calls

    def reset(self) -> None:
        """Forget everything: resources, objects, faults, counts; and take the quick settings again."""
        httpx.post(f"{self.url}/_local/reset", timeout=PATIENCE).raise_for_status()
        self.settings(**QUICK)


def _ready_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"ready on (http://\S+)", line):
            return found[1]
    raise RuntimeError(f"the local AWS ended with exit code {process.wait()} before it was ready")
