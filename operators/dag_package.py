"""Operators on DAG packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class PublishDagOperator(BaseOperator):
    """Bring a DAG with everything that it needs into the registry; a retry finishes what was begun.

    The files are read, never imported or run. What keeps them from being shared (a secret, an undeclared need, code
    that Airflow 3 does not run) fails the task for good, with all of it in one message.

    :param path: a DAG file or a folder of them, as the worker sees it (templated)
    :param namespace: instead of what festaf.toml says (templated)
    :param name: instead of what festaf.toml says (templated)
    :param version: instead of what festaf.toml says (templated)
    :param key_file: the key that signs the package; None signs nothing (templated)
    :param registry_conn_id: the connection of the registry
    :param fail_when_waiting: whether a version that others have to approve first fails the task
    :return: ``package``, ``version``, ``digest``, ``outcome``, ``signed_by`` and ``waiting_for``
    """

    template_fields: Sequence[str] = ("path", "namespace", "name", "version", "key_file")
    ui_color = "#e3f2ea"

    def __init__(
        self,
        *,
        path: str,
        namespace: str | None = None,
        name: str | None = None,
        version: str | None = None,
        key_file: str | None = None,
        registry_conn_id: str = "festaf_default",
        fail_when_waiting: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.namespace = namespace
        self.name = name
        self.version = version
        self.key_file = key_file
        self.registry_conn_id = registry_conn_id
        self.fail_when_waiting = fail_when_waiting

    def execute(self, context: Context) -> dict[str, Any]:
        """Publish the package.

        :raises InputError: it cannot be shared
        """
        from festaf.provider.dag_packages.export.task import publish_path
        from festaf.provider.errors import NotReadyError
        from festaf.provider.hooks.registry import RegistryHook

        answer = publish_path(
            RegistryHook(self.registry_conn_id),
            self.path,
            named={"namespace": self.namespace, "name": self.name, "version": self.version},
            key_file=self.key_file,
        )
        if self.fail_when_waiting and answer["waiting_for"]:
            raise NotReadyError(answer["package"], "PUBLISHED", (answer["waiting_for"],), 0)
        return answer
