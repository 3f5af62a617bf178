"""What administrators of a registry and users of it type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from festaf.provider.cli.dag.app import app as dag
from festaf.registry_api.cli import app as registry
from festaf.sharing.signature import new_key, public_key
from tests.buckets import Folder, on_disk_and_s3
from tests.registry_api.dag_packages.test_client import client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from festaf.client.dag_packages import DagPackageClient
    from tests.registry_api.dag_packages.conftest import House

__all__ = ["client"]


def administer(house: House, *words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(registry, [*words, "--database-url", str(house.database.url), "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stderr


def test_rules_and_keys_of_a_namespace(house: House) -> None:
    assert administer(house, "dag-namespace", "show", "acme")["approvals"] == 0
    assert "no project 'none'" in administer(house, "dag-namespace", "show", "none", code=1)
    rules = administer(house, "dag-namespace", "set", "acme", "--approvals", "2", "--signatures")
    assert (rules["approvals"], rules["signatures_required"], rules["max_packages"]) == (2, True, 1000)
    assert administer(house, "dag-namespace", "set", "acme", "--approvals", "1")["signatures_required"] is True
    key = public_key(new_key())
    added = administer(house, "dag-namespace", "trust", "acme", key.key_id, key.public_key, "--comment", "laptop")
    assert added["state"] == "trusted"
    assert "of base64" in administer(house, "dag-namespace", "trust", "acme", key.key_id, "nonsense", code=1)
    assert administer(house, "dag-namespace", "revoke", "acme", key.key_id)["state"] == "revoked"
    assert [item["comment"] for item in administer(house, "dag-namespace", "keys", "acme")] == ["laptop"]


@on_disk_and_s3
def test_archives_that_are_nobodys_are_removed_and_damaged_ones_named(house: House) -> None:
    published = house.publish()
    house.kept.write("ab" + "0" * 62, b"of an upload that was broken off")
    if isinstance(house.kept, Folder):
        (house.kept.path / "incoming" / "half").write_bytes(b"x")
    where = ("--blobs", house.kept.place)
    assert administer(house, "dag-archives", "clean", *where) == {"removed": 0}
    assert administer(house, "dag-archives", "clean", "--hours", "0", *where) == {"removed": 1}
    assert house.left() == [published["digest"]]
    assert administer(house, "dag-archives", "check", *where) == []

    house.kept.write(published["digest"], b"changed")
    (named,) = administer(house, "dag-archives", "check", *where, code=1)
    assert named["package"] == "acme/sales"
    assert house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/readme").status_code == 503
    assert house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/archive").status_code == 503


@pytest.fixture
def run(client: Callable[[str], DagPackageClient], house: House) -> Callable[..., Any]:
    """Give a way to type ``festaf dag``."""

    def run(who: str, *words: str, code: int = 0, plain: bool = False) -> Any:
        environment = {"FESTAF_REGISTRY_URL": client(who).url, "FESTAF_TOKEN": house.tokens[who]}
        done = CliRunner().invoke(dag, [*words, *(() if plain else ("--json",))], env=environment)
        assert done.exit_code == code, (done.output, done.exception)
        return done.stdout if plain or code else json.loads(done.stdout)

    return run


def test_a_package_is_found_compared_reviewed_and_carried(
    run: Callable[..., Any], house: House, tmp_path: Path
) -> None:
    house.rules(approvals=1)
    first = house.stage()
    assert [item["name"] for item in run("bob", "search", "--awaiting")] == ["sales"]
    assert run("bob", "search") == []
    run("bob", "approve", "acme/sales@1.4.0", "--digest", "0" * 12, code=1)
    approved = run("bob", "approve", "acme/sales@1.4.0", "--digest", first["digest"][:12], "--comment", "fine")
    assert approved["approvals"][0]["by"] == "user/bob"
    house.step("ann", "publish", digest=first["digest"])
    house.rules()
    house.publish(version="1.5.0", tags=("sales", "new"))

    assert run("ian", "search", "total", "--tag", "sales")[0]["latest"] == "1.5.0"
    assert "acme/sales" in run("ian", "search", plain=True)
    assert [item["version"] for item in run("ian", "versions", "acme/sales")["versions"]] == ["1.5.0", "1.4.0"]
    assert "published" in run("ian", "versions", "acme/sales", plain=True)
    assert run("ian", "show", "acme/sales@1.5.0")["digest"]
    assert "1 of 0" in run("ian", "show", "acme/sales@1.4.0", plain=True)
    changed = run("ian", "diff", "acme/sales@1.4.0", "1.5.0")["values"]
    assert [(item["field"], item["after"]) for item in changed] == [("tags", ["sales", "new"])]
    assert "tags" in run("ian", "diff", "acme/sales@1.4.0", "1.5.0", plain=True)

    assert run("ann", "yank", "acme/sales@1.5.0", "--reason", "wrong")["state"] == "yanked"
    assert run("ann", "unyank", "acme/sales@1.5.0")["state"] == "published"
    assert run("joy", "quarantine", "acme/sales@1.5.0", "--reason", "steals")["state"] == "quarantined"
    assert run("joy", "release", "acme/sales@1.5.0", plain=True) == "acme/sales@1.5.0 is published again.\n"
    file = tmp_path / "carried.zip"
    assert run("ian", "mirror", "export", "acme/sales@1.4.0", "-o", str(file))["bytes"] == file.stat().st_size
    assert run("ann", "mirror", "import", str(file))["items"][0]["new"] is False
    run("joy", "delete", "acme/sales@1.5.0", code=1, plain=True)
    assert run("joy", "delete", "acme/sales@1.5.0", "--yes")["state"] == "deleted"
    for wrong in ("acme", "acme/sales", "acme/sales/1@2", "@1.0"):
        run("ian", "show", wrong, code=1)
