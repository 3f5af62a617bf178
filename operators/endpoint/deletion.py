"""Retire an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.operators.endpoint.task import EndpointTask

if TYPE_CHECKING:
    from airflow.sdk import Context


class DeleteEndpointOperator(EndpointTask):
    """Retire an endpoint, and then what it alone used; one that is not there is a success.

    The endpoint goes first and is waited for, then its configurations go, then their models: each only when no other
    endpoint or configuration uses it. Running the task again after it was killed finds the configurations and models
    that deployments of this endpoint have made; a model that its author named is left behind only when the task was
    killed in the moment between its configuration and it.

    :param delete_configurations: whether the configurations go too: the one in service, the one before it, and those
        that ``DeployEndpointOperator`` made for this endpoint
    :param delete_models: whether the models of those configurations go too
    :return: the names of what was deleted: ``endpoint`` (None when there was none), ``configurations``, ``models``
    """

    def __init__(self, *, delete_configurations: bool = True, delete_models: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.delete_configurations = delete_configurations
        self.delete_models = delete_models

    def execute(self, context: Context) -> dict[str, Any]:
        """Delete, and attach to the endpoint's asset event that it is gone."""
        from festaf.provider.endpoints.deletion import Deletion
        from festaf.provider.endpoints.specification import check_name
        from festaf.provider.errors import InputError

        check_name(self.endpoint)
        if self.delete_models and not self.delete_configurations:
            raise InputError("delete_models needs delete_configurations: a configuration without its models is broken")
        patience = self.patience()
        deletion = Deletion(self.hook, self.log, patience)
        found = patience.persist(lambda: self.hook.find(self.endpoint))
        full = patience.persist(lambda: self.hook.complete(found)) if found is not None else None
        configurations = deletion.configurations(self.endpoint, full) if self.delete_configurations else []
        models: list[str] = []
        if self.delete_models:
            models = [*deletion.models(configurations), *deletion.made_models(self.endpoint)]
        if full is None:
            self.log.info("There is no endpoint %s", self.endpoint)
        else:
            deletion.delete(full)
            deletion.wait(full)
            self.log.info("Endpoint %s is gone", self.endpoint)
        result = {
            "endpoint": self.endpoint if full else None,
            "configurations": deletion.delete_configurations(configurations),
            "models": deletion.delete_models(dict.fromkeys(models)),
        }
        if full is not None:
            self.announce(context, full.deployed("deleted", project=self.project, deleted=True))
        return result
