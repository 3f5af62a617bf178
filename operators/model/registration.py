"""Register a version of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from festaf.operators.model.task import ModelTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from festaf.provider.models.evaluation import Evaluation
    from festaf.provider.models.registration import Registration
    from festaf.provider.models.sources import TrainedBy


class RegisterModelVersionOperator(ModelTask):
    """Register a version of a model in its model package group, and wait until AWS has completed it.

    The group is created when it is not there. Metrics, held-out data, features, training set, training job and what
    ran are attached: in the package's metadata, and in full as JSON beside the model data. A task that runs again,
    after a kill or a lost reply at any point, finds the version that it registered; a run that was cleared and trained
    another model registers another. Success: ModelPackageStatus Completed.

    :param model: name of the model package group (templated)
    :param image_uri: image that serves the model; None takes the training job's (templated)
    :param model_data_url: model data, ``s3://bucket/model.tar.gz``; None takes the training job's (templated)
    :param environment: environment of the container (templated)
    :param containers: the containers as AWS spells them, instead of the three above (templated)
    :param training_job: name or ARN of the training job that made the model; it must be Completed (templated)
    :param metrics: metrics by name, or the S3 URI of an evaluation as JSON; None takes the training job's final metrics
        (templated)
    :param held_out: the data that the metrics were measured on: a URI, ``{"uri": ..., "sha256": ..., "rows": ...}``, or
        what BuildTrainingSetOperator returned (templated)
    :param problem: what the metrics are called in SageMaker's registry: regression, binary_classification,
        multiclass_classification or a word of your own
    :param training_set: URI of the training set's manifest, or what BuildTrainingSetOperator returned (templated)
    :param features: features, as ``feature_set.feature``; None takes the training set's (templated)
    :param content_types: MIME types that the model takes
    :param response_types: MIME types that the model answers
    :param instance_types: instance types for endpoints
    :param transform_instance_types: instance types for batch transforms
    :param approval_status: PendingManualApproval, Approved or Rejected (templated)
    :param description: what this version is, at most 1,024 characters at AWS (templated)
    :param group_description: what the model is, for a group that is created (templated)
    :param tags: AWS tags of a group that is created; versions have none (templated)
    :param metadata: metadata of your own, by key (templated)
    :param output_s3_uri: where evaluation and record are kept; None keeps them in ``festaf/`` beside the model data
        (templated)
    :param wait_for_completion: whether to wait until AWS has completed it
    :param poll_interval: seconds between two looks
    :param timeout: seconds after which the wait ends and the task fails; run again, it goes on waiting
    :return: the ModelVersionFact, as a dict: ``version``, ``arn``, ``status``, ``metrics`` and more
    """

    template_fields: Sequence[str] = (
        *ModelTask.template_fields,
        "image_uri",
        "model_data_url",
        "environment",
        "containers",
        "training_job",
        "metrics",
        "held_out",
        "training_set",
        "features",
        "approval_status",
        "description",
        "group_description",
        "tags",
        "metadata",
        "output_s3_uri",
    )

    def __init__(
        self,
        *,
        image_uri: str | None = None,
        model_data_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        containers: Sequence[Mapping[str, Any]] | None = None,
        training_job: str | None = None,
        metrics: Mapping[str, Any] | str | None = None,
        held_out: Mapping[str, Any] | str | None = None,
        problem: str = "regression",
        training_set: Mapping[str, Any] | str | None = None,
        features: Sequence[str] | None = None,
        content_types: Sequence[str] = ("text/csv", "application/json"),
        response_types: Sequence[str] = ("text/csv", "application/json"),
        instance_types: Sequence[str] = (),
        transform_instance_types: Sequence[str] = (),
        approval_status: Literal["PendingManualApproval", "Approved", "Rejected"] = "PendingManualApproval",
        description: str | None = None,
        group_description: str | None = None,
        tags: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
        output_s3_uri: str | None = None,
        wait_for_completion: bool = True,
        poll_interval: float = 5,
        timeout: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_uri = image_uri
        self.model_data_url = model_data_url
        self.environment = environment
        self.containers = containers
        self.training_job = training_job
        self.metrics = metrics
        self.held_out = held_out
        self.problem = problem
        self.training_set = training_set
        self.features = features
        self.content_types = content_types
        self.response_types = response_types
        self.instance_types = instance_types
        self.transform_instance_types = transform_instance_types
        self.approval_status = approval_status
        self.description = description
        self.group_description = group_description
        self.tags = tags
        self.metadata = metadata
        self.output_s3_uri = output_s3_uri
        self.wait_for_completion = wait_for_completion
        self.poll_interval = poll_interval
        self.timeout = timeout

    def execute(self, context: Context) -> dict[str, Any]:
        """Register or find the version, wait for it, and attach what it is to the model's asset event."""
        from dataclasses import replace

        from festaf.operators.task import come_again
        from festaf.provider.errors import QuotaError
        from festaf.provider.models.registering import Registering, model_data_etags

        wanted = self._registration()
        wanted.check()
        wanted = replace(wanted, etags=model_data_etags(self.hook, wanted))
        origin = self.origin(context)
        steps = Registering(self.hook, self.log, self.timeout, self.poll_interval)
        try:
            steps.ensure_group(wanted.group, self.group_description, self.tags or {})
            version = steps.ensure(wanted, origin)
        except QuotaError as error:
            come_again(context, error, self.timeout, self.log)
        if self.wait_for_completion:
            version = steps.wait(version)
        return self.tell(context, wanted.fact(origin, version))

    def _registration(self) -> Registration:
        """Put together what is asked for."""
        from festaf.provider.models.registration import Registration
        from festaf.provider.models.sources import evaluation_of, trained_by, training_source

        job = trained_by(self.training_job, self.hook) if self.training_job else None
        source = training_source(self.training_set, self.hook)
        serving = {
            "content_types": tuple(self.content_types),
            "response_types": tuple(self.response_types),
            "instance_types": tuple(self.instance_types),
            "transform_instance_types": tuple(self.transform_instance_types),
        }
        return Registration(
            group=self._group(),
            containers=self._containers(job),
            serving=serving,
            evaluation=self._evaluation(evaluation_of(self.metrics, self.held_out, self.hook), job),
            problem=self.problem,
            features=source.features if self.features is None else tuple(self.features),
            feature_sets=source.feature_sets if self.features is None else (),
            training_set=source.manifest,
            training_set_name=source.name,
            training_job=job.arn if job else None,
            experiment=job.experiment if job else None,
            description=self.description,
            approval=self.approval_status,
            metadata=self.metadata or {},
            output_s3_uri=self.output_s3_uri,
            project=self.project,
        )

    def _group(self) -> str:
        """Give the group as AWS takes it.

        :raises InputError: it is no name of a group
        """
        from festaf.provider.errors import InputError
        from festaf.provider.models.name import ModelName

        asked = ModelName.of(self.model)
        if asked.version is not None or asked.kind == "model":
            raise InputError(f"{self.model!r} is no model package group: AWS numbers the versions of a group by itself")
        return asked.group

    def _containers(self, job: TrainedBy | None) -> tuple[Mapping[str, Any], ...]:
        if self.containers:
            return tuple(self.containers)
        image = self.image_uri or (job.image if job else None)
        data = self.model_data_url or (job.model_data if job else None)
        if not image and not data:
            return ()
        container = {"Image": image, "ModelDataUrl": data, "Environment": dict(self.environment or {})}
        return ({name: value for name, value in container.items() if value},)

    def _evaluation(self, given: Evaluation, job: TrainedBy | None) -> Evaluation:
        from dataclasses import replace

        return replace(given, metrics=job.metrics) if job and not given.metrics else given
