"""Approve or reject a version of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from festaf.operators.model.task import ModelTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from festaf.provider.models.record import ModelVersion


class ApproveModelVersionOperator(ModelTask):
    """Approve or reject a version of a model.

    A version that AWS is still registering is waited for. A stale decision is refused: on a version that somebody has
    decided otherwise on, and an approval when a newer version is approved. One that is decided so already is a success.

    :param model: a model package group, ``group:version``, or the ARN of a version (templated)
    :param version: the version, when ``model`` names none; there is no default, so that nothing is approved that
        nobody has looked at (templated)
    :param decision: Approved or Rejected (templated)
    :param description: why, at most 1,024 characters; None names the DAG, run and task (templated)
    :param supersede: whether an approval is noted in the metadata of the former champion, the newest approved version
        before this one (``festaf:superseded_by``)
    :param override: whether to decide even if the decision is stale
    :param poll_interval: seconds between two looks
    :param timeout: seconds after which the wait for the registration ends and the task fails
    :return: the ModelVersionFact, as a dict: ``version``, ``arn``, ``approval``, ``supersedes`` and more
    """

    template_fields: Sequence[str] = (*ModelTask.template_fields, "version", "decision", "description")

    def __init__(
        self,
        *,
        version: int | str | None = None,
        decision: Literal["Approved", "Rejected"] = "Approved",
        description: str | None = None,
        supersede: bool = True,
        override: bool = False,
        poll_interval: float = 5,
        timeout: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.version = version
        self.decision = decision
        self.description = description
        self.supersede = supersede
        self.override = override
        self.poll_interval = poll_interval
        self.timeout = timeout

    def execute(self, context: Context) -> dict[str, Any]:
        """Decide, and attach the decision to the model's asset event."""
        from festaf.provider.models.approving import Approving
        from festaf.provider.models.facts import fact_of
        from festaf.provider.models.registering import Registering

        version = self._checked()
        version = Registering(self.hook, self.log, self.timeout, self.poll_interval).wait(version)
        origin = self.origin(context)
        steps = Approving(self.hook, self.log, self.override)
        version = steps.decide(version, self.decision, self.description or f"{self.decision} by {origin.said}", origin)
        former = steps.supersede(version) if self.supersede and self.decision == "Approved" else None
        fact = fact_of(self.hook, version, self.project)
        told = {"event": self.decision.lower(), "supersedes": former.number if former else None}
        return self.tell(context, fact.model_copy(update=told))

    def _checked(self) -> ModelVersion:
        """Check what the author gave, and find the version."""
        from festaf.provider.errors import InputError
        from festaf.provider.models.approving import LONGEST
        from festaf.provider.models.name import ModelName

        asked = ModelName.of(self.model, self.version)
        if asked.version is None:
            raise InputError(f"Say which version of model {asked.name} is decided on: give version, or group:version")
        if self.decision not in {"Approved", "Rejected"}:
            raise InputError(f"decision is {self.decision!r}: write Approved or Rejected")
        if self.description and len(self.description) > LONGEST:
            raise InputError(f"The description has {len(self.description):,} characters, AWS takes {LONGEST:,}")
        version = self.hook.find_version(asked)
        if version is None:
            raise InputError(f"There is no model {asked.label} in {self.hook.place}")
        return version
