"""SageMaker's job definitions for monitoring data quality, and what a schedule runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.monitoring.image import ANALYZER
from festaf.local_aws.objects import split_uri
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource

KIND = "data-quality-job-definition"
SCHEDULE_KIND = "monitoring-schedule"


class JobDefinitionService:
    """Answers SageMaker's operations on data quality job definitions."""

    name = "sagemaker"

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.operations: Mapping[str, Handler] = {
            "CreateDataQualityJobDefinition": self.create,
            "DescribeDataQualityJobDefinition": self.describe,
            "ListDataQualityJobDefinitions": self.list_definitions,
            "DeleteDataQualityJobDefinition": self.delete,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Create a definition."""
        name = request["JobDefinitionName"]
        check_definition(self._resources, call.region, as_definition(request))
        with self._resources.lock:
            if self._resources.find(KIND, call.region, name) is not None:
                raise ApiError("ResourceInUse", f"A data quality job definition with name {name} already exists.")
            made = self._resources.create(KIND, call.region, name, request)
        return {"JobDefinitionArn": made.arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a definition."""
        found = self._get(call, request["JobDefinitionName"])
        return {**found.request, "JobDefinitionArn": found.arn, "CreationTime": found.created_at}

    def list_definitions(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the definitions of the region."""
        lines = [
            {
                "MonitoringJobDefinitionName": one.name,
                "MonitoringJobDefinitionArn": one.arn,
                "CreationTime": one.created_at,
                "EndpointName": one.request["DataQualityJobInput"]["EndpointInput"]["EndpointName"],
            }
            for one in self._resources.all(KIND, call.region)
        ]
        found = [line for line in lines if request.get("EndpointName") in (None, line["EndpointName"])]
        return page_of(found, request, answer="JobDefinitionSummaries", name="MonitoringJobDefinitionName")

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a definition that no schedule uses."""
        with self._resources.lock:
            found = self._get(call, request["JobDefinitionName"])
            for schedule in self._resources.all(SCHEDULE_KIND, call.region):
                config = schedule.request["MonitoringScheduleConfig"]
                if config.get("MonitoringJobDefinitionName") == found.name:
                    raise ApiError(
                        "ValidationException",
                        f"The job definition {found.name} is used by the monitoring schedule {schedule.name}.",
                    )
            self._resources.remove(found)
        return {}

    def _get(self, call: Call, name: str) -> Resource:
        absent = f"Could not find the data quality job definition {name}."
        return self._resources.get(KIND, call.region, name, absent, code="ResourceNotFound")


def as_definition(request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a DataQualityJobDefinition in the shape of a schedule's own MonitoringJobDefinition."""
    application = dict(request["DataQualityAppSpecification"])
    found = {
        "BaselineConfig": request.get("DataQualityBaselineConfig"),
        "Environment": application.pop("Environment", None),
        "MonitoringAppSpecification": application,
        "MonitoringInputs": [request["DataQualityJobInput"]],
        "MonitoringOutputConfig": request["DataQualityJobOutputConfig"],
        "MonitoringResources": request["JobResources"],
        "NetworkConfig": request.get("NetworkConfig"),
        "RoleArn": request["RoleArn"],
        "StoppingCondition": request.get("StoppingCondition"),
    }
    return {member: value for member, value in found.items() if value is not None}


def definition_of(resources: Resources, region: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the job definition that a schedule's configuration has or names.

    :raises ApiError: ValidationException
    """
    own, name = config.get("MonitoringJobDefinition"), config.get("MonitoringJobDefinitionName")
    if (own is None) == (name is None):
        raise _invalid("Exactly one of MonitoringJobDefinition and MonitoringJobDefinitionName must be given.")
    if config.get("MonitoringType", "DataQuality") != "DataQuality":
        raise _invalid(f"The local AWS monitors DataQuality, not {config['MonitoringType']}.")
    if own is not None:
        return dict(own)
    found = resources.find(KIND, region, str(name))
    if found is None:
        raise _invalid(f"Could not find the data quality job definition {name}.")
    return as_definition(found.request)


def check_definition(resources: Resources, region: str, definition: Mapping[str, Any]) -> None:
    """Refuse what cannot be run here, and an endpoint that captures nothing.

    :raises ApiError: ValidationException
    """
    application = definition["MonitoringAppSpecification"]
    if not ANALYZER.search(application["ImageUri"]) or application.get("ContainerEntrypoint"):
        raise _invalid(
            "The local AWS runs only the image sagemaker-model-monitor-analyzer, with its own entry point, not "
            f"{application['ImageUri']}."
        )
    for member in ("RecordPreprocessorSourceUri", "PostAnalyticsProcessorSourceUri"):
        if member in application:
            raise _invalid(f"The local AWS does not run a {member}.")
    source = definition["MonitoringInputs"][0]
    if "EndpointInput" not in source:
        raise _invalid("The local AWS monitors endpoints: the input needs an EndpointInput.")
    name = source["EndpointInput"]["EndpointName"]
    capture_of(resources, region, name)
    split_uri(definition["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"]["S3Uri"])


def capture_of(resources: Resources, region: str, name: str) -> str:
    """Give where an endpoint's captured data goes.

    :raises ApiError: ValidationException, when there is no such endpoint or it captures nothing
    """
    endpoint = resources.find("endpoint", region, name)
    if endpoint is None:
        raise _invalid(f'Could not find endpoint "{name}".')
    coming = endpoint.facts.get("change") or {}
    capture = endpoint.facts.get("capture") or coming.get("capture")
    if not capture or not capture.get("EnableCapture", True):
        raise _invalid(f'Data capture is not enabled for the endpoint "{name}".')
    return str(capture["DestinationS3Uri"])


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
