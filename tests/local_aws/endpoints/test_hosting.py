"""Endpoints and the server's own life: restarts, ends, and what a server leaves behind."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_aws.endpoints.endpoints import Stage, eventually, times, variant
from tests.local_aws.endpoints.test_runtime import ECHO
from tests.local_aws.models.models import MODELS
from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator


def workers(server: int) -> list[int]:
    """Give the ids of the model processes that a server has started and that still run."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            command = (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == server and b"festaf.local_aws.serving.container" in command:
            found.append(int(process.name))
    return found


def all_gone(processes: list[int]) -> bool:
    """Say whether none of these runs any more."""
    until = time.monotonic() + 10
    while any(_runs(one) for one in processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def one() -> Iterator[Stage]:
    """Give a server of its own with one endpoint in service."""
    with LocalAws.started() as server:
        stage = Stage(server)
        stage.config(stage.model("a", times(2)))
        stage.endpoint("a")
        yield stage


def test_no_model_outlives_its_server(one: Stage) -> None:
    found = workers(one.aws.process.pid)
    assert len(found) == 1
    one.aws.process.terminate()
    one.aws.process.wait(timeout=20)
    assert all_gone(found)


def test_no_model_outlives_a_server_that_is_killed(one: Stage) -> None:
    found = workers(one.aws.process.pid)
    assert len(found) == 1
    directory = Path(f"/proc/{found[0]}/cwd").resolve().parent
    one.aws.process.kill()
    one.aws.process.wait(timeout=20)
    assert all_gone(found)
    assert not directory.exists()


def test_requests_that_still_run_do_not_keep_a_server_from_ending(one: Stage) -> None:
    one.model("slow", ECHO)
    output = {"S3OutputPath": f"s3://{MODELS}/out"}
    one.config("slow", variant("slow"), AsyncInferenceConfig={"OutputConfig": output})
    one.endpoint("slow", "slow")
    for _ in range(8):
        one.runtime.invoke_endpoint_async(EndpointName="slow", Body=b"300", ContentType="text/sleep")
    found = workers(one.aws.process.pid)
    one.aws.process.terminate()
    one.aws.process.wait(timeout=20)
    assert all_gone(found)


def test_deleting_updating_and_resetting_end_processes(one: Stage) -> None:
    server = one.aws.process.pid
    before = workers(server)
    one.config(one.model("b", times(3)))
    one.update("b")
    one.until("InService")
    eventually(lambda: workers(server), lambda found: len(found) == 1 and found != before)
    one.sagemaker.delete_endpoint(EndpointName="answers")
    eventually(lambda: workers(server), lambda found: not found)
    one.endpoint("a")
    one.aws.reset()
    assert workers(server) == []


def test_endpoints_come_back_after_a_restart(tmp_path: Path) -> None:
    with LocalAws.started("--state", str(tmp_path)) as server:
        stage = Stage(server)
        stage.config(stage.model("a", times(2)))
        stage.config(stage.model("b", times(3)))
        stage.endpoint("a")
        stage.ask()
        # Reading them makes the server put them, which the journal must not keep, or it would grow with every request.
        assert stage.aws.client("cloudwatch").list_metrics(Namespace="AWS/SageMaker")["Metrics"]
        before = stage.describe()
        stage.aws.settings(endpoint_update_seconds=1000)
        stage.update("b")
        server.process.kill()
        server.process.wait(timeout=20)
    with closing(sqlite3.connect(tmp_path / "cloud.sqlite")) as journal:
        kept = [body for (body,) in journal.execute("SELECT body FROM request")]
    assert kept
    assert not [body for body in kept if b"ModelLatency" in body or b"/aws/sagemaker/Endpoints" in body]
    with LocalAws.started("--state", str(tmp_path)) as server:
        stage = Stage(server)
        found = stage.describe()
        assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("Updating", "a")
        assert found["CreationTime"] == before["CreationTime"]
        assert found["ProductionVariants"] == before["ProductionVariants"]
        assert stage.ask("3")[0] == "6.0"
        server.advance(1000)
        assert stage.until("InService")["EndpointConfigName"] == "b"
        assert stage.ask("3")[0] == "9.0"
