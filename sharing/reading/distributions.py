"""Name the distributions that imports need: Airflow's providers, and others.

The same bytes must give the same names on every side, so what happens to be installed is not asked.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STANDARD_MODULES = {
    "airflow.operators.bash", "airflow.operators.python", "airflow.operators.empty", "airflow.operators.dummy",
    "airflow.operators.datetime", "airflow.operators.weekday", "airflow.operators.trigger_dagrun",
    "airflow.operators.latest_only", "airflow.operators.branch", "airflow.sensors.bash", "airflow.sensors.date_time",
    "airflow.sensors.external_task", "airflow.sensors.filesystem", "airflow.sensors.python",
    "airflow.sensors.time_delta", "airflow.sensors.time_sensor", "airflow.sensors.weekday", "airflow.hooks.filesystem",
    "airflow.hooks.package_index", "airflow.hooks.subprocess",
    "airflow.operators.bash_operator", "airflow.operators.python_operator", "airflow.operators.dummy_operator",
    "airflow.operators.branch_operator", "airflow.operators.dagrun_operator", "airflow.operators.latest_only_operator",
    "airflow.sensors.external_task_sensor",
}  # fmt: skip
OLD_MODULES = {
    "airflow.operators.email": "apache-airflow-providers-smtp",
    "airflow.operators.email_operator": "apache-airflow-providers-smtp",
    "airflow.operators.sql": "apache-airflow-providers-common-sql",
    "airflow.sensors.sql": "apache-airflow-providers-common-sql",
}
PROJECTS = {
    "OpenSSL": "pyOpenSSL", "PIL": "pillow", "attr": "attrs", "bs4": "beautifulsoup4", "cosmos": "astronomer-cosmos",
    "cv2": "opencv-python", "dagfactory": "dag-factory", "dateutil": "python-dateutil", "dotenv": "python-dotenv",
    "fitz": "PyMuPDF", "git": "GitPython", "github": "PyGithub", "jose": "python-jose", "jwt": "PyJWT",
    "kafka": "kafka-python", "magic": "python-magic", "MySQLdb": "mysqlclient", "nacl": "PyNaCl",
    "psycopg2": "psycopg2-binary", "ruamel": "ruamel.yaml", "serial": "pyserial", "simplejson": "simplejson",
    "skimage": "scikit-image", "sklearn": "scikit-learn", "slack": "slackclient", "telegram": "python-telegram-bot",
    "usb": "pyusb", "yaml": "PyYAML", "zmq": "pyzmq", "Crypto": "pycryptodome",
    "snowflake": "snowflake-connector-python",
    "databricks": "databricks-sql-connector", "pkg_resources": "setuptools", "docx": "python-docx",
    "pptx": "python-pptx", "lxml": "lxml", "markdown": "Markdown", "jinja2": "Jinja2", "slugify": "python-slugify",
    "stdnum": "python-stdnum", "pythonjsonlogger": "python-json-logger",
    "ldap": "python-ldap", "gnupg": "python-gnupg", "ee": "earthengine-api",
}  # fmt: skip
NAMESPACES = {"google", "google.cloud", "azure", "azure.storage", "azure.mgmt"}
"""Packages of packages: what is imported of them names the distribution."""
GOOGLE = {"auth": "google-auth", "oauth2": "google-auth", "api_core": "google-api-core", "protobuf": "protobuf"}


@lru_cache(maxsize=1)
def _providers() -> frozenset[str]:
    return frozenset(json.loads(files(__package__).joinpath("providers.json").read_text("utf-8")))


def split(modules: Iterable[str]) -> tuple[list[str], list[str]]:
    """Sort imported modules into providers of Airflow and other distributions, by name."""
    providers: set[str] = set()
    others: set[str] = set()
    for module in modules:
        if module == "airflow" or module.startswith("airflow."):
            provider = _provider(module)
            if provider is not None:
                providers.add(provider)
        elif module and module.partition(".")[0] not in sys.stdlib_module_names and module not in NAMESPACES:
            others.add(_project(module))
    return sorted(providers), sorted(others)


def _provider(module: str) -> str | None:
    """Name the provider that has a module: the longest name that fits."""
    parts = module.split(".")
    if parts[:2] == ["airflow", "providers"]:
        for length in (5, 4, 3):
            name = "-".join(parts[2:length])
            if len(parts) >= length and name.replace("_", "-") in _providers():
                return f"apache-airflow-providers-{name.replace('_', '-')}"
        return f"apache-airflow-providers-{parts[2].replace('_', '-')}" if len(parts) > 3 else None
    for length in range(len(parts), 1, -1):
        path = ".".join(parts[:length])
        if path in STANDARD_MODULES:
            return "apache-airflow-providers-standard"
        if path in OLD_MODULES:
            return OLD_MODULES[path]
    return None


def _project(module: str) -> str:
    root, _, rest = module.partition(".")
    if root == "google" and rest:
        second, _, third = rest.partition(".")
        if second == "cloud" and third:
            return f"google-cloud-{third.partition('.')[0].replace('_', '-')}"
        return GOOGLE.get(second, f"google-{second.replace('_', '-')}")
    if root == "azure" and rest:
        return "azure-" + "-".join(part.replace("_", "-") for part in rest.split(".")[:2] if part.islower())
    return PROJECTS.get(root, root.replace("_", "-"))
