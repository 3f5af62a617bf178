"""What an endpoint goes through: from one configuration to the next by the clock, its processes and its alarms.

An endpoint keeps, in ``facts``, what it serves (``config``, ``fleet``, ``capture``, ``asynchronous``) and at most one
``change`` that is under way. A change has a stage:

    create   provision -> activate -> in service
    update   provision -> activate -> shift (step by step, watched) -> drain -> in service
             ... and from each of them -> rollback -> in service as before, with the reason
    weights  rescale -> in service
    delete   delete -> gone

Nothing moves by itself: ``advance`` brings an endpoint where it would be by now, and is called whenever somebody looks
and now and then. So a jump of the clock works, and so does a restart of the server.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from festaf.local_aws.endpoints.rollout import alarms_of, longest_seconds
from festaf.local_aws.endpoints.variants import live
from festaf.local_aws.serving.worker import INVOCATION_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.endpoints.alarms import Alarms
    from festaf.local_aws.endpoints.fleet import Fleet
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import CurrentSettings

log = logging.getLogger(__name__)

ENDPOINT = "endpoint"
"""The kind of endpoints in Resources, as in their ARNs."""

ACTIVATION = 0.25
"""The part of the time of a creation or update that goes by with ActivatingTraffic, at its end."""

_LONGEST_REASON = 1024


class Conductor:
    """Moves endpoints on, and keeps their processes; take ``lock`` around what reads and changes an endpoint."""

    def __init__(
        self, resources: Resources, settings: CurrentSettings, faults: Faults, cloud: Cloud, alarms: Alarms
    ) -> None:
        self.lock = threading.RLock()
        self._resources = resources
        self._settings = settings
        self._faults = faults
        self._cloud = cloud
        self._alarms = alarms
        self._fleets: dict[str, Fleet] = {}
        self._leaving: set[Fleet] = set()
        self._closed = False
        self._stages: dict[str, Callable[[Resource, dict[str, Any], float], bool]] = {
            "provision": self._provision,
            "activate": self._activate,
            "shift": self._shift,
            "drain": self._drain,
            "rollback": self._rollback,
            "rescale": self._rescale,
            "delete": self._delete,
        }

    def begin(self, endpoint: Resource, stage: str, takes: float, **change: Any) -> None:
        """Start a change.

        :param takes: seconds until the first stage is over, unless it waits for something else
        """
        now = self._resources.now()
        endpoint.facts["change"] = {"stage": stage, "since": now, "ready": now + takes, **change}
        self._resources.touch(endpoint)
        if "fleet" in change:
            self.fleet(endpoint, change["fleet"]).start()

    def fleet(self, endpoint: Resource, fleet: dict[str, Any]) -> Fleet:
        """Give the processes of a fleet's plain values; they may not be started yet."""
        with self.lock:
            found = self._fleets.get(fleet["id"])
            if found is None:
                found = self._fleets[fleet["id"]] = live(self._cloud, endpoint, fleet)
                if self._closed:
                    found.stop()
            return found

    def advance(self, endpoint: Resource) -> None:
        """Bring an endpoint where it would be by now, unless it is gone."""
        with self.lock:
            if self._resources.find(ENDPOINT, endpoint.region, endpoint.name) is not endpoint:
                return
            while (change := endpoint.facts["change"]) is not None and self._step(endpoint, change):
                pass

    def hurry(self, endpoint: Resource) -> None:
        """Do the same for a request that does not care for alarms: a deployment that is watched stays as it is."""
        change = endpoint.facts["change"]
        if change is not None and not (change["stage"] == "shift" and self._resources.now() < change["until"]):
            self.advance(endpoint)

    def work(self) -> None:
        """Bring every endpoint where it would be, and start again what has ended."""
        for endpoint in self._resources.all(ENDPOINT):
            self.advance(endpoint)
        with self.lock:
            fleets = list(self._fleets.values())
        for fleet in fleets:
            fleet.report()
            fleet.mend()

    def stop(self, *, close: bool = False) -> None:
        """End every process.

        :param close: let no other start
        """
        with self.lock:
            self._closed = close
            fleets = [*self._fleets.values(), *self._leaving]
            self._fleets.clear()
        for fleet in fleets:
            fleet.stop()

    def _step(self, endpoint: Resource, change: dict[str, Any]) -> bool:
        """Do the next thing that is due, and say whether there was one."""
        return self._stages[change["stage"]](endpoint, change, self._resources.now())

    def _provision(self, endpoint: Resource, change: dict[str, Any], now: float) -> bool:
        fleet = self.fleet(endpoint, change["fleet"])
        activation = ACTIVATION * (change["ready"] - change["since"])
        if now < change["ready"] - activation:
            return False
        failure = change["ordered_failure"] or fleet.failure or self._late(change, now)
        if failure:
            return self._fail(endpoint, change, failure, now)
        if not fleet.healthy:
            fleet.start()
            return False
        return self._go(endpoint, change, "activate", max(change["ready"], now))

    def _activate(self, endpoint: Resource, change: dict[str, Any], now: float) -> bool:
        if now < change["until"]:
            return False
        if endpoint.facts["fleet"] is None:
            return self._settle(endpoint, change)
        change["step"] = 0
        return self._go(endpoint, change, "shift", change["until"] + change["steps"][0][1])

    def _shift(self, endpoint: Resource, change: dict[str, Any], now: float) -> bool:
        alarm = self._alarms.ringing(endpoint.region, alarms_of(change["deployment"]))
        if alarm:
            reason = f"One or more configured CloudWatch alarms were in ALARM state during the deployment: {alarm}."
            return self._fail(endpoint, change, reason, now)
        if late := self._late(change, now):
            return self._fail(endpoint, change, late, now)
        if now < change["until"]:
            return False
        change["step"] += 1
        if change["step"] < len(change["steps"]):
            return self._go(endpoint, change, "shift", change["until"] + change["steps"][change["step"]][1])
        return self._go(endpoint, change, "drain", change["until"] + change["drain"])

    def _drain(self, endpoint: Resource, change: dict[str, Any], now: float) -> bool:
        if now < change["until"]:
            return False
        return self._settle(endpoint, change)

    def _rollback(self, endpoint: Resource, change: dict[str, Any], now: float) -> bool:
        if now < change["until"]:
            return False
        facts, reason = endpoint.facts, change["reason"]
        again = self._faults.rollback_failure(ENDPOINT, endpoint.name)
        self._drop(change["fleet"])
        facts["status"] = "UpdateRollbackFailed" if again else "InService"
        facts["failure"] = (f"{reason} The rollback failed: {again}" if again else reason)[:_LONGEST_REASON]
        return self._end(endpoint)

    def _rescale(self, endpoint: Resource, change: dict[str, Any], now: float) -> bool:
        if now < change["ready"]:
            return False
        failure = change["ordered_failure"]
        for variant in endpoint.facts["fleet"]["variants"]:
            for what in ("weight", "count", "serverless"):
                if failure:
                    variant[f"desired_{what}"] = variant[what]
                else:
                    variant[what] = variant[f"desired_{what}"]
        endpoint.facts["failure"] = failure
        return self._end(endpoint)

    def _delete(self, endpoint: Resource, change: dict[str, Any], now: float) -> bool:
        if endpoint.facts["fleet"] is not None:
            self._drop(endpoint.facts["fleet"])
        if now < change["ready"]:
            return False
        endpoint.facts["change"] = None
        self._resources.remove(endpoint)
        return False

    def _go(self, endpoint: Resource, change: dict[str, Any], stage: str, until: float) -> bool:
        change["stage"], change["entered"], change["until"] = stage, self._resources.now(), until
        self._resources.save(endpoint)
        return True

    def _fail(self, endpoint: Resource, change: dict[str, Any], reason: str, now: float) -> bool:
        log.info("The endpoint %s failed: %s", endpoint.name, reason)
        if endpoint.facts["fleet"] is not None:
            change["reason"] = reason
            return self._go(endpoint, change, "rollback", now + self._settings.now.endpoint_update_seconds)
        self._drop(change["fleet"])
        endpoint.facts["config"] = change["config"]
        endpoint.facts["status"], endpoint.facts["failure"] = "Failed", reason[:_LONGEST_REASON]
        return self._end(endpoint)

    def _settle(self, endpoint: Resource, change: dict[str, Any]) -> bool:
        """Let the new configuration be the one that is served."""
        facts = endpoint.facts
        if facts["fleet"] is not None:
            self._drop(facts["fleet"])
        for what in ("config", "fleet", "capture", "asynchronous", "deployment"):
            facts[what] = change[what]
        facts["status"], facts["failure"] = "InService", None
        return self._end(endpoint)

    def _end(self, endpoint: Resource) -> bool:
        endpoint.facts["change"] = None
        self._resources.touch(endpoint)
        return True

    def _late(self, change: dict[str, Any], now: float) -> str | None:
        longest = longest_seconds(change["deployment"])
        if now - change["since"] <= longest:
            return None
        return f"The deployment did not end within its maximum execution time of {longest:g} seconds."

    def _drop(self, fleet: dict[str, Any]) -> None:
        found = self._fleets.pop(fleet["id"], None)
        if found is not None:
            self._leaving.add(found)
            threading.Thread(target=self._finish, args=(found,), name="finish-fleet", daemon=True).start()

    def _finish(self, fleet: Fleet) -> None:
        fleet.finish(INVOCATION_SECONDS)
        with self.lock:
            self._leaving.discard(fleet)


def status_of(endpoint: Resource) -> str:
    """Give EndpointStatus as it follows from what the endpoint keeps."""
    change = endpoint.facts["change"]
    if change is None:
        status: str = endpoint.facts["status"]
        return status
    if change["stage"] == "rollback":
        return "RollingBack"
    if change["stage"] == "delete":
        return "Deleting"
    return "Creating" if endpoint.facts["fleet"] is None else "Updating"
