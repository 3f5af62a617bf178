"""How a feature is computed: the texts of code, and where they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from festaf.contract.feature import Code, CodeLocation, How, Origin
from festaf.contract.names import sha256_of
from festaf.registry_api.dags.repository import DagRepository
from festaf.registry_api.features.made import Made
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import bodies


@dataclass(frozen=True)
class Hashes:
    """The code of one run by hash."""

    code: tuple[str, str] | None
    """Language and hash of the task's code."""
    sql: str | None
    dag_file: str | None

    @property
    def all(self) -> set[str]:
        """Give every hash."""
        return {sha256 for sha256 in (self.code[1] if self.code else None, self.sql, self.dag_file) if sha256}


def hashes_of(made: Made) -> Hashes:
    """Read which code a run ran."""
    facets = bodies(made.run.told.job_facets)
    return Hashes(reading.code(facets), reading.sql(facets), made.version.source_sha256)


class LogicReader:
    """Puts together how a feature is computed."""

    def __init__(self, dags: DagRepository) -> None:
        self.dags = dags

    def read(self, content: Mapping[str, Any], made: Made | None) -> tuple[How, dict[str, Origin]]:
        """Give it, and where each part comes from."""
        hashes = hashes_of(made) if made else Hashes(None, None, None)
        texts = self.dags.codes(hashes.all)
        origins: dict[str, Origin] = {}
        if content.get("technique"):
            origins["how.technique"] = "declared"
        logic = _declared(content)
        if logic:
            origins["how.logic"] = "declared"
        elif hashes.code:
            language, sha256 = hashes.code
            logic = Code(language="sql" if language == "sql" else "python", text=texts.get(sha256), sha256=sha256)
            origins["how.logic"] = "lineage"
        sql = None
        if hashes.sql and (logic is None or logic.sha256 != hashes.sql):
            sql = Code(language="sql", text=texts.get(hashes.sql), sha256=hashes.sql)
            origins["how.sql"] = "lineage"
        dag_file = None
        if made and hashes.dag_file:
            dag_file = Code(text=texts.get(hashes.dag_file), sha256=hashes.dag_file, path=made.path)
            origins["how.dag_file"] = "airflow"
        location = _location(made) if made else None
        if location:
            origins["how.location"] = "lineage" if location.url or location.repository_url else "airflow"
        technique = content.get("technique")
        return How(technique=technique, logic=logic, sql=sql, dag_file=dag_file, location=location), origins


def _declared(content: Mapping[str, Any]) -> Code | None:
    text = content.get("logic")
    if not text:
        return None
    return Code(language="sql" if _looks_like_sql(text) else "python", text=text, sha256=sha256_of(text))


def _location(made: Made) -> CodeLocation | None:
    """Read the task's ``sourceCodeLocation``, else its DAG run's, with what is known of the bundle."""
    told = [item.told for item in (made.run, made.parent) if item]
    facet = next((found for state in told if (found := reading.code_location(bodies(state.job_facets)))), {})
    location = CodeLocation(
        url=facet.get("url"),
        repository_url=facet.get("repoUrl"),
        path=facet.get("path") or made.path,
        commit=facet.get("version"),
        branch=facet.get("branch"),
        tag=facet.get("tag"),
        bundle_name=made.version.bundle_name,
        bundle_version=made.version.bundle_version,
    )
    return location if any(location.model_dump().values()) else None


def _looks_like_sql(text: str) -> bool:
    return text.lstrip()[:7].lower().startswith(("select", "with ", "insert", "create", "merge"))
