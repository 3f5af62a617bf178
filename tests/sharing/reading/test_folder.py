from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.folder import import_root

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_folder_that_holds_what_is_imported_is_the_root(tmp_path: Path) -> None:
    written(tmp_path / "plant" / "gauges.py")
    dag = written(tmp_path / "dags" / "sales.py", "from airflow.sdk import DAG\nfrom plant.gauges import read\n")
    assert import_root(dag) == tmp_path


def test_airflows_own_home_around_a_dag_makes_no_root(tmp_path: Path) -> None:
    dag = written(tmp_path / "airflow" / "dags" / "sales.py", "import logging\nfrom airflow.sdk import DAG\n")
    written(tmp_path / "logging" / "own.py")
    assert import_root(dag) == dag.parent


def test_a_clone_of_festaf_beside_a_dag_makes_no_root(tmp_path: Path) -> None:
    written(tmp_path / "festaf" / "operators" / "feature_set.py")
    dag = written(tmp_path / "dags" / "sales.py", "from festaf.operators.feature_set import CreateFeatureSetOperator\n")
    assert import_root(dag) == dag.parent
