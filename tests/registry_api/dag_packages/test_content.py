"""A version can be looked into: files, README, drawing, differences; and nothing in it does anything to its reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from festaf.contract.dag_package import Ancestor, Needs
from festaf.registry_api.dag_packages.readme import html_of
from tests.sharing.packages import FILES, archive

if TYPE_CHECKING:
    from tests.registry_api.dag_packages.conftest import House

CHANGED = b"""from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG("sales", schedule="@hourly"):
    BashOperator(task_id="total", bash_command="true", pool="small") >> EmptyOperator(task_id="report")
"""
HERE = "/dag-packages/acme/sales/1.4.0"


def test_files_are_those_of_the_manifest_only(house: House) -> None:
    house.publish()
    got = house.ask("ian", "GET", f"{HERE}/files/sql/total.sql")
    assert (got.status_code, got.content) == (200, FILES["sql/total.sql"])
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''total.sql"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in got.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fregistry.db",
        "%252e%252e%2fregistry.db",
        "sql//total.sql",
        "sql/%2e/total.sql",
        "sql/total.sql;",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "sql%5ctotal.sql",
        "sql%ef%bc%8ftotal.sql",
        "sql/total.sql%00",
        "SQL/total.sql",
        "festaf.json",
        "x" * 241,
    ],
)
def test_no_other_path_leads_anywhere(house: House, path: str) -> None:
    house.publish()
    answer = house.ask("ian", "GET", f"{HERE}/files/{path}")
    assert answer.status_code in {400, 404, 422}, (path, answer.content)


EVIL = """# Sales

<script>alert(1)</script> <img src=x onerror=alert(1)> <svg><g onload=alert(1)></svg>
[go](javascript:alert(1)) [go](JaVaScRiPt:alert(1)) [go](java&#115;cript:alert(1)) [go](data:text/html;base64,PHN2Zz4=)
![spy](https://evil.example/pixel.png) ![spy][1] <base href=//evil> <meta http-equiv=refresh content=0>
<form action=//evil><input></form> <style>*{display:none}</style> <iframe src=//evil></iframe>
<math><mi//xlink:href="x">
{{ 7 * 7 }} {% import os %} <a href="https://ok.example" onclick="x()" style="x">kept</a> <!-- hidden -->
[fine](https://ok.example "title") **bold** `code`

| a | b |
|---|---|
| 1 | 2 |

[1]: http://evil.example/other.png
"""


def test_a_readme_does_nothing_to_its_reader(house: House) -> None:
    house.publish(files={**FILES, "README.md": EVIL.encode()})
    got = house.ask("ian", "GET", f"{HERE}/readme")
    assert got.status_code == 200, got.text
    assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'self'"
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"
    body = got.text.split("<body>")[1]
    tags = set(re.findall(r"</?([a-zA-Z0-9]+)", body))
    assert tags <= {"h1", "p", "a", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "body", "html"}
    links = re.findall(r"<a ([^>]*)>", body)
    assert links
    assert all(
        re.fullmatch(r'href="https?://[^"]*"( title="title")? rel="nofollow noopener noreferrer"', a) for a in links
    )
    assert "<strong>bold</strong>" in body
    assert "{{ 7 * 7 }}" in body


def test_markup_that_changes_when_it_is_read_twice_stays_harmless() -> None:
    for text in (
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "`<img src=x onerror=alert(1)>`",
        "[a](<javascript:alert(1)>)",
        "[a](\x01javascript:alert(1))",
        "[a](vbscript:x) [b](//evil.example) <https://ok.example>",
        "> " * 5_000,
        "[" * 5_000,
        "*a_ " * 5_000,
    ):
        html = html_of(text)
        assert not re.search(r"<(img|script|style|math|svg|noscript)|javascript:|vbscript:", _links(html)), html[:300]


def _links(html: str) -> str:
    """Give what a browser acts on: the tags."""
    return " ".join(re.findall(r"<[^>]*>", html))


def test_the_dags_are_drawn(house: House) -> None:
    house.publish(files={**FILES, "sales.py": CHANGED}, needs=Needs(pools=("small",)))
    (graph,) = house.get(f"{HERE}/graph")["dags"]
    assert (graph["dag_id"], graph["edges"], graph["complete"]) == ("sales", [["total", "report"]], True)
    assert [task["operator"] for task in graph["tasks"]] == ["BashOperator", "EmptyOperator"]


def test_versions_and_forks_are_compared(house: House) -> None:
    first = house.publish()
    files = {**FILES, "sales.py": CHANGED, "sql/total.sql": b"select 1\n", "new.sql": b"select 2"}
    files["acme_sales/bytes.dat"] = b"\xff\xfe"
    house.publish(
        "max",
        files=files,
        namespace="other",
        version="2.0",
        needs=Needs(pools=("small",)),
        ancestor=Ancestor(namespace="acme", name="sales", version="1.4.0", digest=first["digest"]),
    )
    diff = house.get("/dag-packages/other/sales/2.0/diff", "max", **{"with": "acme/sales/1.4.0"})

    assert [(item["task_id"], item["change"]) for item in diff["tasks"]] == [("report", "added"), ("total", "changed")]
    assert diff["edges_added"] == [["sales", "total", "report"]]
    assert diff["edges_removed"] == []
    assert [(item["field"], item["before"], item["after"]) for item in diff["values"]] == [
        ("schedule", "0 0 * * *", "0 * * * *"),
        ("tags", ["sales"], []),
    ]
    assert [(item["field"], item["after"]) for item in diff["needs"]] == [("pools", ["small"])]
    files = {item["path"]: item for item in diff["files"]}
    assert {path: item["change"] for path, item in files.items()} == {
        "acme_sales/bytes.dat": "added",
        "new.sql": "added",
        "sales.py": "changed",
        "sql/total.sql": "changed",
    }
    assert "-select sum(amount) from sales\n+select 1\n" in files["sql/total.sql"]["diff"]
    assert files["acme_sales/bytes.dat"]["diff"] is None
    assert house.get("/dag-packages/other/sales", "max")["forked_from"]["digest"] == first["digest"]
    assert [fork["namespace"] for fork in house.get("/dag-packages/acme/sales", "max")["forks"]] == ["other"]
    assert house.get("/dag-packages/acme/sales")["forks"] == []
    assert house.ask("ian", "GET", f"{HERE}/diff", params={"with": "other/sales/2.0"}).status_code == 404
    for wrong in ("acme", "acme/sales", "a/b/c/d", ""):
        assert house.ask("ian", "GET", f"{HERE}/diff", params={"with": wrong}).status_code == 422


def test_long_differences_are_bounded(house: House) -> None:
    house.publish(files={**FILES, "long.sql": b"select 1\n" * 90_000, "long.txt": b"a\n" * 1_900})
    house.publish(files={**FILES, "long.sql": b"select 2\n" * 90_000, "long.txt": b"b\n" * 1_900}, version="1.5.0")
    diff = house.get("/dag-packages/acme/sales/1.5.0/diff", **{"with": "acme/sales/1.4.0"})
    files = {item["path"]: item for item in diff["files"]}
    assert (files["long.sql"]["diff"], files["long.sql"]["truncated"]) == (None, True)
    assert len(files["long.txt"]["diff"]) > 5_000


def test_a_fork_names_an_ancestor_that_is_there(house: House) -> None:
    first = house.publish()
    for who, changes in (
        ("ann", {"version": "9.9.9"}),
        ("ann", {"digest": "0" * 64}),
        ("ann", {"namespace": "other"}),
    ):
        named = {"namespace": "acme", "name": "sales", "version": "1.4.0", "digest": first["digest"], **changes}
        answer = house.send(archive(name="forked", ancestor=Ancestor(**named)), who, "acme/forked/1.4.0")
        assert answer.status_code == 422
        assert "ancestor" in answer.json()["detail"]
    assert house.left() == [first["digest"]]
