"""Change a feature set in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from festaf.operators.feature_set.task import FeatureSetTask
from festaf.provider.assets import announce

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from airflow.sdk import Context

    from festaf.provider.artifacts import Feature
    from festaf.provider.artifacts.change import UpdateSpecification


class UpdateFeatureSetOperator(FeatureSetTask):
    """Change a feature set in place: add features, set how long records stay online, throughput, metadata.

    What is asked for is compared with what stands; only the difference is asked of AWS, one kind of change after
    another, each waited for until LastUpdateStatus is Successful, and new features until the Glue table has their
    columns. What AWS cannot do is refused before anything is changed, one line each with a way to get there.

    :param feature_set: name of the feature set (templated)
    :param features: features to add, and features that stand, whose types are compared; a ``description`` becomes that
        of the feature's metadata
    :param complete: whether ``features`` are all that there is to be, so that any other that stands is refused
    :param parameters: by feature: parameters of its metadata, added or replaced (templated)
    :param ttl: how long a record stays online from now on: a timedelta, or ``{"Unit": "Days", "Value": 7}``
    :param remove_ttl: whether records are to stay online for ever
    :param throughput: ``{"ThroughputMode": "OnDemand"}``, or ``{"ThroughputMode": "Provisioned",
        "ProvisionedReadCapacityUnits": 100, "ProvisionedWriteCapacityUnits": 50}``
    :param storage_type: Standard_V2, to which AWS migrates from Standard, once and for all
    :param tags: AWS tags to add or replace (templated)
    :param record_identifier: if given, compared (templated)
    :param event_time: if given, compared (templated)
    :param online: if given, compared
    :param offline_s3_uri: if given, compared (templated)
    :param description: if given, compared (templated)
    :param owner: who answers for it; the task's owner in Airflow too
    :param purpose: why it exists (templated)
    :param poll_interval: seconds between two looks
    :param timeout: seconds after which the wait ends and the task fails
    :return: the definition, as a dict
    """

    template_fields: Sequence[str] = (
        *FeatureSetTask.template_fields,
        "parameters",
        "tags",
        "record_identifier",
        "event_time",
        "offline_s3_uri",
        "description",
        "purpose",
    )

    def __init__(
        self,
        *,
        features: Sequence[Feature | Mapping[str, Any]] = (),
        complete: bool = False,
        parameters: Mapping[str, Mapping[str, str]] | None = None,
        ttl: timedelta | Mapping[str, Any] | None = None,
        remove_ttl: bool = False,
        throughput: Mapping[str, Any] | None = None,
        storage_type: Literal["Standard", "Standard_V2", "InMemory"] | None = None,
        tags: Mapping[str, str] | None = None,
        record_identifier: str | None = None,
        event_time: str | None = None,
        online: bool | None = None,
        offline_s3_uri: str | None = None,
        description: str | None = None,
        owner: str | None = None,
        purpose: str | None = None,
        poll_interval: float = 5,
        timeout: float = 1800,
        **kwargs: Any,
    ) -> None:
        if owner is not None:
            kwargs["owner"] = owner
        super().__init__(**kwargs)
        self.features = features
        self.complete = complete
        self.parameters = parameters
        self.ttl = ttl
        self.remove_ttl = remove_ttl
        self.throughput = throughput
        self.storage_type = storage_type
        self.tags = tags
        self.record_identifier = record_identifier
        self.event_time = event_time
        self.online = online
        self.offline_s3_uri = offline_s3_uri
        self.description = description
        self.declared_owner = owner
        self.purpose = purpose
        self.poll_interval = poll_interval
        self.timeout = timeout

    def execute(self, context: Context) -> dict[str, Any]:
        """Change what differs, and attach the definition to the definition's asset event."""
        from festaf.provider.artifacts import Feature
        from festaf.provider.artifacts.update import FeatureSetUpdate

        declared = tuple(Feature.of(feature) for feature in self.features)
        update = FeatureSetUpdate(self.hook, self.log, self.timeout, self.poll_interval)
        found = update.ensure(self._specification(declared))
        definition = found.definition(
            project=self.project, owner=self.declared_owner, purpose=self.purpose, declared=declared
        )
        announce(context, self.outlets, definition)
        return definition.model_dump(mode="json")

    def _specification(self, declared: tuple[Feature, ...]) -> UpdateSpecification:
        """Put together what is asked for, before AWS is asked."""
        from festaf.provider.artifacts.change import UpdateSpecification
        from festaf.provider.artifacts.specification import duration

        specification = UpdateSpecification(
            name=self.feature_set,
            features=declared,
            complete=self.complete,
            record_identifier=self.record_identifier,
            event_time=self.event_time,
            online=self.online,
            offline_s3_uri=self.offline_s3_uri,
            ttl=duration(self.ttl),
            remove_ttl=self.remove_ttl,
            storage_type=self.storage_type,
            throughput=self.throughput,
            description=self.description,
            parameters=self.parameters or {},
            tags=self.tags or {},
        )
        specification.check()
        return specification
