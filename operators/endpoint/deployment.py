"""Deploy an endpoint without downtime, prove that it answers, and go back when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.operators.endpoint.task import EndpointTask
from festaf.operators.task import come_again

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from festaf.provider.endpoints.deployment import Started
    from festaf.provider.endpoints.policy import Policy
    from festaf.provider.endpoints.rollout import Rollout
    from festaf.provider.endpoints.smoke import SmokeRequest
    from festaf.provider.endpoints.specification import EndpointSpecification
    from festaf.provider.endpoints.variant import AsyncInference, DataCapture, Variant

GRACE = 60.0
"""Seconds that the trigger has to give its answer after its own deadline."""


class DeployEndpointOperator(EndpointTask):
    """Create an endpoint or update it without downtime, and wait until it serves what was asked for.

    The configuration is named by its content: running the task again finds what stands, and adopts an update that is on
    its way. The task succeeds when the endpoint is InService, runs the configuration that was asked for, has every
    variant at its desired instances and weight, and answers the smoke requests as expected. A rollback by AWS is a
    failure with AWS's reason. The configuration that served before is kept in the endpoint's tag
    ``festaf:previous-configuration``: ``rollback=True``, or ``festaf endpoint rollback NAME``, brings it back.

    :param variants: the variants, ``Variant`` or mappings with its fields (templated)
    :param role_arn: role of SageMaker models that are made of model packages (templated)
    :param asynchronous: ``AsyncInference`` or a mapping with its fields, for an asynchronous endpoint (templated)
    :param data_capture: ``DataCapture`` or a mapping with its fields (templated)
    :param policy: ``AllAtOnce``, ``Canary``, ``Linear`` or ``Rolling``, or a mapping with its ``kind`` and fields; None
        is AWS's default, all at once (templated)
    :param smoke: requests that are sent when the endpoint is in service, ``SmokeRequest`` or mappings with its fields
        (templated)
    :param rollback_on_smoke_failure: whether a wrong answer brings the configuration back that served before; the task
        fails either way
    :param rollback: bring back the configuration that served before the last deployment; ``variants`` are left out
    :param keep_instance_counts: whether an update keeps the instance counts that stand, as autoscaling has set them
    :param recreate_failed: whether an endpoint that is Failed is deleted and created again; else the task fails with
        AWS's reason
    :param kms_key_id: key that encrypts the instances' storage (templated)
    :param tags: AWS tags of the endpoint, the configuration and the models that are made (templated)
    :param description: what the endpoint is for, recorded with it (templated)
    :param owner: who answers for it; the task's owner in Airflow too
    :param wait_for_completion: whether to wait until it is in service; smoke requests need it
    :param deferrable: whether to wait in the triggerer; None takes Airflow's ``[operators] default_deferrable``
    :return: what serves now: action (created, updated, unchanged, rolled back), configuration,
        previous_configuration, variants, and more
    """

    template_fields: Sequence[str] = (
        *EndpointTask.template_fields,
        "variants",
        "role_arn",
        "asynchronous",
        "data_capture",
        "policy",
        "smoke",
        "kms_key_id",
        "tags",
        "description",
    )

    def __init__(
        self,
        *,
        variants: Sequence[Variant | Mapping[str, Any]] = (),
        role_arn: str | None = None,
        asynchronous: AsyncInference | Mapping[str, Any] | None = None,
        data_capture: DataCapture | Mapping[str, Any] | None = None,
        policy: Policy | Mapping[str, Any] | None = None,
        smoke: Sequence[SmokeRequest | Mapping[str, Any]] = (),
        rollback_on_smoke_failure: bool = False,
        rollback: bool = False,
        keep_instance_counts: bool = False,
        recreate_failed: bool = False,
        kms_key_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        owner: str | None = None,
        wait_for_completion: bool = True,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if owner is not None:
            kwargs["owner"] = owner
        super().__init__(**kwargs)
        self.variants = variants
        self.role_arn = role_arn
        self.asynchronous = asynchronous
        self.data_capture = data_capture
        self.policy = policy
        self.smoke = smoke
        self.rollback_on_smoke_failure = rollback_on_smoke_failure
        self.rollback = rollback
        self.keep_instance_counts = keep_instance_counts
        self.recreate_failed = recreate_failed
        self.kms_key_id = kms_key_id
        self.tags = tags
        self.description = description
        self.declared_owner = owner
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable

    def execute(self, context: Context) -> dict[str, Any]:
        """Start the deployment, wait for it here or in the triggerer, and prove it."""
        from airflow.providers.common.compat.sdk import conf

        from festaf.provider.errors import QuotaError

        rollout = self._rollout()
        wanted = None if self.rollback else self._specification()
        try:
            started = self._back(rollout) if wanted is None else rollout.start(wanted, self.recreate_failed)
        except QuotaError as error:
            come_again(context, error, float(self.timeout), self.log)
        if not self.wait_for_completion:
            return self._announced(context, started)
        deferrable = self.deferrable
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        if deferrable and not rollout.stands(started):
            self._defer(started)
        rollout.wait(started)
        rollout.prove(started)
        return self._announced(context, started)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Come back from the triggerer."""
        from festaf.provider.endpoints.deployment import Started
        from festaf.provider.readiness.event import check_event

        check_event(event, "IN_SERVICE")
        started = Started.of(event["started"])
        self._rollout().prove(started)
        return self._announced(context, started)

    def _rollout(self) -> Rollout:
        from festaf.provider.endpoints.given import given
        from festaf.provider.endpoints.rollout import Rollout
        from festaf.provider.endpoints.smoke import SmokeRequest
        from festaf.provider.errors import InputError

        if self.rollback and self.variants:
            raise InputError("rollback=True brings back what served before: leave variants out")
        if self.smoke and not self.wait_for_completion:
            raise InputError("Smoke requests need wait_for_completion=True")
        smoke = tuple(given(SmokeRequest, request) for request in self.smoke)
        for request in smoke:
            request.check()
        return Rollout(self.hook, self.log, self.patience(), smoke, self.rollback_on_smoke_failure)

    def _back(self, rollout: Rollout) -> Started:
        from festaf.provider.endpoints.policy import policy_of
        from festaf.provider.endpoints.specification import update_settings

        settings = update_settings(policy_of(self.policy), keep_instance_counts=self.keep_instance_counts)
        return rollout.back(self.endpoint, settings=settings)

    def _specification(self) -> EndpointSpecification:
        """Put together what is asked for, before AWS is asked."""
        from festaf.provider.endpoints.given import given
        from festaf.provider.endpoints.policy import policy_of
        from festaf.provider.endpoints.specification import EndpointSpecification
        from festaf.provider.endpoints.variant import AsyncInference, DataCapture, Variant

        specification = EndpointSpecification(
            name=self.endpoint,
            variants=tuple(given(Variant, variant) for variant in self.variants),
            role_arn=self.role_arn or None,
            asynchronous=given(AsyncInference, self.asynchronous) if self.asynchronous else None,
            data_capture=given(DataCapture, self.data_capture) if self.data_capture else None,
            kms_key_id=self.kms_key_id or None,
            tags=self.tags or {},
            policy=policy_of(self.policy),
            keep_instance_counts=self.keep_instance_counts,
        )
        specification.check()
        return specification

    def _defer(self, started: Started) -> None:
        from datetime import timedelta

        from festaf.provider.triggers.endpoint import EndpointDeployedTrigger

        self.defer(
            trigger=EndpointDeployedTrigger(
                started=started.as_dict(),
                name=self.endpoint,
                level="IN_SERVICE",
                poll_interval=float(self.poll_interval),
                timeout=float(self.timeout),
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                bounds=started.bounds.as_dict(),
            ),
            method_name="execute_complete",
            # The trigger ends by itself and says what is missing; this is for a triggerer that was restarted.
            timeout=timedelta(seconds=float(self.timeout) + GRACE),
        )

    def _announced(self, context: Context, started: Started) -> dict[str, Any]:
        from festaf.provider.errors import ServiceError

        found = self.patience().persist(lambda: self.hook.find(self.endpoint))
        if found is None:
            raise ServiceError(f"Endpoint {self.endpoint} was deleted while it was deployed, or is not visible yet")
        full = self.patience().persist(lambda: self.hook.complete(found))
        fact = full.deployed(
            started.action, project=self.project, owner=self.declared_owner, description=self.description
        )
        # While AWS is still at work the old configuration serves; what was asked for is what a sensor must wait for.
        return self.announce(context, fact.model_copy(update={"configuration": started.configuration}))
