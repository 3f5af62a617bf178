"""What an author declared of a task's lineage, and how it gets into the task's asset events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from festaf.provider.assets import feature_set_asset

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Asset, Context

    from festaf.contract.feature_set import FeatureDeclaration


@dataclass(frozen=True)
class Produced:
    """A feature set that a task writes, and what is declared of its features."""

    project: str
    feature_set: str
    features: tuple[FeatureDeclaration, ...] = ()
    source: str | None = None

    @property
    def asset(self) -> Asset:
        """Name it as an asset."""
        return feature_set_asset(self.feature_set, self.project)


@dataclass(frozen=True)
class Declared:
    """Everything that was declared of one task."""

    produced: tuple[Produced, ...] = ()
    assets: tuple[Asset, ...] = ()
    """Assets that the task reads, and that Airflow may know of."""
    uris: tuple[str, ...] = ()
    """What else it reads. As assets these would make Airflow load every provider while it parses the DAG file."""

    @property
    def consumed(self) -> tuple[str, ...]:
        """Give the URIs of everything that the task reads."""
        return tuple(dict.fromkeys((*(str(asset.uri) for asset in self.assets), *self.uris)))

    def holds(self, other: Declared) -> bool:
        """Tell whether the other declaration is a part of this one."""
        return all(item in self.produced for item in other.produced) and set(other.consumed) <= set(self.consumed)

    def and_also(self, other: Declared) -> Declared:
        """Put two declarations of one task together.

        :raises ValueError: both speak of the same feature set
        """
        names = {(item.project, item.feature_set) for item in self.produced}
        for item in other.produced:
            if (item.project, item.feature_set) in names:
                raise ValueError(f"the feature set {item.project}/{item.feature_set} is declared twice for one task")
        return Declared(
            (*self.produced, *other.produced),
            (*self.assets, *(asset for asset in other.assets if asset not in self.assets)),
            tuple(dict.fromkeys((*self.uris, *other.uris))),
        )


@dataclass(frozen=True, repr=False)
class Announcing:
    """A task's ``post_execute`` hook that attaches to its asset events what was declared.

    It runs after the user's code and before Airflow records the success, so what the code counted stays, and what was
    declared is stored in the same transaction.
    """

    declared: Declared
    after: Callable[..., Any] | None = None
    """The hook that the author had given the task."""

    def __repr__(self) -> str:
        """Say the same in every process: Airflow stores this text in the serialised DAG."""
        names = [f"{item.project}/{item.feature_set}" for item in self.declared.produced]
        return f"<lineage of {', '.join(names) or ', '.join(self.declared.consumed)}>"

    def __call__(self, context: Context, result: Any = None) -> Any:
        """Attach what was declared, then do what the author's own hook does."""
        for produced in self.declared.produced:
            _attach(context, produced, self.declared.consumed)
        return self.after(context, result) if self.after else None

    def and_also(self, declared: Declared) -> Announcing:
        """Add what another declaration says of the same task."""
        return replace(self, declared=self.declared.and_also(declared))


def declared_of(task: Any) -> Declared:
    """Give what was declared of a task; nothing for a task of which nobody declared anything."""
    hook = getattr(task, "_post_execute_hook", None)
    return hook.declared if isinstance(hook, Announcing) else Declared()


def _attach(context: Context, produced: Produced, consumed: tuple[str, ...]) -> None:
    """Complete what the task itself said of its write; say that it wrote when it said nothing."""
    from festaf.contract.feature_set import EXTRA_KEY, FeatureWrite

    own = FeatureWrite(
        project=produced.project,
        feature_set=produced.feature_set,
        source=produced.source,
        inputs=consumed,
        features=produced.features,
    ).model_dump(mode="json")
    extra = context["outlet_events"][produced.asset].extra
    said = extra.get(EXTRA_KEY)
    if not isinstance(said, dict):
        extra[EXTRA_KEY] = own
    elif said.get("kind", "write") == "write":
        extra[EXTRA_KEY] = {**own, **{key: value for key, value in said.items() if value not in (None, [], {})}}
