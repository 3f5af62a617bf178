"""The ``[festaf]`` section of Airflow's configuration; read when asked, never at import."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from festaf.contract.names import DEFAULT_NAMESPACE

SECTION = "festaf"
TOKEN = "token"
DEFAULT_CONNECTION = "festaf_default"
DEFAULT_VARIABLE = f"AIRFLOW_CONN_{DEFAULT_CONNECTION.upper()}"
"""The environment variable that defines it."""
DELIVERY_TIMEOUT = 2.0
FLUSH_INTERVAL = 10.0
EXTRACTION_TIMEOUT = 5.0
SPOOL_EVENTS = 10_000
SPOOL_MEGABYTES = 256


@dataclass(frozen=True)
class Endpoint:
    """Where the registry stands and what opens it."""

    url: str
    token: str | None


@dataclass(frozen=True)
class LineageSettings:
    """What the section says; times in seconds."""

    registry_url: str | None
    registry_conn_id: str | None
    namespace: str
    spool_folder: Path
    spool_events: int
    spool_bytes: int
    delivery_timeout: float
    flush_interval: float
    send_source: bool
    extraction_timeout: float = EXTRACTION_TIMEOUT

    def endpoint(self) -> Endpoint:
        """Find the registry: the address in the section, or else the connection.

        :raises ValueError: neither names one
        """
        if self.registry_url:
            return Endpoint(self.registry_url, _text(TOKEN))
        from airflow.providers.common.compat.sdk import BaseHook

        return endpoint_of(BaseHook.get_connection(self.registry_conn_id or DEFAULT_CONNECTION))


def may_be_configured() -> bool:
    """Tell whether anything can name a registry to Airflow: its file, or the environment; no Airflow is imported."""
    file = Path(os.environ.get("AIRFLOW_CONFIG") or _home() / "airflow.cfg").expanduser()
    ours = (f"AIRFLOW__{SECTION.upper()}__", DEFAULT_VARIABLE)
    return file.exists() or any(name.startswith(ours) for name in os.environ)


def is_configured() -> bool:
    """Tell whether a registry is named, without looking the connection up."""
    from airflow.configuration import conf

    return bool(
        conf.get(SECTION, "registry_url", fallback="")
        or conf.get(SECTION, "registry_conn_id", fallback="")
        or os.environ.get(DEFAULT_VARIABLE)
    )


def reads_hooks() -> bool:
    """Tell whether hooks are to report what they read and write."""
    from airflow.configuration import conf

    return conf.getboolean(SECTION, "hook_lineage", fallback=False)


def load_settings() -> LineageSettings:
    """Read the section."""
    from airflow.configuration import conf

    folder = _text("spool_dir")
    return LineageSettings(
        registry_url=_text("registry_url"),
        registry_conn_id=_text("registry_conn_id"),
        namespace=_text("namespace") or _openlineage_namespace(),
        spool_folder=Path(folder) if folder else default_spool_folder(),
        spool_events=conf.getint(SECTION, "spool_max_events", fallback=SPOOL_EVENTS),
        spool_bytes=conf.getint(SECTION, "spool_max_megabytes", fallback=SPOOL_MEGABYTES) * 1024 * 1024,
        delivery_timeout=conf.getfloat(SECTION, "delivery_timeout", fallback=DELIVERY_TIMEOUT),
        flush_interval=conf.getfloat(SECTION, "flush_interval", fallback=FLUSH_INTERVAL),
        send_source=conf.getboolean(SECTION, "send_source", fallback=True),
        extraction_timeout=conf.getfloat(SECTION, "extraction_timeout", fallback=EXTRACTION_TIMEOUT),
    )


def default_spool_folder() -> Path:
    """Give the spool's place in Airflow's home, as Airflow finds it; no Airflow is imported."""
    return _home() / "festaf" / "spool"


def endpoint_of(connection: object) -> Endpoint:
    """Read a connection: the registry's URL is its host, the token its password.

    A host without a scheme is completed from the connection's schema (``http`` or ``https``) and port.

    :raises ValueError: the connection has no host
    """
    host = str(getattr(connection, "host", None) or "").rstrip("/")
    if not host:
        raise ValueError(
            f"The connection {getattr(connection, 'conn_id', None)!r} has no host: write the registry's URL"
        )
    port = getattr(connection, "port", None)
    if "://" not in host:
        scheme = getattr(connection, "schema", None) or "http"
        host = f"{scheme}://{host}" + (f":{port}" if port else "")
    return Endpoint(host, getattr(connection, "password", None) or None)


def _home() -> Path:
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()


def _text(option: str) -> str | None:
    from airflow.configuration import conf

    if option == TOKEN:
        # A worker of Airflow 3.1 does not read what providers say of their options, so it knows no ``token_cmd``.
        conf.sensitive_config_values.add((SECTION, TOKEN))
    # What a command prints for ``token_cmd`` ends with a line break.
    return conf.get(SECTION, option, fallback="").strip() or None


def _openlineage_namespace() -> str:
    """Use Airflow's OpenLineage namespace, so that its events and ours speak of the same runs."""
    from airflow.configuration import conf

    return (
        conf.get("openlineage", "namespace", fallback="")
        or os.environ.get("OPENLINEAGE_NAMESPACE")
        or DEFAULT_NAMESPACE
    )
