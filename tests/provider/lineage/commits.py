"""A versioned bundle as git's is: a folder that moves from commit to commit in place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.base import BaseDagBundle

try:
    from airflow.dag_processing.bundles.base import BundleVersion
except ImportError:  # Airflow before 3.3 takes the text alone.
    BundleVersion = None  # type: ignore[assignment, misc]


class CommitBundle(BaseDagBundle):
    """Serve the folder ``$COMMITS``; the file ``CURRENT`` names its commit."""

    supports_versioning = True

    @property
    def path(self) -> Path:
        return Path(os.environ["COMMITS"])

    def refresh(self) -> None:
        """Be where the folder is."""

    def get_current_version(self) -> Any:
        commit = (self.path / "CURRENT").read_text()
        return BundleVersion(version=commit, data=None) if BundleVersion else commit
