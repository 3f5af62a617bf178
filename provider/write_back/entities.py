"""What the registry knows of a feature set, as SageMaker lineage: artifacts, an action, and associations between them.

Source: CreateArtifact, CreateAction, AddAssociation. AWS makes an artifact once for each type and source, so that the
names of sources are what keeps a repetition from making anything twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from festaf.contract.names import artifact_uri, dataset_name, feature_set_of, sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from festaf.contract.feature import Consumer, Feature, RunRef

Relation = Literal["ContributedTo", "Produced", "DerivedFrom", "AssociatedWith"]
LONGEST_NAME = 120
DIGEST = 10
LONGEST_URI = 2_048
LONGEST_VALUE = 2_500
ACTION = "AirflowTask"
STATES = {"COMPLETE": "Completed", "FAIL": "Failed", "ABORT": "Stopped"}


@dataclass(frozen=True)
class Entity:
    """An artifact or an action that is to stand.

    :param type: AWS's ArtifactType or ActionType, such as ``DataSet``
    """

    kind: Literal["artifact", "action"]
    name: str
    type: str
    source_uri: str
    source_type: str = "festaf"
    properties: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Tell the entity from others."""
        return self.kind, self.type, self.source_uri


@dataclass(frozen=True)
class Association:
    """``source`` contributed to, produced, or is what ``target`` was derived from."""

    source: Entity
    target: Entity
    relation: Relation


@dataclass(frozen=True)
class Plan:
    """Everything that is to stand, and what the registry may not tell."""

    entities: tuple[Entity, ...]
    associations: tuple[Association, ...]
    hidden: int = 0
    """Sources and consumers that this caller of the registry may not see."""


def feature_set_sources(features: Iterable[Feature]) -> dict[str, tuple[str, str]]:
    """Give project and name of the feature sets that features are made from, by URI."""
    uris = {source.uri.partition("#")[0] for feature in features for source in feature.sources if source.uri}
    named = {uri: feature_set_of(dataset_name(uri)) for uri in sorted(uris) if "://" in uri}
    return {uri: name for uri, name in named.items() if name}


def plan(feature_set_arn: str, features: Iterable[Feature], groups: Mapping[str, str] | None = None) -> Plan:
    """Plan the lineage of one feature set from the answers on its features.

    :param groups: the ARNs of those sources that are feature groups themselves, by URI
    """
    known = sorted(features, key=lambda feature: feature.name)
    found: dict[tuple[str, str, str], Entity] = {}
    edges: dict[tuple[object, ...], Association] = {}
    hidden = 0

    def keep(source: Entity, relation: Relation, target: Entity) -> None:
        ends = [found.setdefault(end.key, end) for end in (source, target)]
        edges.setdefault((ends[0].key, ends[1].key), Association(ends[0], ends[1], relation))

    for feature in known:
        whole = _feature_set(feature_set_arn, feature.project, feature.feature_set)
        found.setdefault(whole.key, whole)
        made_by = _action(feature.run) if feature.run else None
        if made_by is not None:
            keep(made_by, "Produced", whole)
            for code in _codes(feature):
                keep(code, "ContributedTo", made_by)
        for source in feature.sources:
            if source.uri is None:
                hidden += 1
                continue
            data = _source(source.uri.partition("#")[0], groups or {})
            if data.key != whole.key or made_by:
                keep(data, "ContributedTo", made_by or whole)
        for consumer in feature.consumers:
            hidden += consumer.name is None
            if target := _consumer(feature.project, consumer):
                keep(whole, "ContributedTo", target)
    return Plan(tuple(found.values()), tuple(edges.values()), hidden)


def _feature_set(arn: str, project: str, name: str) -> Entity:
    """Give a feature set, with what is the same for all of its features."""
    properties = {"project": project, "feature_set": name}
    return Entity("artifact", _name("feature-set", name, arn), "DataSet", arn, "ARN", properties)


def _action(run: RunRef) -> Entity:
    properties = {
        "namespace": run.namespace,
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "task_id": run.task_id,
        "try_number": str(run.try_number),
        "dag_version": str(run.dag_version.number or ""),
        "bundle_version": run.dag_version.bundle_version or "",
        "operator": run.operator or "",
        "ended_at": run.ended_at.isoformat(),
    }
    return Entity(
        "action",
        f"airflow-{run.openlineage_run_id}",
        ACTION,
        f"airflow://{run.namespace}/{run.dag_id}/{run.run_id}/{run.task_id}"[:LONGEST_URI],
        "Airflow",
        {name: value[:LONGEST_VALUE] for name, value in properties.items() if value},
        STATES[run.state],
    )


def _codes(feature: Feature) -> Iterable[Entity]:
    """Give the code of the exact version: where it stands in a repository, else by its hash."""
    how, run = feature.how, feature.run
    file = how.dag_file
    if file is not None and file.sha256:
        place = how.location.url if how.location and how.location.url else f"x-festaf-code://sha256/{file.sha256}"
        bundle = run.dag_version.bundle_version if run else None
        properties = {"path": file.path or "", "sha256": file.sha256, "bundle_version": bundle or ""}
        yield _code(place, {name: value for name, value in properties.items() if value})


def _code(uri: str, properties: Mapping[str, str]) -> Entity:
    return Entity(
        "artifact", _name("code", uri.rpartition("/")[2], uri), "Code", uri[:LONGEST_URI], "festaf", properties
    )


def _source(uri: str, groups: Mapping[str, str]) -> Entity:
    """Give a source: one that is a feature group as that group, so that what is made of each other hangs together."""
    try:
        dataset = dataset_name(uri)
    except ValueError:
        return _dataset(uri, uri)
    own = feature_set_of(dataset)
    return _feature_set(groups[uri], *own) if own and uri in groups else _dataset(uri, dataset.name or uri)


def _dataset(uri: str, name: str) -> Entity:
    kind = "S3" if uri.startswith("s3://") else "URI"
    return Entity("artifact", _name("data", name, uri), "DataSet", uri[:LONGEST_URI], kind)


def _consumer(project: str, consumer: Consumer) -> Entity | None:
    """Give a training set, model or endpoint that uses the feature set; None for anything else."""
    if consumer.name is None:
        return None
    if consumer.kind == "training_set":
        uri = artifact_uri("training-set", project, consumer.name)
        return Entity("artifact", _name("training-set", consumer.name, uri), "DataSet", uri)
    if consumer.kind == "model":
        properties = {"version": str(consumer.version or ""), "approval": consumer.approval or ""}
        said = {name: value for name, value in properties.items() if value}
        uri = artifact_uri("model", project, consumer.name)
        return Entity("artifact", _name("model", consumer.name, uri), "Model", uri, properties=said)
    if consumer.kind == "endpoint":
        uri = artifact_uri("endpoint", project, consumer.name)
        return Entity("artifact", _name("endpoint", consumer.name, uri), "Endpoint", uri)
    return None


def _name(kind: str, text: str, uri: str) -> str:
    """Write a name as AWS takes it: letters, digits and dashes, and unique as the source is."""
    words = re.sub(r"[^a-zA-Z0-9]+", "-", f"{kind}-{text}")[: LONGEST_NAME - DIGEST - 1].strip("-")
    return f"{words}-{sha256_of(uri)[:DIGEST]}"
