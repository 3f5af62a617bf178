"""Move traffic between the variants of an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.operators.endpoint.task import EndpointTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context


class ShiftTrafficOperator(EndpointTask):
    """Give variants other weights or instance counts, at once or in steps, and wait until they are in force.

    The task succeeds when the endpoint is InService and every variant's current weight and instance count is the one
    asked for. Running it again after it was killed goes on from where it stands. When an alarm goes off, the former
    weights are brought back and the task fails.

    :param weights: the new weight of each variant, relative to the others; one that is not named keeps its own
        (templated)
    :param instances: the new instance count of variants (templated)
    :param steps: in how many equal steps the weights move (templated)
    :param pause: seconds between two steps
    :param alarms: names of CloudWatch alarms that are looked at before, between and after the steps (templated)
    :return: the weights from before, by variant: given as ``weights`` of another task they undo this one
    """

    template_fields: Sequence[str] = (*EndpointTask.template_fields, "weights", "instances", "steps", "alarms")

    def __init__(
        self,
        *,
        weights: Mapping[str, float] | None = None,
        instances: Mapping[str, int] | None = None,
        steps: int = 1,
        pause: float = 300,
        alarms: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.weights = weights
        self.instances = instances
        self.steps = steps
        self.pause = pause
        self.alarms = alarms

    def execute(self, context: Context) -> dict[str, float]:
        """Move the traffic, and attach what serves now to the endpoint's asset event."""
        from festaf.provider.endpoints.given import number
        from festaf.provider.endpoints.traffic import Shift, Traffic

        shift = Shift(
            endpoint=self.endpoint,
            weights=self.weights or {},
            instances=self.instances or {},
            steps=number("steps", self.steps),
            pause=float(self.pause),
            alarms=self.alarms,
        )
        shift.check()
        patience = self.patience()
        former = Traffic(self.hook, self.log, patience).move(shift)
        found = patience.persist(lambda: self.hook.find(self.endpoint))
        if found is not None:
            full = patience.persist(lambda: self.hook.complete(found))
            self.announce(context, full.deployed("shifted", project=self.project))
        return former
