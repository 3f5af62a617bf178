"""What the registry says of versions since they were imported: one conditional request serves all bundles of a process.

A registry that does not answer changes nothing: what was known stays known, and the log says so once.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from festaf.client.errors import RegistryError
from festaf.provider.dag_packages.errors import PackageError
from festaf.provider.dag_packages.settings import open_registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.client.dag_packages import DagPackageClient
    from festaf.contract.dag_package import PackageChange

PATIENCE = 5.0
"""Seconds to wait for the registry: the DAG processor does nothing else meanwhile."""
SECONDS = 30.0
"""How long an answer is believed. Bundles are refreshed one after the other, and all of them share one answer."""
Named = tuple[str, str, str]
log = logging.getLogger(__name__)


def _open(registry: str) -> DagPackageClient:
    return open_registry(registry, patience=PATIENCE)


@dataclass
class News:
    """What one registry said.

    :param registry: its URL
    """

    registry: str
    opened: Callable[[str], DagPackageClient] = _open
    clock: Callable[[], float] = time.monotonic
    sequence: int = 0
    _etag: str | None = None
    _asked: float | None = None
    _silent: bool = False
    _changes: dict[Named, PackageChange] = field(default_factory=dict)
    _held: Lock = field(default_factory=Lock)

    def of(self, namespace: str, name: str, version: str) -> PackageChange | None:
        """Give the last that is known to have happened to a version; None when nothing did."""
        with self._held:
            now = self.clock()
            if self._asked is None or now - self._asked >= SECONDS:
                self._asked = now
                self._ask()
            return self._changes.get((namespace, name, version))

    def _ask(self) -> None:
        try:
            with self.opened(self.registry) as client:
                while (answer := client.changes(self.sequence, self._etag)) is not None:
                    self._changes.update({(c.namespace, c.name, c.version): c for c in answer.changes.changes})
                    self.sequence, self._etag = answer.changes.sequence, answer.etag
                    if not answer.changes.more:
                        break
        except (RegistryError, PackageError) as error:
            if not self._silent:
                log.warning("Whether imported DAG packages were yanked or quarantined is not known now: %s", error)
            self._silent = True
        else:
            self._silent = False


_boards: dict[str, News] = {}
_making = Lock()


def news_of(registry: str) -> News:
    """Give the process's one board of a registry."""
    with _making:
        return _boards.setdefault(registry, News(registry))
