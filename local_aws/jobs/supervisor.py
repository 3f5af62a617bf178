"""The program that stands between the server and a job's script, so that no script outlives its server.

It is run as a file of its own, by ``python -I -S``, with the standard library only. Its one argument names a file with
an order as JSON: ``command``, ``environment``, ``directory``, ``limits`` (resource names to bytes) and ``mount`` (the
folder that shall be seen as ``/opt/ml``, or null). Then it obeys what comes by standard input: ``T`` asks the script
to end, ``K`` kills it, and so does the end of the input, which is the end of the server, however it came; then the
folder of the order's file goes, too. The script has a session of its own. Whatever it has started is killed when it
ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

MOUNT_POINT = "/opt/ml"
NO_NAMESPACE = 125
NOT_FOUND = 127

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MNT_DETACH = 2
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(order: dict[str, Any]) -> int:
    """Run the script and give its exit code; that of a script that a signal ended is 128 and the signal's number."""
    if order["mount"] is not None:
        try:
            show_as_opt_ml(order["mount"])
        except OSError as problem:
            sys.stderr.write(f"{MOUNT_POINT} cannot be mounted: {problem}\n")
            return NO_NAMESPACE
    for name, limit in order["limits"].items():
        _limit(getattr(resource, name), limit)
    _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        script = subprocess.Popen(
            order["command"],
            cwd=order["directory"],
            env=order["environment"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread runs yet
        )
    except OSError as problem:
        sys.stderr.write(f"{order['command'][0]} cannot be run: {problem.strerror}\n")
        return NOT_FOUND
    alone = threading.Event()
    threading.Thread(target=_obey, args=(script, alone), daemon=True).start()
    code = script.wait()
    _signal(script.pid, signal.SIGKILL)
    _kill_descendants()
    if alone.is_set():
        shutil.rmtree(Path(sys.argv[1]).parent, ignore_errors=True)
    return 128 - code if code < 0 else code


def show_as_opt_ml(folder: str) -> None:
    """Let this process and its children see a folder as ``/opt/ml``; the rest of ``/opt`` stays as it is.

    :raises OSError: the machine does not allow it, or is no Linux
    """
    user, group = os.getuid(), os.getgid()
    if _call("unshare", _CLONE_NEWNS) != 0:
        if _call("unshare", _CLONE_NEWNS | _CLONE_NEWUSER) != 0:
            raise OSError("no mount namespace is allowed here")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(text)
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    if not Path(MOUNT_POINT).is_dir():
        _make_mount_point(Path(f"{folder}.opt"))
    _mount(folder, MOUNT_POINT, None, _MS_BIND)


def _make_mount_point(copy: Path) -> None:
    """Put an ``/opt`` in place that has an ``ml``, and all that the real one has."""
    parent = Path(MOUNT_POINT).parent
    copy.mkdir()
    _mount("none", str(copy), "tmpfs", 0)
    for real in parent.iterdir():
        shown = copy / real.name
        if real.is_symlink():
            shown.symlink_to(real.readlink())
            continue
        if real.is_dir():
            shown.mkdir()
        else:
            shown.touch()
        _mount(str(real), str(shown), None, _MS_BIND | _MS_REC)
    (copy / Path(MOUNT_POINT).name).mkdir()
    _mount(str(copy), str(parent), None, _MS_BIND | _MS_REC)
    # What is seen at /opt stays; a folder that something is mounted on could not be removed.
    _call("umount2", str(copy).encode(), _MNT_DETACH)
    copy.rmdir()


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    if _call("mount", source.encode(), target.encode(), kind.encode() if kind else None, flags, None) != 0:
        raise OSError(f"{source} cannot be mounted on {target}")


def _call(name: str, *arguments: Any) -> int:
    """Call a function of the C library; one that it does not have fails."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        return -1
    plain = (ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments)
    return int(function(*plain))


def _limit(number: int, most: int) -> None:
    _, allowed = resource.getrlimit(number)
    if allowed != resource.RLIM_INFINITY:
        most = min(most, allowed)
    # A kernel that does not know the limit does not stop the script from running.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(number, (most, most))


def _die_with_parent() -> None:
    _call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _obey(script: subprocess.Popen[bytes], alone: threading.Event) -> None:
    while order := os.read(0, 1):
        _signal(script.pid, signal.SIGTERM if order == b"T" else signal.SIGKILL)
    alone.set()
    _signal(script.pid, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_descendants() -> None:
    """Kill those that left the script's session: they are this process's children by now."""
    while True:
        try:
            children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
        except OSError:
            return
        for orphan in map(int, children.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)
            continue
        return


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
