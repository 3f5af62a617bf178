"""The plugin brings a listener when a registry is configured, and nothing otherwise."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from festaf.provider.lineage.listener import LineageListener
from festaf.provider.plugin import FestafPlugin


def test_airflow_finds_the_plugin_by_its_entry_point() -> None:
    (entry,) = entry_points(group="airflow.plugins", name="festaf")
    assert entry.load() is FestafPlugin


def test_without_a_registry_there_is_no_listener() -> None:
    assert FestafPlugin().listeners == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AIRFLOW__FESTAF__REGISTRY_URL", "http://127.0.0.1:8750"),
        ("AIRFLOW__FESTAF__REGISTRY_CONN_ID", "my_registry"),
        ("AIRFLOW_CONN_FESTAF_DEFAULT", "festaf://127.0.0.1:8750"),
    ],
)
def test_a_registry_brings_the_listener(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    (listener,) = FestafPlugin().listeners
    assert isinstance(listener, LineageListener)
