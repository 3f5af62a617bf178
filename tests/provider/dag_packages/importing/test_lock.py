from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from festaf.provider.dag_packages.disk import leftovers
from festaf.provider.dag_packages.importing.lock import Lock, LockedPackage, editing, read_lock

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = (
    LockedPackage(
        registry="https://registry.example",
        namespace="acme",
        name="sales",
        version=version,
        digest=digit * 64,
        bundle="acme-sales",
        dag_ids=("sales",),
        since=datetime(2026, 11, 26, tzinfo=UTC),
    )
    for version, digit in (("1.4.0", "a"), ("1.5.0", "b"))
)
WRITER = """
import os, sys
from pathlib import Path
from festaf.provider.dag_packages.importing.lock import LockedPackage, editing

steps = []

def killing(call):
    def stepped(*args, **kwargs):
        if len(steps) == int(sys.argv[3]):
            os.kill(os.getpid(), 9)
        steps.append(call)
        return call(*args, **kwargs)
    return stepped

os.fsync = killing(os.fsync)
Path.open, Path.replace = killing(Path.open), killing(Path.replace)
with editing(Path(sys.argv[1])) as edit:
    edit.write(edit.lock.with_package(LockedPackage.model_validate_json(sys.argv[2])))
print(len(steps))
"""


def write(path: Path, kill_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WRITER, str(path), NEW.model_dump_json(), str(kill_at)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.long
@pytest.mark.parametrize("step", range(6))
def test_a_kill_at_any_step_leaves_the_old_file_or_the_new_one_and_a_repeat_finishes(tmp_path: Path, step: int) -> None:
    path = tmp_path / "dags.lock"
    with editing(path) as edit:
        edit.write(Lock().with_package(OLD))

    killed = write(path, step)
    if killed.returncode == 0:
        assert int(killed.stdout) == step, killed.stderr
    else:
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert read_lock(path).packages in ((OLD,), (NEW,))
        assert write(path, 99).returncode == 0
    assert read_lock(path).packages == (NEW,)
    assert leftovers(path) == []
