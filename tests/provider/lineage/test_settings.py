"""The configuration is read when asked, and names the registry in three ways."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from festaf.provider.lineage.settings import Endpoint, endpoint_of, is_configured, load_settings


def test_without_configuration_the_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", "/somewhere")
    settings = load_settings()
    assert not is_configured()
    assert settings.namespace == "default"
    assert settings.spool_folder == Path("/somewhere/festaf/spool")
    assert (settings.delivery_timeout, settings.flush_interval, settings.send_source) == (2.0, 10.0, True)


def test_the_section_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for option, value in {
        "REGISTRY_URL": "http://registry:1",
        "TOKEN": "secret",
        "NAMESPACE": "prod",
        "SPOOL_DIR": "/var/spool/festaf",
        "SPOOL_MAX_MEGABYTES": "1",
        "DELIVERY_TIMEOUT": "0.5",
        "SEND_SOURCE": "False",
    }.items():
        monkeypatch.setenv(f"AIRFLOW__FESTAF__{option}", value)
    settings = load_settings()
    assert is_configured()
    assert settings.endpoint() == Endpoint("http://registry:1", "secret")
    assert (settings.namespace, settings.spool_folder) == ("prod", Path("/var/spool/festaf"))
    assert (settings.spool_bytes, settings.delivery_timeout, settings.send_source) == (1024 * 1024, 0.5, False)


def test_a_token_may_come_from_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__FESTAF__REGISTRY_URL", "http://registry:1")
    monkeypatch.setenv("AIRFLOW__FESTAF__TOKEN_CMD", "echo from-a-command")
    assert load_settings().endpoint().token == "from-a-command"


def test_the_namespace_is_that_of_airflows_openlineage_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "from-the-environment")
    assert load_settings().namespace == "from-the-environment"
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__NAMESPACE", "from-airflow")
    assert load_settings().namespace == "from-airflow"


def test_a_connection_names_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__FESTAF__REGISTRY_CONN_ID", "mine")
    monkeypatch.setenv(
        "AIRFLOW_CONN_MINE", '{"conn_type": "festaf", "host": "https://registry.example.com/", "password": "secret"}'
    )
    assert load_settings().endpoint() == Endpoint("https://registry.example.com", "secret")


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        ({"host": "registry"}, "http://registry"),
        ({"host": "registry", "port": 8750}, "http://registry:8750"),
        ({"host": "registry", "schema": "https"}, "https://registry"),
        ({"host": "http://registry:1"}, "http://registry:1"),
    ],
)
def test_a_connection_is_completed_to_an_address(parts: dict[str, object], url: str) -> None:
    assert endpoint_of(SimpleNamespace(**parts)) == Endpoint(url, None)


def test_a_connection_without_a_host_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="'mine' has no host"):
        endpoint_of(SimpleNamespace(conn_id="mine", host=None))
