"""Where files come from: the Git repository around a folder, its commit, and whether the files are the commit's."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final

from festaf.contract.dag_package import SourceRepository

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SECONDS: Final = 20
_CREDENTIALS: Final = re.compile(r"^(?P<scheme>[a-z][a-z0-9+.-]*://)[^/]*@", re.IGNORECASE)


def source_of(root: Path, paths: Iterable[str]) -> SourceRepository | None:
    """Say which repository and commit the files under a folder are from; None without Git or a repository.

    :param paths: the files that are shared; a change elsewhere does not make them dirty
    """
    top = _git(root, "rev-parse", "--show-prefix")
    commit = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if top is None or commit is None:
        return None
    changed = _git(root, "status", "--porcelain", "--ignored=matching", "--untracked-files=all", "--", *sorted(paths))
    url = _git(root, "config", "--get", "remote.origin.url")
    return SourceRepository(
        url=without_credentials(url) if url else None,
        commit=commit,
        path=top.rstrip("/") or None,
        dirty=changed != "",
    )


def without_credentials(url: str) -> str | None:
    """Give a repository's address without user and password; None for a folder of this machine."""
    if url.startswith(("/", ".", "file:", "~")) or (len(url) > 1 and url[1] == ":"):
        return None
    return _CREDENTIALS.sub(lambda found: found["scheme"], url).split("?")[0]


def _git(folder: Path, *arguments: str) -> str | None:
    # No hook, prompt or monitor of the repository runs: a repository may be a stranger's.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--literal-pathspecs", *arguments]
    try:
        answer = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
