"""Where the demo lives: its folder, its ports, and the environment that Airflow runs in."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.provider.demo.errors import PortInUseError

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
BUCKET = "festaf-demo"
ROLE_ARN = "arn:aws:iam::123456789012:role/festaf-demo"
PREDICTION_ROLE_ARN = "arn:aws:iam::123456789012:role/festaf-prediction"
"""What the connection ``aws_prediction`` assumes; the local AWS has one account, a company has two."""


@dataclass(frozen=True)
class Ports:
    """One port for each server that a person may want to look at."""

    airflow: int = 8080
    registry: int = 8750
    local_aws: int = 5601

    def check_free(self) -> None:
        """Make sure that nothing listens on any of them.

        :raises PortInUseError: something does
        """
        for option, port in (
            ("--airflow-port", self.airflow),
            ("--registry-port", self.registry),
            ("--local-aws-port", self.local_aws),
        ):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((LOOPBACK, port))
                except OSError:
                    raise PortInUseError(
                        f"Port {port} is in use: stop what listens there, or choose another with {option}"
                    ) from None

    @classmethod
    def free(cls) -> Ports:
        """Choose three ports that are free now."""
        return cls(*_free_ports(3))


def _free_ports(count: int) -> list[int]:
    """Choose ports that are free now, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@dataclass(frozen=True)
class Place:
    """A folder that holds everything of one demo, and its ports."""

    folder: Path
    dags: Path
    ports: Ports
    namespace: str = "demo"
    airflow_database: str = ""
    """SQLAlchemy URL; empty for SQLite in the folder."""
    registry_database: str = ""
    """SQLAlchemy URL; empty for SQLite in the folder."""
    registry_token: str = field(default="", repr=False)
    """Token that Airflow shows to the registry; empty for a registry in demo mode, which asks for none."""
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    """More of Airflow's environment, such as ``AIRFLOW__CORE__PARALLELISM``."""

    @property
    def airflow_url(self) -> str:
        """Give the address of Airflow's API and pages."""
        return f"http://{LOOPBACK}:{self.ports.airflow}"

    @property
    def registry_url(self) -> str:
        """Give the address of the registry."""
        return f"http://{LOOPBACK}:{self.ports.registry}"

    @property
    def local_aws_url(self) -> str:
        """Give the address of the local AWS."""
        return f"http://{LOOPBACK}:{self.ports.local_aws}"

    def log(self, name: str) -> Path:
        """Name the log of a process."""
        return self.folder / "logs" / f"{name}.log"

    def environment(self) -> dict[str, str]:
        """Give the environment without anybody's own Airflow or AWS: the demo must never reach a real account."""
        foreign = ("AIRFLOW", "AWS_", "FESTAF_")
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(foreign) or name == "AWS_CA_BUNDLE"
        }
        return kept | {
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PYTHONUNBUFFERED": "1",
        }

    def airflow_environment(self) -> dict[str, str]:
        """Give the environment of every Airflow process."""
        home = self.folder / "airflow"
        database = self.airflow_database or f"sqlite:///{home / 'airflow.db'}"
        worker_logs, trigger_logs = _free_ports(2)
        return (
            self.environment()
            | {
                "AIRFLOW_HOME": str(home),
                "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
                "AIRFLOW__CORE__PARALLELISM": "4",
                "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
                "AIRFLOW__API__HOST": LOOPBACK,
                "AIRFLOW__API__PORT": str(self.ports.airflow),
                "AIRFLOW__API__BASE_URL": self.airflow_url,
                "AIRFLOW__API__WORKERS": "1",
                "AIRFLOW__API__SECRET_KEY": self.secret,
                "AIRFLOW__API_AUTH__JWT_SECRET": self.secret,
                "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_logs),
                "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
                "AIRFLOW__FESTAF__REGISTRY_URL": self.registry_url,
                "AIRFLOW__FESTAF__NAMESPACE": self.namespace,
                "AIRFLOW__FESTAF__SPOOL_DIR": str(self.folder / "spool"),
                "AIRFLOW_CONN_AWS_DEFAULT": self._aws_connection(),
                "AIRFLOW_CONN_AWS_PREDICTION": self._aws_connection(
                    role_arn=PREDICTION_ROLE_ARN, service_config={"sts": {"endpoint_url": self.local_aws_url}}
                ),
                "AIRFLOW_VAR_FESTAF_BUCKET": BUCKET,
                "AIRFLOW_VAR_FESTAF_ROLE_ARN": ROLE_ARN,
            }
            | ({"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database} if self.airflow_database else {})
            | ({"AIRFLOW__FESTAF__TOKEN": self.registry_token} if self.registry_token else {})
            | self.settings
        )

    def _aws_connection(self, **more: object) -> str:
        extra = {"region_name": REGION, "endpoint_url": self.local_aws_url, **more}
        return json.dumps({"conn_type": "aws", "login": "local", "password": "local", "extra": extra})
