"""Experiments: records are appended once, runs are compared, and a chain that was changed shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from festaf.contract.experiment import TrainingRecord
from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.experiments.repository import ExperimentRepository
from festaf.registry_api.experiments.service import ExperimentService
from tests.registry_api.events import DAY, facet, run_of, task_event

if TYPE_CHECKING:
    from httpx import Response

    from festaf.registry_api.experiments.tables import ExperimentTable
    from tests.registry_api.conftest import Registry
    from tests.registry_api.events import Json

SHA = "a" * 64


def record(run: str = "job-1", **said: Any) -> Json:
    return {"project": "nyc", "experiment": "late-flights", "run": run, **said}


def post(registry: Registry, told: Json, status: int = 201) -> Any:
    answer = post_once(registry, told)
    assert answer.status_code == status, answer.text
    return answer.json()


def post_once(registry: Registry, told: Json) -> Response:
    return registry.http.post("/api/v1/experiments", json=told)


def changed(registry: Registry, statement: str) -> None:
    """Change the database behind the registry's back, as somebody with its password could."""
    with registry.database.writing() as session:
        if registry.database.sqlite:
            for verb in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER IF EXISTS experiment_entry_refuses_{verb}"))
        else:
            session.execute(text("DROP TRIGGER IF EXISTS experiment_entry_refuses_change ON experiment_entry"))
        session.execute(text(statement))


def verified(registry: Registry) -> Any:
    return registry.get("/experiments/nyc/late-flights/verify")


def test_what_is_told_of_a_run_adds_up_and_told_twice_is_told_once(registry: Registry) -> None:
    first = record(
        parameters={"depth": "6", "eta": "0.1"},
        metrics={"train:loss": 0.4},
        data=[{"name": "train", "uri": "s3://lake/rows", "manifest": "s3://lake/manifest.json", "sha256": SHA}],
        code={"image": "sklearn:1", "uri": "s3://lake/code.tar.gz"},
        state="Completed",
    )
    post(registry, first)
    assert post(registry, first, 200)["entries"] == [1]
    post(registry, record(model={"name": "late-flights", "version": 3}, metrics={"auc": 0.7}))

    (run,) = registry.get("/experiments/nyc/late-flights/runs")["items"]
    told = run["record"]
    assert (told["parameters"], told["metrics"]) == ({"depth": "6", "eta": "0.1"}, {"train:loss": 0.4, "auc": 0.7})
    assert (told["model"]["version"], told["state"], told["code"]["image"]) == (3, "Completed", "sklearn:1")
    assert run["entries"] == [1, 2]
    (item,) = registry.get("/experiments", project="nyc")["items"]
    assert (item["runs"], item["entries"]) == (1, 2)
    assert verified(registry)["whole"] is True
    entries = registry.get("/experiments/nyc/late-flights/runs/job-1/entries")
    assert entries[1]["previous_sha256"] == entries[0]["sha256"]
    assert item["head_sha256"] == entries[1]["sha256"]
    rows = registry.get("/audit", action="experiment.record")["items"]
    assert {row["entity"] for row in rows} == {"nyc/late-flights/job-1"}
    assert [(row["before"], row["after"]) for row in rows[::-1]] == [
        (entry["previous_sha256"], entry["sha256"]) for entry in entries
    ]


def test_runs_are_compared_in_the_order_asked_for(registry: Registry) -> None:
    post(registry, record("a", parameters={"depth": "6", "seed": "1"}, metrics={"auc": 0.7}))
    post(registry, record("b", parameters={"depth": "8", "seed": "1"}, metrics={"auc": 0.75, "f1": 0.5}))

    found = registry.get("/experiments/nyc/late-flights/compare", run=["b", "a"])

    assert found["runs"] == ["b", "a"]
    assert found["parameters"] == [
        {"name": "depth", "values": ["8", "6"], "differs": True},
        {"name": "seed", "values": ["1", "1"], "differs": False},
    ]
    assert {item["name"]: item["values"] for item in found["metrics"]} == {"auc": [0.75, 0.7], "f1": [0.5, None]}
    assert registry.ask("/experiments/nyc/late-flights/compare", run=["a"]).status_code == 422
    assert "no run c" in registry.ask("/experiments/nyc/late-flights/compare", run=["a", "c"]).json()["detail"]


def test_runs_are_listed_the_newest_first_page_by_page(registry: Registry) -> None:
    for number in range(5):
        post(registry, record(f"job-{number}"))
    post(registry, record("job-0", metrics={"auc": 0.5}))

    first = registry.get("/experiments/nyc/late-flights/runs", limit=3)
    second = registry.get("/experiments/nyc/late-flights/runs", limit=3, cursor=first["cursor"])

    named = [item["record"]["run"] for item in [*first["items"], *second["items"]]]
    assert named == ["job-4", "job-3", "job-2", "job-1", "job-0"]
    assert second["cursor"] is None
    assert registry.ask("/experiments/nyc/late-flights/runs", cursor="W10").status_code == 400


@pytest.mark.parametrize(
    ("statement", "broken_at", "reason", "runs"),
    [
        ("UPDATE experiment_entry SET content = replace(content, '0.7', '0.9') WHERE number = 2", 2, "content", "1"),
        ("DELETE FROM experiment_entry WHERE number = 2", 2, "missing", "02"),
        ("DELETE FROM experiment_entry WHERE number = 3", 3, "at the end", "1"),
        ("UPDATE experiment_entry SET recorded_by = 'somebody else' WHERE number = 1", 1, "author", "0"),
        ("UPDATE experiment_entry SET previous_sha256 = NULL WHERE number = 3", 3, "follow", "12"),
    ],
)
def test_a_chain_that_was_changed_shows(
    registry: Registry, statement: str, broken_at: int, reason: str, runs: str
) -> None:
    for number in range(3):
        post(registry, record(f"job-{number}", metrics={"auc": 0.7}))
    assert all(item["whole"] for item in registry.get("/experiments/nyc/late-flights/runs")["items"])
    changed(registry, statement)

    found = verified(registry)

    assert (found["whole"], found["broken_at"]) == (False, broken_at)
    assert reason in found["reason"]
    listed = registry.get("/experiments/nyc/late-flights/runs")["items"]
    broken = sorted(item["record"]["run"] for item in listed if not item["whole"])
    assert broken == [f"job-{number}" for number in runs]
    assert registry.get(f"/experiments/nyc/late-flights/runs/{broken[0]}")["whole"] is False


@pytest.mark.parametrize("project", ["", "a/b", "a b", "x" * 65, "nyc\x00"])
def test_a_record_is_of_a_project_that_can_be(registry: Registry, project: str) -> None:
    answer = registry.http.post("/api/v1/experiments", json=record(project=project))

    assert (answer.status_code, answer.json()["errors"]) == (422, [f"project: {project!r} is no project name"])
    assert registry.get("/experiments")["items"] == []


@pytest.mark.parametrize("name", [".", "..", " ", "\ufffd"])
def test_a_record_is_of_an_experiment_and_a_run_that_can_be_asked_for(registry: Registry, name: str) -> None:
    for what in ("experiment", "run"):
        answer = registry.http.post("/api/v1/experiments", json=record() | {what: name})

        assert (answer.status_code, answer.json()["errors"]) == (422, [f"{what}: {name!r} cannot be asked for"])
    assert registry.get("/experiments")["items"] == []


@pytest.mark.parametrize("content", ["{}", "no JSON", '{"run": "job-0", "metrics": 7}'])
def test_an_entry_that_was_made_unreadable_shows_as_changed(registry: Registry, content: str) -> None:
    for number in range(2):
        post(registry, record(f"job-{number}", metrics={"auc": 0.7}))
    changed(registry, f"UPDATE experiment_entry SET content = '{content}' WHERE number = 1")

    runs = registry.get("/experiments/nyc/late-flights/runs")["items"]
    entries = registry.get("/experiments/nyc/late-flights/runs/job-0/entries")
    compared = registry.get("/experiments/nyc/late-flights/compare", run=["job-0", "job-1"])

    assert [(item["record"]["run"], item["whole"]) for item in runs] == [("job-1", True), ("job-0", False)]
    assert [(entry["record"]["project"], entry["record"]["metrics"]) for entry in entries] == [("nyc", {})]
    assert compared["metrics"][0]["values"] == [None, 0.7]
    assert (verified(registry)["whole"], verified(registry)["broken_at"]) == (False, 1)


def test_a_chain_that_grows_while_it_is_read_is_whole(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    post(registry, record("job-0"))
    find, told = ExperimentRepository.find, iter(range(1, 9))

    def find_and_grow(repository: ExperimentRepository, project: str, name: str) -> ExperimentTable | None:
        found = find(repository, project, name)
        with monkeypatch.context() as patch, registry.database.writing() as session:
            patch.setattr(ExperimentRepository, "find", find)
            one = TrainingRecord.model_validate(record(f"job-{next(told)}"))
            ExperimentService(session, EVERYTHING).record(one, DAY, "another")
        return found

    monkeypatch.setattr(ExperimentRepository, "find", find_and_grow)

    assert verified(registry)["whole"] is True
    assert all(item["whole"] for item in registry.get("/experiments/nyc/late-flights/runs")["items"])


@pytest.mark.parametrize("statement", ["UPDATE experiment_entry SET number = 7", "DELETE FROM experiment_entry"])
def test_the_database_itself_refuses_to_change_an_entry(registry: Registry, statement: str) -> None:
    post(registry, record())

    with pytest.raises(DBAPIError, match="append-only"), registry.database.writing() as session:
        session.execute(text(statement))


def test_many_who_record_at_once_make_one_chain(registry: Registry) -> None:
    told = [record(f"job-{number % 8}", metrics={"auc": number % 16 / 100}) for number in range(48)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: post_once(registry, one).status_code, told))

    assert sorted(set(answers)) == [200, 201]
    assert answers.count(201) == 16
    found = verified(registry)
    assert (found["whole"], found["entries"]) == (True, 16)


@pytest.mark.parametrize(
    "wrong",
    [
        {"run": ""},
        {"experiment": "a/b"},
        {"metrics": {"loss": "NaN"}},
        {"parameters": {"depth": 6}},
        {"unknown": 1},
        {"data": [{"name": "train"}]},
        {"ended_at": 0},
        {"ended_at": "1780000000"},
    ],
)
def test_what_is_no_record_is_refused_and_leaves_nothing(registry: Registry, wrong: Json) -> None:
    answer = post_once(registry, record() | wrong)

    assert answer.status_code == 422
    assert next(iter(wrong)) in " ".join(answer.json()["errors"])
    assert registry.get("/experiments")["items"] == []


def trained(run: str = "job-1", **said: Any) -> Json:
    return {"festaf_experiment": facet(experiment=record(run, **said))}


def registered(version: int = 3, **said: Any) -> Json:
    fact = {
        "project": "nyc",
        "model": "late-flights",
        "version": version,
        "training_job": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1",
        "training_set": "s3://lake/manifest.json",
        "metrics": {"auc": 0.75},
        "experiment": "late-flights",
        **said,
    }
    return {
        "namespace": "x-festaf-model://nyc",
        "name": "late-flights",
        "facets": {"festaf_model_version": facet(model_version=fact)},
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 1, 2, 2)])
def test_what_tasks_tell_of_training_and_registration_is_one_run_in_any_order(
    registry: Registry, order: tuple[int, ...]
) -> None:
    told = [
        task_event("START", 1, task="train"),
        task_event(task="train", run_facets=trained(parameters={"depth": "6"}, state="Completed")),
        task_event(task="register", outputs=(registered(),)),
    ]
    registry.post(*(told[number] for number in order))

    (run,) = registry.get("/experiments/nyc/late-flights/runs")["items"]
    found = run["record"]
    assert (found["run"], found["parameters"], found["metrics"]) == ("job-1", {"depth": "6"}, {"auc": 0.75})
    assert (found["model"]["name"], found["model"]["version"]) == ("late-flights", 3)
    assert found["data"][0]["manifest"] == "s3://lake/manifest.json"
    assert found["openlineage_run_id"] == str(run_of("train"))
    assert len(run["entries"]) == 2


def test_a_facet_that_is_no_record_is_kept_with_the_run_and_recorded_nowhere(registry: Registry) -> None:
    registry.post(task_event(task="train", run_facets={"festaf_experiment": facet(experiment={"run": 7})}))

    assert registry.get("/experiments")["items"] == []
    assert registry.get(f"/runs/{run_of('train')}")["facets"]["festaf_experiment"]["experiment"] == {"run": 7}


def test_secrets_are_masked_before_they_are_chained(registry: Registry) -> None:
    post(
        registry,
        record(
            parameters={"password": "hunter2hunter2", "depth": "6"},
            data=[{"name": "train", "uri": "https://ann:hunter2hunter2@lake/rows", "sha256": SHA}],
        ),
    )

    told = registry.get("/experiments/nyc/late-flights/runs/job-1")["record"]
    assert "hunter2" not in str(told)
    assert (told["parameters"]["depth"], told["data"][0]["sha256"]) == ("6", SHA)
    with registry.database.reading() as session:
        assert "hunter2" not in str(session.execute(text("SELECT content FROM experiment_entry")).all())
