"""Whatever the bytes are, reading ends soon, raises nothing, and says why."""

from __future__ import annotations

import builtins
import importlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from festaf.sharing.reading import read_confined, read_file

HEAD = b"from airflow.sdk import DAG\nfrom airflow.providers.standard.operators.bash import BashOperator\n"
REFUSED = {
    "too large": b"x = 1\n" * 200_000,
    "NUL": b"x = 1\0\n",
    "utf-7 cookie": b"# -*- coding: utf-7 -*-\n+AGkAbQBwAG8AcgB0AA-\n",
    "raw_unicode_escape cookie": b"#!/usr/bin/python\n# coding: raw_unicode_escape\n",
    "not UTF-8": b"x = '\xff'\n",
    "no Python": b"def (:\n",
    "parentheses": b"x = " + b"(" * 5000 + b")" * 5000,
    "lambdas": b"x = " + b"lambda:" * 5000 + b"1",
    "minus signs": b"x = " + b"-" * 100_000 + b"1",
    "million digits": b"x = " + b"1" * 900_000,
}
ENDLESS = {
    "multiplied text": "x = 'a' * 10 ** 10",
    "power": "x = 10 ** 10 ** 10",
    "shift": "x = 1 << 10 ** 9",
    "formatted width": "x = f'{1:9999999999}'",
    "width from a value": "w = 9999999999\nx = f'{1:{w}}'",
    "percent width": "x = '%9999999999d' % 1",
    "percent star": "x = '%*d' % (10 ** 9, 1)",
    "str.format width": "x = '{:9999999999}'.format(1)",
    "justified": "x = 'a'.ljust(10 ** 10)",
    "replaced": "x = ('a' * 200000).replace('a', 'b' * 200000)",
    "joined": "x = ('b' * 200000).join(['a'] * 20000)",
    "range": "x = [i for i in range(10 ** 12)]",
    "nested loops": "for a in range(10000):\n    for b in range(10000):\n        pass",
    "while true": "while True:\n    pass",
    "while counting": "n = 0\nwhile n >= 0:\n    n += 1",
    "recursion": "def f(n):\n    return f(n + 1) + f(n + 2)\nf(0)",
    "mutual recursion": "def f():\n    return g()\ndef g():\n    return f()\nf()",
    "self-appending list": "x = []\nfor i in range(100):\n    x.append(x)\nstr(x)\ny = x == x",
    "self-containing dict": "d = {}\nd['d'] = d\nprint(d, d == d)\nimport copy\ncopy.deepcopy(d)",
    "doubling list": "x = [1]\nfor i in range(100):\n    x = x + x",
    "doubling text": "x = 'aa'\nfor i in range(100):\n    x = x + x",
    "doubling in place": "x = [1]\nfor i in range(100):\n    x += x",
    "doubling integer": "x = 2\nfor i in range(100):\n    x = x * x",
    "extending itself": "x = [1]\nfor i in x:\n    x.extend(x)",
    "many lists": "k = []\nfor i in range(5000):\n    k.append(list(range(20000)))",
    "product": "from itertools import product\nx = list(product(range(1000), range(1000), range(1000)))",
    "sums": "x = " + "+".join(["1"] * 3000),
    "attributes": "x = a" + ".b" * 3000,
    "tasks": "with DAG('d') as dag:\n    for i in range(10 ** 6):\n        BashOperator(task_id=f't{i}')",
    "edges": (
        "with DAG('d') as dag:\n    a = [BashOperator(task_id=f'a{i}') for i in range(3000)]\n"
        "    b = [BashOperator(task_id=f'b{i}') for i in range(3000)]\n    for t in a:\n        t >> b"
    ),
    "generator": "def g():\n    while True:\n        yield 1\nx = list(g())",
    "class that calls itself": "class A:\n    def __init__(self):\n        self.a = A()\nA()",
    "property that calls itself": "class A:\n    @property\n    def p(self):\n        return self.p\nA().p",
    "bases in a ring": "class A: pass\nclass B(A): pass\nA.__bases__ = (B,)\nB().x",
    "JSON depth": "import json\nx = json.loads('[' * 100000)",
    "int of text": "x = int('9' * 100000)",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_safely_is_refused_with_a_sentence(content: bytes) -> None:
    begin = time.process_time()
    answer = read_file({"dag.py": content}, "dag.py")
    assert answer.error
    assert answer.error.startswith("The file")
    assert time.process_time() - begin < 3


@pytest.mark.parametrize("code", ENDLESS.values(), ids=ENDLESS)
def test_code_without_end_is_bounded(code: str) -> None:
    begin = time.process_time()
    answer = read_file({"dag.py": HEAD + code.encode()}, "dag.py")
    assert time.process_time() - begin < 5
    assert answer.model_dump_json()


def test_a_name_in_look_alike_letters_is_told() -> None:
    answer = read_file({"dag.py": b"\xf0\x9d\x90\x9eval('1')\n"}, "dag.py")
    assert any("'eval'" in item.reason for item in answer.unresolved)


def test_a_lone_carriage_return_is_told() -> None:
    answer = read_file({"dag.py": b"# comment\rimport os\n"}, "dag.py")
    assert [item.what for item in answer.unresolved] == ["source"]


def test_invisible_characters_are_told() -> None:
    answer = read_file({"dag.py": "x = '\u202eabc'\n".encode()}, "dag.py")
    assert any("U+202E" in item.reason for item in answer.unresolved)


PAYLOADS = [
    "import os\nos.system('touch /tmp/hacked')",
    "exec(__import__('base64').b64decode('cHJpbnQoMSk='))",
    "import importlib\nimportlib.import_module('antigravity')",
    "import sys\nsys.path.insert(0, '/tmp')\nimport evil_module_that_is_not_there",
    "import ctypes\nctypes.CDLL(None)",
    "import pickle\npickle.loads(b'')",
    "().__class__.__bases__[0].__subclasses__()",
    "'{0.__class__.__mro__}'.format(1)",
    "open('/etc/passwd').read()",
    "from pathlib import Path\nPath('/etc/passwd').read_text()",
    "open(__file__ + '/../../../../../etc/passwd').read()",
]


@pytest.mark.parametrize("code", PAYLOADS)
def test_nothing_is_imported_run_or_opened(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **keywords: object) -> object:
        raise AssertionError(f"reading does {arguments}")

    read_file({"dag.py": HEAD}, "dag.py")
    monkeypatch.setattr(importlib, "import_module", refuse)
    monkeypatch.setattr(builtins, "exec", refuse)
    monkeypatch.setattr(builtins, "eval", refuse)
    monkeypatch.setattr(builtins, "open", refuse)
    assert read_file({"dag.py": HEAD + code.encode()}, "dag.py").error is None


def test_a_file_that_needs_too_much_memory_costs_only_its_own_answer() -> None:
    sources = {"bomb.py": b"x = [" + b"1," * 500_000 + b"]\n", "good.py": HEAD + b"with DAG('d') as dag:\n    pass\n"}
    bomb, good = read_confined(sources, ["bomb.py", "good.py"], memory=220 * 1024 * 1024, seconds=10)
    assert bomb.error
    assert [dag.dag_id for dag in good.dags] == ["d"]


def test_a_confined_process_that_takes_too_long_is_ended() -> None:
    [answer] = read_confined({"bomb.py": b"x = [" + b"1," * 500_000 + b"]\n"}, ["bomb.py"], seconds=0.01)
    assert answer.file == "bomb.py"


def test_files_that_together_take_too_long_are_told_and_not_all_read() -> None:
    files = {f"bomb{number}.py": b"x = [" + b"1," * 400_000 + b"]\n" for number in range(6)}
    answers = read_confined(files, list(files), seconds=60, together=0.5)
    assert [answer.file for answer in answers] == list(files)
    assert answers[-1].error == "The files together take longer than 0.5 seconds to read"


NAMES = st.sampled_from(["DAG", "dag", "x", "task", "BashOperator", "chain", "a", "f", "self"])
LITERALS = st.sampled_from(["1", "'a'", "[]", "{}", "None", "x", "10**9", "'a'*99", "[x]*3", "f'{x}'", "DAG('d')"])
EXPRESSIONS = st.recursive(
    st.one_of(NAMES, LITERALS),
    lambda inner: st.one_of(
        st.builds("{}({})".format, inner, inner),
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", ">>", "%", "*", "|", "in", "and", "<"]), inner),
        st.builds("[{} for {} in {}]".format, inner, NAMES, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}({}={})".format, inner, NAMES, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
    ),
    max_leaves=12,
)
STATEMENTS = st.one_of(
    EXPRESSIONS,
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("if {}:\n    {}\nelse:\n    {}".format, EXPRESSIONS, EXPRESSIONS, EXPRESSIONS),
    st.builds("for {} in {}:\n    {}".format, NAMES, EXPRESSIONS, EXPRESSIONS),
    st.builds("with {} as {}:\n    {}".format, EXPRESSIONS, NAMES, EXPRESSIONS),
    st.builds("def {}({}={}, *a, **k):\n    return {}".format, NAMES, NAMES, EXPRESSIONS, EXPRESSIONS),
    st.builds("@{}\ndef {}(x=1):\n    {}".format, EXPRESSIONS, NAMES, EXPRESSIONS),
    st.builds("class {}({}):\n    x = {}".format, NAMES, EXPRESSIONS, EXPRESSIONS),
    st.builds("try:\n    {}\nexcept {}:\n    {}".format, EXPRESSIONS, NAMES, EXPRESSIONS),
    st.builds("while {}:\n    {}\n    break".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("{} += {}".format, NAMES, EXPRESSIONS),
)


@given(st.lists(STATEMENTS, max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_source_makes_reading_fail(statements: list[str]) -> None:
    head = "from airflow.sdk import *\nfrom airflow.sdk import DAG, dag, task, chain, task_group\n"
    read_file({"dag.py": (head + "\n".join(statements)).encode()}, "dag.py")


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_bytes_make_reading_fail(content: bytes) -> None:
    read_file({"dag.py": content}, "dag.py")
