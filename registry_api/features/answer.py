"""Put together the answer to "where does this feature come from?"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.feature import Access, AwaitedAsset, Consumer, Feature, Origin, PackageRef, Source, When, Who, Why
from festaf.contract.names import DatasetName
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.changes import dag_subject, follow
from festaf.registry_api.dag_packages.lineage import package_of
from festaf.registry_api.dags.seen import SeenDag
from festaf.registry_api.dags.service import DagService
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.feature_requests.shown import requests_about, requests_fulfilled
from festaf.registry_api.features.awaited import AwaitedAssets
from festaf.registry_api.features.call_repository import CallRepository
from festaf.registry_api.features.downstream import DownstreamWalk, Reached
from festaf.registry_api.features.freshness import freshness
from festaf.registry_api.features.logic import LogicReader
from festaf.registry_api.features.made import Made, Makers
from festaf.registry_api.features.newest_repository import Newest
from festaf.registry_api.features.portrait import Gallery, Portrait, known_owner
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.features.tables import FeatureTable
from festaf.registry_api.graph.names import NodeName, feature_node, feature_set_node, job_node
from festaf.registry_api.graph.subjects import subjects_of
from festaf.registry_api.graph.visibility import visibility
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import bodies
from festaf.registry_api.viewpoint import Viewpoint

NOT_SAID: tuple[Any, ...] = (None, "", ())
CONSUMER_STEPS = 8
CONSUMERS = 500
PRECEDENCE: tuple[Origin, ...] = ("declared", "lineage_facet", "column_lineage", "inputs_outputs", "lineage", "airflow")


class FeatureAnswer:
    """Answers for one feature from one viewpoint."""

    def __init__(self, session: Session, view: Viewpoint, now: datetime, sight: Sight) -> None:
        self.session = session
        self.view = view
        self.at = view.as_of or view.known_at or now
        self.sight = sight
        self.features = FeatureRepository(session)
        self.calls = CallRepository(session, view)
        self.gallery = Gallery(session, view)
        self.graph = FeatureGraph(session, view)
        self.dags = DagService(session)
        self.makers = Makers(session, view, sight)
        self.origins: dict[str, Origin] = {}

    def give(self, project: str, feature_set: str, name: str) -> Feature:
        """Answer.

        :raises NotFoundError: nothing speaks of such a feature, or did not by then, or the caller may not see it
        """
        row, portrait = self.require(project, feature_set, name)
        content, newest = portrait.content, portrait.newest
        made = self._made(row, newest)
        node = feature_node(project, feature_set, name)
        own: Origin = "declared" if self.calls.declared(newest.saying) else "lineage"
        said = newest.saying.version.sha256 if newest.saying and own == "declared" else None
        order = self.features.declared_orders([row.id], self.view).get(row.id, []) if said else []
        how, origins = LogicReader(self.dags.dags).read(content, made)
        self.origins |= origins
        sources, consumers = self._sources(node, made), self._consumers(project, feature_set, name)
        declared = {item for item, origin in sources.items() if origin == "declared"}
        access = visibility({*sources, *(item.node for item in consumers)}, self.sight, self.graph.deleted, declared)
        return Feature(
            project=project,
            feature_set=feature_set,
            name=name,
            type=self._said("type", (content.get("type"), own)),
            collection=self._said("collection", (content.get("collection"), own)),
            tags=self._said("tags", (tuple(content.get("tags") or ()), own)) or (),
            version=order.index(said) + 1 if said in order else None,
            version_sha256=said,
            deleted=portrait.deleted,
            who=self._who(portrait, made),
            when=self._when(portrait, made, own),
            how=how,
            why=self._why(portrait, own),
            run=self._run(made) if made else None,
            package=self._package(made) if made else None,
            sources=tuple(_source(item, origin, access[item]) for item, origin in sources.items()),
            consumers=self._named(consumers, access),
            fulfils=requests_fulfilled(self.session, self.sight, project, feature_set, name) if self.view.now else (),
            origins=dict(sorted(self.origins.items())),
        )

    def require(self, project: str, feature_set: str, name: str) -> tuple[FeatureTable, Portrait]:
        """Give the row and the portrait of a feature that is known.

        :raises NotFoundError: nothing speaks of it, or did not by then, or the caller may not see it
        """
        row = self._find(project, feature_set, name)
        portrait = self.gallery.draw(row.feature_set_id, [row])[0]
        if portrait.newest.first_said is None:
            raise NotFoundError(f"the feature {project}/{feature_set}/{name} was not known at that time")
        return row, portrait

    def require_row(self, project: str, feature_set: str, name: str) -> FeatureTable:
        """Give the row of a feature that is known; of now, the row itself tells.

        :raises NotFoundError: nothing speaks of it, or did not by then, or the caller may not see it
        """
        if self.view.now:
            return self._find(project, feature_set, name)
        return self.require(project, feature_set, name)[0]

    def _find(self, project: str, feature_set: str, name: str) -> FeatureTable:
        follow(self.session, subjects_of([feature_set_node(project, feature_set)]))
        row = self.features.find(project, feature_set, name) if self.sight.sees(project) else None
        if row is None or (row.first_seen is None and not self.view.known):
            asked = requests_about(self.session, self.sight, project, name)
            raise NotFoundError(f"no feature {project}/{feature_set}/{name} is known", related=asked)
        return row

    def _said(self, fact: str, *said: tuple[Any, Origin]) -> Any:
        """Give the first value that was said, and keep where it came from."""
        for value, origin in said:
            if value not in NOT_SAID:
                self.origins[fact] = origin
                return value
        return None

    def _made(self, feature: FeatureTable, newest: Newest) -> Made | None:
        if newest.production is None:
            return None
        pair = (newest.production.run.id, feature.feature_set_id)
        return self.makers.find([pair]).get(pair)

    def _who(self, portrait: Portrait, made: Made | None) -> Who:
        declared, seen = portrait.about.declared, portrait.about.observed
        job_owners = reading.owners(bodies(made.run.told.job_facets)) if made else ()
        return Who(
            owner=self._said(
                "who.owner",
                (known_owner(portrait.content.get("owner")), "declared"),
                (known_owner(declared.get("owner")), "declared"),
                (seen.get("owner"), "lineage"),
            ),
            dag_owners=self._said(
                "who.dag_owners",
                (made.dag.owners if made and made.dag else (), "airflow"),
                (job_owners, "lineage"),
            )
            or (),
        )

    def _when(self, portrait: Portrait, made: Made | None, own: Origin) -> When:
        dag = made.dag if made else None
        write = made.write if made else None
        first, first_written = portrait.newest.first_said, portrait.newest.first_written
        assert first is not None
        last_written = write.ended_at if write else None
        last_event_time = write.last_event_time if write else None
        next_run = dag.next_run if dag and not self.view.dated else None
        bound = self._said("when.freshness", (portrait.fresh_within_seconds, "declared"))
        return When(
            first_seen=self._said("when.first_seen", (first, "lineage" if first == first_written else own)),
            last_written=self._said("when.last_written", (last_written, "lineage")),
            last_event_time=self._said("when.last_event_time", (last_event_time, "lineage")),
            next_run=self._said("when.next_run", (next_run, "airflow")),
            schedule=self._said("when.schedule", (dag.facts.get("schedule") if dag else None, "airflow")),
            waits_for=self._said("when.waits_for", (self._awaited(dag), "airflow")) or (),
            dag_paused=self._said("when.dag_paused", (dag.paused if dag else None, "airflow")),
            dag_deleted=self._said("when.dag_deleted", ((dag and dag.deleted) or None, "airflow")) or False,
            freshness=freshness(
                bound, last_event_time=last_event_time, last_written=last_written, next_run=next_run, at=self.at
            ),
        )

    def _awaited(self, dag: SeenDag | None) -> tuple[AwaitedAsset, ...]:
        """Give the assets that make the DAG run, if it has no clock and waits for any."""
        if dag is None or dag.next_run or dag.deleted or not dag.waits_for:
            return ()
        return AwaitedAssets(self.session, self.graph, self.sight).of(dag)

    def _why(self, portrait: Portrait, own: Origin) -> Why:
        content, declared, seen = portrait.content, portrait.about.declared, portrait.about.observed
        return Why(
            purpose=self._said("why.purpose", (content.get("purpose"), own), (declared.get("purpose"), "declared")),
            description=self._said(
                "why.description",
                (content.get("description"), own),
                (declared.get("description"), "declared"),
                (seen.get("description"), "lineage"),
            ),
        )

    def _run(self, made: Made) -> Any:
        self.origins["run"] = made.origin
        return made.reference()

    def _package(self, made: Made) -> PackageRef | None:
        found = package_of(self.session, made.version.bundle_version, self.sight)
        return self._said("package", (found, made.origin))  # type: ignore[no-any-return]  # it is what was given

    def _sources(self, node: NodeName, made: Made | None) -> dict[NodeName, Origin]:
        """Give declared sources and column lineage; the inputs of the task only when there is neither."""
        found = self.graph.neighbours([node], "source")[node]
        if not found and made:
            job = job_node(made.run.namespace, made.run.job)
            found = self.graph.neighbours([job], "source")[job]
        said: dict[NodeName, Origin] = {}
        for item in found:
            said[item.node] = min(item.origin, said.get(item.node, item.origin), key=PRECEDENCE.index)
        return dict(sorted(said.items(), key=lambda pair: pair[0].id))

    def _consumers(self, project: str, feature_set: str, name: str) -> list[Reached]:
        """Give what reads the feature or its set, and what is made from that; of the tasks only the readers."""
        walk = DownstreamWalk(self.session, self.view, self.graph)
        found = walk.go(project, feature_set, name, depth=CONSUMER_STEPS, limit=CONSUMERS)
        shown = [item for item in found.reached.values() if item.node.kind != "job" or item.distance == 1]
        return sorted(shown, key=lambda item: (item.distance, item.node.id))

    def _named(self, consumers: Iterable[Reached], access: Mapping[NodeName, Access]) -> tuple[Consumer, ...]:
        jobs = {(item.node.namespace, item.node.name) for item in consumers if item.node.kind == "job"}
        follow(self.session, (dag_subject(*job) for job in jobs))
        dags = self.makers.seen.which_are_dags(jobs) if jobs else set()
        return tuple(
            _consumer(item, access[item.node], is_dag=(item.node.namespace, item.node.name) in dags)
            for item in consumers
        )


def _source(name: NodeName, origin: Origin, access: Access) -> Source:
    if access == "restricted":
        return Source(uri=None, namespace=None, name=None, origin=origin, access=access)
    uri = name.name if name.untracked else DatasetName(name.namespace, name.name, name.field).uri
    return Source(uri=uri, namespace=name.namespace, name=name.name, field=name.field, origin=origin, access=access)


def _consumer(item: Reached, access: Access, *, is_dag: bool) -> Consumer:
    node = item.node
    visible = access != "restricted"
    name = node.name if node.field is None else f"{node.name}#{node.field}"
    return Consumer(
        kind="dag" if is_dag else item.kind,
        namespace=node.namespace if visible else None,
        name=name if visible else None,
        distance=item.distance,
        version=item.use.version if item.use and visible else None,
        approval=item.use.approval if item.use and visible else None,
        last_read=item.last_stated if visible else None,
        origin=item.origin,
        access=access,
    )
