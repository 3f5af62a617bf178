"""Workers: real processes that load a model and answer by SageMaker's contract."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from festaf.local_aws.serving import Worker, WorkerError, WorkerGoneError, WorkerTimeoutError
from tests.local_aws.endpoints.endpoints import eventually
from tests.local_aws.model_archives import DOUBLE, fitted, joblib_model, packed, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running(model_data: bytes | None, code: bytes | None = None, **environment: str) -> Iterator[Worker]:
    worker = Worker.start(model_data, environment, code=code, deadline=60)
    try:
        yield worker
    finally:
        worker.stop()


def gone(process_id: int) -> bool:
    """Wait until a process is not there any more, or only waits to be collected."""
    for _ in range(200):
        try:
            if Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_fitted_model_predicts_as_it_does_in_process() -> None:
    model, rows = fitted()
    expected = model.predict(rows)
    csv = "\n".join(",".join(map(repr, map(float, row))) for row in rows).encode()
    npy = io.BytesIO()
    np.save(npy, rows)
    with running(joblib_model(model)) as worker:
        answered = worker.invoke(csv, "text/csv", "application/json")
        assert (answered.status, answered.content_type) == (200, "application/json")
        np.testing.assert_allclose(json.loads(answered.body), expected, rtol=1e-12)
        answered = worker.invoke(json.dumps(rows.tolist()).encode(), "application/json", "text/csv")
        np.testing.assert_allclose(np.loadtxt(io.BytesIO(answered.body)), expected, rtol=1e-12)
        answered = worker.invoke(npy.getvalue(), "application/x-npy", "application/x-npy")
        np.testing.assert_array_equal(np.load(io.BytesIO(answered.body)), expected)
        assert worker.invoke(csv.splitlines()[0], "text/csv").status == 200


def test_handlers_of_the_user_take_over() -> None:
    with running(serving(DOUBLE)) as worker:
        assert worker.invoke(b"[1, 2.5]", "application/json").body == b"[2, 5.0]"


def test_a_transform_function_stands_for_all_three() -> None:
    script = "def transform_fn(model, body, content_type, accept):\n    return f'{body}|{content_type}', accept\n"
    with running(serving(script + "def model_fn(model_dir):\n    return None\n")) as worker:
        answered = worker.invoke(b"a,b", "text/csv; charset=utf-8", "text/csv")
    assert (answered.body, answered.content_type) == (b"a,b|text/csv; charset=utf-8", "text/csv")


def test_the_program_and_its_directory_may_be_named() -> None:
    with running(None, packed({"serve.py": DOUBLE}), SAGEMAKER_PROGRAM="serve.py") as worker:
        assert worker.invoke(b"[4]", "application/json").body == b"[8]"


def test_an_unknown_type_and_an_error_of_the_model_are_answers() -> None:
    model, _ = fitted()
    with running(joblib_model(model)) as worker:
        assert worker.invoke(b"<x/>", "text/xml").status == 415
        assert worker.invoke(b"1,2,3", "text/csv", "image/png").status == 415
        failed = worker.invoke(b"1,2", "text/csv")
        assert failed.status == 500
        assert failed.body.startswith(b"ValueError: X has 2 features")
        assert "Traceback" in worker.log()
        assert worker.invoke(b"1,2,3", "text/csv").status == 200


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def model_fn(model_dir):\n    raise RuntimeError('no weights')", "RuntimeError: no weights"),
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("def model_fn(model_dir):\n    import os; os._exit(3)", "It ended with exit code 3."),
        ("import time\ndef model_fn(model_dir):\n    time.sleep(60)", "It did not answer within 2 seconds."),
    ],
)
def test_a_model_that_does_not_load_says_why(script: str, reason: str) -> None:
    with pytest.raises(WorkerError) as raised:
        Worker.start(serving(script), {}, deadline=2 if "sleep" in script else 60)
    assert raised.value.reason == reason


def test_an_archive_without_a_model_says_what_is_in_it() -> None:
    with pytest.raises(WorkerError, match=r"no code/inference.py with a model_fn.*there is: notes.txt"):
        Worker.start(packed({"notes.txt": "hello"}), {})
    with pytest.raises(WorkerError, match="needs the library onnxruntime"):
        Worker.start(packed({"model.onnx": b"x"}), {})


def test_an_unsafe_archive_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    for path in ("../../outside", os.path.relpath(outside, "/tmp/festaf-serving-12345678/model")):
        with pytest.raises(WorkerError, match="unsafe"):
            Worker.spawn(packed({path: "x"}), {})
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(link)
    with pytest.raises(WorkerError, match="unsafe"):
        Worker.spawn(content.getvalue(), {})
    with pytest.raises(WorkerError, match="cannot be unpacked"):
        Worker.spawn(b"no archive", {})
    assert not outside.exists()


def test_a_worker_sees_its_environment_and_not_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("FESTAF_TOKEN", "secret")
    script = (
        "import json, os\ndef model_fn(model_dir):\n    return None\n"
        "def transform_fn(model, body, content_type, accept):\n    return json.dumps(dict(os.environ)), accept\n"
    )
    with running(serving(script), THRESHOLD="0.5") as worker:
        seen = json.loads(worker.invoke(b"", "text/plain", "application/json").body)
    assert seen["THRESHOLD"] == "0.5"
    assert "secret" not in seen.values()
    assert not [name for name in seen if name.startswith(("AWS_", "FESTAF_", "AIRFLOW"))]


SLEEPY = (
    "import subprocess, sys, time\n"
    "def model_fn(model_dir):\n    return subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "def transform_fn(model, body, content_type, accept):\n"
    "    time.sleep(float(body or 0))\n    return str(model.pid), accept\n"
)


def test_stopping_ends_what_the_model_started_and_leaves_no_files() -> None:
    with running(serving(SLEEPY)) as worker:
        child = int(worker.invoke(b"", "text/csv", "text/csv").body)
        directory = Path(f"/proc/{worker.process_id}/cwd").resolve().parent
        assert directory.name.startswith("festaf-serving-")
    assert gone(worker.process_id)
    assert gone(child)
    assert not directory.exists()
    with pytest.raises(WorkerGoneError):
        worker.invoke(b"0", "text/csv")


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    with running(serving(SLEEPY)) as worker, pytest.raises(WorkerTimeoutError):
        worker.invoke(b"5", "text/csv", timeout=0.2)


def test_a_worker_that_dies_is_noticed() -> None:
    with running(serving(DOUBLE)) as worker:
        assert worker.alive
        os.kill(worker.process_id, signal.SIGKILL)
        with pytest.raises(WorkerGoneError):
            worker.invoke(b"[1]", "application/json")
        eventually(lambda: worker.alive, lambda alive: not alive)


def test_a_worker_that_loads_leaves_no_files_when_its_server_is_killed() -> None:
    script = "import os, time\nwhile os.listdir('.'):\n    time.sleep(0.001)\nraise RuntimeError('it is gone')\n"
    files = {f"notes/{number}.txt": "x" for number in range(500)}
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from festaf.local_aws.serving import Worker\n"
            "from tests.local_aws.model_archives import packed\n"
            f"worker = Worker.spawn(packed({ ({'code/inference.py': script} | files)!r}), {{}})\n"
            "print(worker.process_id, flush=True)\n"
            "time.sleep(600)\n",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        worker = int(parent.stdout.readline())
        directory = Path(f"/proc/{worker}/cwd").resolve().parent
        time.sleep(1.0)
        parent.kill()
        parent.wait()
    assert gone(worker)
    assert not directory.exists()


def test_workers_end_with_the_server_even_when_it_is_killed() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from festaf.local_aws.serving import Worker\n"
            "from tests.local_aws.model_archives import serving\n"
            "from tests.local_aws.serving.test_worker import SLEEPY\n"
            "worker = Worker.start(serving(SLEEPY), {})\n"
            "child = int(worker.invoke(b'', 'text/csv', 'text/csv').body)\n"
            "print(worker.process_id, child, flush=True)\n"
            "time.sleep(600)\n",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        worker, child = map(int, parent.stdout.readline().split())
        directory = Path(f"/proc/{worker}/cwd").resolve().parent
        parent.kill()
        parent.wait()
    assert gone(worker)
    assert gone(child)
    assert not directory.exists()
