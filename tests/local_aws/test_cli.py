"""``festaf local-aws`` on the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from festaf.local_aws.cli import KINDS, app
from festaf.local_aws.settings import Settings
from tests.local_aws.server import LocalAws

ROOT = Path(__file__).parents[2]
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
    assert (code, printed.splitlines()[0]) == (0, "throttle        operation=PutRecord resource=.* name=.* left=3")
    assert asked(local_aws, "faults", "--clear") == {"faults": []}
    assert run("faults", "--url", local_aws.url)[1] == "No faults stand.\n"


def test_a_fault_that_makes_no_sense_gives_one_sentence(local_aws: LocalAws) -> None:
    code, printed, complaint = run("fault", "melt", "--url", local_aws.url)
    assert (code, printed) == (1, "")
    assert complaint.startswith("The local AWS refused: kind: Input should be 'throttle'")


def test_a_fault_says_which_kind_of_resource_it_strikes(local_aws: LocalAws) -> None:
    [ordered] = asked(local_aws, "fault", "fail_creation", "--resource", "model-package", "--name", "delay/.*")[
        "faults"
    ]
    assert (ordered["resource"], ordered["name"]) == ("model-package", "delay/.*")
    [error] = asked(local_aws, "fault", "error", "--status", "503")["faults"][1:]
    assert error["status"] == 503


def test_settings_are_shown_and_changed(local_aws: LocalAws) -> None:
    assert asked(local_aws, "settings")["glue_seconds"] == 0
    changed = asked(local_aws, "settings", "--set", "glue_seconds=7.5", "--set", "rates.PutRecord=10")
    assert (changed["glue_seconds"], changed["rates"]) == (7.5, {"PutRecord": 10})
    assert asked(local_aws, "settings", "--set", "rates.GetRecord=5")["rates"] == {"PutRecord": 10, "GetRecord": 5}
    code, printed, _ = run("settings", "--url", local_aws.url)
    assert (code, "glue_seconds = 7.5" in printed.splitlines()) == (0, True)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ("glue_second=1", 1, "The local AWS refused: glue_second: Extra inputs are not permitted"),
        ("glue_seconds=soon", 1, "The local AWS refused: glue_seconds: Input should be a valid number"),
        ("glue_seconds", 2, "'glue_seconds' is not NAME=VALUE"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(local_aws: LocalAws, change: str, code: int, message: str) -> None:
    ended = run("settings", "--set", change, "--url", local_aws.url)
    assert ended[:2] == (code, "")
    assert message in ended[2]


def test_every_setting_and_every_fault_is_documented() -> None:
    text = "".join(page.read_text() for page in (ROOT / "docs/reference").glob("local-aws*.md"))
    settings = [name for name in Settings.model_fields if f"`{name}`" not in text]
    options = [name for name in settings if f"`--{name.replace('_', '-')}`" not in text]
    assert options == []
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []


def test_every_setting_can_be_given_at_the_start() -> None:
    with LocalAws.started(
        "--set", "max_feature_groups=3", "--set", "rates.PutRecord=2", "--rate", "GetRecord=4"
    ) as own:
        own.settings(glue_seconds=0)
        found = asked(own, "settings")
    assert (found["max_feature_groups"], found["rates"]) == (3, {"GetRecord": 4, "PutRecord": 2})


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


@pytest.mark.parametrize(
    "command", [["stats"], ["reset"], ["faults"], ["settings"], ["advance", "1"], ["fault", "reset"]]
)
def test_no_server_gives_one_sentence(command: list[str]) -> None:
    code, printed, complaint = run(*command, "--url", NOWHERE)
    assert (code, printed) == (1, "")
    assert complaint == f"No local AWS answers at {NOWHERE}; start one with: festaf local-aws serve\n"
