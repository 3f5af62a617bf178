"""What a training job does: fetch the channels, run the script, deliver the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs import script_mode
from festaf.local_aws.jobs.channels import download, fetch, pack, put, split_prefix, unpack, upload
from festaf.local_aws.jobs.container import Container
from festaf.local_aws.jobs.failure import JobFailedError, JobInterruptedError, JobStoppedError
from festaf.local_aws.jobs.metrics import Metrics
from festaf.local_aws.jobs.rules import instances
from festaf.local_aws.jobs.run import INTERNAL
from festaf.local_aws.jobs.script_mode import CODE, CONFIG, INPUT, MODEL, OUTPUT_DATA
from festaf.local_aws.objects import Objects

if TYPE_CHECKING:
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.jobs.run import Run
    from festaf.local_aws.jobs.script import Order
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import Settings

DAY = 86_400
CHECKPOINTS = "/opt/ml/checkpoints"
NO_SCRIPT = (
    "ClientError: The local AWS runs scripts, not images: it found none for {image}. It runs what the hyperparameters "
    "sagemaker_program and sagemaker_submit_directory (an s3:// tar.gz), or SAGEMAKER_PROGRAM and "
    "SAGEMAKER_SUBMIT_DIRECTORY of the environment, or AlgorithmSpecification.ContainerEntrypoint name."
)


class TrainingWork:
    """The work of one training job."""

    def __init__(self, cloud: Cloud, job: Resource, settings: Settings, faults: Faults) -> None:
        self.start_seconds = settings.job_start_seconds
        self.end_seconds = settings.job_end_seconds
        self._faults = faults
        self._cloud = cloud
        self._job = job
        self._request = job.request
        self._objects = Objects(cloud, job.region)
        self._metrics = Metrics(self._request["AlgorithmSpecification"].get("MetricDefinitions", ()))
        self._containers: list[Container] = []
        self._found: dict[str, list[float]] = {}

    def begin(self, run: Run) -> None:
        """Wait as for machines: Starting, then Pending."""
        run.wait_until(self._within_wait(self._job.created + self.start_seconds / 2))
        run.course.enter("Pending")
        run.wait_until(self._within_wait(self._job.created + self.start_seconds))
        if self._job.created + self.start_seconds > self._latest_wait():
            raise JobStoppedError("MaxWaitTimeExceeded")
        if self._job.facts["ordered"]:
            raise JobFailedError(self._job.facts["ordered"])

    def perform(self, run: Run) -> None:
        """Fetch, train, deliver; and again, when the machines were gone meanwhile."""
        run.disturbed = self._disturbed
        restarts = 0
        while True:
            try:
                self._attempt(run)
                return
            except JobInterruptedError as gone:
                restarts += gone.secondary == "Restarting"
                self._recover(run, gone.secondary, restarts)

    def _attempt(self, run: Run) -> None:
        run.course.enter("Downloading", started=run.course.now())
        hosts = instances(self._request.get("ResourceConfig", {}))
        orders, command = [], ""
        for host in range(1, hosts + 1):
            folder = run.folder if host == 1 else run.folder / f"algo-{host}"
            container = Container(folder, self._job.region, host, hosts)
            self._containers.append(container)
            self._fetch(container, (host - 1, hosts))
            order, command = self._order(container)
            orders.append(order)
        if (self._containers[0].real(CODE) / "requirements.txt").is_file():
            run.say("requirements.txt is not installed: the script runs with what stands beside the local AWS")
        run.check()
        run.course.enter("Training")
        run.on_line = lambda line: self._read(run, line)
        deadline = run.course.now() + self._request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY)
        code = run.execute(orders, min(deadline, self._latest_wait()))
        run.course.note(metrics=self._found)
        if code != 0:
            self._deliver_output()
            raise self._containers[run.failed].failure(code, run.last_lines, *_around(code, command))
        run.course.enter("Uploading")
        self._deliver(run)

    def salvage(self, run: Run) -> None:
        """Deliver what stands in the model's folder, as AWS does for a job that is stopped."""
        run.course.note(metrics=self._found)
        self._deliver(run)

    def _disturbed(self) -> str | None:
        ordered = self._faults.status_of(self._job.kind, self._job.name)
        spot = ordered == "Interrupted" and self._request.get("EnableManagedSpotTraining")
        retried = ordered == "Restarting" and "RetryStrategy" in self._request
        return ordered if spot or retried else None

    def _recover(self, run: Run, secondary: str, restarts: int) -> None:
        """Keep the checkpoints, and wait until there are machines again."""
        self._deliver_checkpoints()
        self._containers.clear()
        run.clear_folder()
        if restarts > self._request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0):
            raise JobFailedError(INTERNAL)
        run.course.enter(secondary)
        while self._disturbed() == secondary:
            run.wait_until(run.course.now())
            if run.course.now() >= self._latest_wait():
                raise JobStoppedError("MaxWaitTimeExceeded")
            run.pause()
        run.course.enter("Starting")
        run.wait_until(self._within_wait(run.course.now() + self.start_seconds))

    def _latest_wait(self) -> float:
        """Give until when a job on spot machines may take, waiting included."""
        condition = self._request.get("StoppingCondition", {})
        if not self._request.get("EnableManagedSpotTraining") or "MaxWaitTimeInSeconds" not in condition:
            return math.inf
        return self._job.created + float(condition["MaxWaitTimeInSeconds"])

    def _within_wait(self, moment: float) -> float:
        return min(moment, self._latest_wait())

    def _fetch(self, container: Container, share: tuple[int, int]) -> None:
        for path in (MODEL, CODE, CONFIG, OUTPUT_DATA, script_mode.INTERMEDIATE, f"{INPUT}/data"):
            container.folder(path)
        for channel in self._request.get("InputDataConfig", ()):
            source = channel["DataSource"]["S3DataSource"]
            folder = container.folder(f"{INPUT}/data/{channel['ChannelName']}")
            sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
            download(self._objects, source["S3Uri"], source["S3DataType"], folder, share if sharded else (0, 1))
        if checkpoints := self._request.get("CheckpointConfig"):
            folder = container.folder(checkpoints.get("LocalPath", CHECKPOINTS))
            bucket, prefix = split_prefix(checkpoints["S3Uri"].rstrip("/") + "/")
            if next(self._objects.under(bucket, prefix), None) is not None:
                download(self._objects, f"s3://{bucket}/{prefix}", "S3Prefix", folder)

    def _order(self, container: Container) -> tuple[Order, str]:
        """Give what is to run, and the command that the toolkit runs, if it is the toolkit that runs it."""
        request = self._request
        specification = request["AlgorithmSpecification"]
        resources = request.get("ResourceConfig", {})
        machines = container.write_resources(f"{CONFIG}/resourceconfig.json", resources.get("InstanceType", ""))
        container.write_json(f"{CONFIG}/hyperparameters.json", request.get("HyperParameters", {}))
        container.write_json(f"{CONFIG}/inputdataconfig.json", script_mode.input_config(request))
        given = {
            "TRAINING_JOB_NAME": self._job.name,
            "TRAINING_JOB_ARN": self._job.arn,
            "SM_MODEL_DIR": container.seen(MODEL),
            **request.get("Environment", {}),
        }
        volume = resources.get("VolumeSizeInGB")
        if entrypoint := specification.get("ContainerEntrypoint"):
            command = [*entrypoint, *specification.get("ContainerArguments", ())]
            program = shown = ""
        else:
            program = self._take_code(container)
            command = script_mode.command(program, script_mode.user_parameters(request.get("HyperParameters", {})))
            shown = " ".join(command)
        given = {**script_mode.environment(container, self._job, program, machines), **given}
        return container.order(command, given, CODE, volume), shown

    def _take_code(self, container: Container) -> str:
        """Put the script's files in place, and give the program's name."""
        parameters = script_mode.decoded(self._request.get("HyperParameters", {}))
        surroundings = self._request.get("Environment", {})
        program = parameters.get("sagemaker_program") or surroundings.get("SAGEMAKER_PROGRAM")
        source = parameters.get("sagemaker_submit_directory") or surroundings.get("SAGEMAKER_SUBMIT_DIRECTORY")
        if not program or not source:
            specification = self._request["AlgorithmSpecification"]
            image = specification.get("TrainingImage") or specification.get("AlgorithmName") or "this job"
            raise JobFailedError(NO_SCRIPT.format(image=image))
        program, source = str(program), str(source)
        if source.startswith("s3://"):
            unpack(fetch(self._objects, *split_prefix(source)), container.real(CODE), source)
        else:
            archive = container.real(source)
            if not archive.is_file():
                raise JobFailedError(f"ClientError: sagemaker_submit_directory {source} is no file of this job")
            unpack(archive.read_bytes(), container.real(CODE), source)
        return program

    def _read(self, run: Run, line: str) -> None:
        for metric in self._metrics.found(line):
            now = run.course.now()
            self._found[metric.name] = [metric.value, now]
            self._cloud.client("cloudwatch", self._job.region).put_metric_data(
                Namespace="/aws/sagemaker/TrainingJobs",
                MetricData=[
                    {
                        "MetricName": metric.name,
                        "Value": metric.value,
                        "Dimensions": [{"Name": "Host", "Value": f"{self._job.name}/algo-1"}],
                    }
                ],
            )

    def _deliver(self, run: Run) -> None:
        if not self._containers:
            return
        folders = [container.folder(MODEL) for container in self._containers]
        location = model_location(self._request, self._job.name)
        if location.endswith("/"):
            for folder in reversed(folders):
                upload(self._objects, folder, location)
        elif (packed := pack(folders)) is not None:
            put(self._objects, *split_prefix(location), packed)
        run.course.note(model=location)
        self._deliver_output()

    def _deliver_output(self) -> None:
        packed = pack([container.folder(OUTPUT_DATA) for container in self._containers])
        if packed is not None:
            location = f"{output_prefix(self._request, self._job.name)}output.tar.gz"
            put(self._objects, *split_prefix(location), packed)
        self._deliver_checkpoints()

    def _deliver_checkpoints(self) -> None:
        if checkpoints := self._request.get("CheckpointConfig"):
            for container in reversed(self._containers):
                upload(self._objects, container.folder(checkpoints.get("LocalPath", CHECKPOINTS)), checkpoints["S3Uri"])


def _around(code: int, command: str) -> tuple[str, str]:
    """Give what stands around a failed script's last words."""
    if not command:
        return "AlgorithmError: ", f", exit code: {code}"
    before = f'AlgorithmError: ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "'
    return before, f'"\nCommand "{command[:400]}", exit code: {code}'


def output_prefix(request: dict[str, Any], name: str) -> str:
    """Give where a training job puts its results."""
    return f"{request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{name}/output/"


def model_location(request: dict[str, Any], name: str) -> str:
    """Give the URI of a training job's model: an archive, or a prefix when nothing is to be packed."""
    packed = request["OutputDataConfig"].get("CompressionType", "GZIP") != "NONE"
    return output_prefix(request, name) + ("model.tar.gz" if packed else "model/")
