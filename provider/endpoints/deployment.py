"""Bring about the endpoint that was asked for, without downtime.

Every step looks first and acts then, so that a task that was killed anywhere finds its own work when it runs again:
models and configurations are named by their content, and an update that is already on its way is adopted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from festaf.provider.artifacts.endpoint import PREVIOUS_TAG
from festaf.provider.endpoints.bounds import EndpointBounds
from festaf.provider.endpoints.parts import Parts
from festaf.provider.endpoints.readiness import EndpointReadiness
from festaf.provider.errors import FailedArtifactError, InputError, NotReadyError, RefusedError, ServiceError
from festaf.provider.hooks.endpoint import says_absent, says_busy, says_taken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from airflow.sdk.types import Logger

    from festaf.provider.artifacts.endpoint import Endpoint
    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.endpoints.specification import EndpointSpecification
    from festaf.provider.hooks.endpoint import EndpointHook

Action = Literal["created", "updated", "unchanged", "rolled back"]

BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
UPDATABLE = frozenset({"InService", "OutOfService", "UpdateRollbackFailed"})
VISIBLE_SECONDS = 120.0
"""How long what was just created may stay invisible to the next operation."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The configuration that an endpoint is to run.

    :param tags: the endpoint's tags
    :param settings: further fields of UpdateEndpoint, as AWS spells them
    :param recreate_failed: whether an endpoint that is Failed is deleted and created again
    :param rollback: whether this brings back what served before: an absent endpoint is an error then, and what is left
        behind is not what a rollback goes to
    """

    endpoint: str
    configuration: str
    tags: Mapping[str, str]
    settings: Mapping[str, Any]
    recreate_failed: bool = False
    rollback: bool = False


@dataclass(frozen=True, kw_only=True)
class Started:
    """A deployment that AWS has accepted."""

    endpoint: str
    configuration: str
    action: Action
    since: datetime | None = None
    """When the endpoint had last changed before; None when it was new or needed no change."""
    previous: str | None = None
    """The configuration that served before."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Started:
        """Read what ``as_dict`` wrote."""
        since = values.get("since")
        return cls(**{**values, "since": datetime.fromisoformat(since) if since else None})

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        return {**asdict(self), "since": self.since.isoformat() if self.since else None}

    def rolled_back(self) -> Started:
        """Say of it that it brought back what served before; one that changed nothing stays unchanged."""
        return self if self.action == "unchanged" else replace(self, action="rolled back")

    @property
    def bounds(self) -> EndpointBounds:
        """Give what the endpoint's readiness is measured against."""
        return EndpointBounds(configuration=self.configuration, since=self.since)


@dataclass
class Deployment:
    """The steps from a specification to an endpoint that AWS is bringing about."""

    hook: EndpointHook
    log: Logger
    patience: Patience
    _unseen: float | None = None

    def prepare(self, wanted: EndpointSpecification) -> str:
        """Create the models and the configuration, or adopt those that stand, and give the configuration's name.

        :raises InputError: a model that the author named is not there
        """
        return Parts(self.hook, self.log, self.patience).ensure(wanted)

    def start(self, target: Target) -> Started:
        """Have AWS bring the endpoint to the configuration; what is on its way there already is adopted.

        :raises FailedArtifactError: the endpoint is Failed, and is not to be recreated
        :raises QuotaError: the account has no room for the instances
        :raises RefusedError: AWS refuses
        """
        return self.patience.until(lambda: self._step(target), lambda: self._late(target))

    def wait(self, started: Started) -> Endpoint:
        """Wait until the configuration is in service, with every variant as desired.

        :raises FailedArtifactError: AWS gave up, or went back to another configuration
        :raises NotReadyError: something is still missing at the deadline
        """
        readiness = EndpointReadiness(self.hook, started.endpoint, "IN_SERVICE", started.bounds)
        said: tuple[str, ...] = ("nothing was to be seen of it",)

        def look() -> Endpoint | None:
            nonlocal said
            missing = readiness.look()
            if missing and missing != said:
                self.log.info("Endpoint %s is not IN_SERVICE yet: %s", started.endpoint, "; ".join(missing))
            said = missing
            return None if missing else self.hook.describe(started.endpoint)

        return self.patience.until(
            look, lambda: NotReadyError(readiness.artifact, "IN_SERVICE", said, self.patience.seconds)
        )

    def _step(self, target: Target) -> Started | None:
        """Look at the endpoint and do what comes next; None to look again later."""
        found = self.hook.find(target.endpoint) if target.rollback else self.hook.describe(target.endpoint)
        if found is None:
            return self._create(target)
        if found.status in BUSY:
            return self._adopted(target, found)
        if found.status == "Deleting":
            self.log.info("An older endpoint %s is still being deleted; waiting until it is gone", target.endpoint)
            return None
        if found.status == "Failed":
            return self._failed(target, found)
        if found.status not in UPDATABLE:
            raise RefusedError(
                f"Endpoint {found.name} has the status {found.status!r}, which this version of festaf does not know"
            )
        if found.status == "InService" and found.configuration_name == target.configuration:
            return self._unchanged(target, found)
        return self._update(target, found)

    def _create(self, target: Target) -> Started | None:
        if target.rollback:
            raise InputError(f"There is no endpoint {target.endpoint} in {self.hook.place}")
        try:
            self.hook.create(target.endpoint, target.configuration, target.tags)
        except RefusedError as error:
            if says_taken(error):
                self.log.info("AWS says that endpoint %s exists already; looking at it", target.endpoint)
                return None
            self._unseen_yet(error)
            return None
        self.log.info("AWS creates endpoint %s with configuration %s", target.endpoint, target.configuration)
        return Started(endpoint=target.endpoint, configuration=target.configuration, action="created")

    def _update(self, target: Target, found: Endpoint) -> Started | None:
        previous = found.configuration_name
        tags = dict(target.tags)
        if previous and previous != target.configuration and not target.rollback:
            tags[PREVIOUS_TAG] = previous
        if tags:
            self.hook.add_tags(found.arn, tags)
        # The tags may have moved the endpoint's time of change, from which a rollback is told.
        before = self.hook.describe(target.endpoint) or found
        try:
            self.hook.update(target.endpoint, target.configuration, target.settings)
        except RefusedError as error:
            if says_busy(error):
                self.log.info("AWS says that endpoint %s is being updated; looking at it", target.endpoint)
                return None
            self._unseen_yet(error)
            return None
        self.log.info(
            "AWS updates endpoint %s from configuration %s to %s", target.endpoint, previous, target.configuration
        )
        return Started(
            endpoint=target.endpoint,
            configuration=target.configuration,
            action="updated",
            since=before.modified_at,
            previous=previous,
        )

    def _adopted(self, target: Target, found: Endpoint) -> Started | None:
        """Adopt what AWS is doing when it is what was asked for; else wait until it is done."""
        coming = found.pending_configuration or found.configuration_name
        if found.status not in {"Creating", "Updating"} or coming != target.configuration:
            self.log.info("Endpoint %s is %s, to configuration %s; waiting", target.endpoint, found.status, coming)
            return None
        self.log.info("Endpoint %s is on its way to configuration %s already", target.endpoint, coming)
        created = found.status == "Creating"
        previous = None if created else self.hook.tags(found.arn).get(PREVIOUS_TAG)
        return Started(
            endpoint=target.endpoint,
            configuration=target.configuration,
            action="created" if created else "updated",
            since=None if created else LONG_AGO,
            previous=previous,
        )

    def _unchanged(self, target: Target, found: Endpoint) -> Started:
        self.log.info("Endpoint %s runs configuration %s already", target.endpoint, target.configuration)
        tags = self.hook.tags(found.arn)
        if missing := {key: value for key, value in target.tags.items() if tags.get(key) != value}:
            self.hook.add_tags(found.arn, missing)
        return Started(
            endpoint=target.endpoint,
            configuration=target.configuration,
            action="unchanged",
            previous=tags.get(PREVIOUS_TAG),
        )

    def _failed(self, target: Target, found: Endpoint) -> Started | None:
        if not target.recreate_failed:
            raise FailedArtifactError(
                f"Endpoint {found.name}",
                "Failed (AWS can only delete it; recreate_failed=True has it deleted and created again)",
                found.failure_reason,
            )
        self.log.info("Endpoint %s is Failed (%s); deleting it", found.name, found.failure_reason)
        self.hook.delete(found.name)
        return None

    def _unseen_yet(self, error: RefusedError) -> None:
        """Let pass for a while that AWS does not see yet what was just created.

        :raises RefusedError: it was something else, or lasted too long
        """
        if not says_absent(error):
            raise error
        now = self.patience.clock()
        self._unseen = now if self._unseen is None else self._unseen
        if now - self._unseen > VISIBLE_SECONDS:
            raise error
        self.log.info("%s; it may not be visible yet, trying again", error)

    def _late(self, target: Target) -> ServiceError:
        found = self.hook.describe(target.endpoint)
        state = found.status if found else "not to be seen"
        return ServiceError(
            f"Endpoint {target.endpoint} is still {state} after {self.patience.seconds:.0f} s, so configuration "
            f"{target.configuration} was not deployed"
        )
