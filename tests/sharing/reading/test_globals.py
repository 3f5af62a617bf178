from __future__ import annotations

import pytest

from festaf.sharing.reading import read_file


def test_dags_that_are_put_among_the_names_of_the_file_are_found() -> None:
    text = "from airflow.sdk import DAG\nfor x in 'ab':\n    globals()['dag_' + x] = DAG('sales_' + x)\n"
    found = read_file({"d.py": text.encode()}, "d.py")
    assert [dag.dag_id for dag in found.dags] == ["sales_a", "sales_b"]


def test_a_dag_under_a_name_that_is_not_known_is_found() -> None:
    text = "import os\nfrom airflow.sdk import DAG\nglobals()[os.environ['NAME']] = DAG('sales')\n"
    [dag] = read_file({"d.py": text.encode()}, "d.py").dags
    assert dag.dag_id == "sales"


def test_dags_of_a_loop_over_a_variable_are_flagged() -> None:
    text = (
        "from airflow.models import Variable\nfrom airflow.sdk import DAG\n"
        "for x in Variable.get('all', deserialize_json=True):\n    globals()[x] = DAG(x)\n"
    )
    [dag] = read_file({"d.py": text.encode()}, "d.py").dags
    assert (dag.dag_id, dag.confidence["dag_id"]) == (None, "unknown")


@pytest.mark.parametrize("bound", ["sales = make()", "globals()['sales'] = make()", "globals()[make()] = make()"])
def test_what_another_package_makes_may_be_a_dag_and_is_said(bound: str) -> None:
    text = f"# An Airflow DAG.\nfrom factory_of_dags import make\n{bound}\n"
    found = read_file({"d.py": text.encode()}, "d.py")
    assert [(item.what, "make" in item.reason) for item in found.unresolved] == [("dags", True)]


@pytest.mark.parametrize("names", ["globals()", "locals()", "vars()"])
def test_the_names_of_the_file_have_three_ways_to_be_asked_for(names: str) -> None:
    text = f"from airflow.sdk import DAG\n{names}['x'] = DAG('sales')\n"
    [dag] = read_file({"d.py": text.encode()}, "d.py").dags
    assert dag.dag_id == "sales"


@pytest.mark.parametrize("hidden", ["all_of_them = [DAG('sales')]", "globals().update({'x': DAG('sales')})"])
def test_a_dag_that_is_made_and_not_seen_where_airflow_looks_is_said(hidden: str) -> None:
    found = read_file({"d.py": f"from airflow.sdk import DAG\n{hidden}\n".encode()}, "d.py")
    assert ["'sales'" in item.reason for item in found.unresolved] == [True]


def test_dags_of_an_imported_file_are_that_files_own() -> None:
    files = {
        "d.py": b"from airflow.sdk import DAG\nimport other\nx = DAG('a')\n",
        "other.py": b"from airflow.sdk import DAG\ny = DAG('b')\n",
    }
    found = read_file(files, "d.py")
    assert ([dag.dag_id for dag in found.dags], found.unresolved) == (["a"], ())
