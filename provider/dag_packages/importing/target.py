"""The Airflow of this machine, asked for what a package needs."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version


class InstalledTarget:
    """What any process of an Airflow can tell: versions, distributions, the environment, the plugins."""

    def __init__(self) -> None:
        self.airflow = version("apache-airflow-core")
        self.python = platform.python_version()

    def distribution(self, name: str) -> str | None:
        """Give the installed version of a distribution."""
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    def has_plugin(self, name: str) -> bool | None:
        """Tell whether an Airflow plugin is loaded."""
        from airflow.plugins_manager import get_plugin_info

        return any(plugin["name"] == name for plugin in get_plugin_info(["name"]))

    def has_environment(self, name: str) -> bool | None:
        """Tell whether an environment variable is set; other machines may differ."""
        return name in os.environ


class DatabaseTarget(InstalledTarget):
    """An Airflow whose database and secrets backends may be asked: the command line, beside the DAG processor."""

    def has_connection(self, conn_id: str) -> bool | None:
        """Ask the environment, the secrets backends and the database."""
        from airflow.models.connection import Connection
        from airflow.providers.common.compat.sdk import AirflowNotFoundException

        try:
            Connection.get_connection_from_secrets(conn_id)
        except AirflowNotFoundException:
            return False
        return True

    def has_variable(self, key: str) -> bool | None:
        """Ask the environment, the secrets backends and the database."""
        from airflow.models.variable import Variable

        return Variable.get_variable_from_secrets(key) is not None

    def has_pool(self, name: str) -> bool | None:
        """Ask the database."""
        from airflow.models.pool import Pool

        return Pool.get_pool(name) is not None

    def bundle_of(self, dag_id: str) -> str | None:
        """Ask the database which bundle a DAG was last parsed from; a stale one is nobody's."""
        from airflow.models.dag import DagModel
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            row = session.execute(
                select(DagModel.bundle_name).where(DagModel.dag_id == dag_id, DagModel.is_stale.is_(False))
            ).first()
        return None if row is None else row[0] or "dags-folder"


class TaskTarget(InstalledTarget):
    """An Airflow as a task sees it: its connections and Variables, but not its pools and DAGs."""

    def has_connection(self, conn_id: str) -> bool | None:
        """Ask as a task does."""
        from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

        try:
            BaseHook.get_connection(conn_id)
        except AirflowNotFoundException:
            return False
        return True

    def has_variable(self, key: str) -> bool | None:
        """Ask as a task does."""
        from airflow.sdk import Variable

        return Variable.get(key, default=None) is not None

    def has_pool(self, name: str) -> bool | None:
        """Say that no task knows."""
        return None

    def bundle_of(self, dag_id: str) -> str | None:
        """Say that no task knows.

        :raises LookupError: always
        """
        raise LookupError(dag_id)
