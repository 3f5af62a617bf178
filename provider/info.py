"""What Airflow shows of this provider: its modules, its connection type and its configuration."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, get_args

from festaf.contract.names import SCHEME, ArtifactKind
from festaf.provider.lineage import settings

NAME = "festaf"
_HOOKS = [
    "festaf.provider.hooks.athena",
    "festaf.provider.hooks.endpoint",
    "festaf.provider.hooks.feature_store",
    "festaf.provider.hooks.lineage",
    "festaf.provider.hooks.model",
    "festaf.provider.hooks.monitoring",
    "festaf.provider.hooks.registry",
]


def get_provider_info() -> dict[str, Any]:
    """Describe the provider in Airflow's own words (``provider_info.schema.json``); no module of it is imported."""
    return {
        "package-name": "festaf",
        "name": NAME,
        "description": "SageMaker feature sets, models and endpoints, and a registry of the DAGs that made them.",
        "integrations": [
            {
                "integration-name": NAME,
                "external-doc-url": "https://github.com/festaf/festaf",
                "tags": ["aws", "machine-learning"],
            }
        ],
        "operators": _listed(_modules("operators")),
        "sensors": _listed(_modules("sensors")),
        "triggers": _listed(_modules("provider", "triggers")),
        "hooks": _listed(_HOOKS),
        "connection-types": [_connection_type()],
        "asset-uris": [_asset_uris()],
        "config": {settings.SECTION: {"description": "The registry of festaf.", "options": _options()}},
    }


def _listed(modules: list[str]) -> list[dict[str, Any]]:
    return [{"integration-name": NAME, "python-modules": modules}]


def _modules(*rooms: str) -> list[str]:
    """Name the modules of a room by its files and folders."""
    folder = files("festaf").joinpath(*rooms)
    names = {
        entry.name.removesuffix(".py")
        for entry in folder.iterdir()
        if entry.name.endswith(".py") or entry.joinpath("__init__.py").is_file()
    }
    return [".".join(("festaf", *rooms, name)) for name in sorted(names - {"__init__"})]


def _connection_type() -> dict[str, Any]:
    return {
        "connection-type": "festaf",
        "hook-class-name": "festaf.provider.hooks.registry.RegistryHook",
        "hook-name": "festaf registry",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "login", "port", "extra"],
            "relabeling": {"host": "Registry URL", "password": "Token"},
            "placeholders": {"host": "http://127.0.0.1:8750", "password": "a token with the scope to write lineage"},
        },
    }


def _asset_uris() -> dict[str, Any]:
    """Name our assets to OpenLineage. Airflow asks no handler for a scheme that begins with ``x-``."""
    schemes = [SCHEME, *(f"{SCHEME}-{kind}" for kind in get_args(ArtifactKind))]
    converter = "festaf.provider.lineage.operator_lineage.asset_dataset"
    return {"schemes": schemes, "handler": None, "to_openlineage_converter": converter}


def _options() -> dict[str, Any]:
    return {
        "registry_url": _option(
            "Address of the registry. Lineage is captured only when this or a connection names one.",
            example="https://registry.example.com",
        ),
        "registry_conn_id": _option(
            "Airflow connection that names the registry, when registry_url does not: the host is its URL, the password "
            "its token. It is looked up when the first event is sent.",
            example=settings.DEFAULT_CONNECTION,
        ),
        "token": _option(
            "Token for the registry at registry_url; token_cmd and token_secret work too.", sensitive=True
        ),
        "namespace": _option(
            "OpenLineage namespace of this Airflow; empty means that of the OpenLineage provider, or 'default'.",
        ),
        "spool_dir": _option(
            "Folder where events wait for the registry; empty means festaf/spool in AIRFLOW_HOME. One per machine.",
        ),
        "spool_max_events": _option(
            "Events that may wait; newer ones are refused with an error in the log.",
            kind="integer",
            default=settings.SPOOL_EVENTS,
        ),
        "spool_max_megabytes": _option("Megabytes that may wait.", kind="integer", default=settings.SPOOL_MEGABYTES),
        "delivery_timeout": _option(
            "Seconds that a task's process may try to reach the registry, after the task's end was recorded.",
            kind="float",
            default=settings.DELIVERY_TIMEOUT,
        ),
        "flush_interval": _option(
            "Seconds between two looks of the scheduler, the triggerer and the DAG processor into the spool.",
            kind="float",
            default=settings.FLUSH_INTERVAL,
        ),
        "extraction_timeout": _option(
            "Seconds that an operator of another provider may take to tell its own lineage, after the task's end was "
            "recorded; 0 asks none.",
            kind="float",
            default=settings.EXTRACTION_TIMEOUT,
        ),
        "hook_lineage": _option(
            "Whether hooks report what they read and write. Each task's process then imports every provider once.",
            kind="boolean",
            default=False,
        ),
        "lock_file": _option(
            "File that says which DAG packages run here, by digest; 'festaf dag import' writes it. Empty means "
            "festaf/dags.lock in AIRFLOW_HOME. The DAG processor and every worker read it.",
        ),
        "send_source": _option(
            "Whether the text of DAG files, Python functions and SQL is sent; the hash of a DAG file is always.",
            kind="boolean",
            default=True,
        ),
    }


def _option(
    description: str,
    *,
    kind: str = "string",
    default: float | bool | str = "",
    example: str | None = None,
    sensitive: bool = False,
) -> dict[str, Any]:
    option: dict[str, Any] = {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": str(default),
    }
    if sensitive:
        option["sensitive"] = True
    return option
