"""The registry of packages serves the bundles, too."""

from tests.provider.dag_packages.conftest import registry_url, workshop

__all__ = ["registry_url", "workshop"]
