"""Which operation of which service a request is for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from festaf.local_aws.protocol.operation import Operation
from festaf.local_aws.protocol.parsing import Parsers
from festaf.local_aws.protocol.serializing import Serializers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from botocore.model import ServiceModel

    from festaf.local_aws.protocol.message import Request

DEFAULT_REGION = "us-east-1"

_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
_QUERY_SCOPE = re.compile(r"X-Amz-Credential=[^&]*?/\d{8}/([^/&]+)/([^/&]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the signature says that the request is for."""

    region: str = DEFAULT_REGION
    service: str | None = None
    """The signing name, such as ``sagemaker``; None when the request is not signed."""


def scope_of(request: Request) -> Scope:
    """Read region and service from the signature; nothing is verified."""
    if (signature := request.headers.get(b"authorization")) and (found := _SCOPE.search(signature.decode("latin-1"))):
        return Scope(found[1], found[2])
    if "X-Amz-Credential" in request.query and (found := _QUERY_SCOPE.search(unquote(request.query))):
        return Scope(found[1], found[2])
    return Scope()


@dataclass(frozen=True, slots=True)
class Route:
    """An operation and what the path said."""

    operation: Operation
    labels: Mapping[str, str] = field(default_factory=dict)


class Router:
    """Finds the operation of a request among the services that are mounted."""

    def __init__(self) -> None:
        self._targets: dict[str, Route] = {}
        self._paths: dict[str, dict[tuple[str, int], list[_Path]]] = {}

    def add(self, model: ServiceModel, operations: Iterable[str]) -> list[Operation]:
        """Mount these operations of a service model."""
        parsers, serializers = Parsers(), Serializers()
        made = []
        for name in operations:
            operation = Operation(model.operation_model(name), parsers, serializers)
            made.append(operation)
            if operation.dialect == "json":
                self._targets[f"{model.metadata['targetPrefix']}.{name}"] = Route(operation)
            else:
                path = _Path(model.operation_model(name).http["requestUri"], operation)
                method = model.operation_model(name).http["method"]
                known = self._paths.setdefault(model.signing_name, {})
                known.setdefault((method, len(path.parts)), []).append(path)
        return made

    def find(self, request: Request, scope: Scope) -> Route | None:
        """Give the operation, or None when no mounted service has it."""
        if target := request.headers.get(b"x-amz-target"):
            return self._targets.get(target.decode("latin-1"))
        if scope.service is None or (paths := self._paths.get(scope.service)) is None:
            return None
        parts = request.path.strip("/").split("/")
        for path in paths.get((request.method, len(parts)), ()):
            if (labels := path.match(parts)) is not None:
                return Route(path.operation, labels)
        return None


class _Path:
    """A path of the model such as ``/FeatureGroup/{FeatureGroupName}/Record``."""

    def __init__(self, uri: str, operation: Operation) -> None:
        self.parts = uri.partition("?")[0].strip("/").split("/")
        self.operation = operation
        self._fixed = [(place, part) for place, part in enumerate(self.parts) if not part.startswith("{")]
        self._labels = [(place, part[1:-1]) for place, part in enumerate(self.parts) if part.startswith("{")]

    def match(self, parts: list[str]) -> dict[str, str] | None:
        for place, part in self._fixed:
            if parts[place] != part:
                return None
        return {name: parts[place] for place, name in self._labels}
