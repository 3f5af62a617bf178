"""What a project's writer cannot do to a neighbour, and its reader not learn of one, by way of an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.registry_api.events import (
    NAMESPACE,
    RICH,
    SOURCE,
    Json,
    declaration,
    facet,
    feature_set,
    run_of,
    task_event,
    written,
)

if TYPE_CHECKING:
    from tests.registry_api.offices import Office

THEIRS = "x-festaf://bos"
HIDDEN = "airflow-bos"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
BARE = declaration("dep_delay")


@pytest.fixture(autouse=True)
def _projects(office: Office) -> None:
    """Let ``wally`` write in nyc and ``rita`` read there; bos has a feature set, written by an Airflow of its own."""
    office.done("PUT", "/project-namespaces", {"project": "nyc"}, namespace=NAMESPACE)
    office.done("PUT", "/project-namespaces", {"project": "bos"}, namespace=HIDDEN)
    office.make("wally", "lineage:write", role="write")
    office.make("rita", "registry:read", role="read")
    office.done("POST", "/lineage", hidden_run())


def hidden_run() -> Json:
    output = written(RICH) | {"namespace": THEIRS}
    output["outputFacets"]["festaf_write"]["write"]["project"] = "bos"
    event = task_event(outputs=(output,), source="# the neighbours' code")
    event["job"]["namespace"] = HIDDEN
    event["run"]["runId"] = "00000000-0000-4000-8000-00000000b051"
    del event["run"]["facets"]["parent"]
    return event


def theirs(office: Office) -> Any:
    return office.done("GET", "/features/bos/delays/dep_delay")


def said(**facets: Json) -> Json:
    """Give an event of a dataset of one's own, with facets of whatever content."""
    dataset = {"namespace": "x-festaf://nyc", "name": "anything", "facets": facets}
    return {
        "eventTime": "2026-06-01T00:00:00Z",
        "producer": "p",
        "schemaURL": f"{SPEC}DatasetEvent",
        "dataset": dataset,
    }


@pytest.mark.parametrize("project", ["bos", "nobodys"])
@pytest.mark.parametrize(
    "declared",
    [{"features": [{"name": "dep_delay", "type": "Fractional", "owner": "me"}]}, {"about": {"deleted": True}}],
    ids=["features", "retired"],
)
def test_a_declaration_is_of_ones_own_project(office: Office, project: str, declared: Json) -> None:
    body = {"project": project, "feature_set": "delays", **declared}

    assert office.ask("wally", "POST", "/lineage", said(festaf_declaration=facet(declaration=body))).status_code == 403
    assert (theirs(office)["who"]["owner"], theirs(office)["deleted"]) == ("ann", False)
    assert "nobodys" not in {item["name"] for item in office.done("GET", "/projects")["items"]}


def test_facts_of_ours_name_ones_own_project(office: Office) -> None:
    version = {"event": "registered", "project": "bos", "model": "delay", "version": 9}
    model = {
        "namespace": "x-festaf-model://nyc",
        "name": "delay",
        "facets": {"festaf_model_version": facet(model_version=version)},
    }
    experiment = {"festaf_experiment": facet(experiment={"project": "bos", "experiment": "e"})}
    for event in (task_event(outputs=(model,)), task_event(minutes=11, run_facets=experiment)):
        assert office.ask("wally", "POST", "/lineage", event).status_code == 403


def test_naming_a_neighbours_run_as_parent_does_not_show_its_code(office: Office) -> None:
    event = task_event(outputs=(written(RICH),))
    del event["job"]["facets"]["festaf_dag"]
    event["run"]["facets"]["parent"] = facet(
        run={"runId": hidden_run()["run"]["runId"]}, job={"namespace": HIDDEN, "name": "x"}
    )
    assert office.ask("wally", "POST", "/lineage", event).status_code == 201

    seen = office.ask("rita", "GET", "/features/nyc/delays/dep_delay").json()
    run = office.ask("rita", "GET", f"/runs/{run_of()}").json()

    assert seen["how"]["dag_file"] is None
    assert run["dag_version"] | {"id": None, "source_sha256": None} == run["dag_version"]
    assert office.done("GET", "/features/nyc/delays/dep_delay")["how"]["dag_file"]["text"] == "# the neighbours' code"


def test_a_hash_is_no_key_to_the_text(office: Office) -> None:
    stolen = {"sha256": theirs(office)["how"]["dag_file"]["sha256"]}
    event = task_event(
        outputs=(written(RICH),),
        job_facets={
            "sourceCode": facet(language="python", sourceCode=stolen),
            "sql": facet(query=stolen),
            "festaf_dag": facet(dag={"dag_id": "mine", "source": stolen}),
        },
    )
    assert office.ask("wally", "POST", "/lineage", event).status_code == 201

    for path in (
        "/features/nyc/delays/dep_delay",
        f"/jobs/runs/{run_of()}/facets",
        f"/namespaces/{NAMESPACE}/jobs",
        "/dags/mine/versions",
        "/events/lineage",
    ):
        answer = office.ask("rita", "GET", path, type="job") if "facets" in path else office.ask("rita", "GET", path)
        assert answer.status_code == 200, answer.text
        assert "neighbours' code" not in answer.text


def test_who_reads_a_feature_set_does_not_describe_it(office: Office) -> None:
    planted = {
        "documentation": facet(description="planted"),
        "tags": facet(tags=[{"key": "planted", "value": "true"}]),
        "schema": facet(fields=[{"name": "planted", "type": "int"}]),
        "lifecycleStateChange": facet(lifecycleStateChange="DROP"),
    }
    path = "/namespaces/x-festaf%3A%2F%2Fbos/datasets/delays"
    before = office.done("GET", path)
    event = task_event(inputs=(feature_set("delays", **planted) | {"namespace": THEIRS},))
    assert office.ask("wally", "POST", "/lineage", event).status_code == 201

    after = office.done("GET", path)

    assert (after["facets"], after["tags"], after["deleted"]) == (before["facets"], before["tags"], False)


def test_a_run_does_not_name_what_is_hidden(office: Office) -> None:
    fields = {"dep_delay": {"inputFields": [{"namespace": THEIRS, "name": "delays", "field": "dep_delay"}]}}
    model = facet(feature_sets=["x-festaf://nyc/delays", f"{THEIRS}/delays"])
    output = written(RICH) | {"facets": {"columnLineage": facet(fields=fields), "custom": model}}
    event = task_event(inputs=(feature_set("delays") | {"namespace": THEIRS},), outputs=(output,))
    assert office.ask("wally", "POST", "/lineage", event).status_code == 201

    for path in (f"/runs/{run_of()}", f"/jobs/runs/{run_of()}", "/events/lineage", "/features/nyc/delays/dep_delay"):
        answer = office.ask("rita", "GET", path)
        assert answer.status_code == 200, answer.text
        assert "bos" not in answer.text, path
    assert SOURCE.splitlines()[0] in office.ask("rita", "GET", "/features/nyc/delays/dep_delay").text


def test_a_hidden_column_keeps_its_name_when_only_another_name_of_its_dataset_was_said(office: Office) -> None:
    """The names of a dataset are read together: the one that is shown need not be one that an event gave the column."""
    file, table = ({"namespace": "s3://theirs", "name": name, "facets": {}} for name in ("file", "table"))
    symlinks = facet(identifiers=[{"namespace": table["namespace"], "name": table["name"], "type": "TABLE"}])
    lineage = facet(fields={"dep_delay": {"inputFields": [{**table, "field": "secret"}]}})
    told = written(BARE) | {"facets": {"columnLineage": lineage}}
    office.done("PUT", "/project-namespaces", {"project": "bos"}, namespace="s3://theirs")
    office.done("POST", "/lineage", task_event("START", 1, inputs=(file | {"facets": {"symlinks": symlinks}},)))
    office.done("POST", "/lineage", task_event(inputs=(table,), outputs=(told,)))

    answer = office.ask("rita", "GET", "/features/nyc/delays/dep_delay/lineage")

    assert answer.status_code == 200
    stubs = [node for node in answer.json()["nodes"] if node["access"] == "restricted"]
    assert {node["kind"] for node in stubs} == {"dataset", "field"}
    assert {node["id"].partition(":")[0] for node in stubs} == {"restricted"}
    assert not [name for name in ("theirs", "file", "table", "secret") if name in answer.text]


def test_declared_sources_are_hidden_wherever_they_are_told(office: Office) -> None:
    """The answer shows stubs of them; history, facets, lists of what a DAG waits for and searches do not tell more."""
    office.done("PUT", "/project-namespaces", {"project": "nyc"}, namespace="s3://ours")
    office.done("PUT", "/project-namespaces", {"project": "bos"}, namespace="s3://bos")
    sources = ["s3://ours/raw#x", "s3://bos/raw#x", f"{THEIRS}/delays#dep_delay"]
    event = task_event(outputs=(written(declaration("dep_delay", sources=sources)),))
    event["job"]["facets"]["festaf_dag"]["dag"]["waits_for"] = ["s3://ours/raw", "s3://bos/raw"]
    assert office.ask("wally", "POST", "/lineage", event).status_code == 201
    wish = {"project": "nyc", "name": "wish", "purpose": "p", "sources": sources}
    office.done("POST", "/feature-requests", wish)

    told = (
        "/features/nyc/delays/dep_delay/history",
        "/search/features",
        "/events/lineage",
        f"/runs/{run_of()}",
        f"/namespaces/{NAMESPACE}/jobs",
        "/feature-requests",
    )
    for path in told:
        query = {"q": "raw"} if "search" in path else {}
        answer = office.ask("rita", "GET", path, **query)
        assert (answer.status_code, "s3://ours/raw" in answer.text, "bos" in answer.text) == (200, True, False), path
        assert "bos" in str(office.done("GET", path, **query))
    for words, found in (("raw", True), ("ours", True), ("bo", False), ("dep delay bos", False)):
        seen = office.ask("rita", "GET", "/search/features", q=words).json()["items"]
        assert bool(seen) is found, words
        assert "nyc" in {item["project"] for item in office.done("GET", "/search/features", q=words)["items"]}, words


def test_a_request_does_not_name_a_hidden_feature_that_fulfils_it_nor_a_feature_a_hidden_request(
    office: Office,
) -> None:
    event = task_event(outputs=(written(RICH),))
    assert office.ask("wally", "POST", "/lineage", event).status_code == 201
    wishes = {
        project: office.done("POST", "/feature-requests", {"project": project, "name": "wish", "purpose": "p"})["id"]
        for project in ("nyc", "bos")
    }
    for project, other in (("nyc", "bos"), ("bos", "nyc")):
        feature = {"project": other, "feature_set": "delays", "name": "dep_delay"}
        office.done("POST", f"/feature-requests/{wishes[project]}/fulfil", feature)

    entries = office.ask("rita", "GET", f"/feature-requests/{wishes['nyc']}/entries").json()["items"]
    answer = office.ask("rita", "GET", "/features/nyc/delays/dep_delay").json()

    assert [(entry["kind"], entry["text"]) for entry in entries] == [("done", None), ("asked", "p")]
    assert answer["fulfils"] == []
    known = office.done("GET", f"/feature-requests/{wishes['nyc']}/entries")["items"]
    assert known[0]["text"] == "bos/delays/dep_delay"
    assert office.done("GET", "/features/nyc/delays/dep_delay")["fulfils"] == [
        f"/api/v1/feature-requests/{wishes['bos']}"
    ]


def test_what_a_training_set_or_a_model_is_made_from_is_named_as_far_as_it_is_seen(office: Office) -> None:
    """Hidden feature sets stand there as objects, as URIs, and by their bare names in features and columns."""
    uses = [
        {"project": project, "feature_set": name, "features": [f"{name}_x"]}
        for project, name in (("nyc", "delays"), ("bos", "secret"))
    ]
    columns = [{"name": f"c_{name}", "feature_set": name} for name in ("delays", "secret")]
    facts = {
        "festaf_training_set": facet(training_set={"feature_sets": uses, "columns": [*columns, {"name": "label"}]}),
        "custom": facet(feature_sets=["x-festaf://nyc/delays", f"{THEIRS}/secret"], features=["delays.x", "secret.x"]),
        "odd": facet(feature_sets=[{"namespace": THEIRS}, None], features=[None, 1, {"feature_set": []}], columns=2),
    }
    event = task_event(outputs=(written(BARE),), run_facets=facts)
    office.done("POST", "/lineage", event)

    for path in (f"/runs/{run_of()}", "/events/lineage"):
        told = office.ask("rita", "GET", path)
        assert told.status_code == 200
        assert [name for name in ("bos", "secret") if name in told.text] == [], path
        assert all(name in told.text for name in ("delays_x", "c_delays", "label", "delays.x")), path
        assert "secret_x" in str(office.done("GET", path))
