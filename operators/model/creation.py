"""Create a SageMaker model, or verify that the one that stands is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from festaf.operators.model.task import ModelTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from festaf.provider.models.creation import ModelSpecification
    from festaf.provider.models.record import ModelVersion, SageMakerModel


class CreateModelOperator(ModelTask):
    """Create a SageMaker model from a registered version or from image and data, for endpoints and batch transforms.

    A model of the same name is adopted when nothing that was asked for differs; else the task fails with one line for
    each difference. AWS cannot change a model: put the version into the name, as
    ``delay-{{ ti.xcom_pull('register')['version'] }}``. ModelReadySensor with level CREATED looks for the data too.

    :param model: name of the SageMaker model, 1 to 63 letters, digits and ``-`` (templated)
    :param model_package: the registered version: ``group:version``, the ARN of a version, or a group, whose newest
        approved version is meant (templated)
    :param image_uri: image that serves, instead of ``model_package`` (templated)
    :param model_data_url: model data, ``s3://bucket/model.tar.gz`` (templated)
    :param environment: environment of the container (templated)
    :param containers: containers as AWS spells them, instead of the four above; several make a pipeline (templated)
    :param role_arn: role that SageMaker assumes to read image and data (templated)
    :param approved_only: whether a version that is not approved is refused
    :param vpc_config: ``{"Subnets": [...], "SecurityGroupIds": [...]}`` (templated)
    :param network_isolation: whether the containers may reach no network; None is AWS's default, False
    :param execution_mode: Serial or Direct, for several containers
    :param tags: AWS tags (templated)
    :param timeout: seconds after which waiting for the model to be visible ends
    :return: ``model``, ``arn``, ``version`` and the containers, as a dict
    """

    template_fields: Sequence[str] = (
        *ModelTask.template_fields,
        "model_package",
        "image_uri",
        "model_data_url",
        "environment",
        "containers",
        "role_arn",
        "vpc_config",
        "tags",
    )

    def __init__(
        self,
        *,
        role_arn: str,
        model_package: str | None = None,
        image_uri: str | None = None,
        model_data_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        containers: Sequence[Mapping[str, Any]] | None = None,
        approved_only: bool = True,
        vpc_config: Mapping[str, Any] | None = None,
        network_isolation: bool | None = None,
        execution_mode: Literal["Serial", "Direct"] | None = None,
        tags: Mapping[str, str] | None = None,
        timeout: float = 300,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.role_arn = role_arn
        self.model_package = model_package
        self.image_uri = image_uri
        self.model_data_url = model_data_url
        self.environment = environment
        self.containers = containers
        self.approved_only = approved_only
        self.vpc_config = vpc_config
        self.network_isolation = network_isolation
        self.execution_mode = execution_mode
        self.tags = tags
        self.timeout = timeout

    def execute(self, context: Context) -> dict[str, Any]:
        """Create or verify; nothing is attached to the model's asset, whose events tell of versions."""
        from festaf.provider.models.creation import ModelCreation

        version = self._version() if self.model_package else None
        specification = self._specification(version)
        specification.check()
        found = ModelCreation(self.hook, self.log, self.timeout).ensure(specification)
        return _told(found, version)

    def _version(self) -> ModelVersion:
        """Find the registered version.

        :raises InputError: there is none, or it may not serve
        :raises FailedArtifactError: AWS gave it up
        """
        from functools import partial

        from festaf.provider.errors import InputError
        from festaf.provider.models.ladder import registered
        from festaf.provider.models.name import ModelName

        asked = ModelName.of(str(self.model_package))
        if asked.version is None and self.approved_only:
            newest = partial(self.hook.versions, asked.group, approval="Approved")
            approved = self.hook.patiently(lambda: next(newest(), None))
            found = self.hook.find_package(approved.arn) if approved else None
        else:
            found = self.hook.find_version(asked)
        if found is None:
            which = "" if asked.version else "approved version of " if self.approved_only else "version of "
            raise InputError(f"There is no {which}model {asked.label} in {self.hook.place}")
        if missing := registered(found, found.failure_reason):
            raise InputError(f"Model {found.name} cannot serve yet, {missing[0]}: wait with ModelReadySensor")
        if self.approved_only and found.approval != "Approved":
            raise InputError(
                f"Model {found.name} is {found.approval}: wait with ModelApprovedSensor, or give approved_only=False"
            )
        return found

    def _specification(self, version: ModelVersion | None) -> ModelSpecification:
        """Put together what is asked for."""
        from festaf.provider.errors import InputError
        from festaf.provider.models.creation import ModelSpecification
        from festaf.provider.models.name import ModelName

        if sum(bool(given) for given in (self.model_package, self.image_uri, self.containers)) != 1:
            raise InputError(f"Model {self.model} needs one of model_package, image_uri and containers")
        asked = ModelName.of(self.model)
        if asked.version is not None or asked.kind not in {None, "model"}:
            raise InputError(f"{self.model!r} is no name of a SageMaker model: put the version into the name with '-'")
        container = {
            "Image": self.image_uri,
            "ModelDataUrl": self.model_data_url,
            "ModelPackageName": version.arn if version else None,
            "Environment": dict(self.environment or {}),
        }
        single = ({name: value for name, value in container.items() if value},)
        return ModelSpecification(
            name=asked.name,
            containers=tuple(self.containers) if self.containers else single,
            role_arn=self.role_arn,
            vpc_config=self.vpc_config,
            network_isolation=self.network_isolation,
            execution_mode=self.execution_mode,
            tags=self.tags or {},
        )


def _told(found: SageMakerModel, version: ModelVersion | None) -> dict[str, Any]:
    return {
        "model": found.name,
        "arn": found.arn,
        "version": version.name if version else None,
        "images": [item.image for item in found.containers if item.image],
        "model_data": [item.model_data for item in found.containers if item.model_data],
    }
