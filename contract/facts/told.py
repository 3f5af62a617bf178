"""What one fact tells: the dataset that it is about, what is said of it, and what it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from festaf.contract.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.contract.facets import Facet
    from festaf.contract.names import DatasetName

Fact = TypeVar("Fact", bound=Model)


@dataclass(frozen=True)
class Worker:
    """What only the process that ran the task knows of the code it ran."""

    logic_sha256: str | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None


@dataclass(frozen=True)
class Told:
    """A fact in OpenLineage's words."""

    dataset: DatasetName
    facets: dict[str, Facet] = field(default_factory=dict)
    output_facets: dict[str, Facet] = field(default_factory=dict)
    """What holds for this run's output only, such as its row count."""
    inputs: tuple[str, ...] = ()
    """URIs of what the task read for it."""

    def joined_by(self, later: Told) -> Told:
        """Add what another fact says of the same dataset; where both speak, it stands."""
        return Told(
            self.dataset,
            self.facets | later.facets,
            self.output_facets | later.output_facets,
            (*self.inputs, *later.inputs),
        )


@dataclass(frozen=True)
class FactKind(Generic[Fact]):
    """How a kind of fact is read and told.

    :param tell: makes the words; what the task says of the code that ran is not trusted, what the worker knows is
    """

    model: type[Fact]
    tell: Callable[[Fact, Worker], Told]

    def read(self, content: object, worker: Worker) -> Told:
        """Check what a task attached, and put it into words.

        :raises pydantic.ValidationError: it is not of this kind
        """
        return self.tell(self.model.model_validate(content), worker)
