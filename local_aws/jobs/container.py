"""What stands in for a job's container: a folder of its own that the script sees as ``/opt/ml``.

Where the machine allows it, the folder is mounted on ``/opt/ml`` for the script alone, so that every path is as on AWS.
Elsewhere the paths are relocated: what the script gets by arguments and by its environment names the folder itself, and
a script that has ``/opt/ml/...`` written in it does not find it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.failure import LONGEST_REASON, JobFailedError
from festaf.local_aws.jobs.script import Order, can_mount
from festaf.local_aws.jobs.supervisor import MOUNT_POINT, NO_NAMESPACE, NOT_FOUND
from festaf.local_aws.service import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMED = re.compile(rf"(?<![\w/.-]){MOUNT_POINT}(?![\w.-])")
_PYTHON = re.compile(r"python3?(\.\d+)?")
_GIGABYTE = 1024**3


class Container:
    """The folders and the surroundings of one job's script.

    :param folder: a folder that is the job's own, or its own on this host
    :param hosts: of how many hosts the job has, this is which, from 1
    """

    def __init__(self, folder: Path, region: str, host: int = 1, hosts: int = 1) -> None:
        self.host = f"algo-{host}"
        self.hosts = [f"algo-{number}" for number in range(1, hosts + 1)]
        self._folder = folder
        self._root = folder / "ml"
        self._region = region
        self._mounted = can_mount()
        self._root.mkdir(parents=True)
        for name in ("home", "tmp", "bin"):
            (folder / name).mkdir()
        for name in ("python", "python3"):
            self._write_python(folder / "bin" / name)

    def real(self, path: str) -> Path:
        """Give where a path below ``/opt/ml`` really is.

        :raises JobFailedError: it is elsewhere
        """
        parts = PurePosixPath(path)
        if not parts.is_relative_to(MOUNT_POINT) or ".." in parts.parts:
            raise JobFailedError(f"ClientError: {path} is not below {MOUNT_POINT}")
        return self._root / parts.relative_to(MOUNT_POINT)

    def seen(self, path: str) -> str:
        """Give a path below ``/opt/ml`` as the script sees it."""
        return path if self._mounted else str(self.real(path))

    def text(self, text: str) -> str:
        """Give a text with every path below ``/opt/ml`` as the script sees it."""
        return text if self._mounted else _NAMED.sub(lambda _: str(self._root), text)

    def folder(self, path: str) -> Path:
        """Make a folder below ``/opt/ml`` and give where it really is."""
        made = self.real(path)
        made.mkdir(parents=True, exist_ok=True)
        return made

    def write_json(self, path: str, content: Any) -> None:
        """Write a file below ``/opt/ml``."""
        file = self.real(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))

    def read_text(self, path: str, length: int) -> str:
        """Read the beginning of a file below ``/opt/ml``; it is empty when there is none."""
        try:
            with self.real(path).open(encoding="utf-8", errors="replace") as file:
                return file.read(length).strip()
        except OSError:
            return ""

    def write_resources(self, path: str, instance_type: str) -> dict[str, Any]:
        """Write the file that says on which machines the job runs, and give what it says."""
        group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": self.hosts}
        content = {
            "current_host": self.host,
            "current_instance_type": instance_type,
            "current_group_name": group["instance_group_name"],
            "hosts": self.hosts,
            "instance_groups": [group],
            "network_interface_name": "lo",
        }
        self.write_json(path, content)
        return content

    def order(
        self, command: Sequence[str], environment: Mapping[str, str], directory: str, volume_gb: int | None
    ) -> Order:
        """Give the order to run a command in here.

        Nothing of the server's own environment reaches the script: no credentials, no endpoints, no home.

        :param environment: what the job adds
        :param volume_gb: the largest file that may be written, in GB
        """
        surroundings = {
            "PATH": f"{self._folder / 'bin'}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._folder / "home"),
            "TMPDIR": str(self._folder / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": self._region,
            "AWS_ACCOUNT_ID": ACCOUNT,
            # A script that asks for credentials is told at once that it has none.
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        limits = {"RLIMIT_CORE": 0}
        if memory := _memory():
            limits["RLIMIT_DATA"] = memory
        if volume_gb:
            limits["RLIMIT_FSIZE"] = volume_gb * _GIGABYTE
        first, *others = map(self.text, command)
        if _PYTHON.fullmatch(PurePosixPath(first).name):
            first = sys.executable
        return Order(
            command=[first, *others],
            environment=surroundings | {name: self.text(value) for name, value in environment.items()},
            directory=self.seen(directory),
            folder=self._folder,
            limits=limits,
            mount=self._root if self._mounted else None,
        )

    def failure(self, code: int, last_lines: Sequence[str], before: str, after: str) -> JobFailedError:
        """Make the failure of a script that ended with an exit code, from what it left or said last.

        :param before: what stands before that in the reason
        :param after: what stands after it
        """
        if code in (NO_NAMESPACE, NOT_FOUND) and last_lines:
            return JobFailedError(f"ClientError: {last_lines[-1]}, exit code: {code}")
        message = self.read_text("/opt/ml/output/failure", LONGEST_REASON) or last_words(last_lines)
        room = max(LONGEST_REASON - len(before) - len(after), 1)
        return JobFailedError(f"{before}{message[-room:]}{after}")

    def _write_python(self, path: Path) -> None:
        # A symbolic link would lose the virtual environment that the server runs in.
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        path.chmod(0o755)


def last_words(lines: Sequence[str]) -> str:
    """Give what a failed script said last: its last traceback, or a few lines."""
    found = [line for line in lines if line.strip()]
    for place in range(len(found) - 1, -1, -1):
        if found[place].startswith("Traceback (most recent call last)"):
            return "\n".join(found[place:])
    return "\n".join(found[-5:])


def _memory() -> int | None:
    """Give this machine's memory in bytes, the most that a script may take."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
