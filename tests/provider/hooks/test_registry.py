"""The hook opens the registry that a connection names."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException

from festaf.provider.hooks.registry import RegistryHook
from tests.client.recorder import Recorder, Reply


def test_a_connection_opens_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    with Recorder.started() as recorder:
        connection = f'{{"conn_type": "festaf", "host": "{recorder.url}", "password": "secret"}}'
        monkeypatch.setenv("AIRFLOW_CONN_FESTAF_DEFAULT", connection)
        assert RegistryHook().test_connection() == (True, f"The registry at {recorder.url} is ready")
        assert recorder.requests[0].headers["authorization"] == "Bearer secret"
        recorder.answer = lambda _: Reply(503)
        assert RegistryHook().test_connection()[0] is False


def test_without_the_default_connection_the_configured_registry_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    with Recorder.started() as recorder:
        monkeypatch.setenv("AIRFLOW__FESTAF__REGISTRY_URL", recorder.url)
        monkeypatch.setenv("AIRFLOW__FESTAF__TOKEN", "secret")
        with RegistryHook().get_conn() as registry, RegistryHook().get_packages() as packages:
            assert registry.url == packages.url == recorder.url
            assert registry.ready()
        assert recorder.requests[0].headers["authorization"] == "Bearer secret"
        with pytest.raises(AirflowNotFoundException):
            RegistryHook("misspelt").get_conn()
    monkeypatch.delenv("AIRFLOW__FESTAF__REGISTRY_URL")
    with pytest.raises(AirflowNotFoundException):
        RegistryHook().get_conn()


def test_a_connection_without_a_host_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FESTAF_DEFAULT", '{"conn_type": "festaf"}')
    ready, sentence = RegistryHook().test_connection()
    assert not ready
    assert "has no host" in sentence
