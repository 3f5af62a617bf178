"""Publishing at a real registry: once, twice, after a kill anywhere, and as far as the rules allow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from festaf.client.dag_packages import DagPackageClient
from festaf.contract.dag_package import NamespaceSettings
from festaf.provider.cli.dag.app import app
from festaf.provider.dag_packages.export.errors import ExportError, TakenVersionError
from festaf.provider.dag_packages.export.forking import fork
from festaf.provider.dag_packages.export.preparing import prepare
from festaf.provider.dag_packages.export.publishing import publish
from festaf.sharing.archive import build_archive, open_archive
from festaf.sharing.signature import new_key, public_key, write_private_key
from tests.provider.dag_packages.export.project import write_project
from tests.served_registry import served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from festaf.provider.dag_packages.export.preparing import Prepared
    from tests.served_registry import ServedRegistry

KILLED = """
import os, signal, sys
from pathlib import Path
from festaf.client.dag_packages import DagPackageClient
from festaf.provider.dag_packages.export.publishing import publish
from festaf.sharing.signature import read_private_key

url, archive, key, method, moment = sys.argv[1:]
whole = getattr(DagPackageClient, method)

def killed(self, *arguments, **keywords):
    if moment == "after":
        whole(self, *arguments, **keywords)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(DagPackageClient, method, killed)
with DagPackageClient(url) as client:
    publish(client, Path(archive).read_bytes(), key=read_private_key(Path(key)))
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRegistry]:
    with served_registry(tmp_path_factory.mktemp("registry"), demo=True) as served:
        yield served


@pytest.fixture
def client(registry: ServedRegistry) -> Iterator[DagPackageClient]:
    with DagPackageClient(registry.url) as made:
        yield made


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(write_project(tmp_path_factory.mktemp("dags")))


def archive(sales: Prepared, namespace: str, **changes: str) -> bytes:
    return build_archive(sales.manifest.model_copy(update={"namespace": namespace, **changes}), sales.files)


def test_a_package_is_published_once_and_again_without_effect(sales: Prepared, client: DagPackageClient) -> None:
    data = archive(sales, "once")
    steps: list[str] = []
    assert publish(client, data, tell=steps.append).outcome == "published"
    assert [step.split()[0] for step in steps] == ["Sending", "Publishing"]
    assert publish(client, data, tell=steps.append).outcome == "already_published"
    assert len(steps) == 2
    version = client.version("once", "sales", "1.4.0")
    assert (version.state, version.digest) == ("published", open_archive(data).digest)
    assert client.archive("once", "sales", "1.4.0", version.digest) == data


def test_the_same_files_from_another_commit_are_already_published(sales: Prepared, client: DagPackageClient) -> None:
    publish(client, archive(sales, "commits"))
    assert publish(client, archive(sales, "commits", summary="Other words")).outcome == "already_published"


def test_a_version_never_changes(sales: Prepared, client: DagPackageClient) -> None:
    publish(client, archive(sales, "taken"))
    files = {**sales.files, "sql/total.sql": b"select 3\n"}
    with pytest.raises(TakenVersionError, match="give the next one"):
        publish(client, build_archive(sales.manifest.model_copy(update={"namespace": "taken"}), files))


def test_a_package_waits_for_those_who_approve(sales: Prepared, client: DagPackageClient) -> None:
    client.put_settings("reviewed", NamespaceSettings(approvals=1))
    done = publish(client, archive(sales, "reviewed"))
    assert done.outcome == "waiting"
    assert done.waiting_for is not None
    assert done.waiting_for.startswith("1 more of those who may approve")
    assert client.version("reviewed", "sales", "1.4.0").state == "staged"


def test_a_package_waits_for_a_signature(sales: Prepared, client: DagPackageClient) -> None:
    client.put_settings("signed", NamespaceSettings(signatures_required=True))
    data = archive(sales, "signed")
    assert publish(client, data).outcome == "waiting"
    key = new_key()
    client.put_key("signed", public_key(key))
    done = publish(client, data, key=key)
    assert (done.outcome, done.signed_by) == ("published", public_key(key).key_id)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("method", ["stage", "sign", "publish"])
def test_a_repeat_finishes_what_a_kill_left(
    sales: Prepared, tmp_path: Path, registry: ServedRegistry, client: DagPackageClient, method: str, moment: str
) -> None:
    namespace = f"killed-{method}-{moment}"
    key, key_file, data = new_key(), tmp_path / "key.pem", archive(sales, namespace)
    client.put_settings(namespace, NamespaceSettings(signatures_required=True))
    client.put_key(namespace, public_key(key))
    write_private_key(key_file, key)
    (tmp_path / "a.zip").write_bytes(data)
    words = [registry.url, str(tmp_path / "a.zip"), str(key_file), method, moment]
    run = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, env={**os.environ})
    assert run.returncode == -signal.SIGKILL
    done = publish(client, data, key=key)
    assert done.outcome == ("already_published" if (method, moment) == ("publish", "after") else "published")
    version = client.version(namespace, "sales", "1.4.0")
    assert version.state == "published"
    assert [signature.key_id for signature in version.signatures] == [public_key(key).key_id]


def test_a_fork_keeps_where_it_came_from(sales: Prepared, client: DagPackageClient, tmp_path: Path) -> None:
    key = new_key()
    client.put_settings("origin", NamespaceSettings(signatures_required=True))
    client.put_key("origin", public_key(key))
    data = archive(sales, "origin")
    publish(client, data, key=key)
    opened, signers = fork(client, "origin/sales", "mine/totals", tmp_path / "fork")
    assert signers == (public_key(key).key_id,)
    prepared = prepare(tmp_path / "fork")
    assert prepared.files == dict(opened.files)
    ancestor = prepared.manifest.ancestor
    assert ancestor is not None
    assert (ancestor.namespace, ancestor.name, ancestor.version) == ("origin", "sales", "1.4.0")
    assert ancestor.digest == opened.digest
    assert (prepared.manifest.namespace, prepared.manifest.name) == ("mine", "totals")
    assert publish(client, prepared.archive()).outcome == "published"
    forked = client.package("mine", "totals").forked_from
    assert forked is not None
    assert forked.digest == ancestor.digest
    with pytest.raises(ExportError, match="not empty"):
        fork(client, "origin/sales@1.4.0", "mine/totals", tmp_path / "fork")
    assert [path.name for path in tmp_path.iterdir()] == ["fork"]


def run(*words: str, code: int = 0) -> Any:
    answer = CliRunner().invoke(app, [*words, "--json"])
    assert answer.exit_code == code, answer.output
    return json.loads(answer.stdout)


def test_the_commands_do_the_same(tmp_path: Path, registry: ServedRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FESTAF_REGISTRY_URL", registry.url)
    folder = write_project(tmp_path / "dags")
    key_id = run("key", "create", "--comment", "ann")["key_id"]
    assert run("key", "show")["key_id"] == key_id
    assert [key["key_id"] for key in run("key", "register", "acme", "--days", "30")] == [key_id]
    dry = run("publish", str(folder), "--dry-run")
    assert len(dry["files"]) == 5
    assert run("publish", str(folder))["outcome"] == "published"
    assert run("publish", str(folder))["outcome"] == "already_published"
    exported = run("export", str(folder), "-o", str(tmp_path / "a.zip"), "--version", "1.5.0")
    assert exported["digest"] == open_archive((tmp_path / "a.zip").read_bytes()).digest
    done = run("publish", str(tmp_path / "a.zip"))
    assert (done["outcome"], done["version"], done["signed_by"]) == ("published", "1.5.0", key_id)
    assert run("fork", "acme/sales@1.5.0", str(tmp_path / "fork"), "--to", "acme/totals")["signed_by"] == [key_id]
    assert run("key", "revoke", "acme", key_id)[0]["revoked_at"] is not None
    assert len(run("key", "list", "acme")) == 1


def test_a_refused_package_lists_its_problems(tmp_path: Path) -> None:
    folder = write_project(tmp_path)
    (folder / "sales.py").write_text((folder / "sales.py").read_text() + 'PASSWORD = "hunter2hunter"\n')
    assert [problem["rule"] for problem in run("export", str(folder), code=1)["problems"]] == ["secret"]
    answer = CliRunner().invoke(app, ["publish", str(folder), "--dry-run"])
    assert answer.exit_code == 1
    assert "1 problems keep it from being shared" in answer.output


def test_init_writes_settings_that_export_takes(tmp_path: Path) -> None:
    folder = write_project(tmp_path)
    (folder / "festaf.toml").unlink()
    written = run("init", str(folder), "--namespace", "acme", "--name", "sales")
    assert written["file"] == str(folder / "festaf.toml")
    assert prepare(folder).problems == ()
    answer = CliRunner().invoke(app, ["init", str(folder), "--namespace", "acme"])
    assert answer.exit_code == 1
    assert "is there already" in answer.output
