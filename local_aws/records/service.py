"""The feature store runtime: one record at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from festaf.local_aws.offline_store import OfflineRow
from festaf.local_aws.records import batch
from festaf.local_aws.records.expiry import Expiry
from festaf.local_aws.records.online import SECONDS, OnlineRecord, OnlineTables, spelled
from festaf.local_aws.records.schema import Record, Values, invalid
from festaf.local_aws.resources.listing import read_token, write_token
from festaf.local_aws.service import ApiError, Call, Handler
from festaf.local_aws.state.store import Written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.local_aws.feature_groups.group import FeatureGroup
    from festaf.local_aws.feature_groups.repository import FeatureGroups
    from festaf.local_aws.records.desk import OfflineDesk
    from festaf.local_aws.state.store import Store

ONLINE, OFFLINE = "OnlineStore", "OfflineStore"
MAX_UPDATED_FEATURES = 100
DEFAULT_PAGE = 100
UPDATABLE = ("Standard_V2", "InMemory")


class RecordService:
    """Answers the feature store runtime's operations, from memory."""

    name = "sagemaker-featurestore-runtime"

    def __init__(self, groups: FeatureGroups, online: OnlineTables, desk: OfflineDesk, store: Store) -> None:
        self.online = online
        self._groups = groups
        self._desk = desk
        self._store = store
        self.writing = desk.writing
        """Held from the decision what a write changes until it is kept."""
        self._expiry = Expiry()
        self._last_time = 0.0
        self.operations: Mapping[str, Handler] = {
            "PutRecord": self.put,
            "UpdateRecord": self.update,
            "GetRecord": self.get,
            "DeleteRecord": self.delete,
            "ListRecords": self.list_records,
            "BatchGetRecord": lambda call, request: batch.get_records(self, call, request),
            "BatchWriteRecord": lambda call, request: batch.write_records(self, call, request),
        }

    def put(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Write a record: offline always, online when its event time is later than the record's that stands there."""
        with self.writing:
            change = self.plan(call, request, request.get("TtlDuration"))
            self.apply(change)
            self.keep([change])
        return {}

    def update(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Change some features of a record that stands online."""
        group = self.writable(call, request["FeatureGroupName"], missing="ResourceNotFound")
        if (group.online or {}).get("StorageType", "Standard") not in UPDATABLE:
            raise invalid(f"UpdateRecord needs an online store of StorageType {' or '.join(UPDATABLE)}.")
        if len(request["Features"]) > MAX_UPDATED_FEATURES:
            raise invalid(f"UpdateRecord takes at most {MAX_UPDATED_FEATURES} features.")
        with self.writing:
            change = self._plan_update(group, request)
            self.apply(change)
            self.keep([change])
        return {}

    def get(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Give the latest record of an identifier; nothing when there is none."""
        group = self.readable(call, request["FeatureGroupName"])
        record = self.read(group, request["RecordIdentifierValueAsString"])
        names = self.chosen(group, request.get("FeatureNames"))
        if record is None:
            return {}
        return {"Record": spelled(record.values, names), "ExpiresAt": record.expires_at(request)}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a record online, softly or hard, and mark it deleted offline."""
        group = self.writable(call, request["FeatureGroupName"])
        identifier, event_time = request["RecordIdentifierValueAsString"], request["EventTime"]
        group.schema.check_identifier(identifier)
        event_ns = group.schema.event_ns(event_time)
        hard = request.get("DeletionMode") == "HardDelete"
        online, offline = targets(group, request.get("TargetStores"))
        values: Values = {group.identifier: identifier, group.event_time: event_time}
        with self.writing:
            row = OfflineRow(values, event_time, self.moment(), is_deleted=True) if offline else None
            change = Written(group, identifier, offline=row)
            standing = self.online.find(group, identifier, self.now()) if online else None
            if online and (standing is None or event_ns > standing.event_ns):
                mark = OnlineRecord(values, event_time, event_ns, deleted=True)
                change = replace(change, removed=True) if hard else replace(change, online=mark)
            elif online and hard:
                raise invalid(f"EventTime [{event_time}] is not later than the record's in the OnlineStore.")
            self.apply(change)
            self.keep([change])
        return {}

    def list_records(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the identifiers of the records that stand online."""
        group = self.readable(call, request["FeatureGroupName"])
        length = request.get("MaxResults", DEFAULT_PAGE)
        after = str(read_token(request.get("NextToken"), "", "ValidationError"))
        also_deleted = request.get("IncludeSoftDeletedRecords", False)
        with self.writing:
            found = self.online.page(group, after, length, self.now(), also_deleted=also_deleted)
        page = found[:length]
        return {"RecordIdentifiers": page, "NextToken": write_token(page[-1]) if len(found) > length else None}

    def sweep(self) -> None:
        """Remove what has expired by now."""
        with self.writing:
            self._expiry.sweep(self)

    def load(self, group: FeatureGroup, identifier: str, record: OnlineRecord) -> None:
        """Take a record of an earlier run."""
        with self.writing:
            self.apply(Written(group, identifier, online=record))

    def reset(self) -> None:
        """Forget every record."""
        with self.writing:
            self.online.clear()
            self._expiry.clear()
            self._last_time = 0.0

    def now(self) -> float:
        """Give the server's time, in seconds since 1970."""
        return self._groups.clock.now()

    def moment(self) -> float:
        """Give a time later than every one before, for rows whose order must not be lost."""
        self._last_time = max(self.now(), self._last_time + 1e-6)
        return self._last_time

    def writable(self, call: Call, name_or_arn: str, missing: str = "ValidationError") -> FeatureGroup:
        """Give a group that takes records.

        :raises ApiError: ``missing`` when there is none, ValidationError when it is not Created
        """
        group = self._groups.find(call.region, name_or_arn)
        if group is None:
            raise _absent(missing, name_or_arn)
        status = group.status(self.now())
        if status != "Created":
            raise invalid(f"FeatureGroup [{group.name}] is in {status} status; it must be Created.")
        return group

    def readable(self, call: Call, name_or_arn: str) -> FeatureGroup:
        """Give a group that has an online store to read from.

        :raises ApiError: ResourceNotFound or ValidationError
        """
        group = self.writable(call, name_or_arn, missing="ResourceNotFound")
        if group.online is None:
            raise invalid(f"FeatureGroup [{group.name}] has no OnlineStore.")
        return group

    def read(self, group: FeatureGroup, identifier: str) -> OnlineRecord | None:
        """Give a record that stands and is not deleted."""
        record = self.online.find(group, identifier, self.now())
        return None if record is None or record.deleted else record

    def chosen(self, group: FeatureGroup, names: Sequence[str] | None) -> Sequence[str]:
        """Give the features that were asked for, or all.

        :raises ApiError: ValidationError, when the group has no such feature
        """
        if names is None:
            return group.schema.names
        if unknown := [name for name in names if name not in group.schema.names]:
            raise invalid(f"FeatureNames [{', '.join(unknown)}] are not features of FeatureGroup [{group.name}].")
        return names

    def plan(
        self, call: Call, request: Mapping[str, Any], ttl: Mapping[str, Any] | None, missing: str = "ValidationError"
    ) -> Written:
        """Check a whole record and decide what it changes; the lock must be held until it is kept.

        :param request: a PutRecord or an entry of a BatchWriteRecord
        :param ttl: the record's own TtlDuration
        :param missing: the error's code when there is no such group
        """
        group = self.writable(call, request["FeatureGroupName"], missing)
        record = group.schema.check(request["Record"])
        online, offline = targets(group, request.get("TargetStores"))
        standing = self.online.find(group, record.identifier, self.now()) if online else None
        row = OfflineRow(record.values, record.event_time, self.moment()) if offline else None
        if not online or (standing is not None and record.event_ns <= standing.event_ns):
            return Written(group, record.identifier, offline=row)
        return Written(group, record.identifier, online=_online(record, _ttl(group, ttl)), offline=row)

    def apply(self, change: Written) -> None:
        """Make a change true online, in memory; the lock must be held."""
        if change.online is not None:
            self.online.put(change.group, change.identifier, change.online)
            self._expiry.note(change.group, change.identifier, change.online)
        elif change.removed:
            self.online.remove(change.group, change.identifier)

    def keep(self, changes: Sequence[Written]) -> None:
        """Hand the rows of a request to the offline store, and store all of it; the lock must be held.

        Nothing is acknowledged before this returns.
        """
        rows: dict[str, tuple[FeatureGroup, list[OfflineRow]]] = {}
        for change in changes:
            if change.offline is not None:
                rows.setdefault(change.group.key, (change.group, []))[1].append(change.offline)
        for group, some in rows.values():
            self._desk.take(group, some)
        self._store.write(changes)

    def _plan_update(self, group: FeatureGroup, request: Mapping[str, Any]) -> Written:
        identifier = request["RecordIdentifierValueAsString"]
        standing = self.read(group, identifier)
        if standing is None:
            raise ApiError("ResourceNotFound", f"FeatureGroup [{group.name}] has no record [{identifier}].", 404)
        features = group.schema.values(request["Features"])
        if features.get(group.identifier, identifier) != identifier:
            raise invalid(f"The value of [{group.identifier}] is not the RecordIdentifierValueAsString.")
        given = features.get(group.event_time)
        ttl = request.get("TtlDuration")
        if ttl is not None and given is None:
            raise invalid("TtlDuration needs the event time feature in the request.")
        merged = {**standing.values, **features}
        record = group.schema.check(spelled(merged, group.schema.names))
        if record.event_ns < standing.event_ns:
            raise ApiError("ConflictException", f"EventTime [{given}] is older than the record's.", 409)
        online, offline = targets(group, request.get("TargetStores"))
        row = OfflineRow(record.values, record.event_time, self.moment()) if offline else None
        kept = _online(record, _seconds(ttl) if ttl else standing.ttl) if online else None
        return Written(group, identifier, online=kept, offline=row)


def targets(group: FeatureGroup, wanted: Sequence[str] | None) -> tuple[bool, bool]:
    """Say whether a write goes online, and whether it goes offline.

    :raises ApiError: ValidationError, when the group has not the store that was asked for
    """
    has = {ONLINE: group.online is not None, OFFLINE: group.offline is not None}
    if wanted is None:
        return has[ONLINE], has[OFFLINE]
    for store in wanted:
        if not has[store]:
            raise invalid(f"FeatureGroup [{group.name}] has no {store}.")
    return ONLINE in wanted, OFFLINE in wanted


def _online(record: Record, ttl: int | None) -> OnlineRecord:
    return OnlineRecord(record.values, record.event_time, record.event_ns, ttl)


def _ttl(group: FeatureGroup, own: Mapping[str, Any] | None) -> int | None:
    ttl = own or (group.online or {}).get("TtlDuration")
    return _seconds(ttl) if ttl else None


def _seconds(ttl: Mapping[str, Any]) -> int:
    return SECONDS[ttl["Unit"]] * int(ttl["Value"])


def _absent(code: str, name_or_arn: str) -> ApiError:
    name = name_or_arn.rpartition("/")[2]
    status = 404 if code == "ResourceNotFound" else 400
    return ApiError(code, f"Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}", status)
