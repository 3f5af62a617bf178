"""Athena's query operations; workgroups and the rest are moto's."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from festaf.local_aws.athena.execution import Execution
from festaf.local_aws.athena.runner import Runner
from festaf.local_aws.athena.statement import MalformedStatementError, read_statement
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.service import Call, Handler

KEPT_EXECUTIONS = 5000
PAGE = 1000
"""The most rows of a page of GetQueryResults, and how many it has when nothing is said."""


class AthenaService:
    """Answers what starts, shows and ends queries."""

    name = "athena"

    def __init__(self, cloud: Cloud, clock: Clock) -> None:
        self._cloud = cloud
        self._clock = clock
        self._runner = Runner(cloud, clock)
        self._executions: dict[str, Execution] = {}
        self._tokens: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
        self._lock = threading.Lock()
        self.operations: Mapping[str, Handler] = {
            "StartQueryExecution": self.start,
            "StopQueryExecution": self.stop,
            "GetQueryExecution": self.get,
            "BatchGetQueryExecution": self.batch_get,
            "ListQueryExecutions": self.list_executions,
            "GetQueryResults": self.results,
        }

    def start(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """StartQueryExecution: read the statement, and queue it."""
        token = parameters.get("ClientRequestToken")
        asked = {name: value for name, value in parameters.items() if name != "ClientRequestToken"}
        with self._lock:
            known = self._tokens.get((call.region, token)) if token else None
        if known is not None:
            if known[0] != asked:
                raise _invalid("Idempotent parameters do not match")
            return {"QueryExecutionId": known[1]}
        execution = self._new(call, parameters)
        with self._lock:
            if token:
                first = self._tokens.setdefault((call.region, token), (asked, execution.identity))[1]
                if first != execution.identity:
                    return {"QueryExecutionId": first}
            self._executions[execution.identity] = execution
            while len(self._executions) > KEPT_EXECUTIONS:
                self._executions.pop(next(iter(self._executions)))
        self._runner.submit(execution)
        return {"QueryExecutionId": execution.identity}

    def stop(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """StopQueryExecution: end a query that waits or runs; one that has ended stays as it is."""
        execution = self._find(call, parameters["QueryExecutionId"])
        execution.engine.cancel()
        execution.end("CANCELLED", self._clock.now(), "Query was cancelled by the user")
        return {}

    def get(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetQueryExecution."""
        return {"QueryExecution": self._find(call, parameters["QueryExecutionId"]).describe()}

    def batch_get(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """BatchGetQueryExecution."""
        found, missing = [], []
        for identity in parameters["QueryExecutionIds"]:
            try:
                found.append(self._find(call, identity).describe())
            except ApiError as error:
                missing.append({"QueryExecutionId": identity, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list_executions(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListQueryExecutions: those of a workgroup, the newest first."""
        group = parameters.get("WorkGroup", "primary")
        self._work_group(call.region, group)
        with self._lock:
            every = [one for one in self._executions.values() if (one.region, one.work_group) == (call.region, group)]
        identities = [execution.identity for execution in reversed(every)]
        start = _offset(parameters.get("NextToken"))
        length = parameters.get("MaxResults") or 50
        answer: dict[str, Any] = {"QueryExecutionIds": identities[start : start + length]}
        if start + length < len(identities):
            answer["NextToken"] = str(start + length)
        return answer

    def results(self, call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetQueryResults: a page of rows as text; the first row of a SELECT's first page has the names."""
        execution = self._find(call, parameters["QueryExecutionId"])
        if not execution.done:
            raise _invalid(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise _invalid(f"Query did not finish successfully. Final query state: {execution.state}")
        try:
            results = self._runner.results(execution)
        except ObjectStoreError as error:
            raise _invalid(f"Could not find results of the query: {error}") from error
        start = _offset(parameters.get("NextToken"))
        rows, following = results.page(start, parameters.get("MaxResults") or PAGE)
        answer: dict[str, Any] = {
            "UpdateCount": results.update_count or 0,
            "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": list(results.columns)}},
        }
        if following is not None:
            answer["NextToken"] = str(following)
        return answer

    def reset(self) -> None:
        """Forget every query; those that run are cancelled."""
        with self._lock:
            executions = list(self._executions.values())
            self._executions.clear()
            self._tokens.clear()
        for execution in executions:
            if not execution.done:
                execution.engine.cancel()
        self.forget_results()

    def forget_results(self) -> None:
        """Drop the results in memory; they are read from their files again."""
        self._runner.forget()

    def close(self) -> None:
        """Cancel what runs and end the threads."""
        self.reset()
        self._runner.close()

    def _new(self, call: Call, parameters: dict[str, Any]) -> Execution:
        text = parameters["QueryString"]
        work_group = parameters.get("WorkGroup", "primary")
        enforced = bool(self._work_group(call.region, work_group).get("EnforceWorkGroupConfiguration"))
        configuration = self._configuration(call.region, work_group, parameters.get("ResultConfiguration") or {})
        try:
            statement = read_statement(text)
        except MalformedStatementError as error:
            raise _invalid(str(error)) from error
        identity = str(uuid.uuid4())
        configuration["OutputLocation"] = _own_output(configuration["OutputLocation"], statement.subtype, identity)
        context = parameters.get("QueryExecutionContext") or {}
        return Execution(
            identity=identity,
            region=call.region,
            statement=statement,
            parameters=tuple(parameters.get("ExecutionParameters") or ()),
            database=context.get("Database", "default"),
            context=context,
            work_group=work_group,
            configuration=configuration,
            submitted=self._clock.now(),
            enforced=enforced,
        )

    def _configuration(self, region: str, work_group: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Merge the caller's configuration with the workgroup's, which may insist on its own."""
        settings = self._work_group(region, work_group)
        own = settings.get("ResultConfiguration") or {}
        chosen = {**asked, **own} if settings.get("EnforceWorkGroupConfiguration") else {**own, **asked}
        location = chosen.get("OutputLocation")
        if not location:
            raise _invalid(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        try:
            bucket, _ = split_uri(location)
        except ValueError as error:
            raise _invalid(f"outputLocation is not a valid S3 path: {location}") from error
        if not Objects(self._cloud, region).has_bucket(bucket):
            raise _invalid(f"Unable to verify/create output bucket {bucket}")
        return chosen

    def _work_group(self, region: str, name: str) -> dict[str, Any]:
        try:
            group = self._cloud.client("athena", region).get_work_group(WorkGroup=name)["WorkGroup"]
        except (ClientError, KeyError) as error:
            raise _invalid(f"WorkGroup {name} is not found.") from error
        if group.get("State") == "DISABLED":
            raise _invalid(f"WorkGroup {name} is disabled.")
        return dict(group.get("Configuration") or {})

    def _find(self, call: Call, identity: str) -> Execution:
        with self._lock:
            execution = self._executions.get(identity)
        if execution is None or execution.region != call.region:
            raise _invalid(f"QueryExecution {identity} was not found")
        return execution


def _own_output(location: str, subtype: str, identity: str) -> str:
    """Name the file, or the folder, of one query."""
    home = location.rstrip("/")
    if subtype == "CREATE_TABLE_AS_SELECT":
        return f"{home}/tables/{identity}"
    if subtype in ("INSERT", "UNLOAD"):
        return f"{home}/{identity}"
    return f"{home}/{identity}.{'csv' if subtype == 'SELECT' else 'txt'}"


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidRequestException", message)


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isdigit():
        raise _invalid("NextToken is invalid")
    return int(token)
