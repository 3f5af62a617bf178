"""A backend that is declared and not made: every question says what would be needed to answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NoReturn

from festaf.provider.errors import BackendNotImplementedError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Need:
    """What would answer one question."""

    service: str
    calls: str


class DeclaredBackend:
    """Raises for every question; a subclass says what it would take."""

    cloud: ClassVar[str]
    library: ClassVar[str]
    connection: ClassVar[str]
    needs: ClassVar[Mapping[str, Need]]

    def feature_sets(self, name_contains: str | None) -> NoReturn:
        """Say what listing feature sets would take."""
        self._refuse("feature_sets")

    def feature_set(self, name: str) -> NoReturn:
        """Say what describing a feature set would take."""
        self._refuse("feature_set")

    def models(self, name_contains: str | None) -> NoReturn:
        """Say what listing models would take."""
        self._refuse("models")

    def model(self, name: str, version: int | str | None) -> NoReturn:
        """Say what describing a model would take."""
        self._refuse("model")

    def endpoints(self, name_contains: str | None) -> NoReturn:
        """Say what listing endpoints would take."""
        self._refuse("endpoints")

    def endpoint(self, name: str) -> NoReturn:
        """Say what describing an endpoint would take."""
        self._refuse("endpoint")

    def _refuse(self, question: str) -> NoReturn:
        need = self.needs[question]
        raise BackendNotImplementedError(
            f"Meta.{question}() is not implemented for {self.cloud}: it would need {need.service}, asked by "
            f"{self.library} ({need.calls}) with {self.connection}",
            cloud=self.cloud,
            question=question,
        )
