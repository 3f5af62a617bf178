"""What a transform job does: serve the model, ask it for every file, deliver its answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from festaf.local_aws.jobs.channels import fetch, keys_of, put, split_prefix
from festaf.local_aws.jobs.failure import JobFailedError
from festaf.local_aws.jobs.transform_data import BadInputError, Shaper
from festaf.local_aws.models import load
from festaf.local_aws.objects import Objects
from festaf.local_aws.serving import Pipeline, WorkerError, WorkerGoneError, WorkerTimeoutError

if TYPE_CHECKING:
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.jobs.run import Run
    from festaf.local_aws.jobs.transform_data import Payload
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import Settings

INVOCATION_SECONDS = 600
RETRIES = 3


class _BadAnswerError(Exception):
    """The model did not answer a request; ``reason`` begins as a FailureReason does."""

    def __init__(self, blame: str, what: str) -> None:
        super().__init__(what)
        self.blame = blame
        self.what = what


class TransformWork:
    """The work of one transform job.

    :param model: the model as it was when the job was created
    """

    def __init__(self, cloud: Cloud, job: Resource, settings: Settings, model: Resource) -> None:
        self.start_seconds = settings.job_start_seconds
        self.end_seconds = settings.job_end_seconds
        self._cloud = cloud
        self._job = job
        self._request = job.request
        self._model = model
        self._objects = Objects(cloud, job.region)
        self._shaper = Shaper(job.request)
        client = self._request.get("ModelClientConfig", {})
        self._timeout = client.get("InvocationsTimeoutInSeconds", INVOCATION_SECONDS)
        self._retries = client.get("InvocationsMaxRetries", RETRIES)

    def begin(self, run: Run) -> None:
        """Wait as for machines."""
        run.wait_until(self._job.created + self.start_seconds)
        if self._job.facts["ordered"]:
            raise JobFailedError(self._job.facts["ordered"])

    def perform(self, run: Run) -> None:
        """Serve, ask, deliver."""
        run.course.enter("Downloading", started=run.course.now())
        pipeline = self._serve(run)
        run.course.enter("Training")
        try:
            failures = self._transform(run, pipeline)
        finally:
            pipeline.stop()
        if failures:
            raise failures[0]

    def salvage(self, run: Run) -> None:
        """Deliver nothing more: the files that were answered are there."""

    def _serve(self, run: Run) -> Pipeline:
        given = self._request.get("Environment", {})
        try:
            containers = load(self._cloud, self._job.region, self._model)
            pipeline = Pipeline.spawn(
                [replace(one, environment={**one.environment, **given}) for one in containers],
            )
        except WorkerError as problem:
            raise JobFailedError(f"ClientError: {problem.reason}") from None
        try:
            run.interrupt = pipeline.stop
            run.check()
            pipeline.wait_until_healthy()
        except WorkerError as problem:
            run.check()
            self._say_log(run, pipeline)
            pipeline.stop()
            raise JobFailedError(
                f"AlgorithmError: The model's container {problem.container} did not pass the ping health check: "
                f"{problem.reason}"
            ) from None
        except BaseException:
            pipeline.stop()
            raise
        return pipeline

    def _transform(self, run: Run, pipeline: Pipeline) -> list[JobFailedError]:
        """Work on every file, also after one that cannot be, and give why those could not."""
        source = self._request["TransformInput"]["DataSource"]["S3DataSource"]
        bucket, prefix = split_prefix(self._request["TransformOutput"]["S3OutputPath"])
        failures = []
        for its_bucket, key, name in keys_of(self._objects, source["S3Uri"], source["S3DataType"]):
            content = fetch(self._objects, its_bucket, key)
            where = f"s3://{its_bucket}/{key}"
            try:
                output = b"".join(
                    self._shaper.assembled(one, self._ask(run, pipeline, one)) for one in self._shaper.payloads(content)
                )
            except BadInputError as problem:
                run.say(f"{where}: {problem}")
                failures.append(JobFailedError(f"ClientError: See job logs for more information. {where}: {problem}"))
            except _BadAnswerError as problem:
                run.say(f"{where}: {problem.what}")
                failures.append(
                    JobFailedError(f"{problem.blame}: See job logs for more information. {where}: {problem.what}")
                )
            else:
                put(self._objects, bucket, f"{prefix.rstrip('/')}/{name}.out".lstrip("/"), output)
        self._say_log(run, pipeline)
        return failures

    def _ask(self, run: Run, pipeline: Pipeline, payload: Payload) -> bytes:
        problem = _BadAnswerError("InternalServerError", "The model was not asked")
        kind = self._request["TransformInput"].get("ContentType")
        accept = self._request["TransformOutput"].get("Accept")
        for _ in range(self._retries + 1):
            run.check()
            try:
                _, answered = pipeline.invoke(payload.body, kind, accept, timeout=self._timeout)
            except WorkerTimeoutError:
                problem = _BadAnswerError("AlgorithmError", f"The model did not answer within {self._timeout} seconds")
            except WorkerGoneError:
                run.check()
                raise _BadAnswerError("AlgorithmError", "The model's container ended while it was asked") from None
            else:
                if answered.status < 300:
                    return answered.body
                said = answered.body[:300].decode(errors="replace")
                what = f"Bad HTTP status received from algorithm: {answered.status}, {said}"
                if answered.status < 500:
                    raise _BadAnswerError("ClientError", what)
                problem = _BadAnswerError("AlgorithmError", what)
        raise problem

    def _say_log(self, run: Run, pipeline: Pipeline) -> None:
        for line in pipeline.log().splitlines():
            run.say(line)
