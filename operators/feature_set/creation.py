"""Create a feature set, or verify that the one that stands is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from festaf.operators.feature_set.task import FeatureSetTask
from festaf.operators.task import come_again
from festaf.provider.assets import announce

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from airflow.sdk import Context

    from festaf.provider.artifacts import Feature
    from festaf.provider.artifacts.specification import FeatureSetSpecification


class CreateFeatureSetOperator(FeatureSetTask):
    """Create a feature set, or verify that the one that stands is the same.

    The task returns when AWS has accepted the request, and FeatureSetReadySensor waits until it is done; or the task
    waits itself, with ``wait_for_completion``. A feature set of the same name is adopted when nothing that was asked
    for differs; else the task fails with one line for each difference. When AWS's quota of concurrent creations is
    full, the task gives its slot back and comes again.

    :param feature_set: name of the feature set (templated)
    :param features: the features, as ``Feature`` or mappings with its fields; their types may stay open where
        ``infer_from`` has them
    :param infer_from: where the schema is read from: a path or URI of Parquet or CSV, ``glue://database/table``,
        or a DataFrame that an upstream task returned (templated)
    :param record_identifier: name of the feature that identifies a record (templated)
    :param event_time: name of the feature that holds the event time: String (ISO 8601) or Fractional (templated)
    :param online: whether there is an online store
    :param offline_s3_uri: where the offline store lies, ``s3://bucket/prefix``; None for none (templated)
    :param role_arn: role that SageMaker assumes to write the offline store (templated)
    :param ttl: how long a record stays online: a timedelta, or ``{"Unit": "Days", "Value": 7}``
    :param storage_type: Standard, Standard_V2 or InMemory; None is AWS's default, Standard
    :param throughput: ``{"ThroughputMode": "Provisioned", "ProvisionedReadCapacityUnits": 100, ...}``; None is on
        demand
    :param table_format: Glue or Iceberg; None is AWS's default, Glue
    :param create_glue_table: whether AWS makes the Glue table
    :param glue_table: ``{"Catalog": ..., "Database": ..., "TableName": ...}`` for a table of your own choice
    :param online_kms_key_id: key that encrypts the online store (templated)
    :param offline_kms_key_id: key that encrypts the offline store (templated)
    :param description: what the feature set is, at most 128 characters at AWS (templated)
    :param owner: who answers for it; the task's owner in Airflow too
    :param purpose: why it exists (templated)
    :param tags: AWS tags (templated)
    :param timeout: seconds after which waiting for a full quota, or for an older feature set of this name to be
        gone, ends; and the wait for completion
    :param wait_for_completion: whether to hold the worker's slot until the level CREATED is reached
    :param poll_interval: seconds between two looks then
    :return: the definition, as a dict
    """

    template_fields: Sequence[str] = (
        *FeatureSetTask.template_fields,
        "infer_from",
        "record_identifier",
        "event_time",
        "offline_s3_uri",
        "role_arn",
        "online_kms_key_id",
        "offline_kms_key_id",
        "description",
        "purpose",
        "tags",
    )

    def __init__(
        self,
        *,
        record_identifier: str,
        event_time: str,
        features: Sequence[Feature | Mapping[str, Any]] = (),
        infer_from: Any = None,
        online: bool = True,
        offline_s3_uri: str | None = None,
        role_arn: str | None = None,
        ttl: timedelta | Mapping[str, Any] | None = None,
        storage_type: Literal["Standard", "Standard_V2", "InMemory"] | None = None,
        throughput: Mapping[str, Any] | None = None,
        table_format: Literal["Glue", "Iceberg"] | None = None,
        create_glue_table: bool = True,
        glue_table: Mapping[str, str] | None = None,
        online_kms_key_id: str | None = None,
        offline_kms_key_id: str | None = None,
        description: str | None = None,
        owner: str | None = None,
        purpose: str | None = None,
        tags: Mapping[str, str] | None = None,
        timeout: float = 3600,
        wait_for_completion: bool = False,
        poll_interval: float = 10,
        **kwargs: Any,
    ) -> None:
        if owner is not None:
            kwargs["owner"] = owner
        super().__init__(**kwargs)
        self.features = features
        self.infer_from = infer_from
        self.record_identifier = record_identifier
        self.event_time = event_time
        self.online = online
        self.offline_s3_uri = offline_s3_uri
        self.role_arn = role_arn
        self.ttl = ttl
        self.storage_type = storage_type
        self.throughput = throughput
        self.table_format = table_format
        self.create_glue_table = create_glue_table
        self.glue_table = glue_table
        self.online_kms_key_id = online_kms_key_id
        self.offline_kms_key_id = offline_kms_key_id
        self.description = description
        self.declared_owner = owner
        self.purpose = purpose
        self.tags = tags
        self.timeout = timeout
        self.wait_for_completion = wait_for_completion
        self.poll_interval = poll_interval

    def execute(self, context: Context) -> dict[str, Any]:
        """Create or verify, and attach the definition to the definition's asset event."""
        from festaf.provider.artifacts.creation import Creation
        from festaf.provider.errors import QuotaError

        declared, specification = self._specification()
        creation = Creation(self.hook, self.log, self.timeout)
        try:
            found = creation.ensure(specification)
        except QuotaError as error:
            come_again(context, error, self.timeout, self.log)
        if self.wait_for_completion:
            found = creation.wait(self.feature_set, self.poll_interval)
        definition = found.definition(
            project=self.project,
            owner=self.declared_owner,
            purpose=self.purpose,
            description=self.description,
            declared=declared,
        )
        announce(context, self.outlets, definition)
        return definition.model_dump(mode="json")

    def _specification(self) -> tuple[tuple[Feature, ...], FeatureSetSpecification]:
        """Put together what is asked for, before AWS is asked."""
        from festaf.provider.artifacts import Feature
        from festaf.provider.artifacts.schema import complete, infer_features
        from festaf.provider.artifacts.specification import FeatureSetSpecification, duration

        declared = tuple(Feature.of(feature) for feature in self.features)
        if self.infer_from is not None:
            declared = complete(declared, infer_features(self.infer_from, self.hook))
        specification = FeatureSetSpecification(
            name=self.feature_set,
            record_identifier=self.record_identifier,
            event_time=self.event_time,
            features=declared,
            online=self.online,
            offline_s3_uri=self.offline_s3_uri,
            role_arn=self.role_arn,
            ttl=duration(self.ttl),
            storage_type=self.storage_type,
            throughput=self.throughput,
            table_format=self.table_format,
            create_glue_table=self.create_glue_table,
            glue_table=self.glue_table,
            online_kms_key_id=self.online_kms_key_id,
            offline_kms_key_id=self.offline_kms_key_id,
            description=self.description,
            tags=self.tags or {},
        )
        specification.check()
        return declared, specification
