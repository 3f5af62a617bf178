from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from festaf.operators.endpoint import DeployEndpointOperator
from festaf.provider.cli.endpoint import app
from tests.endpoints import QUICK, ask, create_model, variant

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


@pytest.fixture(autouse=True)
def sure_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("festaf.provider.hooks.endpoint.ABSENT_PAUSES", ())


def deploy(aws: LocalAws, run: Run, model: str) -> dict[str, Any]:
    create_model(aws, model)
    return DeployEndpointOperator(task_id="deploy", variants=[variant(model)], deferrable=False, **QUICK).execute(
        run.context
    )


def called(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_one_command_brings_back_what_served_before(aws: LocalAws, run: Run) -> None:
    first = deploy(aws, run, "one")
    deploy(aws, run, "two")
    shown = called("show", "delay")
    assert shown.exit_code == 0, shown.output
    assert f"a rollback goes to {first['configuration']}" in shown.output
    back = called("rollback", "delay", "--json")
    assert back.exit_code == 0, back.output
    answer = json.loads(back.stdout)
    assert (answer["action"], answer["configuration"]) == ("rolled back", first["configuration"])
    assert ask(aws) == "one:1"
    assert json.loads(called("rollback", "delay", "--json").stdout)["action"] == "unchanged"


def test_endpoints_are_listed(aws: LocalAws, run: Run) -> None:
    assert called("list").stdout == "No endpoints.\n"
    deploy(aws, run, "one")
    assert called("list").stdout.startswith("delay  InService  ")
    assert [one["name"] for one in json.loads(called("list", "--json").stdout)] == ["delay"]


@pytest.mark.parametrize("words", [("show", "delay"), ("rollback", "delay"), ("list", "--conn-id", "absent")])
def test_a_mistake_is_one_sentence_and_exit_code_1(aws: LocalAws, words: tuple[str, ...]) -> None:
    answer = called(*words)
    assert answer.exit_code == 1
    assert answer.stdout == ""
    # The log of a rollback, which may wait for long, goes to standard error, too.
    assert words[0] == "rollback" or answer.stderr.count("\n") == 1
    assert answer.stderr.splitlines()[-1].startswith("There is no ")
