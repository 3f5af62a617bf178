"""Operators on DAG packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


class ImportDagOperator(BaseOperator):
    """Import a DAG package, or upgrade it, into the Airflow that runs the task.

    It checks what ``festaf dag import`` checks and replaces the same lock file, so that file must lie on a disk that
    the worker shares with the DAG processor. A task sees connections and Variables, and neither pools nor other DAGs:
    those are named in the result under ``not_checked``, and a DAG id that another bundle has is refused by the DAG
    policy. The bundle of a package that is new here has to be named to Airflow once: see docs/how-to/import-a-dag.md.

    :param package: ``namespace/name``, with ``@version`` or ``@specifier``; without, the newest version (templated)
    :param parameters: values for what the author lets an importer choose, by name (templated)
    :param rename: the ids that DAGs are to have here, by those of their author (templated)
    :param bundle: Airflow's name for the bundle; None keeps the one from before or makes one (templated)
    :param trust: id of a key of the namespace to trust from now on (templated)
    :param allow_cooling: whether to take a version that was published only lately
    :param allow_missing: whether to import although something is lacking
    :return: ``package``, ``version``, ``digest``, ``bundle``, ``changed``, ``lacking`` and ``not_checked``
    """

    template_fields: Sequence[str] = ("package", "parameters", "rename", "bundle", "trust")
    ui_color = "#e3f2ea"

    def __init__(
        self,
        *,
        package: str,
        parameters: Mapping[str, Any] | None = None,
        rename: Mapping[str, str] | None = None,
        bundle: str | None = None,
        trust: str | None = None,
        allow_cooling: bool = False,
        allow_missing: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.package = package
        self.parameters = parameters
        self.rename = rename
        self.bundle = bundle
        self.trust = trust
        self.allow_cooling = allow_cooling
        self.allow_missing = allow_missing

    def execute(self, context: Context) -> dict[str, Any]:
        """Check everything, then replace the lock file.

        :raises TargetError: this Airflow lacks something; it names all of it
        :raises UntrustedPackageError: digest, signature, or the rules of the registry say no
        """
        from festaf.provider.dag_packages.importing.choice import Reference
        from festaf.provider.dag_packages.importing.importer import Importer, Wish
        from festaf.provider.dag_packages.importing.target import TaskTarget
        from festaf.provider.dag_packages.settings import lock_path, open_registry

        wish = Wish(
            chosen=self.parameters or {},
            bundle=self.bundle,
            cooling=self.allow_cooling,
            trust=self.trust,
            lacking=self.allow_missing,
            renamed=self.rename or {},
        )
        with open_registry() as client:
            importer = Importer(client, lock_path(), TaskTarget())
            plan = importer.plan(Reference.parse(self.package), wish)
            locked = importer.apply(plan)
        self.log.info("%s %s runs in the bundle %s", locked.package, locked.version, locked.bundle)
        return {
            "package": locked.package,
            "version": locked.version,
            "digest": locked.digest,
            "bundle": locked.bundle,
            "changed": not plan.changes_nothing,
            "lacking": [lack.reason for lack in plan.lacking if lack.kind != "unknown"],
            "not_checked": [lack.reason for lack in plan.lacking if lack.kind == "unknown"],
        }
