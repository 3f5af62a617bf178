"""Tasks get the ids, operators and edges that Airflow gives them."""

from __future__ import annotations

import pytest

from tests.sharing.reading.dags import edges, ids, read, read_dag

HEAD = """
from airflow.sdk import DAG, Label, TaskGroup, chain, chain_linear, cross_downstream, task, task_group
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator
"""


def test_a_function_called_again_gets_a_number() -> None:
    dag = read_dag(
        HEAD + "@task\ndef f(): ...\nwith DAG('d') as d:\n    f(); f(); f()\n    f.override(task_id='g')(); f()\n"
    )
    assert ids(dag) == ["f", "f__1", "f__2", "g", "f__3"]
    assert {item.operator for item in dag.tasks} == {"_PythonDecoratedOperator"}


def test_a_group_gives_its_tasks_a_prefix_unless_told_not_to() -> None:
    dag = read_dag(
        HEAD
        + """
with DAG('d') as d:
    with TaskGroup('outer') as outer:
        EmptyOperator(task_id='a')
        with TaskGroup('inner', prefix_group_id=False):
            EmptyOperator(task_id='b')
        with TaskGroup('deep'):
            EmptyOperator(task_id='c')
"""
    )
    assert ids(dag) == ["outer.a", "b", "outer.deep.c"]
    assert [item.group for item in dag.tasks] == ["outer", "outer.inner", "outer.deep"]


def test_a_decorated_group_called_again_gets_a_number_and_its_result_stands_for_it() -> None:
    dag = read_dag(
        HEAD
        + """
@task
def f(x): return x

@task_group
def g(x):
    return f(f(x))

with DAG('d') as d:
    g(1) >> EmptyOperator(task_id='end')
    g(2)
"""
    )
    assert ids(dag) == ["g.f", "g.f__1", "end", "g__1.f", "g__1.f__1"]
    assert ("g.f__1", "end") in edges(dag)
    assert ("g.f", "end") not in edges(dag)


def test_shifts_lists_labels_and_groups_draw_edges() -> None:
    dag = read_dag(
        HEAD
        + """
with DAG('d') as d:
    a, b, c, e = [EmptyOperator(task_id=i) for i in 'abce']
    a >> [b, c] >> e
    with TaskGroup('g') as g:
        x = EmptyOperator(task_id='x')
        y = EmptyOperator(task_id='y')
        x >> y
    e >> Label('then') >> g
"""
    )
    assert edges(dag) == {("a", "b"), ("a", "c"), ("b", "e"), ("c", "e"), ("e", "g.x"), ("g.x", "g.y")}


def test_chains_draw_edges() -> None:
    dag = read_dag(
        HEAD
        + """
with DAG('d') as d:
    a, b, c, e, f = [EmptyOperator(task_id=i) for i in 'abcef']
    chain(a, [b, c], [e, f])
    cross_downstream([a], [e])
    chain_linear([b, c], [f])
"""
    )
    assert edges(dag) == {("a", "b"), ("a", "c"), ("b", "e"), ("c", "f"), ("a", "e"), ("b", "f")}


def test_results_that_are_passed_on_draw_edges() -> None:
    dag = read_dag(
        HEAD
        + """
@task
def f(x=None, y=None): return 1

with DAG('d') as d:
    a = BashOperator(task_id='a', bash_command='x')
    b = f(a.output)
    PythonOperator(task_id='c', python_callable=print, op_args=[b], op_kwargs={'k': {'deep': [a.output]}})
    BashOperator(task_id='e', bash_command=b, env={'X': a.output['key']})
    f.override(task_id='m').partial(x=a.output).expand(y=b)
    BashOperator.partial(task_id='n').expand(bash_command=b)
"""
    )
    assert edges(dag) == {
        ("a", "f"),
        ("f", "c"),
        ("a", "c"),
        ("f", "e"),
        ("a", "e"),
        ("a", "m"),
        ("f", "m"),
        ("f", "n"),
    }
    assert [item.task_id for item in dag.tasks if item.mapped] == ["m", "n"]


def test_a_mapped_group_waits_for_what_it_is_mapped_over() -> None:
    dag = read_dag(
        HEAD
        + """
@task
def numbers(): return [1]

@task
def f(x): ...

@task_group
def g(x):
    EmptyOperator(task_id='first') >> f(x)

with DAG('d') as d:
    g.expand(x=numbers())
"""
    )
    assert edges(dag) == {("numbers", "g.first"), ("numbers", "g.f"), ("g.first", "g.f")}


def test_setups_and_teardowns_enclose_what_is_made_in_their_context() -> None:
    dag = read_dag(
        HEAD
        + """
with DAG('d') as d:
    s = EmptyOperator(task_id='s')
    t = EmptyOperator(task_id='t')
    with t.as_teardown(setups=s):
        EmptyOperator(task_id='a') >> EmptyOperator(task_id='b')
"""
    )
    assert edges(dag) == {("s", "t"), ("s", "a"), ("a", "b"), ("b", "t")}


def test_a_class_of_the_package_makes_a_task_of_its_own_name() -> None:
    dag = read_dag(
        HEAD
        + """
from ops import Load
with DAG('d', default_args={'table': 'sales', 'owner': 'me'}) as d:
    Load(suffix='x')
""",
        ops="""
from airflow.providers.standard.operators.bash import BashOperator
class Load(BashOperator):
    def __init__(self, *, table, suffix, load_conn_id='warehouse', **kwargs):
        super().__init__(task_id=f'load_{table}_{suffix}', bash_command='x', **kwargs)
""",
    )
    [task] = dag.tasks
    assert (task.task_id, task.operator) == ("load_sales_x", "Load")
    assert dag.owners == ("me",)
    assert dag.connections == ("warehouse",)
    assert dag.local_modules == ("ops",)


def test_default_arguments_of_dag_group_and_task_are_merged() -> None:
    dag = read_dag(
        HEAD
        + """
with DAG('d', default_args={'owner': 'a', 'pool': 'p'}) as d:
    EmptyOperator(task_id='x')
    with TaskGroup('g', default_args={'owner': 'b'}):
        EmptyOperator(task_id='y')
        EmptyOperator(task_id='z', owner='c', queue='q')
"""
    )
    assert dag.owners == ("a", "b", "c")
    assert dag.pools == ("p",)
    assert dag.queues == ("q",)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("EmptyOperator(task_id=open('x').read())", "tasks"),
        ("[EmptyOperator(task_id=f't_{n}') for n in Variable.get('names')]", "tasks"),
        ("if Variable.get('on'):\n        EmptyOperator(task_id='a')", "tasks"),
        ("from elsewhere import more\n    more()", "tasks"),
        ("from elsewhere import more\n    more(d)", "tasks"),
        ("EmptyOperator(task_id='a') >> Variable.get('x')", "edges"),
        ("while Variable.get('x'):\n        EmptyOperator(task_id='a')", "tasks"),
        ("tasks = {}\n    tasks[Variable.get('x')] = 1\n    [EmptyOperator(task_id=k) for k in tasks]", "tasks"),
        ("EmptyOperator(task_id='a', pool=Variable.get('x'))", "pools"),
        ("EmptyOperator(task_id='a', owner=Variable.get('x'))", "owners"),
        ("EmptyOperator(task_id='a', outlets=[Asset(Variable.get('x'))])", "outlets"),
        ("BashOperator(task_id='a', ssh_conn_id=Variable.get('x'))", "connections"),
    ],
)
def test_what_is_not_decided_is_told_for_its_field(code: str, what: str) -> None:
    dag = read_dag(HEAD + f"from airflow.sdk import Variable, Asset\nwith DAG('d') as d:\n    {code}\n")
    assert what in dag.confidence
    assert any(item.what == what and item.reason for item in dag.unresolved)


def test_two_sides_of_a_condition_that_is_not_known_are_both_read() -> None:
    dag = read_dag(
        HEAD
        + """
from airflow.sdk import Variable
if Variable.get('on'):
    name = 'a'
else:
    name = 'b'
with DAG('d', tags=[name], description='same') as d:
    EmptyOperator(task_id='x')
"""
    )
    assert dag.tags == ()
    assert dag.confidence == {"tags": "partial"}


def test_an_id_that_depends_on_where_the_package_lies_is_not_guessed() -> None:
    found = read(
        HEAD + "import os\nwith DAG(os.path.dirname(__file__)) as d: ...\nDAG(os.path.basename(__file__)[:-3])\nx = _\n"
    )
    assert [dag.dag_id for dag in found.dags] == [None]


def test_two_tasks_of_one_id_are_told() -> None:
    dag = read_dag(HEAD + "with DAG('d') as d:\n    EmptyOperator(task_id='a')\n    EmptyOperator(task_id='a')\n")
    assert ids(dag) == ["a"]
    assert dag.confidence["tasks"] == "partial"
