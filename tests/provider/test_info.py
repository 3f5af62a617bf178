"""What Airflow shows of the provider is valid, complete and true."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import airflow
import jsonschema
import pytest

from festaf.provider.info import get_provider_info
from festaf.provider.lineage import settings

INFO = get_provider_info()
SCHEMA = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())


def test_the_information_fits_airflows_schema() -> None:
    jsonschema.validate(INFO, SCHEMA)


def test_airflow_finds_the_information_by_its_entry_point() -> None:
    (entry,) = (entry for entry in entry_points(group="apache_airflow_provider") if entry.dist.name == "festaf")
    assert entry.load() is get_provider_info


@pytest.mark.parametrize("kind", ["operators", "sensors", "hooks", "triggers"])
def test_every_listed_module_exists(kind: str) -> None:
    modules = [module for group in INFO[kind] for module in group["python-modules"]]
    assert modules
    assert [module for module in modules if find_spec(module) is None] == []


def test_the_connection_type_is_that_of_its_hook() -> None:
    (connection,) = INFO["connection-types"]
    module, name = connection["hook-class-name"].rsplit(".", 1)
    hook = getattr(import_module(module), name)
    assert hook.conn_type == connection["connection-type"]
    assert hook.hook_name == connection["hook-name"]


def test_the_defaults_shown_are_those_in_force() -> None:
    options = INFO["config"]["festaf"]["options"]
    assert float(options["delivery_timeout"]["default"]) == settings.DELIVERY_TIMEOUT
    assert options["token"]["sensitive"]
    assert {option["version_added"] for option in options.values()} == {"0.1.0"}
