"""Athena's operations: queries here, workgroups and saved queries beside; data catalogs are moto's."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena.answering import Answerer
from festaf.local_aws.athena.execution import Execution
from festaf.local_aws.athena.history import History
from festaf.local_aws.athena.metadata import Metadata
from festaf.local_aws.athena.paging import invalid, offset_of, page_of
from festaf.local_aws.athena.prepared_sql import prepared
from festaf.local_aws.athena.runner import Runner
from festaf.local_aws.athena.saved_queries import NamedQueries, PreparedStatements
from festaf.local_aws.athena.statement import MalformedStatementError, Statement, read_statement
from festaf.local_aws.athena.tables import Tables
from festaf.local_aws.athena.work_groups import WorkGroups
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri
from festaf.local_aws.service import ApiError
from festaf.local_aws.written_files import WrittenFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.athena.work_groups import WorkGroup
    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.service import Call, Handler

PAGE = 1000
"""The most rows of a page of GetQueryResults, and how many it has when nothing is said."""


class AthenaService:
    """Answers what starts, shows and ends queries."""

    name = "athena"

    def __init__(self, cloud: Cloud, clock: Clock, resources: Resources, written: WrittenFiles | None = None) -> None:
        self._cloud = cloud
        self._clock = clock
        self._groups = WorkGroups(resources)
        self._prepared = PreparedStatements(resources, self._groups)
        self._history = History(resources)
        self._groups.holds.append(lambda region, group: bool(self._history.of(region, group)))
        self._groups.gone.append(self._history.drop)
        self._written = WrittenFiles() if written is None else written
        answerer = Answerer(cloud, clock, self._prepared, Tables(cloud, self._written))
        self._runner = Runner(cloud, clock, answerer, self._history.save)
        self.operations: Mapping[str, Handler] = {
            "StartQueryExecution": self.start,
            "StopQueryExecution": self.stop,
            "GetQueryExecution": self.get,
            "BatchGetQueryExecution": self.batch_get,
            "ListQueryExecutions": self.list_executions,
            "GetQueryResults": self.results,
            "GetQueryRuntimeStatistics": self.statistics,
            **self._groups.operations,
            **self._prepared.operations,
            **NamedQueries(resources, self._groups).operations,
            **Metadata(cloud).operations,
        }

    def load(self) -> None:
        """Take the executions of an earlier run, which the resources have."""
        self._history.load()

    def start(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """StartQueryExecution: read the statement, and queue it."""
        token = parameters.get("ClientRequestToken")
        asked = {name: value for name, value in parameters.items() if name != "ClientRequestToken"}
        if known := self._history.known(call.region, token, asked):
            return {"QueryExecutionId": known}
        execution = self._new(call, parameters)
        identity = self._history.add(execution, token, asked)
        if identity == execution.identity:
            self._runner.submit(execution)
        return {"QueryExecutionId": identity}

    def stop(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """StopQueryExecution: end a query that waits or runs; one that has ended stays as it is."""
        execution = self._history.find(call.region, parameters["QueryExecutionId"])
        if not execution.done:
            execution.engine.cancel()
            execution.end("CANCELLED", self._clock.now(), "Query was cancelled by the user")
            self._history.save(execution)
        return {}

    def get(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetQueryExecution."""
        return {"QueryExecution": self._history.find(call.region, parameters["QueryExecutionId"]).describe()}

    def batch_get(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """BatchGetQueryExecution."""
        found, missing = [], []
        for identity in parameters["QueryExecutionIds"]:
            try:
                found.append(self._history.find(call.region, identity).describe())
            except ApiError as error:
                missing.append({"QueryExecutionId": identity, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list_executions(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListQueryExecutions: those of a workgroup, the newest first."""
        group = parameters.get("WorkGroup", "primary")
        self._groups.find(call.region, group)
        identities = [execution.identity for execution in self._history.of(call.region, group)]
        return page_of(identities, parameters, "QueryExecutionIds")

    def results(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetQueryResults: a page of rows as text; the first row of a SELECT's first page has the names."""
        execution = self._finished(call, parameters["QueryExecutionId"])
        if execution.state != "SUCCEEDED":
            raise invalid(f"Query did not finish successfully. Final query state: {execution.state}")
        try:
            results = self._runner.results(execution)
        except ObjectStoreError as error:
            raise invalid(f"Could not find results of the query: {error}") from error
        start = offset_of(parameters.get("NextToken"))
        rows, following = results.page(start, parameters.get("MaxResults") or PAGE)
        answer: dict[str, Any] = {
            "UpdateCount": results.update_count or 0,
            "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": list(results.columns)}},
        }
        if following is not None:
            answer["NextToken"] = str(following)
        return answer

    def statistics(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetQueryRuntimeStatistics: times and rows; the stages of a plan are not known here."""
        execution = self._finished(call, parameters["QueryExecutionId"])
        return {"QueryRuntimeStatistics": execution.runtime()}

    def reset(self) -> None:
        """Forget every query; those that run are cancelled."""
        self._history.clear()
        self._written.clear()
        self.forget_results()

    def forget_results(self) -> None:
        """Drop the results in memory; they are read from their files again."""
        self._runner.forget()

    def close(self) -> None:
        """Cancel what runs and end the threads."""
        self.reset()
        self._runner.close()

    def _finished(self, call: Call, identity: str) -> Execution:
        execution = self._history.find(call.region, identity)
        if not execution.done:
            raise invalid(f"Query has not yet finished. Current state: {execution.state}")
        return execution

    def _new(self, call: Call, parameters: dict[str, Any]) -> Execution:
        group = self._groups.find(call.region, parameters.get("WorkGroup", "primary"))
        if not group.enabled:
            raise invalid(f"WorkGroup {group.name} is disabled.")
        configuration = self._configuration(call.region, group, parameters.get("ResultConfiguration") or {})
        statement = self._read(call.region, group.name, parameters["QueryString"])
        given = tuple(parameters.get("ExecutionParameters") or ())
        identity = str(uuid.uuid4())
        configuration["OutputLocation"] = _own_output(configuration["OutputLocation"], statement.subtype, identity)
        context = parameters.get("QueryExecutionContext") or {}
        return Execution(
            identity=identity,
            region=call.region,
            statement=statement,
            parameters=statement.values or given,
            # awswrangler puts the name into backticks.
            database=context.get("Database", "default").strip('`"'),
            context=context,
            work_group=group.name,
            configuration=configuration,
            reuse=parameters.get("ResultReuseConfiguration"),
            submitted=self._clock.now(),
            enforced=group.enforced,
            cutoff=group.cutoff,
        )

    def _read(self, region: str, group: str, text: str) -> Statement:
        try:
            return prepared(read_statement(text), self._prepared, region, group)
        except MalformedStatementError as error:
            raise invalid(str(error)) from error

    def _configuration(self, region: str, group: WorkGroup, asked: dict[str, Any]) -> dict[str, Any]:
        """Merge the caller's configuration with the workgroup's, which may insist on its own."""
        own = group.configuration.get("ResultConfiguration") or {}
        chosen = {**asked, **own} if group.enforced else {**own, **asked}
        location = chosen.get("OutputLocation")
        if not location:
            raise invalid(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        try:
            bucket, _ = split_uri(location)
        except ValueError as error:
            raise invalid(f"outputLocation is not a valid S3 path: {location}") from error
        if not Objects(self._cloud, region).has_bucket(bucket):
            raise invalid(f"Unable to verify/create output bucket {bucket}")
        return chosen


def _own_output(location: str, subtype: str, identity: str) -> str:
    """Name the file, or the folder, of one query."""
    home = location.rstrip("/")
    if subtype == "CREATE_TABLE_AS_SELECT":
        return f"{home}/tables/{identity}"
    if subtype in ("INSERT", "UNLOAD"):
        return f"{home}/{identity}"
    return f"{home}/{identity}.{'csv' if subtype == 'SELECT' else 'txt'}"
