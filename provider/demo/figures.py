"""The row counts of the demo and whether they agree, and how good its model is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from festaf.contract.feature_set import FeatureWrite
from festaf.provider.demo.errors import RunError


@dataclass(frozen=True)
class Figures:
    """What went into a feature set, and what can be read from it."""

    feature_set: str
    read: int
    accepted: int
    rejected: int
    offline: int
    """Rows that SQL sees in the offline store."""
    identifiers: int
    """Different record identifiers among them."""
    online: int
    """Records in the online store, which holds the newest of each identifier."""

    @classmethod
    def of(cls, write: dict[str, Any], seen: dict[str, int]) -> Figures:
        """Put together what the ingest task returned and what ``count_rows`` saw."""
        facts = FeatureWrite.model_validate(write)
        return cls(
            feature_set=facts.feature_set,
            read=facts.rows_read or 0,
            accepted=facts.rows_accepted or 0,
            rejected=facts.rows_rejected,
            offline=seen["offline"],
            identifiers=seen["identifiers"],
            online=seen["online"],
        )

    def check(self) -> None:
        """Make sure that nothing was lost and nothing doubled.

        :raises RunError: two counts that must agree do not
        """
        for names, left, right in (
            ("rows read and rows accepted or rejected", self.read, self.accepted + self.rejected),
            ("rows accepted and rows visible offline", self.accepted, self.offline),
            ("identifiers offline and records online", self.identifiers, self.online),
        ):
            if left != right:
                raise RunError(f"{self.feature_set}: {names} do not agree: {left:,} and {right:,}")


@dataclass(frozen=True)
class Served:
    """The model that the demo trained, and what its endpoint answered."""

    endpoint: str
    model: str
    """As ``group:version``."""
    log_loss: float
    """On flights from October on, which it had not seen; smaller is better."""
    naive_log_loss: float
    """The same of the share of late flights by carrier and hour, of the flights that it had seen."""
    auc: float
    naive_auc: float
    answered_auc: float
    """Of what the endpoint answered for some flights of December."""

    @classmethod
    def of(cls, deployed: dict[str, Any], registered: dict[str, Any], judged: dict[str, float]) -> Served:
        """Put together what the tasks ``deploy``, ``register`` and ``judge`` returned."""
        metrics = registered["metrics"]
        return cls(
            endpoint=deployed["endpoint"],
            model=f"{registered['model']}:{registered['version']}",
            log_loss=metrics["test_log_loss"],
            naive_log_loss=metrics["naive_log_loss"],
            auc=metrics["test_auc"],
            naive_auc=metrics["naive_auc"],
            answered_auc=judged["auc"],
        )
