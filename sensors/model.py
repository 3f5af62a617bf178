"""Wait until a model is provably ready, or until somebody has approved it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from festaf.sensors.ready import ReadySensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.readiness.look import Look
    from festaf.provider.triggers.ready import ReadyTrigger

Level = Literal["CREATED", "REGISTERED", "APPROVED"]


class ModelReadySensor(ReadySensor):
    """Wait until a model has reached a level of readiness; fail at once when it cannot any more.

    CREATED: the containers of the SageMaker model (or else of the version) are known and their model data are in S3.
    REGISTERED: the version's ModelPackageStatus is Completed. APPROVED: that, and its ModelApprovalStatus is Approved.
    Failed, Deleting and Rejected fail at once, with the reason. At the deadline the task fails and names what is
    missing.

    :param model: a model package group, whose newest version is meant, ``group:version``, the ARN of a version, or for
        CREATED a SageMaker model (templated)
    :param version: the version, when ``model`` names none (templated)
    :param level: CREATED, REGISTERED or APPROVED (templated)
    :param deferrable: whether to wait in the triggerer; None takes Airflow's ``[operators] default_deferrable``
    :param project: project that the model belongs to in the registry (templated)
    :param aws_conn_id: the Airflow connection to AWS; None uses boto3's own search for credentials (templated)
    :param region_name: AWS region; None takes the connection's (templated)
    """

    template_fields: Sequence[str] = ("model", "version", "level", "project", "aws_conn_id", "region_name")
    named_by = "model"

    def __init__(
        self, *, model: str, version: int | str | None = None, level: Level = "REGISTERED", **kwargs: Any
    ) -> None:
        super().__init__(level=level, **kwargs)
        self.model = model
        self.version = version

    @property
    def artifact_name(self) -> str:
        """Give the model's name, with the version if one was given."""
        from festaf.provider.models.name import ModelName

        asked = ModelName.of(self.model, self.version)
        return self.model if self.version in {None, ""} else asked.spelled

    @cached_property
    def hook(self) -> ModelHook:
        """Reach AWS."""
        from festaf.provider.hooks.model import ModelHook

        return ModelHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def check(self) -> None:
        """Check the level and the name."""
        from festaf.provider.models.ladder import check_level

        check_level(self.level)
        _ = self.artifact_name

    def look(self) -> Look:
        """Give the look at this model."""
        from festaf.provider.models.readiness import ModelReadiness

        return ModelReadiness(self.hook, self.artifact_name, self.level)

    def trigger(self) -> ReadyTrigger:
        """Make the trigger that waits for the same."""
        from festaf.provider.triggers.model import ModelReadyTrigger

        return ModelReadyTrigger(
            name=self.artifact_name,
            level=self.level,
            poll_interval=self.poke_interval,
            timeout=self.timeout,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
        )


class ModelApprovedSensor(ModelReadySensor):
    """Wait until somebody has approved a version: ModelReadySensor with level APPROVED.

    A person (or another DAG) decides in the meantime, in SageMaker Studio, by UpdateModelPackage or by
    ApproveModelVersionOperator. Rejected fails at once with what they wrote.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"level": "APPROVED"} | kwargs))
