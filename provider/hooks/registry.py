"""The registry by its Airflow connection, for DAGs that ask where a feature comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from festaf.provider.lineage.settings import DEFAULT_CONNECTION, Endpoint, endpoint_of, load_settings

if TYPE_CHECKING:
    from festaf.client.dag_packages import DagPackageClient
    from festaf.client.registry import RegistryClient


class RegistryHook(BaseHook):
    """Open the registry that a connection of type ``festaf`` names.

    :param registry_conn_id: the connection: its host is the registry's URL, its password the token; where the default
        one is not defined, the registry of ``[festaf]`` in Airflow's configuration is opened
    """

    conn_name_attr = "registry_conn_id"
    default_conn_name = DEFAULT_CONNECTION
    conn_type = "festaf"
    hook_name = "festaf registry"

    def __init__(self, registry_conn_id: str = DEFAULT_CONNECTION) -> None:
        super().__init__()
        self.registry_conn_id = registry_conn_id

    def get_conn(self) -> RegistryClient:
        """Make a client; close it after use.

        :raises ValueError: the connection names no registry
        """
        from festaf.client.registry import RegistryClient

        endpoint = self._endpoint()
        return RegistryClient(endpoint.url, endpoint.token)

    def get_packages(self) -> DagPackageClient:
        """Make a client for DAG packages; close it after use.

        :raises ValueError: the connection names no registry
        """
        from festaf.client.dag_packages import DagPackageClient

        endpoint = self._endpoint()
        return DagPackageClient(endpoint.url, endpoint.token)

    def _endpoint(self) -> Endpoint:
        try:
            return endpoint_of(self.get_connection(self.registry_conn_id))
        except AirflowNotFoundException:
            settings = load_settings()
            if self.registry_conn_id != DEFAULT_CONNECTION or not (settings.registry_url or settings.registry_conn_id):
                raise
            return settings.endpoint()

    def test_connection(self) -> tuple[bool, str]:
        """Ask the registry whether it is ready, for the button in Airflow's connection form."""
        try:
            with self.get_conn() as registry:
                if registry.ready():
                    return True, f"The registry at {registry.url} is ready"
                return False, f"The registry at {registry.url} is not ready"
        except ValueError as error:
            return False, str(error)
