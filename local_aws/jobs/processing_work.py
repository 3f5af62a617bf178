"""What a processing job does: fetch its inputs, run its command, deliver its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.channels import download, upload
from festaf.local_aws.jobs.container import Container
from festaf.local_aws.jobs.failure import JobFailedError
from festaf.local_aws.monitoring.image import command_of, environment_of
from festaf.local_aws.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.jobs.run import Run
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import Settings

DAY = 86_400
CONFIG = "/opt/ml/config"
HOME = "/opt/ml/processing"
MESSAGE = "/opt/ml/output/message"
_LONGEST_MESSAGE = 1024
NO_SCRIPT = (
    "ClientError: The local AWS runs commands, not images: {image} has an entry point of its own that is not here. It "
    "runs what AppSpecification.ContainerEntrypoint names, such as python3 and a script that an input brings."
)


class ProcessingWork:
    """The work of one processing job."""

    def __init__(self, cloud: Cloud, job: Resource, settings: Settings) -> None:
        self.start_seconds = settings.job_start_seconds
        self.end_seconds = settings.job_end_seconds
        self._job = job
        self._request = job.request
        self._objects = Objects(cloud, job.region)

    def begin(self, run: Run) -> None:
        """Wait as for machines."""
        run.wait_until(self._job.created + self.start_seconds)
        if self._job.facts["ordered"]:
            raise JobFailedError(self._job.facts["ordered"])

    def perform(self, run: Run) -> None:
        """Fetch, run, deliver."""
        run.course.enter("Downloading", started=run.course.now())
        container = Container(run.folder, self._job.region)
        self._prepare(container)
        application = self._request["AppSpecification"]
        image = application["ImageUri"]
        entrypoint = application.get("ContainerEntrypoint") or command_of(image)
        if not entrypoint:
            raise JobFailedError(NO_SCRIPT.format(image=image))
        cluster = self._request["ProcessingResources"]["ClusterConfig"]
        order = container.order(
            [*entrypoint, *application.get("ContainerArguments", ())],
            {"PROCESSING_JOB_ARN": self._job.arn, "PROCESSING_JOB_NAME": self._job.name}
            | environment_of(image)
            | self._request.get("Environment", {}),
            HOME,
            cluster["VolumeSizeInGB"],
        )
        run.check()
        run.course.enter("Training")
        longest = self._request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY)
        code = run.execute([order], run.course.now() + longest)
        run.course.note(message=container.read_text(MESSAGE, _LONGEST_MESSAGE) or None)
        if code != 0:
            raise container.failure(code, run.last_lines, "AlgorithmError: ", f", exit code: {code}")
        run.course.enter("Uploading")
        for one in self._outputs():
            upload(self._objects, container.real(one["LocalPath"]), one["S3Uri"])

    def salvage(self, run: Run) -> None:
        """Deliver nothing: the outputs of a job that is stopped are lost."""

    def _prepare(self, container: Container) -> None:
        container.folder(HOME)
        container.folder("/opt/ml/output")
        instance = self._request["ProcessingResources"]["ClusterConfig"].get("InstanceType", "")
        container.write_resources(f"{CONFIG}/resourceconfig.json", instance)
        container.write_json(f"{CONFIG}/processingjobconfig.json", self._config())
        for one in self._request.get("ProcessingInputs", ()):
            source = one["S3Input"]
            if not one.get("AppManaged"):
                download(self._objects, source["S3Uri"], source["S3DataType"], container.folder(source["LocalPath"]))
        for output in self._outputs():
            container.folder(output["LocalPath"])

    def _outputs(self) -> Iterator[dict[str, Any]]:
        for one in self._request.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            if not one.get("AppManaged"):
                yield one["S3Output"]

    def _config(self) -> dict[str, Any]:
        shown = {name: value for name, value in self._request.items() if name not in ("Tags", "ExperimentConfig")}
        return {"ProcessingJobArn": self._job.arn, **shown}
