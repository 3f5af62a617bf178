"""``festaf local-aws`` on the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from festaf.local_aws.cli import app

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

NOWHERE = "http://127.0.0.1:9"


def run(*arguments: str) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, arguments)
    return ended.exit_code, ended.stdout, ended.stderr


def asked(local_aws: LocalAws, *arguments: str) -> Any:
    """Ask for JSON and read it."""
    code, printed, complaint = run(*arguments, "--url", local_aws.url, "--json")
    assert (code, complaint) == (0, "")
    return json.loads(printed)


def test_a_taken_port_gives_one_sentence(local_aws: LocalAws) -> None:
    port = local_aws.url.rpartition(":")[2]
    command = [sys.executable, "-m", "festaf.local_aws", "serve", "--port", port]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"The local AWS cannot listen on 127.0.0.1:{port}: Address already in use.\n"


def test_a_faulty_rate_is_named() -> None:
    code, _, complaint = run("serve", "--rate", "PutRecord=often")
    assert code == 2
    assert "OPERATION=CALLS_PER_SECOND" in complaint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rate", "PutRecord=0"), "The setting rates.PutRecord is wrong: Input should be greater than 0.\n"),
        (("--glue-seconds", "inf"), "The setting glue_seconds is wrong: Input should be a finite number.\n"),
    ],
)
def test_a_setting_out_of_bounds_gives_one_sentence(arguments: tuple[str, ...], message: str) -> None:
    assert run("serve", *arguments) == (1, "", message)


def test_a_host_that_is_not_here_gives_one_sentence() -> None:
    code, _, complaint = run("serve", "--host", "192.0.2.1", "--port", "0")
    assert (code, complaint.count("\n")) == (1, 1)
    assert complaint.startswith("The local AWS cannot listen on 192.0.2.1:0: ")


def test_a_fault_is_ordered_listed_and_cleared(local_aws: LocalAws) -> None:
    ordered = asked(local_aws, "fault", "throttle", "--operation", "PutRecord", "--count", "3")
    assert [(one["kind"], one["operation"], one["count"]) for one in ordered["faults"]] == [
        ("throttle", "PutRecord", 3)
    ]
    lasting = asked(local_aws, "fault", "block_offline", "--name", "weather", "--reason", "No access", "--count", "0")
    assert [(one["kind"], one["reason"], one["count"]) for one in lasting["faults"]][1:] == [
        ("block_offline", "No access", None)
    ]
    code, printed, _ = run("faults", "--url", local_aws.url)
    assert (code, printed.splitlines()[0]) == (0, "throttle       operation=PutRecord name=.* left=3")
    assert asked(local_aws, "faults", "--clear") == {"faults": []}
    assert run("faults", "--url", local_aws.url)[1] == "No faults stand.\n"


def test_a_fault_that_makes_no_sense_gives_one_sentence(local_aws: LocalAws) -> None:
    code, printed, complaint = run("fault", "melt", "--url", local_aws.url)
    assert (code, printed) == (1, "")
    assert complaint.startswith("The local AWS refused: kind: Input should be 'throttle'")


def test_the_clock_jumps(local_aws: LocalAws) -> None:
    before = local_aws.now().timestamp()
    assert asked(local_aws, "advance", "3600")["now"] >= before + 3600
    assert run("advance", "0", "--url", local_aws.url)[1].startswith("It is now ")


def test_calls_are_counted_and_forgotten(local_aws: LocalAws) -> None:
    assert run("stats", "--url", local_aws.url)[1] == "No calls yet.\n"
    local_aws.client("sts").get_caller_identity()
    assert run("stats", "--url", local_aws.url)[1] == "        1 GetCallerIdentity\n"
    assert asked(local_aws, "reset") == {}
    assert asked(local_aws, "stats") == {"calls": {}}


@pytest.mark.parametrize("command", [["stats"], ["reset"], ["faults"], ["advance", "1"], ["fault", "reset"]])
def test_no_server_gives_one_sentence(command: list[str]) -> None:
    code, printed, complaint = run(*command, "--url", NOWHERE)
    assert (code, printed) == (1, "")
    assert complaint == f"No local AWS answers at {NOWHERE}; start one with: festaf local-aws serve\n"
