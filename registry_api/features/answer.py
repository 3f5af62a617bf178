"""Put together the answer to "where does this feature come from?"."""

from __future__ import annotations

from collections.abc import Mapping
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
from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.dags.service import DagService, RunService, dag_fact, dag_next_run, dag_owners
from festaf.registry_api.dags.tables import DagTable, RunTable
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.feature_requests.shown import requests_about, requests_fulfilled
from festaf.registry_api.features.newest_repository import Newest
from festaf.registry_api.features.portrait import Gallery, Portrait, known_owner
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.features.tables import FeatureTable, WriteTable
from festaf.registry_api.graph.names import NodeName, feature_node, job_node
from festaf.registry_api.graph.service import Neighbour
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import RunState, bodies, read_state


@dataclass(frozen=True)
class Made:
    """The run that made the values, with what it stands in."""

    run: RunTable
    write: WriteTable
    dag: DagTable | None
    state: RunState
    version: DagVersionRef
    path: str | None


class FeatureAnswer:
    """Answers for one feature at one time."""

    def __init__(self, session: Session, as_of: datetime | None) -> None:
        self.as_of = as_of
        self.features = FeatureRepository(session)
        self.gallery = Gallery(session, as_of)
        self.graph = FeatureGraph(session, as_of)
        self.dags = DagService(session)
        self.runs = RunService(session)
        self.origins: dict[str, Origin] = {}

    def give(self, project: str, feature_set: str, name: str) -> Feature:
        """Answer.

        :raises NotFoundError: nothing speaks of such a feature, or not yet at that time
        """
        row = self.require(project, feature_set, name)
        portrait = self.gallery.draw(row.feature_set_id, [row])[0]
        content, newest = portrait.content, portrait.newest
        made = self._made(row, newest)
        node = feature_node(project, feature_set, name)
        said = newest.saying.version.sha256 if newest.saying and portrait.declared else None
        return Feature(
            project=project,
            feature_set=feature_set,
            name=name,
            type=self._said("type", (content.get("type"), "declared" if said else "lineage")),
            collection=content.get("collection"),
            tags=tuple(content.get("tags") or ()),
            version=self.features.declared_order(row.id).index(said) + 1 if said else None,
            version_sha256=said,
            deleted=portrait.deleted,
            who=self._who(portrait, made),
            when=self._when(newest, made),
            how=self._how(content, made),
            why=self._why(portrait),
            run=self._run(made) if made else None,
            sources=self._sources(node, made),
            consumers=self._consumers(node),
            fulfils=requests_fulfilled(self.features.session, project, feature_set, name),
            origins=dict(sorted(self.origins.items())),
        )

    def require(self, project: str, feature_set: str, name: str) -> FeatureTable:
        """Give the row of a feature that is known.

        :raises NotFoundError: nothing speaks of it, or not yet at that time
        """
        row = self.features.find(project, feature_set, name)
        if row is None or row.first_seen is None:
            asked = requests_about(self.features.session, EVERYTHING, project, name)
            raise NotFoundError(f"no feature {project}/{feature_set}/{name} is known", related=asked)
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

    def _made(self, feature: FeatureTable, newest: Newest) -> Made | None:
        if newest.production is None:
            return None
        run, write = self.features.run_and_write(newest.production.run.id, feature.feature_set_id)
        parent = self.runs.find(run.parent_uuid) if run.parent_uuid else None
        dag_pk = run.dag_pk or (parent.dag_pk if parent else None)
        version, path = self.dags.version_of(run, parent)
        dag = self.dags.find(dag_pk) if dag_pk else None
        return Made(run, write, dag, read_state(run.folded), version, path)

    def _who(self, portrait: Portrait, made: Made | None) -> Who:
        declared, seen = portrait.about.declared, portrait.about.observed
        job_owners = reading.owners(bodies(made.state.job_facets)) if made else ()
        return Who(
            owner=self._said(
                "who.owner",
                (known_owner(portrait.content.get("owner")), "declared"),
                (known_owner(declared.get("owner")), "declared"),
                (seen.get("owner"), "lineage"),
            ),
            dag_owners=self._said(
                "who.dag_owners",
                (dag_owners(made.dag) if made and made.dag else (), "airflow"),
                (job_owners, "lineage"),
            )
            or (),
        )

    def _when(self, newest: Newest, made: Made | None) -> When:
        dag, write = (made.dag, made.write) if made else (None, None)
        assert newest.first_said is not None
        next_run = dag_next_run(dag) if dag and not self.as_of else None
        return When(
            first_seen=newest.first_said,
            last_written=self._said("when.last_written", (write.ended_at if write else None, "lineage")),
            last_event_time=self._said("when.last_event_time", (write.last_event_time if write else None, "lineage")),
            next_run=self._said("when.next_run", (next_run, "airflow")),
            schedule=self._said("when.schedule", (dag_fact(dag, "schedule") if dag else None, "airflow")),
            dag_paused=dag_fact(dag, "paused") if dag else None,
            dag_deleted=bool(dag_fact(dag, "deleted")) if dag else False,
        )

    def _how(self, content: Mapping[str, Any], made: Made | None) -> How:
        return How(
            technique=self._said("how.technique", (content.get("technique"), "declared")),
            logic=self._logic(content, made),
            dag_file=self._dag_file(made),
        )

    def _logic(self, content: Mapping[str, Any], made: Made | None) -> Code | None:
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

    def _why(self, portrait: Portrait) -> Why:
        content, declared, seen = portrait.content, portrait.about.declared, portrait.about.observed
        own: Origin = "declared" if portrait.declared else "lineage"
        return Why(
            purpose=self._said("why.purpose", (content.get("purpose"), own), (declared.get("purpose"), "declared")),
            description=self._said(
                "why.description",
                (content.get("description"), own),
                (declared.get("description"), "declared"),
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

    def _sources(self, node: NodeName, made: Made | None) -> tuple[Source, ...]:
        """Give declared sources and column lineage; the inputs of the task only when there is neither."""
        found = self.graph.neighbours([node], "source")[node]
        if not found and made:
            job = job_node(made.run.namespace, made.run.job)
            found = self.graph.neighbours([job], "source")[job]
        said: dict[NodeName, Origin] = {}
        for item in found:
            said[item.node] = "declared" if "declared" in (item.origin, said.get(item.node)) else item.origin
        return tuple(
            Source(
                uri=DatasetName(name.namespace, name.name, name.field).uri,
                namespace=name.namespace,
                name=name.name,
                field=name.field,
                origin=origin,
            )
            for name, origin in sorted(said.items(), key=lambda pair: pair[0].id)
        )

    def _consumers(self, node: NodeName) -> tuple[Consumer, ...]:
        whole = node.whole
        found: dict[NodeName, Neighbour] = {}
        for items in self.graph.neighbours([node, whole] if whole else [node], "target").values():
            for item in items:
                known = found.get(item.node)
                if known is None or known.last_stated < item.last_stated:
                    found[item.node] = item
        dags = self.dags.which_are_dags({(name.namespace, name.name) for name in found if name.kind == "job"})
        return tuple(
            _consumer(name, found[name], is_dag=(name.namespace, name.name) in dags)
            for name in sorted(found, key=lambda name: name.id)
        )


def _consumer(name: NodeName, item: Neighbour, *, is_dag: bool) -> Consumer:
    return Consumer(
        kind="dataset" if name.kind != "job" else "dag" if is_dag else "task",
        namespace=name.namespace,
        name=name.name if name.field is None else f"{name.name}#{name.field}",
        last_read=item.last_stated,
        origin=item.origin,
    )


def _terminal(state: str | None) -> Literal["COMPLETE", "FAIL", "ABORT"]:
    """Read the state of a run that wrote: it ended in one of three."""
    return "FAIL" if state == "FAIL" else "ABORT" if state == "ABORT" else "COMPLETE"


def _looks_like_sql(text: str) -> bool:
    return text.lstrip()[:7].lower().startswith(("select", "with ", "insert", "create", "merge"))
