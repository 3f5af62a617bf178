"""Every command finds the registry in one way: as it is named, else as Airflow is configured, else on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from festaf.provider.cli import experiments, features, lineage
from festaf.provider.cli.connection import DEFAULT_REGISTRY, connect, find_registry
from festaf.provider.cli.dag.app import app as dags
from festaf.provider.lineage.settings import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.recorder import Recorder

URL = "http://registry.example.com"


@pytest.fixture
def configured(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Configure Airflow for the registry, with a token."""
    monkeypatch.setenv("AIRFLOW__FESTAF__REGISTRY_URL", recorder.url)
    monkeypatch.setenv("AIRFLOW__FESTAF__TOKEN", "of-airflow")
    return recorder


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (dags, "search delays"),
        (dags, "show acme/sales@1.4.0"),
        (dags, "key list acme"),
        (features.app, "list"),
        (features.app, "show nyc/delays/carrier_delay_24h_min"),
        (features.app, "requests"),
        (features.app, "search delay"),
        (lineage.app, "show nyc/delays/carrier_delay_24h_min"),
        (experiments.app, "list"),
    ],
)
def test_a_command_asks_the_registry_that_airflow_is_configured_for(
    configured: Recorder, app: typer.Typer, words: str
) -> None:
    CliRunner().invoke(app, words.split())

    assert {request.headers["authorization"] for request in configured.requests} == {"Bearer of-airflow"}


def test_a_registry_that_is_named_goes_before_and_is_not_given_airflows_token(configured: Recorder) -> None:
    assert find_registry(URL, None) == Endpoint(URL, None)
    assert find_registry(URL, "mine") == Endpoint(URL, "mine")


def test_a_token_that_is_given_goes_before_airflows(configured: Recorder) -> None:
    assert find_registry(None, "mine") == Endpoint(configured.url, "mine")


def test_a_connection_of_airflow_names_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FESTAF_DEFAULT", f"festaf://:secret@{URL.replace('://', '%3A%2F%2F')}")

    assert find_registry(None, None) == Endpoint(URL, "secret")


def test_a_connection_that_is_not_there_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW__FESTAF__REGISTRY_CONN_ID", "nowhere")

    with pytest.raises(typer.Exit):
        find_registry(None, None)

    assert "nowhere" in capsys.readouterr().err


def test_without_any_the_registry_of_this_machine_is_asked_to_look_and_none_to_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))

    with connect(None, "mine") as client:
        assert client.url == DEFAULT_REGISTRY
    sent = CliRunner().invoke(lineage.app, ["flush", "--spool", str(tmp_path)])

    assert sent.exit_code == 1
    assert "No registry is configured" in sent.stderr


def test_airflow_is_not_imported_where_nothing_can_configure_it(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from festaf.provider.cli.connection import find_registry\n"
        "print(find_registry(None, None), 'airflow' in sys.modules)"
    )
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path / "none")}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    assert answer.stdout == "None False\n"


def test_airflows_own_file_names_the_registry(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").write_text(f"[festaf]\nregistry_url = {URL}\ntoken_cmd = echo of-a-command\n")
    code = "from festaf.provider.cli.connection import find_registry\nprint(find_registry(None, None))"
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    assert answer.stdout.splitlines()[-1] == f"Endpoint(url={URL!r}, token='of-a-command')"
