"""Users, services and teams may do what they were granted, from the next request on; every write is written down."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from festaf.registry_api.access.repository import changed
from festaf.registry_api.table import Table
from tests.registry_api.events import NAMESPACE, RICH, facet, feature_set, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.offices import Office

SECRET = "hunter2-and-more"


def test_a_sender_writes_only_what_its_project_owns(office: Office) -> None:
    office.make("sender", "lineage:write", role="write")
    event = task_event(outputs=(written(RICH),))

    assert office.ask("sender", "POST", "/lineage", event).status_code == 403
    office.done("PUT", "/project-namespaces", {"project": "nyc"}, namespace=NAMESPACE)
    assert office.ask("sender", "POST", "/lineage", event).status_code == 201

    elsewhere = {"namespace": "x-festaf-model://bos", "name": "delay", "facets": {}, "outputFacets": {}}
    renamed = feature_set("raw", symlinks=facet(identifiers=[{"namespace": "x-festaf://bos", "name": "x"}]))
    stolen = written(RICH) | {"namespace": "x-festaf://nyc"}
    stolen["outputFacets"] = stolen["facets"] = facets_of(stolen, project="bos")
    entries = facet(entries=[{"namespace": "x-festaf://bos", "name": "x", "type": "DATASET", "inputs": []}])
    refused = [
        task_event(minutes=11, outputs=(elsewhere,)),
        task_event(minutes=12, inputs=(renamed,)),
        task_event(minutes=13, outputs=(stolen,)),
        task_event(minutes=14, job_facets={"lineage": entries}),
    ]
    answer = office.ask("sender", "POST", "/lineage/batch", [*refused, task_event(minutes=15)])

    assert answer.status_code == 200
    assert answer.json()["summary"] | {"successful": 1, "non_retriable": 4} == answer.json()["summary"]
    assert office.ask("sender", "POST", "/lineage", refused[0]).status_code == 403


def facets_of(dataset: dict[str, Any], project: str) -> dict[str, Any]:
    """Let facets of ours name another project than their dataset does."""
    facets = {**dataset["facets"], **dataset.get("outputFacets", {})}
    return {
        name: {
            part: {**said, "project": project} if isinstance(said, dict) and "project" in said else said
            for part, said in body.items()
        }
        for name, body in facets.items()
    }


def test_a_known_run_stays_its_senders(office: Office) -> None:
    office.make("sender", "lineage:write", role="write")
    office.make("other", "lineage:write", role="write", project="bos")
    office.done("PUT", "/project-namespaces", {"project": "nyc"}, namespace=NAMESPACE)
    office.done("PUT", "/project-namespaces", {"project": "bos"}, namespace="theirs")
    event = task_event(outputs=(written(RICH),))
    assert office.ask("sender", "POST", "/lineage", event).status_code == 201

    forged = {**event, "eventType": "FAIL", "outputs": [], "job": {**event["job"], "namespace": "theirs"}}

    assert office.ask("other", "POST", "/lineage", forged).status_code == 403


def test_the_first_write_of_one_who_may_write_everywhere_makes_the_project(office: Office) -> None:
    office.make("sender", "lineage:write", "registry:read", role="write", project="*")
    event = task_event(outputs=(feature_set("new", "chi"),))
    assert office.ask("sender", "POST", "/lineage", event).status_code == 201

    assert "chi" in {item["name"] for item in office.ask("sender", "GET", "/projects").json()["items"]}


def test_a_grant_or_a_team_counts_from_the_next_request_on(office: Office) -> None:
    office.make("reader", "registry:read")
    assert office.ask("reader", "GET", "/projects").status_code == 403

    office.done("PUT", "/principals/team/analysts", {})
    office.done("PUT", "/grants/nyc/team/analysts", {"role": "read"})
    office.done("PUT", "/teams/analysts/members/service/reader")
    listed = office.ask("reader", "GET", "/projects").json()["items"]
    assert [item["name"] for item in listed] == ["nyc"]
    assert office.ask("reader", "GET", "/projects/bos").status_code == 404
    assert office.ask("reader", "GET", "/me").json() | {"reads": ["nyc"], "writes": [], "teams": ["analysts"]} == (
        office.ask("reader", "GET", "/me").json()
    )

    office.done("PUT", "/principals/team/analysts", {"disabled": True})
    assert office.ask("reader", "GET", "/projects").status_code == 403
    office.done("PUT", "/principals/service/reader", {"disabled": True})
    assert office.ask("reader", "GET", "/me").status_code == 401


def test_a_token_opens_no_more_than_its_owner_may_and_it_names(office: Office) -> None:
    office.make("owner", "admin", role="admin", project="*", projects=["nyc"])

    assert office.ask("owner", "GET", "/audit").status_code == 403
    assert office.ask("owner", "PUT", "/projects/nyc", {"description": "flights"}).status_code == 200
    assert office.ask("owner", "PUT", "/projects/bos", {}).status_code == 403
    assert office.ask("owner", "GET", "/projects/bos").status_code == 404
    assert office.ask("owner", "GET", "/grants", project="nyc").status_code == 200
    assert office.ask("owner", "GET", "/grants").status_code == 403


def test_a_token_is_limited_to_what_can_be_a_project_even_to_one_that_is_still_to_come(office: Office) -> None:
    office.make("owner", "registry:read", role="read", project="*", projects=["chi"])
    assert office.ask("owner", "GET", "/me").json()["reads"] == ["chi"]

    for name in ("*", "a/b", "a\x00"):
        body = {"name": "limited", "owner_kind": "service", "owner": "owner", "projects": [name]}
        answer = office.ask("admin", "POST", "/tokens", body)
        assert answer.status_code == 400
        assert "no project can be named" in answer.json()["detail"]


def test_one_who_administers_a_project_gives_roles_there_only(office: Office) -> None:
    office.make("boss", "admin", role="admin")
    office.done("PUT", "/principals/user/ann@example.com", {})

    assert office.ask("boss", "PUT", "/grants/nyc/user/ann@example.com", {"role": "read"}).status_code == 200
    for project in ("bos", "*"):
        answer = office.ask("boss", "PUT", f"/grants/{project}/user/ann@example.com", {"role": "read"})
        assert answer.status_code == 403
    assert office.ask("boss", "DELETE", "/grants/nyc/user/ann@example.com").status_code == 204
    assert office.ask("boss", "DELETE", "/grants/nyc/user/ann@example.com").status_code == 404


def test_a_group_that_no_token_can_name_is_refused(office: Office) -> None:
    assert office.ask("admin", "PUT", "/principals/team/t", {"oidc_group": "a\x00"}).status_code == 400


def test_every_write_is_in_the_log_once_and_nobody_can_change_it(office: Office) -> None:
    office.make("sender", "lineage:write", role="write", project="*")
    events = [task_event(minutes=n, source=f"password = '{SECRET}'", outputs=(written(RICH),)) for n in range(3)]
    assert office.ask("sender", "POST", "/lineage/batch", [*events, {}]).status_code == 200
    assert office.ask("sender", "POST", "/lineage/batch", events).status_code == 204
    assert office.ask("sender", "PUT", "/projects/nyc", {}).status_code == 403
    office.done("PUT", "/projects/nyc", {"description": f"token={SECRET}"})

    log = office.done("GET", "/audit", limit=4)
    rows = log["items"] + office.done("GET", "/audit", cursor=log["cursor"])["items"]
    batch, again = (row for row in reversed(rows) if row["action"] == "events.take")
    assert (batch["actor"], batch["actor_kind"], batch["token"]) == ("sender", "service", "sender")
    assert batch["counts"] == {"received": 4, "new": 3, "refused": 1}
    assert batch["entity"] == "events 1 to 3"
    assert again["counts"] | {"new": 0} == again["counts"]
    assert [row["id"] for row in rows] == sorted({row["id"] for row in rows}, reverse=True)
    assert rows[0]["action"] == "project.put"
    assert [row["entity"] for row in office.done("GET", "/audit", action="grant.put")["items"]] == ["*: service/sender"]
    assert SECRET not in str(rows)
    assert not any(token in str(rows) for token in office.tokens.values())
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(DatabaseError, match="append-only"), office.database.writing() as session:
            session.execute(text(statement))


def test_secrets_in_descriptions_are_masked(office: Office) -> None:
    said = f"reach it by postgres://me:{SECRET}@db:5432/x"
    answers = [
        office.done("PUT", "/projects/nyc", {"description": said}),
        office.done("PUT", "/namespaces/dbs", {"ownerName": "ann", "description": said}),
        office.done("PUT", "/tags/pii", {"description": said}),
    ]

    assert all("***masked***@db:5432/x" in answer["description"] for answer in answers)


def test_secrets_of_events_are_stored_nowhere(office: Office) -> None:
    office.make("sender", "lineage:write", role="write", project="*")
    url = f"postgres://me:{SECRET}@db:5432"
    event = task_event(
        source=f"password = '{SECRET}'",
        inputs=({"namespace": url, "name": f"x?token={SECRET}&y=1", "facets": {}},),
        outputs=(written(RICH),),
        job_facets={"sql": facet(query=f"CREATE USER me PASSWORD '{SECRET}'"), "custom": facet(api_key=SECRET)},
        run_facets={"conf": facet(conf={"dbPassword": SECRET})},
    )
    assert office.ask("sender", "POST", "/lineage", event).status_code == 201
    assert office.ask("sender", "POST", "/lineage", event).status_code == 201

    run = office.done("GET", f"/runs/{event['run']['runId']}")
    feature = office.done("GET", "/features/nyc/delays/dep_delay")
    assert feature["how"]["dag_file"]["masked"] == 1
    assert "***masked***" in str(run)
    assert "***masked***" in str(feature)
    assert SECRET not in str(run) + str(feature)
    with office.database.reading() as session:
        for table in Table.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                assert SECRET not in " ".join(_plain(value) for value in row.values()), table.name
        assert session.execute(text("SELECT count(*) FROM event")).scalar_one() == 1


def _plain(value: Any) -> str:
    if not isinstance(value, bytes | memoryview):
        return str(value)
    try:
        return zlib.decompress(bytes(value)).decode()
    except zlib.error:
        return bytes(value).decode(errors="replace")


def test_failures_of_an_address_do_not_lock_out_its_valid_tokens(office: Office) -> None:
    office.tokens["wrong"] = "festaf_wrong"
    answers = [office.ask("wrong", "GET", "/me") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["ratelimit-policy"] == '"failures";q=3;w=60'
    assert answers[-1].headers["ratelimit"].startswith('"failures";r=0;t=')
    assert office.ask("admin", "GET", "/me").status_code == 200


def test_a_caller_who_asks_too_often_waits_and_no_other_does(office: Office) -> None:
    office.make("busy", "admin", role="admin")
    answers = [office.ask("busy", "PUT", "/projects/bos", {}) for _ in range(201)]

    assert {answer.status_code for answer in answers[:200]} == {403}
    assert answers[200].status_code == 429
    assert answers[200].json()["code"] == 429
    assert office.ask("busy", "GET", "/me").status_code == 200
    office.done("PUT", "/projects/nyc", {})


@pytest.mark.parametrize(
    "damage", ["UPDATE role_grant SET role = 'boss'", "DELETE FROM access_state", "UPDATE token SET scopes = '7'"]
)
def test_what_cannot_be_decided_is_refused(office: Office, damage: str) -> None:
    office.make("reader", "registry:read", role="read")
    assert office.ask("reader", "GET", "/projects").status_code == 200
    with office.database.writing() as session:
        changed(session)
        session.execute(text(damage))

    assert office.ask("reader", "GET", "/projects").status_code == 403
