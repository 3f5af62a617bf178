"""Put together the answer to "where does this feature come from?"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from festaf.contract.feature import (
    Code,
    Consumer,
    DagVersionRef,
    Feature,
    How,
    Origin,
    Rows,
    RunRef,
    Source,
    When,
    Who,
    Why,
)
from festaf.contract.names import DatasetName, sha256_of
from festaf.registry_api.dags.service import DagService, RunService, dag_fact, dag_owners
from festaf.registry_api.dags.tables import DagTable, RunTable
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.service import is_deleted, known_owner
from festaf.registry_api.features.tables import FeatureTable, WriteTable
from festaf.registry_api.graph.names import NodeName, feature_node, job_node, source_node
from festaf.registry_api.graph.service import GraphService, Neighbour, name_of
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import RunState, bodies


@dataclass(frozen=True)
class Made:
    """The run that made the values, with what it stands in."""

    run: RunTable
    write: WriteTable
    parent: RunTable | None
    dag: DagTable | None
    state: RunState
    version: DagVersionRef
    path: str | None


class FeatureAnswer:
    """Answers for one feature at one time."""

    def __init__(self, session: Session, as_of: datetime | None) -> None:
        self.as_of = as_of
        self.features = FeatureRepository(session)
        self.graph = GraphService(session)
        self.dags = DagService(session)
        self.runs = RunService(session)
        self.origins: dict[str, Origin] = {}

    def give(self, project: str, feature_set: str, name: str) -> Feature:
        """Answer.

        :raises NotFoundError: nothing speaks of such a feature, or not yet at that time
        """
        row = self.require(project, feature_set, name)
        saying = self.features.newest_saying(row.id, declared=True, as_of=self.as_of)
        bare = saying or self.features.newest_saying(row.id, declared=False, as_of=self.as_of)
        content = bare.version.content if bare else {}
        definition = self.features.newest_definition(row.feature_set_id, "declared", self.as_of)
        observed = self.features.newest_definition(row.feature_set_id, "observed", self.as_of)
        about = definition.content if definition else {}
        seen = observed.content if observed else {}
        made = self._made(row)
        node = feature_node(project, feature_set, name)
        return Feature(
            project=project,
            feature_set=feature_set,
            name=name,
            type=self._said("type", (content.get("type"), "declared" if saying else "lineage")),
            collection=content.get("collection"),
            tags=tuple(content.get("tags") or ()),
            version=self._version_number(row.id, saying.version.sha256) if saying else None,
            version_sha256=saying.version.sha256 if saying else None,
            deleted=self._deleted(row, made),
            who=self._who(content, about, seen, made),
            when=self._when(row, made),
            how=self._how(content, made),
            why=self._why(content, about, seen),
            run=self._run(made) if made else None,
            sources=self._sources(node, content, made),
            consumers=self._consumers(node),
            origins=dict(sorted(self.origins.items())),
        )

    def require(self, project: str, feature_set: str, name: str) -> FeatureTable:
        """Give the row of a feature that is known.

        :raises NotFoundError: nothing speaks of it, or not yet at that time
        """
        row = self.features.find(project, feature_set, name)
        if row is None or row.first_seen is None:
            raise NotFoundError(f"no feature {project}/{feature_set}/{name} is known")
        if self.as_of and row.first_seen > self.as_of:
            raise NotFoundError(f"the feature {project}/{feature_set}/{name} was not known at that time")
        return row

    def _said(self, fact: str, *said: tuple[Any, Origin]) -> Any:
        """Give the first value that was said, and keep where it came from."""
        for value, origin in said:
            if value:
                self.origins[fact] = origin
                return value
        return None

    def _made(self, feature: FeatureTable) -> Made | None:
        found = self.features.newest_production(feature.id, feature.feature_set_id, self.as_of)
        if found is None:
            return None
        run, write = found
        parent = self.runs.find(run.parent_uuid) if run.parent_uuid else None
        dag_pk = run.dag_pk or (parent.dag_pk if parent else None)
        version, path = self.dags.version_of(run, parent)
        dag = self.dags.find(dag_pk) if dag_pk else None
        return Made(run, write, parent, dag, RunState.model_validate_json(run.folded), version, path)

    def _version_number(self, feature_id: int, sha256: str) -> int:
        """Count the declared contents that were first said no later than this one."""
        versions = self.features.declared_versions(feature_id)
        since = {item.sha256: self.features.version_since(item.id) for item in versions}
        order = sorted((moment, key) for key, moment in since.items() if moment)
        return 1 + [key for _, key in order].index(sha256)

    def _deleted(self, feature: FeatureTable, made: Made | None) -> bool:
        retired = self.features.newest_definition(feature.feature_set_id, "retired", self.as_of)
        life = self.features.last_life(feature.id, self.as_of)
        return is_deleted(retired.said_at if retired else None, life, made.write.ended_at if made else None)

    def _who(self, content: dict[str, Any], about: dict[str, Any], seen: dict[str, Any], made: Made | None) -> Who:
        job_owners = reading.owners(bodies(made.state.job_facets)) if made else ()
        return Who(
            owner=self._said(
                "who.owner",
                (known_owner(content.get("owner")), "declared"),
                (known_owner(about.get("owner")), "declared"),
                (seen.get("owner"), "lineage"),
            ),
            dag_owners=self._said(
                "who.dag_owners",
                (dag_owners(made.dag) if made and made.dag else (), "airflow"),
                (job_owners, "lineage"),
            )
            or (),
        )

    def _when(self, feature: FeatureTable, made: Made | None) -> When:
        dag = made.dag if made else None
        assert feature.first_seen is not None
        return When(
            first_seen=feature.first_seen,
            last_written=self._said("when.last_written", (made.write.ended_at if made else None, "lineage")),
            last_event_time=self._said(
                "when.last_event_time", (made.write.last_event_time if made else None, "lineage")
            ),
            next_run=self._said(
                "when.next_run", (dag_fact(dag, "next_run") if dag and not self.as_of else None, "airflow")
            ),
            schedule=self._said("when.schedule", (dag_fact(dag, "schedule") if dag else None, "airflow")),
        )

    def _how(self, content: dict[str, Any], made: Made | None) -> How:
        return How(
            technique=self._said("how.technique", (content.get("technique"), "declared")),
            logic=self._logic(content, made),
            dag_file=self._dag_file(made),
        )

    def _logic(self, content: dict[str, Any], made: Made | None) -> Code | None:
        if text := content.get("logic"):
            self.origins["how.logic"] = "declared"
            return Code(language="sql" if _looks_like_sql(text) else "python", text=text, sha256=sha256_of(text))
        found = reading.code(bodies(made.state.job_facets)) if made else None
        if found is None:
            return None
        self.origins["how.logic"] = "lineage"
        language, sha256 = found
        return Code(language="sql" if language == "sql" else "python", text=self.dags.code(sha256), sha256=sha256)

    def _dag_file(self, made: Made | None) -> Code | None:
        if made is None or made.version.source_sha256 is None:
            return None
        self.origins["how.dag_file"] = "airflow"
        sha256 = made.version.source_sha256
        return Code(text=self.dags.code(sha256), sha256=sha256, path=made.path)

    def _why(self, content: dict[str, Any], about: dict[str, Any], seen: dict[str, Any]) -> Why:
        return Why(
            purpose=self._said("why.purpose", (content.get("purpose"), "declared"), (about.get("purpose"), "declared")),
            description=self._said(
                "why.description",
                (content.get("description"), "declared"),
                (about.get("description"), "declared"),
                (seen.get("description"), "lineage"),
            ),
        )

    def _run(self, made: Made) -> RunRef:
        run, task = made.run, reading.task_run(bodies(made.state.run_facets))
        self.origins["run"] = "airflow" if task else "lineage"
        dag_id = task.dag_id if task else made.dag.dag_id if made.dag else run.job
        write = made.write
        rows = (
            Rows(read=write.rows_read or 0, accepted=write.rows_accepted, rejected=write.rows_rejected or 0)
            if write.rows_accepted is not None
            else None
        )
        return RunRef(
            namespace=run.namespace,
            dag_id=dag_id,
            dag_version=made.version,
            run_id=task.run_id if task else str(run.uuid),
            task_id=task.task_id if task else run.job.removeprefix(f"{dag_id}."),
            map_index=task.map_index if task else -1,
            try_number=task.try_number if task else 1,
            operator=task.operator if task else None,
            state=_terminal(run.state),
            started_at=run.started_at,
            ended_at=write.ended_at,
            openlineage_run_id=run.uuid,
            rows=rows,
        )

    def _sources(self, node: NodeName, content: dict[str, Any], made: Made | None) -> tuple[Source, ...]:
        """Give declared sources and column lineage; the inputs of the task only when there is neither."""
        found = {source_node(uri): "declared" for uri in content.get("sources") or ()}
        for item in self.graph.neighbours([node], "source").get(node, []):
            if item.origin == "lineage":
                found.setdefault(_name(item), "lineage")
        if not found and made:
            job = job_node(made.run.namespace, made.run.job)
            found = {_name(item): "lineage" for item in self.graph.neighbours([job], "source").get(job, [])}
        return tuple(
            Source(
                uri=DatasetName(name.namespace, name.name, name.field).uri,
                namespace=name.namespace,
                name=name.name,
                field=name.field,
                origin="declared" if origin == "declared" else "lineage",
            )
            for name, origin in sorted(found.items())
        )

    def _consumers(self, node: NodeName) -> tuple[Consumer, ...]:
        whole = node.whole
        asked = [node, whole] if whole else [node]
        found: dict[NodeName, Neighbour] = {}
        for items in self.graph.neighbours(asked, "target").values():
            for item in items:
                known = found.get(_name(item))
                if known is None or known.last_stated < item.last_stated:
                    found[_name(item)] = item
        dags = self.dags.which_are_dags({(name.namespace, name.name) for name in found if name.kind == "job"})
        return tuple(_consumer(name, found[name], is_dag=(name.namespace, name.name) in dags) for name in sorted(found))


def _name(item: Neighbour) -> NodeName:
    return name_of(item.node)


def _consumer(name: NodeName, item: Neighbour, *, is_dag: bool) -> Consumer:
    return Consumer(
        kind="dataset" if name.kind != "job" else "dag" if is_dag else "task",
        namespace=name.namespace,
        name=name.name if name.field is None else f"{name.name}#{name.field}",
        last_read=item.last_stated,
        origin="declared" if item.origin == "declared" else "lineage",
    )


def _terminal(state: str | None) -> Literal["COMPLETE", "FAIL", "ABORT"]:
    """Read the state of a run that wrote: it ended in one of three."""
    return "FAIL" if state == "FAIL" else "ABORT" if state == "ABORT" else "COMPLETE"


def _looks_like_sql(text: str) -> bool:
    return text.lstrip()[:7].lower().startswith(("select", "with ", "insert", "create", "merge"))
