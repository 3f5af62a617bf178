"""Queries that are kept to be asked again: named queries and prepared statements."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena.paging import invalid, page_of
from festaf.local_aws.resources.resource import moment
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.athena.work_groups import WorkGroups
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.service import Call, Handler

NAMED = "athena-named-query"
PREPARED = "athena-prepared-statement"


class NamedQueries:
    """Answers the operations of named queries."""

    def __init__(self, resources: Resources, groups: WorkGroups) -> None:
        self._resources = resources
        self._groups = groups
        groups.holds.append(lambda region, group: bool(self._of(region, group)))
        groups.gone.append(self._drop)
        self.operations: Mapping[str, Handler] = {
            "CreateNamedQuery": self.create,
            "GetNamedQuery": self.get,
            "BatchGetNamedQuery": self.batch_get,
            "ListNamedQueries": self.list_queries,
            "UpdateNamedQuery": self.update,
            "DeleteNamedQuery": self.delete,
        }

    def create(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """CreateNamedQuery; the same token makes the same query."""
        group = asked.setdefault("WorkGroup", "primary")
        self._groups.find(call.region, group)
        token = asked.pop("ClientRequestToken", None)
        with self._resources.lock:
            for one in self._resources.all(NAMED, call.region) if token else ():
                if one.facts["Token"] == token:
                    if one.facts["Asked"] != asked:
                        raise invalid("Idempotent parameters do not match")
                    return {"NamedQueryId": one.name}
            facts = {"Token": token, "Asked": asked, "Query": dict(asked)}
            made = self._resources.create(NAMED, call.region, str(uuid.uuid4()), {}, **facts)
        return {"NamedQueryId": made.name}

    def get(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """GetNamedQuery."""
        return {"NamedQuery": _named(self._find(call.region, asked["NamedQueryId"]))}

    def batch_get(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """BatchGetNamedQuery."""
        found, missing = [], []
        for identity in asked["NamedQueryIds"]:
            try:
                found.append(_named(self._find(call.region, identity)))
            except ApiError as error:
                missing.append({"NamedQueryId": identity, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"NamedQueries": found, "UnprocessedNamedQueryIds": missing}

    def list_queries(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """ListNamedQueries: those of a workgroup, the newest first."""
        group = asked.get("WorkGroup", "primary")
        self._groups.find(call.region, group)
        return page_of([one.name for one in reversed(self._of(call.region, group))], asked, "NamedQueryIds")

    def update(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """UpdateNamedQuery."""
        with self._resources.lock:
            found = self._find(call.region, asked["NamedQueryId"])
            found.facts["Query"] |= {key: asked[key] for key in ("Name", "Description", "QueryString") if key in asked}
            self._resources.touch(found)
        return {}

    def delete(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """DeleteNamedQuery."""
        self._resources.remove(self._find(call.region, asked["NamedQueryId"]))
        return {}

    def _find(self, region: str, identity: str) -> Resource:
        return self._resources.get(
            NAMED, region, identity, f"NamedQuery {identity} was not found", "InvalidRequestException"
        )

    def _of(self, region: str, group: str) -> list[Resource]:
        return [one for one in self._resources.all(NAMED, region) if one.facts["Query"]["WorkGroup"] == group]

    def _drop(self, region: str, group: str) -> None:
        for one in self._of(region, group):
            self._resources.remove(one)


class PreparedStatements:
    """Answers the operations of prepared statements, each of which stands in a workgroup."""

    def __init__(self, resources: Resources, groups: WorkGroups) -> None:
        self._resources = resources
        self._groups = groups
        groups.holds.append(lambda region, group: bool(self._of(region, group)))
        groups.gone.append(self._drop)
        self.operations: Mapping[str, Handler] = {
            "CreatePreparedStatement": self.create,
            "GetPreparedStatement": self.get,
            "BatchGetPreparedStatement": self.batch_get,
            "ListPreparedStatements": self.list_statements,
            "UpdatePreparedStatement": self.update,
            "DeletePreparedStatement": self.delete,
        }

    def text(self, region: str, group: str, name: str) -> str | None:
        """Give the statement, or None when there is none of this name."""
        found = self._resources.find(PREPARED, region, f"{group}/{name}")
        return str(found.facts["QueryStatement"]) if found else None

    def prepare(self, region: str, group: str, name: str, text: str) -> None:
        """Keep a statement, in the place of one of the same name, as PREPARE does."""
        with self._resources.lock:
            if found := self._resources.find(PREPARED, region, f"{group}/{name}"):
                self._resources.remove(found)
            facts = {"QueryStatement": text, "Description": ""}
            self._resources.create(PREPARED, region, f"{group}/{name}", {}, **facts)

    def forget(self, region: str, group: str, name: str) -> bool:
        """Forget a statement, and say whether there was one."""
        found = self._resources.find(PREPARED, region, f"{group}/{name}")
        if found is not None:
            self._resources.remove(found)
        return found is not None

    def create(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """CreatePreparedStatement."""
        group, name = asked["WorkGroup"], asked["StatementName"]
        self._groups.find(call.region, group)
        with self._resources.lock:
            if self._resources.find(PREPARED, call.region, f"{group}/{name}"):
                raise invalid(f"PreparedStatement {name} already exists in workGroup {group}")
            self.prepare(call.region, group, name, asked["QueryStatement"])
            self._describe(call, asked)
        return {}

    def get(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """GetPreparedStatement."""
        return {"PreparedStatement": _prepared(self._find(call, asked["WorkGroup"], asked["StatementName"]))}

    def batch_get(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """BatchGetPreparedStatement."""
        found, missing = [], []
        for name in asked["PreparedStatementNames"]:
            try:
                found.append(_prepared(self._find(call, asked["WorkGroup"], name)))
            except ApiError as error:
                missing.append({"StatementName": name, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}

    def list_statements(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """ListPreparedStatements, in the order of their names."""
        self._groups.find(call.region, asked["WorkGroup"])
        found = sorted(map(_prepared, self._of(call.region, asked["WorkGroup"])), key=lambda one: one["StatementName"])
        shown = [{key: one[key] for key in ("StatementName", "LastModifiedTime")} for one in found]
        return page_of(shown, asked, "PreparedStatements")

    def update(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """UpdatePreparedStatement."""
        with self._resources.lock:
            found = self._find(call, asked["WorkGroup"], asked["StatementName"])
            found.facts["QueryStatement"] = asked["QueryStatement"]
            self._describe(call, asked)
        return {}

    def delete(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """DeletePreparedStatement."""
        self._resources.remove(self._find(call, asked["WorkGroup"], asked["StatementName"]))
        return {}

    def _describe(self, call: Call, asked: dict[str, Any]) -> None:
        found = self._find(call, asked["WorkGroup"], asked["StatementName"])
        found.facts["Description"] = asked.get("Description", "")
        self._resources.touch(found)

    def _find(self, call: Call, group: str, name: str) -> Resource:
        self._groups.find(call.region, group)
        absent = f"PreparedStatement {name} was not found in workGroup {group}"
        return self._resources.get(PREPARED, call.region, f"{group}/{name}", absent, "ResourceNotFoundException")

    def _of(self, region: str, group: str) -> list[Resource]:
        return [one for one in self._resources.all(PREPARED, region) if one.name.partition("/")[0] == group]

    def _drop(self, region: str, group: str) -> None:
        for one in self._of(region, group):
            self._resources.remove(one)


def _named(found: Resource) -> dict[str, Any]:
    return {**found.facts["Query"], "NamedQueryId": found.name}


def _prepared(found: Resource) -> dict[str, Any]:
    group, _, name = found.name.partition("/")
    described = {"Description": found.facts["Description"]} if found.facts["Description"] else {}
    return {
        "StatementName": name,
        "QueryStatement": found.facts["QueryStatement"],
        "WorkGroupName": group,
        "LastModifiedTime": moment(found.modified),
        **described,
    }
