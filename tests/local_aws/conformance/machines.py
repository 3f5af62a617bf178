"""Jobs, models, endpoints and monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.local_aws.conformance.case import SLEEP, Case, always
from tests.local_aws.endpoints.endpoints import variant
from tests.local_aws.jobs.test_processing import processing
from tests.local_aws.jobs.test_tuning import grid, tuning, until
from tests.local_aws.jobs.work import BUCKET, IMAGE, ROLE
from tests.local_aws.models.models import MODELS
from tests.local_aws.monitoring.schedules import definition, schedule

if TYPE_CHECKING:
    from tests.local_aws.conformance.case import Asked, World

CREATION = "a creation has no absence"
LIST = "a list has no absence"
GONE, INVALID, TAKEN = "ResourceNotFound", "ValidationException", "ResourceInUse"
RUNTIME = "sagemaker-runtime"
QUICK = "pass\n"


def _training(world: World, script: str = QUICK) -> Asked:
    asked: Asked = world.shop.training(world.name("training"), script)
    return asked


def _train(world: World) -> Asked:
    asked = _training(world, SLEEP)
    world.sagemaker.create_training_job(**asked)
    world.shop.until(asked["TrainingJobName"], "Training")
    return {"TrainingJobName": asked["TrainingJobName"]}


def _processing(world: World, script: str = QUICK) -> Asked:
    asked: Asked = processing(world.shop, world.name("processing"), script)
    return asked


def _process(world: World, script: str = SLEEP) -> Asked:
    asked = _processing(world, script)
    world.sagemaker.create_processing_job(**asked)
    return {"ProcessingJobName": asked["ProcessingJobName"]}


def _processed(world: World) -> Asked:
    asked = _process(world)
    world.sagemaker.stop_processing_job(**asked)
    until = {"Completed", "Failed", "Stopped"}
    while world.sagemaker.describe_processing_job(**asked)["ProcessingJobStatus"] not in until:
        pass
    return asked


def _transforming(world: World) -> Asked:
    return {
        "TransformJobName": world.name("transform"),
        "ModelName": "double",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{MODELS}/in/"}},
            "ContentType": "text/csv",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/scored"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }


def _transform(world: World) -> Asked:
    world.aws.settings(job_start_seconds=600)
    asked = _transforming(world)
    world.sagemaker.create_transform_job(**asked)
    world.aws.settings(job_start_seconds=0)
    return {"TransformJobName": asked["TransformJobName"]}


def _tune(world: World, kind: str) -> Asked:
    name = world.name("tuning")
    asked = tuning(world.shop, name, ParameterRanges=grid(depth=["3", "5"], kind=[kind]))
    world.sagemaker.create_hyper_parameter_tuning_job(**asked)
    return {"HyperParameterTuningJobName": name}


def _tuned(world: World) -> Asked:
    asked = _tune(world, "a")
    until(
        world.shop,
        asked["HyperParameterTuningJobName"],
        lambda one: one["HyperParameterTuningJobStatus"] == "Completed",
    )
    return asked


def _model(world: World) -> Asked:
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{MODELS}/double/model.tar.gz"}
    return {"ModelName": world.name("model"), "PrimaryContainer": container, "ExecutionRoleArn": ROLE}


def _config(world: World) -> Asked:
    return {"EndpointConfigName": world.name("config"), "ProductionVariants": [variant("double")]}


def _endpoint(world: World, **more: Any) -> Asked:
    name = world.name("endpoint")
    world.watch.stage.endpoint("spare", name)
    return {"EndpointName": name, **more}


def _made(operation: str, asked: Asked, world: World, name: str) -> Asked:
    world.ask("sagemaker", operation, asked)
    return {name: asked[name]}


def _definition(world: World) -> Asked:
    own = definition()
    return {
        "JobDefinitionName": world.name("definition"),
        "DataQualityAppSpecification": own["MonitoringAppSpecification"],
        "DataQualityJobInput": own["MonitoringInputs"][0],
        "DataQualityJobOutputConfig": own["MonitoringOutputConfig"],
        "JobResources": own["MonitoringResources"],
        "RoleArn": ROLE,
    }


def _schedule(world: World) -> Asked:
    name = world.name("schedule")
    world.sagemaker.create_monitoring_schedule(**schedule(name))
    return {"MonitoringScheduleName": name}


NO_TUNING = {"HyperParameterTuningJobName": "absent"}
NO_MODEL = [variant("absent")]
JOBS = [
    Case("CreateTrainingJob", _training, CREATION, twice=TAKEN),
    Case(
        "DescribeTrainingJob",
        lambda world: {"TrainingJobName": world.trained()},
        ({"TrainingJobName": "absent"}, INVALID),
    ),
    Case("ListTrainingJobs", always(), LIST),
    Case(
        "UpdateTrainingJob",
        lambda world: {**_train(world), "RemoteDebugConfig": {"EnableRemoteDebug": True}},
        ({"TrainingJobName": "absent"}, INVALID),
    ),
    Case("StopTrainingJob", _train, ({"TrainingJobName": "absent"}, INVALID)),
    Case(
        "DeleteTrainingJob",
        lambda world: {"TrainingJobName": world.trained()},
        ({"TrainingJobName": "absent"}, INVALID),
    ),
    Case("CreateProcessingJob", _processing, CREATION, twice=TAKEN),
    Case(
        "DescribeProcessingJob",
        lambda world: _process(world, QUICK),
        ({"ProcessingJobName": "absent"}, INVALID),
    ),
    Case("ListProcessingJobs", always(), LIST),
    Case("StopProcessingJob", _process, ({"ProcessingJobName": "absent"}, INVALID)),
    Case("DeleteProcessingJob", _processed, ({"ProcessingJobName": "absent"}, INVALID)),
    Case("CreateTransformJob", _transforming, CREATION, twice=TAKEN),
    Case("DescribeTransformJob", _transform, ({"TransformJobName": "absent"}, INVALID)),
    Case("ListTransformJobs", always(), LIST),
    Case("StopTransformJob", _transform, ({"TransformJobName": "absent"}, INVALID)),
]
TUNING = [
    Case(
        "CreateHyperParameterTuningJob",
        lambda world: tuning(world.shop, world.name("tuning")),
        CREATION,
        twice=TAKEN,
    ),
    Case("DescribeHyperParameterTuningJob", _tuned, (NO_TUNING, GONE)),
    Case("ListHyperParameterTuningJobs", always(), LIST),
    Case("ListTrainingJobsForHyperParameterTuningJob", _tuned, (NO_TUNING, GONE)),
    Case("StopHyperParameterTuningJob", lambda world: _tune(world, "sleep"), (NO_TUNING, GONE)),
    Case("DeleteHyperParameterTuningJob", _tuned, (NO_TUNING, INVALID)),
]
HOSTING = [
    Case("CreateModel", _model, CREATION, twice=INVALID),
    Case("DescribeModel", always(ModelName="double"), ({"ModelName": "absent"}, INVALID)),
    Case("ListModels", always(), LIST),
    Case(
        "DeleteModel",
        lambda world: _made("CreateModel", _model(world), world, "ModelName"),
        ({"ModelName": "absent"}, INVALID),
    ),
    Case(
        "CreateEndpointConfig",
        _config,
        ({"EndpointConfigName": "unmade", "ProductionVariants": NO_MODEL}, INVALID),
        twice=INVALID,
    ),
    Case("DescribeEndpointConfig", always(EndpointConfigName="later"), ({"EndpointConfigName": "absent"}, INVALID)),
    Case("ListEndpointConfigs", always(), LIST),
    Case(
        "DeleteEndpointConfig",
        lambda world: _made("CreateEndpointConfig", _config(world), world, "EndpointConfigName"),
        ({"EndpointConfigName": "absent"}, INVALID),
    ),
    Case(
        "CreateEndpoint",
        lambda world: {"EndpointName": world.name("endpoint"), "EndpointConfigName": "spare"},
        ({"EndpointName": "unmade", "EndpointConfigName": "absent"}, INVALID),
        twice=INVALID,
    ),
    Case("DescribeEndpoint", always(EndpointName="answers"), ({"EndpointName": "absent"}, INVALID)),
    Case("ListEndpoints", always(), LIST),
    Case(
        "UpdateEndpoint",
        lambda world: _endpoint(world, EndpointConfigName="spare"),
        ({"EndpointName": "absent", "EndpointConfigName": "spare"}, INVALID),
    ),
    Case(
        "UpdateEndpointWeightsAndCapacities",
        lambda world: _endpoint(
            world, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredWeight": 2.0}]
        ),
        (
            {
                "EndpointName": "absent",
                "DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic", "DesiredWeight": 2.0}],
            },
            INVALID,
        ),
    ),
    Case("DeleteEndpoint", _endpoint, ({"EndpointName": "absent"}, INVALID)),
    Case(
        "InvokeEndpoint",
        always(EndpointName="answers", Body=b"3", ContentType="text/csv"),
        ({"EndpointName": "absent", "Body": b"3"}, "ValidationError"),
        service=RUNTIME,
    ),
    Case(
        "InvokeEndpointAsync",
        always(EndpointName="later", InputLocation=f"s3://{MODELS}/in/rows.csv", ContentType="text/csv"),
        ({"EndpointName": "absent", "InputLocation": f"s3://{MODELS}/in/rows.csv"}, "ValidationError"),
        service=RUNTIME,
    ),
    Case(
        "InvokeEndpointWithResponseStream",
        always(EndpointName="answers", Body=b"3", ContentType="text/csv"),
        ({"EndpointName": "absent", "Body": b"3"}, "ValidationError"),
        refused="ValidationError",
        service=RUNTIME,
    ),
]
MONITORS = [
    Case("CreateDataQualityJobDefinition", _definition, CREATION, twice=TAKEN),
    Case(
        "DescribeDataQualityJobDefinition",
        lambda world: _made("CreateDataQualityJobDefinition", _definition(world), world, "JobDefinitionName"),
        ({"JobDefinitionName": "absent"}, GONE),
    ),
    Case("ListDataQualityJobDefinitions", always(), LIST),
    Case(
        "DeleteDataQualityJobDefinition",
        lambda world: _made("CreateDataQualityJobDefinition", _definition(world), world, "JobDefinitionName"),
        ({"JobDefinitionName": "absent"}, GONE),
    ),
    Case(
        "CreateMonitoringSchedule",
        lambda world: schedule(world.name("schedule")),
        (schedule("unmade", MonitoringJobDefinition=definition(EndpointName="absent")), INVALID),
        twice=TAKEN,
    ),
    Case(
        "DescribeMonitoringSchedule",
        always(MonitoringScheduleName="hourly"),
        ({"MonitoringScheduleName": "absent"}, GONE),
    ),
    Case("ListMonitoringSchedules", always(), LIST),
    Case(
        "UpdateMonitoringSchedule",
        lambda world: schedule(_schedule(world)["MonitoringScheduleName"], "cron(0 3 ? * * *)"),
        (schedule("absent"), GONE),
    ),
    Case("StartMonitoringSchedule", _schedule, ({"MonitoringScheduleName": "absent"}, GONE)),
    Case("StopMonitoringSchedule", _schedule, ({"MonitoringScheduleName": "absent"}, GONE)),
    Case("DeleteMonitoringSchedule", _schedule, ({"MonitoringScheduleName": "absent"}, GONE)),
    Case("ListMonitoringExecutions", always(MonitoringScheduleName="hourly"), LIST),
]
CASES = [*JOBS, *TUNING, *HOSTING, *MONITORS]
