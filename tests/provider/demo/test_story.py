"""What stops the demo before it starts: one sentence each, and nothing touched."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from festaf.provider.cli.demo import app
from festaf.provider.demo.errors import DemoError
from festaf.provider.demo.figures import Figures
from festaf.provider.demo.place import Place, Ports
from festaf.provider.demo.story import MARK, fresh_folder, stop_on_signals

DAGS = Path(__file__).parents[3] / "dags"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["--exit", *arguments])
    return result.exit_code, result.stderr


def test_a_taken_port_is_named_with_the_option_that_chooses_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free = Ports.free()
        code, error = run(
            *("--folder", str(tmp_path / "demo"), "--dags", str(DAGS), "--airflow-port", str(free.airflow)),
            *("--registry-port", str(port), "--local-aws-port", str(free.local_aws)),
        )
    assert (code, error) == (
        1,
        f"festaf demo: Port {port} is in use: stop what listens there, or choose another with --registry-port\n",
    )
    assert not (tmp_path / "demo").exists()


def test_a_folder_without_dags_is_named(tmp_path: Path) -> None:
    code, error = run("--folder", str(tmp_path / "demo"), "--dags", str(tmp_path))
    assert code == 1
    assert error.startswith(f"festaf demo: There are no example DAGs in {tmp_path}: run the demo in a checkout")


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with (
        pytest.raises(DemoError, match="holds other things than a demo's"),
        fresh_folder(Place(tmp_path, DAGS, Ports())),
    ):
        pytest.fail("the folder was taken")
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = Place(tmp_path / "file" / "demo", DAGS, Ports())
    with pytest.raises(DemoError, match=r"demo cannot be made: .*; choose another with --folder"), fresh_folder(place):
        pytest.fail("the folder was taken")


def test_a_second_demo_empties_the_first_ones_folder_but_not_while_it_runs(tmp_path: Path) -> None:
    place = Place(tmp_path / "demo", DAGS, Ports())
    with fresh_folder(place):
        (place.folder / "old").touch()
        with pytest.raises(DemoError, match="Another demo runs in"), fresh_folder(place):
            pytest.fail("two demos in one folder")
    with fresh_folder(place):
        assert [path.name for path in place.folder.iterdir()] == [MARK]


def test_the_demo_never_sees_anybodys_own_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AIRFLOW_CONN_AWS_DEFAULT", "AIRFLOW__CORE__DAGS_FOLDER"):
        monkeypatch.setenv(name, "production")
    environment = Place(tmp_path, DAGS, Ports()).airflow_environment()
    assert "production" not in environment.values()


def stop_under_a_hail_of_signals(stopped: list[str]) -> None:
    with stop_on_signals():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(os.getpid(), number)
            stopped.append("everything")


def test_a_second_signal_does_not_stop_the_stopping() -> None:
    stopped: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        stop_under_a_hail_of_signals(stopped)
    assert stopped == ["everything"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"rejected": 1}, "rows read and rows accepted or rejected do not agree: 10 and 11"),
        ({"offline": 9}, "rows accepted and rows visible offline do not agree: 10 and 9"),
        ({"online": 4}, "identifiers offline and records online do not agree: 3 and 4"),
    ],
)
def test_counts_that_do_not_agree_fail_the_demo(changed: dict[str, int], sentence: str) -> None:
    good = {"read": 10, "accepted": 10, "rejected": 0, "offline": 10, "identifiers": 3, "online": 3}
    Figures(feature_set="weather", **good).check()
    with pytest.raises(DemoError, match=sentence):
        Figures(feature_set="weather", **(good | changed)).check()
