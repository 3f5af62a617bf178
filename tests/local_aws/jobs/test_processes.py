"""No script outlives its job or its server, and a job is known over a restart."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from festaf.local_aws.jobs.container import Container
from festaf.local_aws.jobs.failure import JobFailedError
from festaf.local_aws.jobs.script import Order, Script, can_mount
from tests.local_aws.jobs.test_course import SLEEP, asleep
from tests.local_aws.jobs.work import BUCKET, Workshop, members
from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
    from collections.abc import Callable

FAMILY = """
import os, subprocess, sys, time
command = [sys.executable, "-c", "import time; time.sleep(600)", os.environ["SM_HP_MARK"]]
for alone in (False, True):
    print(subprocess.Popen(command, start_new_session=alone).pid)
print("asleep", flush=True)
time.sleep(float(os.environ["SM_HP_SECONDS"]))
"""


def running(mark: str) -> list[int]:
    """Give the processes whose command line has this text."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in command:
                found.append(int(process.name))
    return found


def soon(what: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until something is so."""
    latest = time.monotonic() + seconds
    while not what() and time.monotonic() < latest:
        time.sleep(0.02)
    return what()


def family(shop: Workshop, mark: str, seconds: float = 600) -> None:
    """Start a job whose script has children, one of them in a session of its own."""
    asleep(shop, mark, FAMILY, HyperParameters={"mark": mark, "seconds": str(seconds)})
    assert soon(lambda: len(running(mark)) >= 3)


def folder(mark: str) -> Path:
    """Give the folder of the job whose script has this text in its command line."""
    surroundings = Path(f"/proc/{running(mark)[0]}/environ").read_bytes().decode().split("\0")
    home = next(one.removeprefix("HOME=") for one in surroundings if one.startswith("HOME="))
    return Path(home).parent


proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="Processes are found by /proc")


@proc
def test_a_stopped_job_leaves_no_process_and_no_file(shop: Workshop) -> None:
    family(shop, "mark-stopped")
    made = folder("mark-stopped")
    assert made.is_dir()
    shop.sagemaker.stop_training_job(TrainingJobName="mark-stopped")
    assert shop.ended("mark-stopped")["TrainingJobStatus"] == "Stopped"
    assert soon(lambda: not running("mark-stopped"))
    assert soon(lambda: not made.exists())


@proc
def test_what_a_script_leaves_behind_ends_with_it(shop: Workshop) -> None:
    found = shop.train("leaves", FAMILY, HyperParameters={"mark": "mark-left", "seconds": "0"})
    assert found["TrainingJobStatus"] == "Completed"
    children = [int(line) for line in shop.log("TrainingJobs", "leaves") if line.isdigit()]
    assert len(children) == 2
    assert not set(children) & set(running("mark-left"))


@proc
def test_a_reset_kills_what_runs(shop: Workshop) -> None:
    family(shop, "mark-reset")
    shop.aws.reset()
    assert not running("mark-reset")
    assert shop.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


@proc
def test_a_servers_clean_end_ends_its_jobs() -> None:
    with LocalAws.started() as server:
        family(Workshop(server), "mark-terminated")
        made = folder("mark-terminated")
        server.process.terminate()
        server.process.wait(timeout=20)
        assert not running("mark-terminated")
        assert not made.exists()


@proc
def test_a_killed_servers_jobs_end_and_the_next_server_says_so(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    with LocalAws.started("--state", state) as server:
        shop = Workshop(server)
        shop.train("done")
        family(shop, "mark-killed")
        made = folder("mark-killed")
        server.settings(job_start_seconds=1000)
        shop.sagemaker.create_training_job(**shop.training("waits", SLEEP))
        server.process.kill()
        server.process.wait(timeout=20)
        assert soon(lambda: not running("mark-killed") and not made.exists())
    with LocalAws.started("--state", state) as server:
        sagemaker = server.client("sagemaker")
        done = sagemaker.describe_training_job(TrainingJobName="done")
        assert done["TrainingJobStatus"] == "Completed"
        assert [one["Status"] for one in done["SecondaryStatusTransitions"]][-1] == "Completed"
        body = server.client("s3").get_object(Bucket=BUCKET, Key="out/done/output/model.tar.gz")["Body"].read()
        assert "model.joblib" in members(body)
        failed = sagemaker.list_training_jobs(StatusEquals="Failed")["TrainingJobSummaries"]
        assert {one["TrainingJobName"] for one in failed} == {"mark-killed", "waits"}
        found = sagemaker.describe_training_job(TrainingJobName="mark-killed")
        assert found["FailureReason"].startswith("InternalServerError: The local AWS ended while the job ran")


@proc
def test_a_script_does_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    order = Order(
        [sys.executable, "-c", "import time; time.sleep(600)", "mark-orphan"], {"PATH": os.defpath}, "/", tmp_path
    )
    script = Script(order)
    assert soon(lambda: len(running("mark-orphan")) == 1)
    script._process.kill()
    assert soon(lambda: not running("mark-orphan"))
    script.close()


def outcome(tmp_path: Path, *command: str, **environment: str) -> tuple[int | None, list[str]]:
    """Run a command in a container, and give its exit code and lines."""
    container = Container(tmp_path / "job", "us-east-1")
    container.folder("/opt/ml/model")
    (container.real("/opt/ml/model") / "here").touch()
    script = Script(container.order(command, environment, "/opt/ml/model", 1))
    code = script.wait(20)
    lines = script.lines()
    script.close()
    return code, lines


@pytest.mark.skipif(not can_mount(), reason="This machine does not let a script see a folder as /opt/ml")
def test_a_script_sees_its_folder_as_opt_ml(tmp_path: Path) -> None:
    code, lines = outcome(tmp_path, "/bin/sh", "-c", "pwd; ls /opt/ml/model; ls /opt | grep -v '^ml$'")
    others = sorted(one.name for one in Path("/opt").iterdir() if one.name != "ml")
    assert lines == ["/opt/ml/model", "here", *others]
    assert code in (0, 1)


def test_paths_are_relocated_where_nothing_can_be_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("festaf.local_aws.jobs.container.can_mount", lambda: False)
    say = 'echo "$@" $WHERE; pwd; ls "$1"'
    code, lines = outcome(
        tmp_path,
        "/bin/sh",
        "-c",
        say,
        "sh",
        "/opt/ml/model",
        "s3://b/opt/ml",
        "--to=/opt/ml/x,/opt/mlx",
        WHERE="/opt/ml",
    )
    root = tmp_path / "job" / "ml"
    assert lines == [f"{root}/model s3://b/opt/ml --to={root}/x,/opt/mlx {root}", f"{root}/model", "here"]
    assert code == 0


@pytest.mark.parametrize("path", ["/etc/passwd", "/opt/ml/../../etc/passwd", "opt/ml", "/opt/mlx"])
def test_a_path_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(JobFailedError, match="is not below /opt/ml"):
        Container(tmp_path, "us-east-1").real(path)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["no-such-command"], 127, "no-such-command cannot be run: No such file or directory"),
        (["/bin/sh", "-c", "kill -9 $$"], 137, ""),
        (["python", "-c", "import sklearn; print('python')"], 0, "python"),
        (["/bin/sh", "-c", "python3 -c 'import joblib; print(1)'"], 0, "1"),
        (["/bin/sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 3"], 3, ""),
    ],
)
def test_a_command_ends_with_its_own_code(tmp_path: Path, command: list[str], code: int, said: str) -> None:
    ended, lines = outcome(tmp_path, *command)
    assert (ended, "\n".join(lines)) == (code, said)


def test_a_script_cannot_write_more_than_its_volume(shop: Workshop) -> None:
    script = (
        "import os\nwith open(os.environ['SM_MODEL_DIR'] + '/x', 'wb') as file:\n    os.truncate(file.fileno(), 2**31)"
    )
    found: dict[str, Any] = shop.train("large", script)
    assert "OSError: [Errno 27] File too large" in found["FailureReason"]
