"""Deployments are added, shown and removed by those who administer the registry, and no secret is ever stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from festaf.registry_api.cli import app
from tests.registry_api.airflow.test_asset_events import wrote
from tests.registry_api.events import RICH

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_api.airflow.conftest import Sync
    from tests.registry_api.conftest import Registry

GOOD = {"base_url": "https://airflow.example.com/", "namespace": "airflow-prod"}


def test_a_deployment_is_added_changed_and_removed(registry: Registry) -> None:
    added = registry.http.put("/api/v1/airflows/prod", json=GOOD)
    assert (added.status_code, added.json()["base_url"]) == (201, "https://airflow.example.com")
    assert registry.http.put("/api/v1/airflows/prod", json=GOOD | {"poll_seconds": 60}).status_code == 200
    other = registry.http.put("/api/v1/airflows/other", json=GOOD)
    assert (other.status_code, "'prod'" in other.json()["detail"]) == (409, True)
    assert registry.http.put("/api/v1/airflows/a", json=GOOD | {"namespace": "a"}).status_code == 201
    first = registry.get("/airflows", limit=1)
    assert [item["name"] for item in first["items"]] == ["a"]
    second = registry.get("/airflows", limit=1, cursor=first["cursor"])
    assert ([item["poll_seconds"] for item in second["items"]], second["cursor"]) == ([60], None)
    state = registry.get("/airflows/a")["state"]
    assert (state["last_success"], state["lag_seconds"], state["syncing"]) == (None, None, False)
    assert registry.http.delete("/api/v1/airflows/a").status_code == 204
    for method in ("get", "delete"):
        assert registry.http.request(method, "/api/v1/airflows/a").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "ftp://airflow"},
        {"base_url": "https://user:password@airflow"},
        {"base_url": "https://airflow:port"},
        {"base_url": "https://airflow/?token=x"},
        {"secret": "the-token-itself"},
        {"secret": "env:HOME"},
        {"secret": "env:FESTAF_REGISTRY_DATABASE_URL"},
        {"secret": "file:/etc/passwd"},
        {"secret": "file:/run/secrets/../../etc/passwd"},
        {"secret": "file:relative"},
        {"username": "ann"},
        {"poll_seconds": 1},
        {"namespace": ""},
    ],
)
def test_what_cannot_be_used_is_refused_at_once(plain_registry: Registry, wrong: dict[str, Any]) -> None:
    assert plain_registry.http.put("/api/v1/airflows/prod", json=GOOD | wrong).status_code == 422


def test_the_commands_do_the_same(sqlite_sync: Sync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = sqlite_sync
    sync.airflow.add_event(fact=wrote(RICH))
    secret = tmp_path / "token"
    secret.write_text(f"{sync.airflow.token}\n")
    monkeypatch.setenv("FESTAF_AIRFLOW_SECRETS", str(tmp_path))

    def run(*arguments: str, code: int = 0) -> str:
        url = str(sync.registry.database.url)
        done = CliRunner().invoke(app, ["airflow", *arguments, "--database-url", url])
        assert done.exit_code == code, done.output
        return done.output

    assert json.loads(run("remove", "prod", "--json")) == {"removed": "prod"}
    assert "No Airflow is read" in run("list")
    add = ("add", "prod", "--url", sync.airflow.url, "--namespace", "airflow-prod")
    run(*add, "--secret", f"file:{secret}")
    told = run("sync", "prod", "--once")
    assert "1 asset events read" in told
    assert "well" in run("list")
    (shown,) = json.loads(run("list", "--json"))
    assert shown["state"]["counts"]["asset_events"] == 1
    assert sync.productions() == 1
    secret.unlink()
    assert "cannot be read" in run("sync", "prod", "--once", code=1)
    assert "no Airflow is named 'x'" in run("sync", "x", "--once", code=1)
    assert "namespace" in run("add", "prod", "--url", sync.airflow.url, "--namespace", "", code=1)
