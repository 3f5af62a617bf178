"""A deployment from beginning to end: start, wait, prove by smoke requests, and go back when they fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.artifacts.endpoint import PREVIOUS_TAG
from festaf.provider.endpoints.deployment import Deployment, Started, Target
from festaf.provider.endpoints.invocation import ask
from festaf.provider.endpoints.ladder import in_service
from festaf.provider.endpoints.patience import Patience
from festaf.provider.errors import FestafError, InputError, UnexpectedAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from airflow.sdk.types import Logger

    from festaf.provider.artifacts.endpoint import Endpoint
    from festaf.provider.endpoints.smoke import SmokeRequest
    from festaf.provider.endpoints.specification import EndpointSpecification
    from festaf.provider.hooks.endpoint import EndpointHook

SMOKE_SECONDS = 300.0
"""How long throttling, a model that is not ready yet, or an asynchronous answer is waited for."""


@dataclass(frozen=True)
class Rollout:
    """The steps of one deployment.

    :param smoke: requests that a good endpoint answers as expected
    :param rollback_on_smoke_failure: whether a wrong answer brings back what served before
    """

    hook: EndpointHook
    log: Logger
    patience: Patience
    smoke: tuple[SmokeRequest, ...] = ()
    rollback_on_smoke_failure: bool = False

    def start(self, wanted: EndpointSpecification, recreate_failed: bool = False) -> Started:
        """Have AWS bring about what is asked for.

        :raises FestafError: as ``Deployment`` does
        """
        deployment = self._deployment()
        target = Target(
            endpoint=wanted.name,
            configuration=deployment.prepare(wanted),
            tags=wanted.tags,
            settings=wanted.update_settings(),
            recreate_failed=recreate_failed,
        )
        return deployment.start(target)

    def back(
        self, endpoint: str, configuration: str | None = None, settings: Mapping[str, Any] | None = None
    ) -> Started:
        """Have AWS bring back a configuration: that of before the last deployment, or one by name.

        An endpoint that runs it already is left alone, so that a rollback that is done twice is done once.

        :param settings: further fields of UpdateEndpoint, as AWS spells them
        :raises InputError: no such endpoint, no configuration of before, or it was deleted
        """
        found = self.patience.persist(lambda: self.hook.find(endpoint))
        if found is None:
            raise InputError(f"There is no endpoint {endpoint} in {self.hook.place}")
        goal = configuration or self.patience.persist(lambda: self.hook.tags(found.arn)).get(PREVIOUS_TAG)
        if not goal:
            raise InputError(
                f"Endpoint {endpoint} has no tag {PREVIOUS_TAG}: nothing was deployed over another configuration, or "
                "not by festaf"
            )
        if self.patience.persist(lambda: self.hook.find_configuration(goal)) is None:
            raise InputError(f"Endpoint configuration {goal}, which endpoint {endpoint} ran before, was deleted")
        started = self._deployment().start(
            Target(
                endpoint=endpoint,
                configuration=goal,
                tags={PREVIOUS_TAG: goal},
                settings=settings or {},
                rollback=True,
            )
        )
        return started.rolled_back()

    def stands(self, started: Started) -> bool:
        """Tell whether it is in service already, so that nobody need wait.

        :raises FailedArtifactError: it failed already
        """
        found = self.patience.persist(lambda: self.hook.find(started.endpoint))
        return not in_service(started.endpoint, found, started.bounds)

    def wait(self, started: Started) -> Endpoint:
        """Wait until it is in service.

        :raises FestafError: as ``Deployment`` does
        """
        found = self._deployment().wait(started)
        self.log.info("Endpoint %s is InService with configuration %s", started.endpoint, started.configuration)
        return found

    def prove(self, started: Started) -> None:
        """Send the smoke requests.

        :raises UnexpectedAnswerError: an answer is not as expected; what served before is back if that was asked for
        """
        found = self.patience.persist(lambda: self.hook.find(started.endpoint))
        if found is None or not self.smoke:
            return
        wrong = []
        for request in self.smoke:
            patience = Patience(self.log, SMOKE_SECONDS, 5.0, self.patience.clock, self.patience.sleep)
            wrong += [f"variant {name}: {said}" for name, said in ask(self.hook, found, request, patience)]
        if wrong:
            raise UnexpectedAnswerError(started.endpoint, tuple(wrong), self._undo(started))
        self.log.info("Endpoint %s answers %d smoke requests as expected", started.endpoint, len(self.smoke))

    def _undo(self, started: Started) -> str:
        """Bring back what served before, if that is asked for and there was something; say what was done."""
        if not self.rollback_on_smoke_failure:
            return "It was left as it is"
        previous = started.previous
        if started.action in {"created", "rolled back"} or not previous or previous == started.configuration:
            return "Nothing served before, so it was left as it is"
        patience = Patience(
            self.log, self.patience.seconds, self.patience.poll_interval, self.patience.clock, self.patience.sleep
        )
        try:
            rollout = Rollout(self.hook, self.log, patience)
            rollout.wait(rollout.back(started.endpoint, previous))
        except FestafError as error:
            return f"Bringing back configuration {previous} failed, too: {error}"
        return f"Configuration {previous}, which served before, is back"

    def _deployment(self) -> Deployment:
        return Deployment(self.hook, self.log, self.patience)
