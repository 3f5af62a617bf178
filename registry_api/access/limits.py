"""How often one caller may ask, and how often one address may fail to say who it is.

Counted in this process: several processes allow several times as much. A valid token is never refused for the failures
of others at its address, since only a failure is counted there and only a failure is refused.
"""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass, fields

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from festaf.contract.http import API
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.errors import SetupError, TooManyRequestsError


@dataclass(frozen=True)
class Limits:
    """Limits such as ``600/minute``; None for none."""

    reads: str | None = "12000/minute"
    """Of one caller."""
    writes: str | None = "6000/minute"
    """Of one caller, events left out."""
    events: str | None = "60000/minute"
    """Requests with events of one caller; a request may hold a thousand of them."""
    failures: str | None = "60/minute"
    """Requests of one address that say not who asks, or wrongly."""
    uploads: str | None = "600/hour"
    """Archives of DAG packages that one caller sends."""
    packages: str | None = "60/hour"
    """New DAG packages of one caller."""


class Throttle:
    """Counts requests and failures."""

    def __init__(self, limits: Limits) -> None:
        self.counter = FixedWindowRateLimiter(MemoryStorage())
        self.policies = {limit.name: _read(limit.name, getattr(limits, limit.name)) for limit in fields(limits)}

    def count(self, caller: Caller, method: str, path: str) -> None:
        """Count a request of a caller.

        :raises TooManyRequestsError: it is one too many
        """
        policy = "reads"
        if method not in {"GET", "HEAD", "OPTIONS"}:
            policy = "events" if path.startswith(f"{API}/lineage") else "writes"
        self._hit(policy, f"{caller.kind}/{caller.name}", "you ask too often")

    def count_upload(self, caller: Caller) -> None:
        """Count an archive that a caller sends.

        :raises TooManyRequestsError: it is one too many
        """
        self._count_sharing("uploads", caller, "you send archives too often")

    def count_package(self, caller: Caller) -> None:
        """Count a DAG package that a caller is about to make.

        :raises TooManyRequestsError: it is one too many
        """
        self._count_sharing("packages", caller, "you make new packages too often")

    def _count_sharing(self, policy: str, caller: Caller, sentence: str) -> None:
        if caller.kind != "demo":
            self._hit(policy, f"{caller.kind}/{caller.name}", sentence)

    def count_failure(self, address: str) -> None:
        """Count a request of an address that did not say who asks.

        :raises TooManyRequestsError: it is one too many
        """
        self._hit("failures", network_of(address), "too many requests of your address did not say who asks")

    def _hit(self, policy: str, key: str, sentence: str) -> None:
        item = self.policies[policy]
        if item is None or self.counter.hit(item, key):
            return
        reset = self.counter.get_window_stats(item, key).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        raise TooManyRequestsError(
            f"{sentence}; come back in {wait} seconds", policy, item.amount, item.get_expiry(), wait
        )


def network_of(address: str) -> str:
    """Name the network that one sender can choose addresses of: of IPv6, the whole /64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


def _read(name: str, text: str | None) -> RateLimitItem | None:
    try:
        return parse(text) if text else None
    except ValueError as error:
        raise SetupError(f"the limit of {name} is written like '600/minute', not {text!r}") from error
