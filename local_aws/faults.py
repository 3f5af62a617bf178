"""What breaks on demand: the faults that a test or a user has ordered."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal[
    "throttle",
    "error",
    "reset",
    "lost_reply",
    "slow",
    "timeout",
    "late_timeout",
    "partial",
    "hidden",
    "fail_creation",
    "fail_update",
    "fail_deletion",
    "fail_rollback",
    "block_offline",
    "disable_offline",
    "set_status",
]

OF_REQUESTS = frozenset({"throttle", "error", "reset", "lost_reply", "slow", "timeout", "late_timeout", "partial"})
DIVISIBLE = ("BatchWriteRecord", "BatchGetRecord")


def _checked(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as problem:
        raise ValueError(f"{pattern!r} is not a regular expression: {problem}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_checked)]


class Fault(BaseModel):
    """One order.

    ``throttle``, ``error`` (HTTP 500), ``reset`` (the connection is cut before the work), ``lost_reply`` (the work is
    done, then the connection is cut), ``slow``, ``timeout`` (no work, no answer), ``late_timeout`` (the work, but no
    answer) and ``partial`` (a batch leaves the second half of its entries unprocessed, a list ends its page early)
    strike requests whose operation fits. ``hidden`` strikes reads, by operations that fit, of a resource whose kind and
    name fit: it is absent for them.

    ``fail_creation``, ``fail_update``, ``fail_rollback`` (of an endpoint) and ``fail_deletion`` strike resources whose
    kind and name fit, ``block_offline`` and ``disable_offline`` feature groups whose name fits. ``set_status`` gives an
    endpoint a status that follows from nothing that a client does, such as OutOfService, as long as the order stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    operation: Pattern = ".*"
    """A regular expression for the whole name of the operation, such as ``(Put|Delete)Record``."""
    resource: Pattern = ".*"
    """A regular expression for the whole kind of the resource, as in its ARN: ``feature-group``, ``endpoint``."""
    name: Pattern = ".*"
    """A regular expression for the whole name of the resource."""
    reason: str = Field(default="The local AWS was told to fail", max_length=1024)
    """What stands in FailureReason or BlockedReason."""
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Real seconds, not the server's clock: how much later ``slow`` makes the answer (1 unless given), and after how
    many a timeout's connection is cut (unless given, only the client ends it)."""
    status: Annotated[int, Field(ge=500, le=599)] = 500
    """The HTTP status of ``error``."""
    count: Annotated[int, Field(ge=1)] | None = 1
    """How often it strikes; null: until the next reset. Held-up offline stores and set statuses ignore it."""
    to: str | None = Field(default=None, min_length=1)
    """The status that ``set_status`` gives."""

    @model_validator(mode="after")
    def _partial_means_batches(self) -> Fault:
        fits = any(re.fullmatch(self.operation, operation) for operation in DIVISIBLE)
        if self.kind == "partial" and not fits and "List" not in self.operation:
            raise ValueError(f"only {', '.join(DIVISIBLE)} and lists can leave a part undone")
        return self

    @model_validator(mode="after")
    def _status_has_a_value(self) -> Fault:
        if (self.kind == "set_status") != (self.to is not None):
            raise ValueError("set_status, and nothing else, takes the status in 'to'")
        return self


class Faults:
    """The orders that are not used up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[tuple[Fault, int | None]] = []

    def order(self, fault: Fault) -> None:
        """Add an order; older ones strike first."""
        with self._lock:
            self._orders.append((fault, fault.count))

    def clear(self) -> None:
        """Forget every order."""
        with self._lock:
            self._orders.clear()

    def standing(self) -> list[Fault]:
        """List the orders that are not used up, with what is left of their counts."""
        with self._lock:
            return [fault.model_copy(update={"count": left}) for fault, left in self._orders]

    def for_request(self, operation: str, *, divisible: bool = False) -> Fault | None:
        """Take the fault that strikes this request, if there is one.

        :param divisible: whether the operation can be answered in part
        """
        if not self._orders:
            return None
        return self._take(
            lambda fault: (
                fault.kind in OF_REQUESTS
                and re.fullmatch(fault.operation, operation) is not None
                and (fault.kind != "partial" or divisible)
            )
        )

    def creation_failure(self, resource: str, name: str) -> str | None:
        """Take the reason why the creation of this resource fails, if it shall."""
        return self._reason("fail_creation", resource, name)

    def update_failure(self, resource: str, name: str) -> str | None:
        """Take the reason why the update of this resource fails, if it shall."""
        return self._reason("fail_update", resource, name)

    def deletion_failure(self, resource: str, name: str) -> str | None:
        """Take the reason why the deletion of this resource fails, if it shall."""
        return self._reason("fail_deletion", resource, name)

    def hides(self, operation: str, resource: str, name: str) -> bool:
        """Say whether a resource shall be absent for this read, and count that."""
        if not self._orders or not _reads(operation, resource):
            return False
        return bool(
            self._take(
                lambda fault: (
                    fault.kind == "hidden"
                    and re.fullmatch(fault.operation, operation) is not None
                    and re.fullmatch(fault.resource, resource) is not None
                    and re.fullmatch(fault.name, name) is not None
                )
            )
        )

    def rollback_failure(self, resource: str, name: str) -> str | None:
        """Take the reason why the rollback of this resource fails, if it shall."""
        return self._reason("fail_rollback", resource, name)

    def status_of(self, resource: str, name: str) -> str | None:
        """Give the status that this resource was ordered to have, if it was."""
        if not self._orders:
            return None
        with self._lock:
            for fault, _ in self._orders:
                if (
                    fault.kind == "set_status"
                    and re.fullmatch(fault.resource, resource)
                    and re.fullmatch(fault.name, name)
                ):
                    return fault.to
        return None

    def hides_elsewhere(self, operation: str) -> bool:
        """Say whether what an operation of moto reads shall be absent, and count that; an order has to name it."""
        if not self._orders:
            return False
        return bool(
            self._take(
                lambda fault: (
                    fault.kind == "hidden"
                    and fault.operation != ".*"
                    and re.fullmatch(fault.operation, operation) is not None
                )
            )
        )

    def held(self, name: str) -> dict[str, str] | None:
        """Give the OfflineStoreStatus of a feature group whose offline store is told to take nothing."""
        if not self._orders:
            return None
        with self._lock:
            for fault, _ in self._orders:
                if fault.kind in _OFFLINE and re.fullmatch(fault.name, name):
                    return _OFFLINE[fault.kind](fault)
        return None

    def _reason(self, kind: Kind, resource: str, name: str) -> str | None:
        found = self._take(
            lambda fault: (
                fault.kind == kind
                and re.fullmatch(fault.resource, resource) is not None
                and re.fullmatch(fault.name, name) is not None
            )
        )
        return found.reason if found else None

    def _take(self, strikes: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for place, (fault, left) in enumerate(self._orders):
                if strikes(fault):
                    if left == 1:
                        del self._orders[place]
                    elif left is not None:
                        self._orders[place] = (fault, left - 1)
                    return fault
        return None


_OFFLINE: dict[str, Callable[[Fault], dict[str, str]]] = {
    "block_offline": lambda fault: {"Status": "Blocked", "BlockedReason": fault.reason},
    "disable_offline": lambda fault: {"Status": "Disabled"},
}


def _reads(operation: str, resource: str) -> bool:
    """Say whether an operation reads one resource of this kind, or something of it; a list does not."""
    if operation.startswith("Get"):
        return True
    described = operation.removeprefix("Batch").removeprefix("Describe").lower()
    return described != operation.lower() and (
        described == resource.replace("-", "") or (resource, described) == ("feature-group", "featuremetadata")
    )
