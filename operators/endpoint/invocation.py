"""Ask an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.operators.endpoint.task import EndpointTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from festaf.provider.hooks.endpoint import Answer

MOST_BYTES = 48_000
"""What an answer may have to go to XCom; Airflow's database is no place for more."""


class InvokeEndpointOperator(EndpointTask):
    """Send a payload to an endpoint and give its answer.

    Throttling, 503 and a model that is not ready yet are tried again until the deadline, so that a request may be
    sent twice. A model that answers with an error fails the task with the model's own message.

    :param payload: text as it is, anything else as JSON, an ``s3://`` URI as that object's content (templated)
    :param content_type: its type; None is ``text/csv`` for text and ``application/json`` for the rest (templated)
    :param accept: the type that is asked for (templated)
    :param variant: the variant that is asked; None goes by the weights (templated)
    :param inference_id: identifies the request in captured data (templated)
    :param asynchronous: whether the endpoint is an asynchronous one
    :param wait_for_completion: whether to wait for the answer of an asynchronous endpoint
    :param output_s3_uri: object in S3 that the answer is written to, instead of XCom (templated)
    :param max_xcom_bytes: how large an answer may be to go to XCom
    :param settings: further fields of the request in AWS's spelling, such as TargetModel or CustomAttributes
        (templated)
    :param timeout: seconds until the task gives up
    :return: ``content`` (JSON read, or text; None when it lies in S3), ``content_type``, ``variant``, ``bytes``,
        ``s3_uri``
    """

    template_fields: Sequence[str] = (
        *EndpointTask.template_fields,
        "payload",
        "content_type",
        "accept",
        "variant",
        "inference_id",
        "output_s3_uri",
        "settings",
    )

    def __init__(
        self,
        *,
        payload: Any,
        content_type: str | None = None,
        accept: str | None = None,
        variant: str | None = None,
        inference_id: str | None = None,
        asynchronous: bool = False,
        wait_for_completion: bool = True,
        output_s3_uri: str | None = None,
        max_xcom_bytes: int = MOST_BYTES,
        settings: dict[str, Any] | None = None,
        timeout: float = 600,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.payload = payload
        self.content_type = content_type
        self.accept = accept
        self.variant = variant
        self.inference_id = inference_id
        self.asynchronous = asynchronous
        self.wait_for_completion = wait_for_completion
        self.output_s3_uri = output_s3_uri
        self.max_xcom_bytes = max_xcom_bytes
        self.settings = settings

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask, and give the answer or where it lies."""
        from festaf.provider.endpoints.given import without_none
        from festaf.provider.endpoints.invocation import Invocation, Payload
        from festaf.provider.hooks.endpoint import s3_parts

        if self.output_s3_uri:
            s3_parts(self.output_s3_uri)
        said = {"Accept": self.accept, "TargetVariant": self.variant, "InferenceId": self.inference_id}
        settings = {key: value for key, value in without_none(said).items() if value} | (self.settings or {})
        payload = Payload(self.payload, self.content_type or None)
        invocation = Invocation(self.hook, self.endpoint, payload, self.patience(), settings)
        if not self.asynchronous:
            return self._result(invocation.now(), None)
        promised = invocation.later()
        self.log.info("Endpoint %s will put its answer to %s", self.endpoint, promised.output_s3_uri)
        if not self.wait_for_completion:
            return {"content": None, "content_type": None, "variant": None, "bytes": None} | {
                "s3_uri": promised.output_s3_uri,
                "failure_s3_uri": promised.failure_s3_uri,
            }
        return self._result(invocation.wait(promised), promised.output_s3_uri)

    def _result(self, answer: Answer, s3_uri: str | None) -> dict[str, Any]:
        from festaf.provider.errors import InputError

        size = len(answer.body)
        if self.output_s3_uri:
            s3_uri = self.output_s3_uri
            self.patience().persist(lambda: self.hook.write_object(str(s3_uri), answer.body, answer.content_type))
        elif size > self.max_xcom_bytes and s3_uri is None:
            raise InputError(
                f"Endpoint {self.endpoint} answered with {size:,} bytes, more than the {self.max_xcom_bytes:,} that go "
                "to XCom: give output_s3_uri"
            )
        self.log.info("Endpoint %s answered with %s bytes", self.endpoint, f"{size:,}")
        return {
            "content": None if self.output_s3_uri or size > self.max_xcom_bytes else _content(answer),
            "content_type": answer.content_type,
            "variant": answer.variant,
            "bytes": size,
            "s3_uri": s3_uri,
        }


def _content(answer: Answer) -> Any:
    """Read JSON where the answer says that it is some, else text.

    :raises InputError: it is neither
    """
    import json

    from festaf.provider.errors import InputError

    try:
        text = answer.body.decode()
    except UnicodeDecodeError:
        raise InputError("The answer is no text, so XCom cannot hold it: give output_s3_uri") from None
    if "json" in (answer.content_type or "json"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
