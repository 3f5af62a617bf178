from __future__ import annotations

from festaf.sharing.reading import read_file

MODULES = {"words/__init__.py": b"", "words/late.py": b"from words import later\n", "words/later.py": b""}


def read(text: str) -> dict[str, object]:
    [dag] = read_file({"d.py": text.encode(), **MODULES}, "d.py").dags
    return dag.model_dump()


def test_a_task_under_our_decorators_is_a_task() -> None:
    found = read(
        "from airflow.sdk import dag, task\n"
        "from festaf.operators.lineage import consumes, produces\n"
        "@dag(schedule=None)\n"
        "def d():\n"
        "    @consumes('s3://a/b')\n"
        "    @produces('nyc/levels', features=[])\n"
        "    @task\n"
        "    def f(): ...\n"
        "    f()\n"
        "d()\n"
    )
    assert [task["task_id"] for task in found["tasks"]] == ["f"]  # type: ignore[attr-defined]
    assert found["confidence"] == {}


def test_a_task_under_an_unknown_decorator_is_flagged() -> None:
    found = read(
        "from airflow.sdk import dag, task\n"
        "from kubernetes import thing\n"
        "@dag(schedule=None)\n"
        "def d():\n"
        "    @thing.decorate(1)\n"
        "    @task\n"
        "    def f(): ...\n"
        "    f()\n"
        "d()\n"
    )
    assert found["confidence"]["tasks"] != "exact"  # type: ignore[index]


def test_what_a_task_imports_when_it_runs_is_a_module_of_the_dag() -> None:
    found = read(
        "from airflow.sdk import dag, task\n"
        "@dag(schedule=None)\n"
        "def d():\n"
        "    @task\n"
        "    def f():\n"
        "        from words import late\n"
        "    f()\n"
        "d()\n"
    )
    assert found["local_modules"] == ("words", "words.late", "words.later")
