"""PublishDagOperator brings a DAG into a real registry, and fails for good when it cannot be shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.dag_package import NamespaceSettings
from festaf.operators.dag_package import PublishDagOperator
from festaf.provider.errors import InputError, NotReadyError
from festaf.provider.hooks.registry import RegistryHook
from tests.provider.dag_packages.export.project import write_project
from tests.served_registry import served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_registry(tmp_path_factory.mktemp("registry"), demo=True) as served:
        yield served.url


@pytest.fixture(autouse=True)
def connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FESTAF_DEFAULT", f'{{"conn_type": "festaf", "host": "{url}"}}')


def publish(folder: Path, **more: Any) -> dict[str, Any]:
    return PublishDagOperator(task_id="publish", path=str(folder), **more).execute({})


def test_a_dag_is_published_once_and_a_retry_changes_nothing(tmp_path: Path) -> None:
    write_project(tmp_path)
    answer = publish(tmp_path)
    assert (answer["package"], answer["version"], answer["outcome"]) == ("acme/sales", "1.4.0", "published")
    again = publish(tmp_path)
    assert (again["outcome"], again["digest"]) == ("already_published", answer["digest"])
    with RegistryHook().get_packages() as client:
        assert client.version("acme", "sales", "1.4.0").state == "published"


def test_what_cannot_be_shared_fails_for_good(tmp_path: Path) -> None:
    folder = write_project(tmp_path)
    (folder / "sales.py").write_text((folder / "sales.py").read_text() + 'PASSWORD = "hunter2hunter"\n')
    with pytest.raises(InputError, match="secret"):
        publish(folder)
    with pytest.raises(InputError, match="no file or folder"):
        publish(tmp_path / "absent")


def test_a_version_that_waits_is_told_or_fails(tmp_path: Path) -> None:
    with RegistryHook().get_packages() as client:
        client.put_settings("reviewed", NamespaceSettings(approvals=2))
    write_project(tmp_path)
    assert publish(tmp_path, namespace="reviewed")["outcome"] == "waiting"
    with pytest.raises(NotReadyError, match="2 more"):
        publish(tmp_path, namespace="reviewed", fail_when_waiting=True)


def test_a_key_that_is_not_there_fails_for_good(tmp_path: Path) -> None:
    write_project(tmp_path)
    with pytest.raises(InputError, match="There is no key"):
        publish(tmp_path, version="2.0.0", key_file=str(tmp_path / "absent.pem"))
