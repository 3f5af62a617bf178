"""Input files as the requests of a batch transform, and the model's answers as output files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.rules import cannot, invalid
from festaf.local_aws.jobs.selection import Selection, SelectionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MEGABYTE = 1024**2
_CSV = "text/csv"
_JSON = ("application/json", "application/jsonlines")
DEFAULT_PAYLOAD_MB = 6


class BadInputError(Exception):
    """A file, or what the model made of it, cannot be worked with; the job goes on with other files."""


@dataclass(frozen=True)
class Payload:
    """One request to the model."""

    body: bytes
    records: Sequence[bytes]
    """The records as they stand in the file, before the input filter."""


class Shaper:
    """Splits, filters, joins and assembles as one transform job's request says.

    :raises ApiError: ValidationException, when the request makes no sense, or the local AWS cannot follow it
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        source, output = request["TransformInput"], request["TransformOutput"]
        processing = request.get("DataProcessing", {})
        self._lines = source.get("SplitType", "None") == "Line"
        self._gzip = source.get("CompressionType", "None") == "Gzip"
        self._single = request.get("BatchStrategy", "MultiRecord") == "SingleRecord"
        self._assemble = output.get("AssembleWith", "None") == "Line"
        self._limit = request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB) * _MEGABYTE
        self._join = processing.get("JoinSource", "None") == "Input"
        self._into = Selection(processing.get("InputFilter", "$"))
        self._out_of = Selection(processing.get("OutputFilter", "$"))
        self._kind = source.get("ContentType", "")
        self._shapes = self._join or not self._into.whole or not self._out_of.whole
        if source.get("SplitType", "None") not in ("None", "Line"):
            raise cannot(f"split by {source['SplitType']}, only by Line and None")
        if self._shapes:
            self._check(source, output)

    def payloads(self, content: bytes) -> Iterator[Payload]:
        """Split a file into requests.

        :raises BadInputError: a record is too large, or is none
        """
        records: list[bytes] = []
        bodies: list[bytes] = []
        size = 0
        for record in self._records(content):
            body = self._filtered(record)
            if self._limit and len(body) > self._limit:
                raise BadInputError(f"a record of {len(body)} bytes is larger than MaxPayloadInMB")
            full = self._limit and size + len(body) + 1 > self._limit
            if records and (full or self._single):
                yield Payload(b"\n".join(bodies), records)
                records, bodies, size = [], [], 0
            records.append(record)
            bodies.append(body)
            size += len(body) + 1
        if records:
            yield Payload(b"\n".join(bodies), records)

    def assembled(self, payload: Payload, answer: bytes) -> bytes:
        """Give what stands in the output file for one request.

        :raises BadInputError: the answer does not fit the records
        """
        if self._shapes:
            given = answer.splitlines() if self._lines else [answer]
            given = [one for one in given if one.strip()]
            if len(given) != len(payload.records):
                raise BadInputError(
                    f"mismatched line count between the input and the output: {len(payload.records)} and {len(given)}"
                )
            pairs = zip(payload.records, given, strict=True)
            answer = b"\n".join(self._shaped(record, one) for record, one in pairs)
        if self._assemble and not answer.endswith(b"\n"):
            answer += b"\n"
        return answer

    def _check(self, source: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        if self._kind not in (_CSV, *_JSON) or output.get("Accept") != self._kind:
            raise invalid(
                "With DataProcessing, ContentType and Accept must both be one of text/csv, application/json and "
                "application/jsonlines."
            )
        if self._lines != self._assemble:
            raise invalid("With DataProcessing, SplitType and AssembleWith must be the same.")
        if not self._lines and self._kind != "application/json":
            raise invalid(f"With DataProcessing, SplitType and AssembleWith must be Line for {self._kind}.")

    def _records(self, content: bytes) -> Iterator[bytes]:
        if self._gzip:
            try:
                content = gzip.decompress(content)
            except (OSError, EOFError, zlib.error) as problem:
                raise BadInputError(f"it is not compressed by Gzip: {problem}") from None
        if not self._lines:
            yield content
            return
        for line in content.split(b"\n"):
            if line.strip():
                yield line.rstrip(b"\r")

    def _filtered(self, record: bytes) -> bytes:
        return record if self._into.whole else self._written(self._selected(self._into, self._read(record)))

    def _shaped(self, record: bytes, answer: bytes) -> bytes:
        value = self._read(answer)
        if self._join:
            value = self._joined(self._read(record), value)
        return self._written(self._selected(self._out_of, value))

    def _joined(self, record: Any, answer: Any) -> Any:
        if self._kind == _CSV:
            return [*record, *answer]
        if isinstance(record, dict):
            return {**record, "SageMakerOutput": answer}
        return {"SageMakerInput": record, "SageMakerOutput": answer}

    def _selected(self, selection: Selection, value: Any) -> Any:
        try:
            return selection.of(value)
        except SelectionError as problem:
            raise BadInputError(str(problem)) from None

    def _read(self, record: bytes) -> Any:
        try:
            text = record.decode()
            return next(csv.reader([text])) if self._kind == _CSV else json.loads(text)
        except (ValueError, csv.Error, StopIteration) as problem:
            raise BadInputError(f"{record[:80]!r} is no {self._kind}: {problem}") from None

    def _written(self, value: Any) -> bytes:
        if self._kind != _CSV:
            return json.dumps(value, ensure_ascii=False).encode()
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return written.getvalue().encode()
