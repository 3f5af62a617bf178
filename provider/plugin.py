"""The Airflow plugin: brings the lineage listener when a registry is configured, and nothing otherwise."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowPlugin

from festaf.provider.lineage.settings import is_configured, reads_hooks


class FestafPlugin(AirflowPlugin):
    """Found by Airflow through the entry point group ``airflow.plugins``."""

    name = "festaf"

    @property
    def listeners(self) -> list[object]:  # type: ignore[override] # Airflow makes an instance and reads it: so late
        """Give the listener when a registry is named; a listener is not free, and forbids ``end_from_trigger``."""
        if not is_configured():
            return []
        from festaf.provider.lineage.listener import LineageListener

        return [LineageListener()]

    @property
    def hook_lineage_readers(self) -> list[type]:  # type: ignore[override] # as above
        """Turn Airflow's collector of what hooks do on, when the configuration asks for it."""
        if not (reads_hooks() and is_configured()):
            return []
        from airflow.providers.common.compat.sdk import HookLineageReader

        return [HookLineageReader]
