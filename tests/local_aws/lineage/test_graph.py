"""Associations, and queries over the graph that they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError


@dataclass
class Flights:
    """The lineage of a model: raw and weather make features, they make a model by training, an endpoint serves it."""

    sagemaker: Any
    arns: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in (("raw", "DataSet"), ("weather", "DataSet"), ("features", "FeatureSet"), ("model", "Model")):
            asked = {"Source": {"SourceUri": f"s3://flights/{name}"}, "ArtifactType": kind, "ArtifactName": name}
            self.arns[name] = self.sagemaker.create_artifact(**asked, Properties={"name": name})["ArtifactArn"]
        source = {"SourceUri": "arn:aws:sagemaker:us-east-1:123456789012:training-job/delay"}
        self.arns["train"] = self.sagemaker.create_action(ActionName="train", Source=source, ActionType="Training")[
            "ActionArn"
        ]
        self.arns["endpoint"] = self.sagemaker.create_context(
            ContextName="endpoint", Source=source, ContextType="Endpoint"
        )["ContextArn"]
        for path in ("raw features", "weather features", "features train", "train model", "model endpoint"):
            source_name, destination = path.split()
            kind = "Produced" if source_name == "train" else "ContributedTo"
            self.sagemaker.add_association(
                SourceArn=self.arns[source_name], DestinationArn=self.arns[destination], AssociationType=kind
            )

    def names(self, arns: Any) -> set[str]:
        by_arn = {arn: name for name, arn in self.arns.items()}
        return {by_arn[arn] for arn in arns}

    def query(self, start: str | None, **asked: Any) -> tuple[set[str], set[tuple[str, ...]]]:
        """Give the names of the vertices, and the edges as pairs of names."""
        starts = {"StartArns": [self.arns[start]]} if start else {}
        answer = self.sagemaker.query_lineage(**starts, **asked)
        by_arn = {arn: name for name, arn in self.arns.items()}
        edges = {(by_arn[one["SourceArn"]], by_arn[one["DestinationArn"]]) for one in answer["Edges"]}
        return self.names(one["Arn"] for one in answer["Vertices"]), edges


@pytest.fixture
def flights(sagemaker: Any) -> Flights:
    return Flights(sagemaker)


def test_ascendants_and_descendants_are_found(flights: Flights) -> None:
    assert flights.query("model", Direction="Ascendants")[0] == {"train", "features", "raw", "weather"}
    assert flights.query("features", Direction="Descendants")[0] == {"train", "model", "endpoint"}
    assert flights.query("train", Direction="Both")[0] == {"raw", "weather", "features", "model", "endpoint"}
    assert flights.query("raw", Direction="Ascendants") == (set(), set())


def test_a_query_goes_no_deeper_than_asked(flights: Flights) -> None:
    assert flights.query("model", Direction="Ascendants", MaxDepth=1)[0] == {"train"}
    assert flights.query("model", Direction="Ascendants", MaxDepth=2)[0] == {"train", "features"}


def test_filters_let_through_what_fits(flights: Flights) -> None:
    def found(**filters: Any) -> set[str]:
        return flights.query("endpoint", Direction="Ascendants", Filters=filters)[0]

    assert found(Types=["DataSet", "Model"]) == {"raw", "weather", "model"}
    assert found(LineageTypes=["Action"]) == {"train"}
    assert found(Properties={"name": "raw", "other": "x"}) == {"raw"}
    assert found(CreatedAfter=4102444800) == set()
    assert flights.query(None, Filters={"Types": ["DataSet"]})[0] == {"raw", "weather"}


def test_edges_come_with_what_lies_on_the_way(flights: Flights) -> None:
    vertices, edges = flights.query(
        "endpoint", Direction="Ascendants", IncludeEdges=True, Filters={"Properties": {"name": "features"}}
    )
    assert vertices == {"endpoint", "model", "train", "features"}
    assert edges == {("model", "endpoint"), ("train", "model"), ("features", "train")}
    assert flights.query("endpoint", Direction="Ascendants")[1] == set()


def test_a_query_comes_in_pages(flights: Flights) -> None:
    asked = {"StartArns": [flights.arns["endpoint"]], "Direction": "Ascendants", "IncludeEdges": True, "MaxResults": 2}
    vertices: list[str] = []
    edges = 0
    token: dict[str, str] = {}
    while True:
        page = flights.sagemaker.query_lineage(**asked, **token)
        assert len(page["Vertices"]) <= 2
        vertices += [one["Arn"] for one in page["Vertices"]]
        edges += len(page["Edges"])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert (len(vertices), flights.names(vertices), edges) == (6, set(flights.arns), 5)


def test_vertices_say_what_they_are(flights: Flights) -> None:
    answer = flights.sagemaker.query_lineage(StartArns=[flights.arns["model"]], Direction="Ascendants", MaxDepth=1)
    assert answer["Vertices"] == [{"Arn": flights.arns["train"], "Type": "Training", "LineageType": "Action"}]


def test_associations_are_listed_by_their_ends(flights: Flights) -> None:
    def pairs(**asked: Any) -> list[tuple[str, str]]:
        answer = flights.sagemaker.list_associations(**asked)
        return [(one["SourceName"], one["DestinationName"]) for one in answer["AssociationSummaries"]]

    assert pairs(DestinationArn=flights.arns["features"], SortBy="SourceArn") != []
    assert set(pairs(SourceType="DataSet")) == {("raw", "features"), ("weather", "features")}
    assert pairs(AssociationType="Produced") == [("train", "model")]
    assert pairs(SourceArn=flights.arns["model"], DestinationType="Model") == []
    assert len(pairs(MaxResults=3)) == 3


def test_an_association_that_cannot_be_is_refused(flights: Flights) -> None:
    raw, features = flights.arns["raw"], flights.arns["features"]
    with pytest.raises(ClientError, match="already exists"):
        flights.sagemaker.add_association(SourceArn=raw, DestinationArn=features)
    with pytest.raises(ClientError, match="cannot be associated with itself"):
        flights.sagemaker.add_association(SourceArn=raw, DestinationArn=raw)
    for absent in ("artifact/absent", "action/absent", "experiment-trial-component/absent", "experiment/absent"):
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:{absent}"
        with pytest.raises(flights.sagemaker.exceptions.ResourceNotFound, match="does not exist"):
            flights.sagemaker.add_association(SourceArn=raw, DestinationArn=arn)
        with pytest.raises(flights.sagemaker.exceptions.ResourceNotFound):
            flights.sagemaker.delete_association(SourceArn=raw, DestinationArn=arn)
    with pytest.raises(flights.sagemaker.exceptions.ResourceNotFound):
        flights.sagemaker.query_lineage(StartArns=["arn:aws:sagemaker:us-east-1:123456789012:context/absent"])


def test_a_trial_component_stands_in_the_graph(flights: Flights) -> None:
    arn = flights.sagemaker.create_trial_component(TrialComponentName="run")["TrialComponentArn"]
    flights.arns["run"] = arn
    flights.sagemaker.add_association(SourceArn=flights.arns["features"], DestinationArn=arn)
    found = flights.query("raw", Direction="Descendants", Filters={"LineageTypes": ["TrialComponent"]})
    assert found[0] == {"run"}


def test_no_other_account_shares_its_lineage(sagemaker: Any) -> None:
    assert sagemaker.list_lineage_groups()["LineageGroupSummaries"] == []
