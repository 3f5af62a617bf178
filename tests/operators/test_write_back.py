"""WriteBackLineageOperator writes into SageMaker what a real registry knows, once, and says what does not fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from festaf.operators.write_back import WriteBackLineageOperator
from festaf.provider.cli.lineage import app
from festaf.provider.errors import InputError
from tests.feature_store import create
from tests.registry_api.events import declaration, facet, task_event, written
from tests.served_registry import served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

PURPOSE = "Tell how crowded a flight can be " * 10
SEATS = declaration(
    "seats",
    owner="team:sky",
    purpose=PURPOSE,
    technique="looked up; cached",
    description="Seats of the plane; from the registration, §1",
    sources=["s3://raw/planes.parquet#seats", "s3://raw/planes.parquet#tail"],
    logic="SELECT seats FROM planes",
) | {"type": "Integral"}
SET = {"namespace": "x-festaf://nyc", "name": "planes"}


def events() -> list[dict[str, Any]]:
    """Tell that a task wrote planes, and that a training set, a model and an endpoint came of it."""

    def made(task: str, source: dict[str, Any], kind: str, name: str, **facets: Any) -> dict[str, Any]:
        output = {"namespace": f"x-festaf-{kind}://nyc", "name": name, "facets": facets}
        return task_event(task=task, minutes=20, inputs=({**source, "facets": {}},), outputs=(output,))

    rows = {"namespace": "x-festaf-training-set://nyc", "name": "delays"}
    model = {"namespace": "x-festaf-model://nyc", "name": "delay"}
    return [
        task_event(outputs=(written(SEATS, name="planes"),)),
        made("rows", SET, "training-set", "delays"),
        made("register", rows, "model", "delay", version=facet(datasetVersion="3")),
        made("deploy", model, "endpoint", "delay"),
    ]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_registry(tmp_path_factory.mktemp("write-back"), demo=True) as served:
        assert httpx.post(f"{served.url}/api/v1/lineage/batch", json=events()).status_code == 204
        yield served.url


@pytest.fixture
def planes(hook: FeatureStoreHook, registry: str, monkeypatch: pytest.MonkeyPatch) -> FeatureSet:
    monkeypatch.setenv("AIRFLOW_CONN_FESTAF_DEFAULT", f'{{"conn_type": "festaf", "host": "{registry}"}}')
    return create(hook)


def write_back(run: Run, **more: Any) -> dict[str, Any]:
    task = WriteBackLineageOperator(task_id="write_back", feature_sets="planes", project="nyc", timeout=20, **more)
    (done,) = task.execute(run.context)
    return done


def metadata(aws: LocalAws, feature: str = "seats") -> tuple[str, dict[str, str]]:
    found = aws.client("sagemaker").describe_feature_metadata(FeatureGroupName="planes", FeatureName=feature)
    return found.get("Description", ""), {item["Key"]: item["Value"] for item in found.get("Parameters", ())}


def edges(aws: LocalAws) -> list[tuple[str, str, str]]:
    found = aws.client("sagemaker").list_associations()["AssociationSummaries"]
    return sorted((item["SourceName"], item["AssociationType"], item["DestinationName"]) for item in found)


def test_what_the_registry_knows_stands_in_the_features_metadata(aws: LocalAws, planes: FeatureSet, run: Run) -> None:
    others = [{"Key": "cost", "Value": "42"}, {"Key": "festaf:gone", "Value": "old"}]
    aws.client("sagemaker").update_feature_metadata(
        FeatureGroupName="planes", FeatureName="seats", ParameterAdditions=others
    )
    done = write_back(run, lineage=False)
    assert (done["described"], done["unknown"]) == (["seats"], ["tail", "seen", "delay"])
    assert done["left_out"] == {
        "seats": (
            f"purpose: cut to 255 of {len(PURPOSE.strip())} characters",
            "technique: has characters that AWS does not take, written without them",
            "schedule: has characters that AWS does not take",
        )
    }
    description, said = metadata(aws)
    assert description == SEATS["description"]
    assert (said["festaf:owner"], said["festaf:technique"], said["cost"]) == ("team:sky", "looked up cached", "42")
    assert (said["festaf:dag"], said["festaf:task"], said["festaf:run"]) == (
        "flights_features",
        "ingest",
        "scheduled__0",
    )
    assert said["festaf:source-1"] == "s3://raw/planes.parquet column seats"
    assert said["festaf:purpose"].endswith("...")
    assert not {"festaf:gone", "festaf:schedule"} & said.keys()
    before = aws.stats().get("UpdateFeatureMetadata", 0)
    assert write_back(run, lineage=False)["described"] == []
    assert aws.stats().get("UpdateFeatureMetadata", 0) == before


def test_other_peoples_parameters_leave_less_room_and_what_is_left_out_is_said(
    aws: LocalAws, planes: FeatureSet, run: Run
) -> None:
    others = [{"Key": f"other-{number}", "Value": "x"} for number in range(23)]
    aws.client("sagemaker").update_feature_metadata(
        FeatureGroupName="planes", FeatureName="seats", ParameterAdditions=others
    )
    done = write_back(run, lineage=False)
    _, said = metadata(aws)
    assert len(said) == 25
    assert {key for key in said if key.startswith("festaf:")} == {"festaf:owner", "festaf:purpose"}
    assert "technique: the 25 pairs are taken, 23 of them by others" in done["left_out"]["seats"]


def test_sagemakers_lineage_goes_from_source_and_code_to_the_endpoint_and_is_made_once(
    aws: LocalAws, planes: FeatureSet, run: Run
) -> None:
    done = write_back(run, metadata=False)
    assert (done["entities"], done["entities_made"]) == (7, 7)
    assert (done["associations"], done["associations_made"]) == (6, 6)
    kinds = [(one.split("-")[0], relation, other.split("-")[0]) for one, relation, other in edges(aws)]
    assert sorted(kinds) == [
        ("airflow", "Produced", "feature"),
        ("code", "ContributedTo", "airflow"),
        ("data", "ContributedTo", "airflow"),
        ("feature", "ContributedTo", "endpoint"),
        ("feature", "ContributedTo", "model"),
        ("feature", "ContributedTo", "training"),
    ]
    client = aws.client("sagemaker")
    (action,) = client.list_actions()["ActionSummaries"]
    told = client.describe_action(ActionName=action["ActionName"])
    assert (told["Status"], told["Properties"]["run_id"]) == ("Completed", "scheduled__0")
    found = client.query_lineage(
        StartArns=[
            client.list_artifacts(SourceUri=planes.arn)["ArtifactSummaries"][0]["ArtifactArn"],
        ],
        Direction="Ascendants",
    )
    assert {vertex["Type"] for vertex in found["Vertices"]} >= {"AirflowTask", "Code"}
    again = write_back(run, metadata=False)
    assert (again["entities_made"], again["associations_made"]) == (0, 0)
    assert len(edges(aws)) == 6


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost_reply", "operation": "CreateArtifact", "count": 1},
        {"kind": "lost_reply", "operation": "CreateAction", "count": 1},
        {"kind": "lost_reply", "operation": "AddAssociation", "count": 1},
        {"kind": "throttle", "operation": "UpdateFeatureMetadata", "count": 5},
        {"kind": "error", "operation": "ListArtifacts", "count": 3},
    ],
    ids=lambda fault: f"{fault['operation']}-{fault['kind']}",
)
def test_whatever_aws_does_nothing_is_made_twice(
    aws: LocalAws, planes: FeatureSet, run: Run, fault: dict[str, Any]
) -> None:
    aws.fault(**fault)
    write_back(run)
    assert len(edges(aws)) == 6
    assert len(aws.client("sagemaker").list_artifacts()["ArtifactSummaries"]) == 6
    assert metadata(aws)[1]["festaf:owner"] == "team:sky"


def test_a_feature_set_that_aws_does_not_have_is_said(planes: FeatureSet, run: Run) -> None:
    task = WriteBackLineageOperator(task_id="write_back", feature_sets=["ships"], project="nyc", timeout=5)
    with pytest.raises(InputError, match="no feature set ships"):
        task.execute(run.context)


def test_the_command_line_writes_a_whole_project(
    aws: LocalAws, planes: FeatureSet, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FESTAF_REGISTRY_URL", registry)
    result = CliRunner().invoke(app, ["write-back", "nyc", "--json"])
    assert result.exit_code == 0, result.output
    (done,) = json.loads(result.stdout)
    assert (done["feature_set"], done["described"], done["entities_made"]) == ("planes", ["seats"], 7)
    assert "[1/1] planes: 1 of 1 features described" in result.stderr
    assert metadata(aws)[1]["festaf:dag"] == "flights_features"
    assert CliRunner().invoke(app, ["write-back", "nyc", "ships"]).exit_code == 1
    nobody = CliRunner().invoke(app, ["write-back", "nobody"])
    assert nobody.exit_code == 1
    assert nobody.stderr == "The registry knows no feature of project nobody; see: festaf features list\n"


def test_what_is_made_of_another_feature_group_hangs_together_with_it(
    aws: LocalAws, hook: FeatureStoreHook, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = {name: create(hook, name=name) for name in ("crews", "planes")}
    seats = declaration("seats", sources=["x-festaf://nyc/planes#seats", "x-festaf://nyc/captured#x"])
    told = [
        task_event(outputs=(written(declaration("seats", sources=["s3://raw/a#b"]), name="planes"),)),
        task_event(task="crew", outputs=(written(seats | {"type": "Integral"}, name="crews"),)),
        task_event(task="catch", outputs=(written(declaration("x"), name="captured"),)),
    ]
    with served_registry(tmp_path, demo=True) as served:
        assert httpx.post(f"{served.url}/api/v1/lineage/batch", json=told).status_code == 204
        monkeypatch.setenv("FESTAF_REGISTRY_URL", served.url)
        result = CliRunner().invoke(app, ["write-back", "nyc", "--json"])
    assert result.exit_code == 0, result.output
    assert [done["feature_set"] for done in json.loads(result.stdout)] == ["crews", "planes"]
    assert "no such feature set: captured" in result.stderr
    client = aws.client("sagemaker")
    (planes,) = client.list_artifacts(SourceUri=groups["planes"].arn)["ArtifactSummaries"]
    found = client.query_lineage(StartArns=[planes["ArtifactArn"]], Direction="Descendants")
    (crews,) = client.list_artifacts(SourceUri=groups["crews"].arn)["ArtifactSummaries"]
    assert crews["ArtifactArn"] in {vertex["Arn"] for vertex in found["Vertices"]}
    uris = {item["Source"]["SourceUri"] for item in client.list_artifacts()["ArtifactSummaries"]}
    assert {uri for uri in uris if uri.startswith("x-festaf://")} == {"x-festaf://nyc/captured"}
