"""Athena's queries, workgroups, saved queries and prepared statements."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from tests.local_aws.conformance.case import Case, always

if TYPE_CHECKING:
    from tests.local_aws.conformance.case import Asked, World

ATHENA = "athena"
INVALID, GONE = "InvalidRequestException", "ResourceNotFoundException"
CREATION = "a creation has no absence"
LIST = "a list has no absence"
ENTRY = "what is not there is an entry of its own in the answer"
NOBODY = str(uuid.uuid4())
GROUP_ARN = "arn:aws:athena:us-east-1:123456789012:workgroup/{}"
OUTPUT = {"OutputLocation": "s3://bucket/results"}
SELECT = "SELECT 1 AS one"
METADATA = "MetadataException"
CATALOG = {"CatalogName": "AwsDataCatalog"}
SHELF = {**CATALOG, "DatabaseName": "shelf"}


def _start(world: World) -> Asked:
    asked = {"QueryString": SELECT, "ResultConfiguration": OUTPUT}
    return {"QueryExecutionId": world.ask(ATHENA, "StartQueryExecution", asked)["QueryExecutionId"]}


def _group(world: World, key: str = "WorkGroup", **more: Any) -> Asked:
    name = world.name("workgroup")
    world.ask(ATHENA, "CreateWorkGroup", {"Name": name})
    return {key: name, **more}


def _named(world: World, **more: Any) -> Asked:
    asked = {"Name": world.name("query"), "Database": "default", "QueryString": SELECT}
    return {"NamedQueryId": world.ask(ATHENA, "CreateNamedQuery", asked)["NamedQueryId"], **more}


def _statement(world: World) -> Asked:
    return {"StatementName": world.name("prepared").replace("-", "_"), "WorkGroup": "primary", "QueryStatement": SELECT}


def _prepared(world: World, **more: Any) -> Asked:
    asked = _statement(world)
    world.ask(ATHENA, "CreatePreparedStatement", asked)
    return {"StatementName": asked["StatementName"], "WorkGroup": "primary", **more}


def _table(world: World) -> Asked:
    name = world.name("table").replace("-", "_")
    place = {"Columns": [{"Name": "one", "Type": "int"}], "Location": "s3://bucket/table"}
    world.ask(
        "glue", "CreateTable", {"DatabaseName": "shelf", "TableInput": {"Name": name, "StorageDescriptor": place}}
    )
    return {**SHELF, "TableName": name}


def _tagged(world: World, **more: Any) -> Asked:
    return {"ResourceARN": GROUP_ARN.format(_group(world)["WorkGroup"]), **more}


TAGS = [{"Key": "team", "Value": "flights"}]
ABSENT_QUERY = ({"QueryExecutionId": NOBODY}, INVALID)
ABSENT_STATEMENT = {"StatementName": "absent", "WorkGroup": "primary"}
ABSENT_GROUP = {"ResourceARN": GROUP_ARN.format("absent")}


def _case(operation: str, asked: Any, absent: Any, twice: str | None = None) -> Case:
    return Case(operation, asked, absent, twice=twice, service=ATHENA)


CASES = [
    _case(
        "StartQueryExecution",
        always(QueryString=SELECT, ResultConfiguration=OUTPUT),
        ({"QueryString": SELECT, "WorkGroup": "absent"}, INVALID),
    ),
    _case("StopQueryExecution", _start, ABSENT_QUERY),
    _case("GetQueryExecution", lambda world: {"QueryExecutionId": world.query}, ABSENT_QUERY),
    _case("BatchGetQueryExecution", lambda world: {"QueryExecutionIds": [world.query, NOBODY]}, ENTRY),
    _case("ListQueryExecutions", always(), LIST),
    _case("GetQueryResults", lambda world: {"QueryExecutionId": world.query}, ABSENT_QUERY),
    _case("GetQueryRuntimeStatistics", lambda world: {"QueryExecutionId": world.query}, ABSENT_QUERY),
    _case("CreateWorkGroup", lambda world: {"Name": world.name("workgroup")}, CREATION, twice=INVALID),
    _case("GetWorkGroup", always(WorkGroup="primary"), ({"WorkGroup": "absent"}, INVALID)),
    _case("ListWorkGroups", always(), LIST),
    _case(
        "UpdateWorkGroup",
        lambda world: _group(world, Description="new"),
        ({"WorkGroup": "absent", "Description": "new"}, INVALID),
    ),
    _case("DeleteWorkGroup", _group, ({"WorkGroup": "absent"}, INVALID)),
    _case("TagResource", lambda world: _tagged(world, Tags=TAGS), ({**ABSENT_GROUP, "Tags": TAGS}, GONE)),
    _case("UntagResource", lambda world: _tagged(world, TagKeys=["team"]), ({**ABSENT_GROUP, "TagKeys": ["a"]}, GONE)),
    _case("ListTagsForResource", _tagged, (ABSENT_GROUP, GONE)),
    _case("CreatePreparedStatement", _statement, CREATION, twice=INVALID),
    _case("GetPreparedStatement", _prepared, (ABSENT_STATEMENT, GONE)),
    _case(
        "BatchGetPreparedStatement",
        lambda world: {
            "PreparedStatementNames": [_prepared(world)["StatementName"], "absent"],
            "WorkGroup": "primary",
        },
        ENTRY,
    ),
    _case("ListPreparedStatements", always(WorkGroup="primary"), ({"WorkGroup": "absent"}, INVALID)),
    _case(
        "UpdatePreparedStatement",
        lambda world: _prepared(world, QueryStatement="SELECT 2"),
        ({**ABSENT_STATEMENT, "QueryStatement": SELECT}, GONE),
    ),
    _case("DeletePreparedStatement", _prepared, (ABSENT_STATEMENT, GONE)),
    _case(
        "CreateNamedQuery",
        lambda world: {"Name": world.name("query"), "Database": "default", "QueryString": SELECT},
        CREATION,
        twice="other",
    ),
    _case("GetNamedQuery", _named, ({"NamedQueryId": NOBODY}, INVALID)),
    _case("BatchGetNamedQuery", lambda world: {"NamedQueryIds": [_named(world)["NamedQueryId"], NOBODY]}, ENTRY),
    _case("ListNamedQueries", always(), LIST),
    _case(
        "UpdateNamedQuery",
        lambda world: _named(world, Name="renamed", QueryString="SELECT 2"),
        ({"NamedQueryId": NOBODY, "Name": "renamed", "QueryString": SELECT}, INVALID),
    ),
    _case("GetDatabase", always(**CATALOG, DatabaseName="shelf"), ({**CATALOG, "DatabaseName": "absent"}, METADATA)),
    _case("ListDatabases", always(**CATALOG), LIST),
    _case("GetTableMetadata", _table, ({**SHELF, "TableName": "absent"}, METADATA)),
    _case("ListTableMetadata", always(**SHELF), ({**CATALOG, "DatabaseName": "absent"}, METADATA)),
    _case("DeleteNamedQuery", _named, ({"NamedQueryId": NOBODY}, INVALID)),
]
