"""Decide on a version: approve or reject it, unless somebody has decided otherwise since."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from festaf.provider.errors import InputError, ServiceError
from festaf.provider.models import metadata as keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk.types import Logger

    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.origin import Origin
    from festaf.provider.models.record import ModelVersion, VersionSummary

Decision = Literal["Approved", "Rejected"]
LONGEST = 1024
"""Characters of a description that AWS takes."""


@dataclass(frozen=True)
class Approving:
    """The steps of a decision.

    :param override: whether it stands against a newer or another decision
    :param timeout: seconds until a decision that AWS took must be seen
    """

    hook: ModelHook
    log: Logger
    override: bool
    timeout: float = 120.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def decide(self, version: ModelVersion, decision: Decision, description: str, origin: Origin) -> ModelVersion:
        """Approve or reject a registered version, and give it as it stands then; decided so already is a success.

        :raises InputError: the decision is stale
        """
        if version.approval == decision:
            self.log.info("Model %s is %s already", version.name, decision)
            return version
        if not self.override:
            self._check(version, decision)
        decider = f"{origin.dag_id}/{origin.run_id}/{origin.task_id}"
        notes = keys.extended(version.metadata, {keys.DECIDED_BY: decider})
        self.hook.update_version(
            version.arn,
            ModelApprovalStatus=decision,
            ApprovalDescription=description,
            CustomerMetadataProperties=notes,
        )
        self.log.info("Model %s is %s: %s", version.name, decision, description)
        return self._seen(version, decision)

    def supersede(self, version: ModelVersion) -> VersionSummary | None:
        """Note in the former champion who took its place, and give it; None when there is none.

        The former champion is the newest approved version before this one.
        """
        older = (
            item for item in self.hook.versions(version.group_arn, approval="Approved") if item.number < version.number
        )
        former = max(older, key=lambda item: item.number, default=None)
        found = self.hook.find_package(former.arn) if former else None
        if found is None:
            return None
        if found.metadata.get(keys.SUPERSEDED_BY) != str(version.number):
            notes = keys.extended(found.metadata, {keys.SUPERSEDED_BY: str(version.number)})
            self.hook.update_version(found.arn, CustomerMetadataProperties=notes)
            self.log.info("Model %s takes the place of %s", version.name, found.name)
        return found

    def _check(self, version: ModelVersion, decision: Decision) -> None:
        """Refuse what somebody has decided since.

        :raises InputError: it is so
        """
        if version.approval in {"Approved", "Rejected"}:
            wrote = f" ({version.approval_description})" if version.approval_description else ""
            raise InputError(
                f"Model {version.name} was {version.approval} before{wrote}, so it is not {decision} now: "
                "give override=True to decide otherwise"
            )
        if decision != "Approved":
            return
        newer = next(
            (
                item
                for item in self.hook.versions(version.group_arn, approval="Approved")
                if item.number > version.number
            ),
            None,
        )
        if newer is not None:
            raise InputError(
                f"Model {newer.name} is newer than {version.name} and approved, so this approval is stale: "
                "give override=True to approve it all the same"
            )

    def _seen(self, version: ModelVersion, decision: Decision) -> ModelVersion:
        deadline = self.clock() + self.timeout
        pause = 0.5
        while True:
            now = self.hook.describe_package(version.arn)
            if now is not None and now.approval == decision:
                return now
            if self.clock() > deadline:
                state = "gone" if now is None else f"still {now.approval}"
                raise ServiceError(f"AWS took the decision on model {version.name}, which is {state}")
            self.sleep(pause)
            pause = min(pause * 1.5, 5.0)
