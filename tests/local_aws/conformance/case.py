"""One operation's case, and the world in which it is played."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.config import Config

from tests.local_aws.conformance.shapes import answer_problems
from tests.local_aws.endpoints.endpoints import Stage, eventually, variant
from tests.local_aws.jobs.work import Workshop
from tests.local_aws.model_archives import DOUBLE, serving
from tests.local_aws.model_packages.packages import GROUP, MODEL, version
from tests.local_aws.models.models import MODELS
from tests.local_aws.monitoring.schedules import Watch, schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import OperationModel

    from tests.local_aws.server import LocalAws

Asked = dict[str, Any]

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
SLEEP = "import time\ntime.sleep(600)\n"


class World:
    """A server with one of everything, to which the cases add what they need for themselves."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.last: tuple[OperationModel, dict[str, str], bytes] | None = None
        self._clients: dict[str, Any] = {}
        self._counter = itertools.count(1)
        self.watch = Watch(Stage(aws))
        self.watch.serve()
        self.shop = Workshop(aws)
        self.sagemaker = self.client("sagemaker")
        self.s3 = aws.client("s3")
        self._registry()
        self._serving()
        self._lineage()
        self._athena()

    def client(self, service: str) -> Any:
        """Give a client that checks no parameters, retries nothing, and keeps the last answer as it came."""
        if service not in self._clients:
            config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
            made = self._clients[service] = self.aws.client(service, config=config)
            made.meta.events.register("before-parse.*.*", self._keep)
        return self._clients[service]

    def ask(self, service: str, operation: str, asked: Asked) -> Asked:
        """Call an operation."""
        answer: Asked = getattr(self.client(service), xform_name(operation))(**asked)
        return answer

    def problems(self) -> list[str]:
        """Say what is wrong with the last answer."""
        assert self.last is not None
        return answer_problems(*self.last)

    def name(self, kind: str = "case") -> str:
        """Give a name that nothing has."""
        return f"{kind}-{next(self._counter)}"

    def version(self) -> str:
        """Register a version and give its ARN."""
        arn: str = self.sagemaker.create_model_package(**version())["ModelPackageArn"]
        return arn

    def artifact(self, **more: Any) -> str:
        """Create an artifact and give its ARN."""
        source = {"SourceUri": f"s3://{MODELS}/{self.name()}"}
        arn: str = self.sagemaker.create_artifact(Source=source, ArtifactType="DataSet", **more)["ArtifactArn"]
        return arn

    def trained(self) -> str:
        """Run a training job to its end and give its name."""
        name = self.name("training")
        self.sagemaker.create_training_job(**self.shop.training(name, "pass\n"))
        self.shop.ended(name)
        return name

    def _keep(self, operation_model: OperationModel, response_dict: Asked, **_: Any) -> None:
        headers = {name.lower(): value for name, value in response_dict["headers"].items()}
        self.last = (operation_model, headers, response_dict["body"])

    def _registry(self) -> None:
        self.s3.put_object(Bucket=MODELS, Key=MODEL.partition(f"{MODELS}/")[2], Body=b"model")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        self.version()

    def _serving(self) -> None:
        self.watch.sagemaker.create_monitoring_schedule(**schedule())
        self.watch.capture([(2.0, 1.0)])
        self.watch.to_the_next_hour()
        self.watch.last()
        stage = self.watch.stage
        stage.model("double", serving(DOUBLE))
        output = {"S3OutputPath": f"s3://{MODELS}/answers/"}
        stage.config("later", variant("double"), AsyncInferenceConfig={"OutputConfig": output})
        stage.endpoint("later", "later")
        stage.config("spare", variant("double"))
        self.s3.put_object(Bucket=MODELS, Key="in/rows.csv", Body=b"1\n2\n")

    def _lineage(self) -> None:
        source = {"SourceUri": "s3://flights"}
        self.sagemaker.create_action(ActionName="train", ActionType="Training", Source=source)
        self.sagemaker.create_context(ContextName="serve", ContextType="Endpoint", Source=source)
        self.edge = (self.artifact(ArtifactName="raw"), self.artifact(ArtifactName="features"))
        self.sagemaker.add_association(SourceArn=self.edge[0], DestinationArn=self.edge[1])

    def _athena(self) -> None:
        athena = self.aws.client("athena")
        self.s3.create_bucket(Bucket="bucket")
        self.aws.client("glue").create_database(DatabaseInput={"Name": "shelf"})
        output = {"OutputLocation": "s3://bucket/results"}
        sql = "SELECT 1 AS one, 'a' AS letter, 1.5 AS half"
        self.query = athena.start_query_execution(QueryString=sql, ResultConfiguration=output)["QueryExecutionId"]
        eventually(
            lambda: athena.get_query_execution(QueryExecutionId=self.query)["QueryExecution"]["Status"]["State"],
            lambda state: state == "SUCCEEDED",
        )


@dataclass(frozen=True)
class Case:
    """How an operation is played.

    :param asked: gives the parameters of a call that works; it may prepare what the call needs
    :param absent: parameters that name what is not there, and the code of the answer; or why there is no such call
    :param twice: the code when the working call comes a second time, ``same`` when it gives the same answer, or
        ``other`` when it does its work once more
    :param refused: the code of the answer, for an operation that stands only to be refused
    """

    operation: str
    asked: Callable[[World], Asked]
    absent: tuple[Asked, str] | str
    twice: str | None = None
    refused: str | None = None
    service: str = "sagemaker"


def always(**asked: Any) -> Callable[[World], Asked]:
    """Give the same parameters in every world."""
    return lambda world: dict(asked)
