"""A package holds what its DAGs need and nothing else, and says everything that is wrong with it at once."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from festaf.provider.dag_packages.export.errors import RefusedPackageError, SettingsError
from festaf.provider.dag_packages.export.preparing import prepare
from festaf.provider.dag_packages.export.repository import without_credentials
from festaf.sharing.archive import open_archive
from tests.provider.dag_packages.export.project import DAG, SETTINGS, write_project

if TYPE_CHECKING:
    from pathlib import Path

CLOSURE = ["README.md", "acme_sales/__init__.py", "acme_sales/queries.py", "sales.py", "sql/total.sql"]


def rules(folder: Path, **changes: str) -> set[str]:
    return {problem.rule for problem in prepare(write_project(folder, **changes)).problems}


@pytest.mark.parametrize("named", ["", "sales.py"])
def test_a_package_holds_the_closure_of_its_dags(tmp_path: Path, named: str) -> None:
    prepared = prepare(write_project(tmp_path) / named)
    assert sorted(prepared.files) == CLOSURE
    assert prepared.problems == ()


def test_a_manifest_says_what_the_settings_and_the_code_say(tmp_path: Path) -> None:
    manifest = open_archive(prepare(write_project(tmp_path)).archive()).manifest
    assert (manifest.namespace, manifest.name, manifest.version) == ("acme", "sales", "1.4.0")
    assert [dag.dag_id for dag in manifest.dags] == ["sales"]
    assert [need.conn_id for need in manifest.needs.connections] == ["warehouse"]
    assert [need.key for need in manifest.needs.variables] == ["sales_channel"]
    assert manifest.needs.pools == ("reports",)
    assert [provider.split(">=")[0] for provider in manifest.requires.providers] == [
        "apache-airflow-providers-common-sql",
        "apache-airflow-providers-standard",
    ]
    assert manifest.requires.airflow is not None
    assert manifest.requires.python == ">=3.10"
    assert manifest.readme == "README.md"
    assert [parameter.name for parameter in manifest.parameters] == ["country"]


def test_the_same_files_make_the_same_archive_elsewhere(tmp_path: Path) -> None:
    first = prepare(write_project(tmp_path / "one")).archive()
    second = prepare(write_project(tmp_path / "two")).archive()
    assert first == second


def test_options_take_the_place_of_settings(tmp_path: Path) -> None:
    prepared = prepare(write_project(tmp_path), namespace="other", name="totals", version="2.0")
    assert (prepared.manifest.namespace, prepared.manifest.name, prepared.manifest.version) == (
        "other",
        "totals",
        "2.0",
    )


def test_patterns_add_and_leave_out_files(tmp_path: Path) -> None:
    settings = SETTINGS.replace("[package]\n", '[package]\ninclude = ["sql/*.sql"]\nexclude = ["README.md"]\n', 1)
    prepared = prepare(write_project(tmp_path, settings=settings))
    assert "sql/unused.sql" in prepared.files
    assert "sql/total.sql" in prepared.files


def test_settings_stand_in_pyproject_as_well(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "festaf.toml").unlink()
    text = SETTINGS.replace("[package]", "[tool.festaf.package]").replace("[[package.", "[[tool.festaf.package.")
    (tmp_path / "pyproject.toml").write_text(text)
    assert prepare(tmp_path).manifest.name == "sales"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("[package\n", "is no TOML"),
        ('[package]\nnamespace = "acme"\n', "has no name, version"),
        (f'{SETTINGS}colour = "red"\n', "colour"),
        (SETTINGS.replace("[package]\n", '[package]\nmaturity = "ripe"\n', 1), "maturity"),
        (SETTINGS.replace("[package]\n", '[package]\ninclude = ["nothing/*.csv"]\n', 1), "No file matches"),
        (SETTINGS.replace("[package]\n", '[package]\nreadme = "absent.md"\n', 1), "is no file"),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, settings: str, words: str) -> None:
    write_project(tmp_path, settings=settings)
    with pytest.raises(SettingsError) as caught:
        prepare(tmp_path)
    assert words in str(caught.value)


def test_a_path_that_is_not_there_and_a_folder_without_dags_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no file or folder"):
        prepare(tmp_path / "absent")
    write_project(tmp_path, dag="x = 1\n")
    with pytest.raises(SettingsError, match="There is no DAG in"):
        prepare(tmp_path)


def test_only_the_files_of_the_wanted_dags_go(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "weather.py").write_text(DAG.replace('DAG("sales"', 'DAG("weather"').replace("sql/total", "sql/unused"))
    assert "weather.py" in prepare(tmp_path).files
    chosen = prepare(tmp_path, dag_ids=("weather",)).files
    assert "weather.py" in chosen
    assert "sales.py" not in chosen
    with pytest.raises(SettingsError, match="There is no DAG with the id"):
        prepare(tmp_path, dag_ids=("absent",))


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    dag = DAG.replace(
        "from airflow.sdk import DAG", "from airflow.sdk import DAG\nimport pandas\nimport airflow.contrib"
    )
    dag += '\nPASSWORD = "hunter2hunter"\n'
    settings = SETTINGS.replace("1.4.0", "v1.4").replace('tags = ["sales"]', 'tags = ["<b>"]')
    problems = rules(tmp_path, dag=dag, settings=settings)
    assert {"secret", "undeclared_requirement", "absent_module", "version_spelling", "bad_tag"} <= problems
    with pytest.raises(RefusedPackageError) as caught:
        prepare(tmp_path).archive()
    assert "sales.py:" in str(caught.value)
    assert 'packages = ["pandas>=' in str(caught.value)


def test_a_declared_need_is_no_problem(tmp_path: Path) -> None:
    dag = DAG.replace("from airflow.sdk import DAG", "from airflow.sdk import DAG\nimport pandas")
    settings = f'{SETTINGS}\n[package.requires]\npackages = ["pandas>=2.2"]\nairflow = ">=3.1"\n'
    prepared = prepare(write_project(tmp_path, dag=dag, settings=settings))
    assert prepared.problems == ()
    assert prepared.manifest.requires.packages == ("pandas>=2.2",)
    assert prepared.manifest.requires.airflow == ">=3.1"


@pytest.mark.parametrize(
    ("requirement", "rule"),
    [
        ("foo @ file:///etc/passwd", "requirement_url"),
        ("foo @ git+ssh://-oProxyCommand=x/y", "requirement_url"),
        ("foo @ https://u:p@evil/x.whl", "requirement_url"),
        ("--index-url https://evil", "requirement_option"),
        ("-r other.txt", "requirement_option"),
        ("-e .", "requirement_option"),
        ("foo\\n--index-url https://evil", "bad_requirement"),
        ("foo bar", "bad_requirement"),
        ("apache-airflow>=3", "requirement_field"),
        ("f" * 600, "long_requirement"),
    ],
)
def test_a_requirement_that_cannot_be_is_refused(tmp_path: Path, requirement: str, rule: str) -> None:
    settings = f'{SETTINGS}\n[package.requires]\npackages = ["{requirement}"]\n'
    assert rules(tmp_path, settings=settings) == {rule}


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@acme.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_is_recorded_and_a_change_makes_it_dirty(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "dags")
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", "https://user:s3cr3t@git.acme.example/dags.git")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "x")
    source = prepare(folder).manifest.source
    assert source is not None
    assert source.url == "https://git.acme.example/dags.git"
    assert (source.path, source.dirty) == ("dags", False)
    (folder / "other.py").write_text("x = 2\n")
    assert prepare(folder).manifest.source == source
    (folder / "sql/total.sql").write_text("select 3\n")
    prepared = prepare(folder)
    assert prepared.manifest.source is not None
    assert prepared.manifest.source.dirty
    assert [finding.rule for finding in prepared.findings if finding.severity == "warning"] == ["dirty"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:token@host/x.git", "https://host/x.git"),
        ("https://oauth2:a@b@host/x.git?token=1", "https://host/x.git"),
        ("git@github.com:acme/dags.git", "git@github.com:acme/dags.git"),
        ("ssh://git@host/x.git", "ssh://host/x.git"),
        ("/home/me/dags", None),
        ("file:///home/me/dags", None),
    ],
)
def test_credentials_and_folders_are_no_part_of_an_address(url: str, shown: str | None) -> None:
    assert without_credentials(url) == shown
