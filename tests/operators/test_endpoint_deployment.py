from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.endpoint import AsyncInference, Canary, DataCapture, DeployEndpointOperator, Serverless, Variant
from festaf.provider import errors
from festaf.provider.artifacts import Endpoint
from festaf.provider.triggers.endpoint import EndpointDeployedTrigger
from tests.endpoints import BROKEN, FAILING, QUICK, ROLE, answering, ask, create_model, model_data, names, variant
from tests.feature_store import BUCKET

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.timeout(180)


def task(*models: str, **parameters: Any) -> DeployEndpointOperator:
    asked: dict[str, Any] = {"task_id": "deploy", "deferrable": False, **QUICK}
    if models:
        asked["variants"] = [variant(model, name=f"V{number}") for number, model in enumerate(models)]
    return DeployEndpointOperator(**(asked | parameters))


def deploy(run: Run, *models: str, **parameters: Any) -> dict[str, Any]:
    return task(*models, **parameters).execute(run.context)


def test_an_endpoint_is_created_and_what_it_serves_is_attached(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    made = deploy(run, "one", project="nyc", owner="team:planes", tags={"cost": "42"}, description="Delays")
    assert ask(aws) == "one:1"
    assert run.facts() == {"x-festaf-endpoint://nyc/delay": made}
    assert (made["action"], made["endpoint"], made["owner"]) == ("created", "delay", "team:planes")
    assert made["variants"][0] | {"weight": 1.0} == {
        "name": "V0",
        "model": "one",
        "model_package": None,
        "weight": 1.0,
        "instance_type": "ml.m5.large",
        "instances": 1,
    }
    found = Endpoint.load("delay")
    assert found is not None
    assert found.tags["cost"] == "42"
    assert found.configuration_name == made["configuration"]


def test_running_it_again_changes_nothing(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    first = deploy(run, "one")
    second = deploy(run, "one")
    assert second == first | {"action": "unchanged"}
    calls = aws.stats()
    assert (calls["CreateEndpoint"], calls["CreateEndpointConfig"]) == (1, 1)
    assert "UpdateEndpoint" not in calls


def test_another_model_takes_over_without_downtime(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    first = deploy(run, "one")
    aws.settings(endpoint_update_seconds=600)
    started = deploy(run, "two", wait_for_completion=False)
    assert ask(aws) == "one:1"
    assert started["configuration"] != first["configuration"]
    with pytest.raises(errors.NotReadyError, match="AWS is still updating it"):
        deploy(run, "two", timeout=1)
    assert ask(aws) == "one:1"
    aws.advance(600)
    second = deploy(run, "two")
    assert ask(aws) == "two:1"
    assert second["configuration"] == started["configuration"]
    assert second["previous_configuration"] == first["configuration"]
    assert aws.stats()["UpdateEndpoint"] == 1


def test_a_model_that_was_made_again_under_its_name_is_deployed(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    deploy(run, "one")
    aws.client("sagemaker").delete_model(ModelName="one")
    create_model(aws, "one", answering("new:"))
    assert deploy(run, "one")["action"] == "updated"
    assert ask(aws) == "new:1"


def test_a_rollback_by_aws_is_a_failure_with_its_reason(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "broken", BROKEN)
    first = deploy(run, "one")
    with pytest.raises(errors.FailedArtifactError) as caught:
        deploy(run, "broken")
    assert "rolled back from configuration" in str(caught.value) or "RollingBack" in str(caught.value)
    assert "ping health check" in str(caught.value)
    assert ask(aws) == "one:1"
    assert names(aws)["endpoints"] == ["delay"]
    assert deploy(run, "one")["configuration"] == first["configuration"]


def test_an_update_that_fails_for_another_reason_tells_it(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    deploy(run, "one")
    aws.fault(kind="fail_update", resource="endpoint", reason="No capacity in this zone")
    with pytest.raises(errors.FailedArtifactError, match="No capacity in this zone"):
        deploy(run, "two")
    assert deploy(run, "two")["action"] == "updated"
    assert ask(aws) == "two:1"


def test_an_endpoint_that_failed_is_recreated_only_when_that_is_asked_for(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    aws.fault(kind="fail_creation", resource="endpoint", reason="The role may not read the model")
    with pytest.raises(errors.FailedArtifactError, match="delay is Failed: The role may not read the model"):
        deploy(run, "one")
    with pytest.raises(errors.FailedArtifactError, match="recreate_failed=True"):
        deploy(run, "one")
    assert deploy(run, "one", recreate_failed=True)["action"] == "created"
    assert ask(aws) == "one:1"


def test_the_configuration_of_before_comes_back_by_one_task(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    first = deploy(run, "one")
    deploy(run, "two")
    back = deploy(run, rollback=True)
    assert (back["action"], back["configuration"]) == ("rolled back", first["configuration"])
    assert ask(aws) == "one:1"
    again = deploy(run, rollback=True)
    assert (again["action"], again["configuration"]) == ("unchanged", first["configuration"])


def test_a_rollback_without_a_configuration_of_before_is_told(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    deploy(run, "one")
    with pytest.raises(errors.InputError, match="nothing was deployed over another configuration"):
        deploy(run, rollback=True)
    with pytest.raises(errors.InputError, match="There is no endpoint other"):
        deploy(run, rollback=True, endpoint="other")


def test_smoke_requests_are_sent_to_every_variant(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "failing", FAILING)
    good = {"payload": "7", "contains": "one:7", "variant": "V0"}
    assert deploy(run, "one", smoke=[good])["action"] == "created"
    with pytest.raises(errors.UnexpectedAnswerError) as caught:
        deploy(run, "one", "failing", smoke=[{"payload": "7"}])
    assert "seats are missing" in str(caught.value)
    assert caught.value.wrong[0].startswith("variant V1: ")
    assert caught.value.done == "It was left as it is"


def test_a_wrong_answer_can_bring_back_what_served_before(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    deploy(run, "one")
    wrong = {"payload": "7", "contains": "one:"}
    with pytest.raises(errors.UnexpectedAnswerError, match="which served before, is back"):
        deploy(run, "two", smoke=[wrong], rollback_on_smoke_failure=True)
    assert ask(aws) == "one:1"


def test_a_model_package_version_becomes_a_model_once(aws: LocalAws, run: Run) -> None:
    client = aws.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="late")
    uri = model_data(aws, "packaged", answering("packaged:"))
    arn = client.create_model_package(
        ModelPackageGroupName="late",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1", "ModelDataUrl": uri}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    asked = Variant(model_package="late:1", instance_type="ml.m5.large")
    made = deploy(run, variants=[asked], role_arn=ROLE)
    again = deploy(run, variants=[{"model_package": arn, "instance_type": "ml.m5.large"}], role_arn=ROLE)
    assert ask(aws) == "packaged:1"
    assert made["variants"][0]["model_package"] == arn
    assert again["action"] == "unchanged"
    assert len(names(aws)["models"]) == 1


def test_a_serverless_endpoint_is_deployed(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    made = deploy(run, variants=[Variant(model="one", serverless=Serverless(memory_mb=2048, max_concurrency=3))])
    assert (made["variants"][0]["instance_type"], made["variants"][0]["instances"]) == (None, None)
    assert ask(aws) == "one:1"


def test_an_asynchronous_endpoint_is_deployed_and_proven(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    made = deploy(
        run,
        "one",
        asynchronous=AsyncInference(output_s3_uri=f"s3://{BUCKET}/answers"),
        smoke=[{"payload": "7", "contains": "one:7"}],
    )
    assert made["asynchronous"]


def test_data_are_captured_when_that_is_asked_for(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    made = deploy(run, "one", data_capture=DataCapture(s3_uri=f"s3://{BUCKET}/capture", percent=50))
    assert made["data_capture_s3_uri"] == f"s3://{BUCKET}/capture"


def test_a_canary_moves_the_traffic_and_an_alarm_takes_it_back(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="late",
        MetricName="ModelLatency",
        Namespace="tests",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    variants = [variant("one", instance_count=2)]
    deploy(run, variants=variants)
    cloudwatch.set_alarm_state(AlarmName="late", StateValue="ALARM", StateReason="slow")
    policy = Canary(percent=50, alarms=("late",), bake_seconds=1)
    coming = [variant("two", instance_count=2)]
    with pytest.raises(errors.FailedArtifactError, match="late"):
        deploy(run, variants=coming, policy=policy)
    assert ask(aws) == "one:1"
    cloudwatch.set_alarm_state(AlarmName="late", StateValue="OK", StateReason="quick")
    assert deploy(run, variants=coming, policy=policy)["action"] == "updated"
    assert ask(aws) == "two:1"


@pytest.mark.parametrize("operation", ["CreateEndpoint", "CreateEndpointConfig", "UpdateEndpoint"])
def test_a_reply_that_was_lost_after_the_work_is_adopted(aws: LocalAws, run: Run, operation: str) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    if operation == "UpdateEndpoint":
        deploy(run, "two")
    aws.fault(kind="lost_reply", operation=operation)
    deploy(run, "one")
    assert ask(aws) == "one:1"
    assert names(aws)["endpoints"] == ["delay"]
    assert len(names(aws)["configurations"]) == (2 if operation == "UpdateEndpoint" else 1)


def test_what_is_not_visible_yet_is_waited_for(aws: LocalAws, run: Run) -> None:
    aws.settings(visible_seconds=1.0)
    create_model(aws, "one")
    assert deploy(run, "one")["action"] == "created"
    assert names(aws)["configurations"] == [Endpoint.load("delay").configuration_name]  # type: ignore[union-attr]


def test_an_update_of_somebody_else_is_waited_for(aws: LocalAws, run: Run) -> None:
    for name in ("one", "two", "three"):
        create_model(aws, name)
    deploy(run, "one")
    aws.settings(endpoint_update_seconds=1.5)
    deploy(run, "two", wait_for_completion=False)
    aws.settings(endpoint_update_seconds=0.0)
    assert deploy(run, "three")["action"] == "updated"
    assert ask(aws) == "three:1"


def test_one_that_is_being_deleted_is_waited_for(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    deploy(run, "one")
    aws.settings(endpoint_delete_seconds=1.5)
    aws.client("sagemaker").delete_endpoint(EndpointName="delay")
    assert deploy(run, "one")["action"] == "created"
    assert ask(aws) == "one:1"


def test_past_the_deadline_the_task_says_what_is_missing(aws: LocalAws, run: Run) -> None:
    aws.settings(endpoint_create_seconds=600)
    create_model(aws, "one")
    with pytest.raises(errors.NotReadyError, match="not IN_SERVICE after 1 s: AWS is still creating it"):
        deploy(run, "one", timeout=1)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"variants": []}, "has no variant"),
        ({"variants": [{"model": "one"}]}, "needs instance_type or serverless"),
        ({"variants": [{"modle": "one"}]}, "Variant has no 'modle'"),
        ({"rollback": True}, "leave variants out"),
        ({"smoke": [{"payload": 1}], "wait_for_completion": False}, "need wait_for_completion=True"),
        ({"smoke": [{"payload": 1, "schema": {"typ": 1}}]}, "keyword 'typ' is not known"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_creates_nothing(
    aws: LocalAws, run: Run, parameters: dict[str, Any], said: str
) -> None:
    with pytest.raises(errors.InputError) as caught:
        deploy(run, "one", **parameters)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not {"CreateEndpoint", "CreateEndpointConfig"} & set(aws.stats())


def test_a_deferred_deployment_comes_back_proven(aws: LocalAws, run: Run) -> None:
    import asyncio

    from airflow.providers.common.compat.sdk import TaskDeferred

    create_model(aws, "one")
    aws.settings(endpoint_create_seconds=1.0)
    deploying = task("one", deferrable=True, smoke=[{"payload": "7", "contains": "one:7"}])
    with pytest.raises(TaskDeferred) as caught:
        deploying.execute(run.context)

    path, written = caught.value.trigger.serialize()
    assert path.rsplit(".", 1)[1] == "EndpointDeployedTrigger"

    async def fired() -> dict[str, Any]:
        async for event in EndpointDeployedTrigger(**written).run():
            found: dict[str, Any] = event.payload
            return found
        raise AssertionError("the trigger ended without an event")

    event = asyncio.run(fired())
    assert event["status"] == "ready"
    # airflow dags test gives nothing but the event.
    made = task("one", smoke=[{"payload": "7", "contains": "one:7"}]).execute_complete(run.context, event)
    assert (made["action"], made["variants"][0]["model"]) == ("created", "one")


def test_a_full_quota_gives_the_slot_back_and_comes_again_later(
    aws: LocalAws, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.exceptions import AirflowRescheduleException

    from festaf.provider.hooks.endpoint import EndpointHook

    def full(self: EndpointHook, *asked: Any) -> str:
        raise errors.QuotaError("no instance is left", code="ResourceLimitExceeded", operation="CreateEndpoint")

    create_model(aws, "one")
    with monkeypatch.context() as patch:
        patch.setattr(EndpointHook, "create", full)
        with pytest.raises(AirflowRescheduleException):
            deploy(run, "one")
    assert deploy(run, "one")["action"] == "created"


def test_templates_inside_of_variants_are_rendered() -> None:
    deploying = task(variants=[Variant(model="{{ params.model }}", instance_type="ml.m5.large")])
    deploying.render_template_fields({"params": {"model": "one"}})
    assert deploying.variants[0].model == "one"  # type: ignore[union-attr]


def test_a_configuration_that_is_not_what_its_name_says_is_refused(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    name = deploy(run, "one")["configuration"]
    client = aws.client("sagemaker")
    client.delete_endpoint_config(EndpointConfigName=name)
    asked = {"VariantName": "V0", "ModelName": "two", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[asked])
    with pytest.raises(errors.RefusedError, match="has other variants than its name"):
        deploy(run, "one")
