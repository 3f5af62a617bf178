"""Retire an endpoint, then its configurations, then their models: each only when nothing else uses it.

The endpoint goes first and is waited for: AWS loses sight of an endpoint's instances when its configuration is deleted
while it lives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from festaf.provider.endpoints.specification import ENDPOINT_TAG, hashed_stem, is_hashed_name
from festaf.provider.errors import RefusedError, ServiceError
from festaf.provider.hooks.endpoint import says_busy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow.sdk.types import Logger

    from festaf.provider.artifacts.endpoint import Endpoint
    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.hooks.endpoint import EndpointHook


@dataclass
class Deletion:
    """The steps by which an endpoint goes, and what it alone used."""

    hook: EndpointHook
    log: Logger
    patience: Patience
    _gone: set[str] = field(default_factory=set)

    def delete(self, found: Endpoint) -> None:
        """Ask AWS to delete the endpoint; one that AWS is in the middle of changing is waited for.

        :raises RefusedError: AWS refuses
        """

        def attempt() -> bool | None:
            now = self.hook.find(found.name)
            if now is None or now.status == "Deleting" or now.created_at != found.created_at:
                return True
            try:
                self.hook.delete(found.name)
            except RefusedError as error:
                if not says_busy(error):
                    raise
                self.log.info("AWS does not delete endpoint %s yet: %s", found.name, error)
                return None
            self.log.info("AWS deletes endpoint %s", found.name)
            return True

        self.patience.until(attempt, lambda: self._late(found.name, "was not deleted"))

    def wait(self, found: Endpoint) -> None:
        """Wait until the endpoint is gone, or one of the same name was created since.

        :raises RefusedError: AWS gave the deletion up
        :raises ServiceError: it still stands at the deadline
        """

        def attempt() -> bool | None:
            now = self.hook.find(found.name)
            if now is None or now.created_at != found.created_at:
                return True
            if now.status != "Deleting":
                # The request may not be visible yet, or AWS may have given it up: ask again, it is the same request.
                self.delete(found)
            return None

        self.patience.until(attempt, lambda: self._late(found.name, "is still there"))

    def configurations(self, name: str, found: Endpoint | None) -> list[str]:
        """Name the configurations of an endpoint: the one it runs, the ones before, and those made for it."""
        known = [found.configuration_name, found.previous_configuration] if found else []
        made = self.patience.persist(lambda: list(self._made_configurations(name)))
        return list(dict.fromkeys(configuration for configuration in (*known, *made) if configuration))

    def models(self, configurations: Iterable[str]) -> list[str]:
        """Name the models of configurations, each once."""
        models: dict[str, None] = {}
        for name in configurations:
            found = self.patience.persist(partial(self.hook.find_configuration, name))
            models |= dict.fromkeys(found.models if found else ())
        return list(models)

    def delete_configurations(self, names: Iterable[str]) -> list[str]:
        """Delete the configurations that no endpoint uses, and give their names."""
        wanted = list(names)
        used = self.patience.persist(self._used_configurations) if wanted else {}
        for name in wanted:
            if name in used:
                self.log.info("Endpoint configuration %s stays: endpoint %s uses it", name, used[name])
            elif self.patience.persist(partial(self.hook.delete_configuration, name)):
                self.log.info("Deleted endpoint configuration %s", name)
                self._gone.add(name)
        return [name for name in wanted if name in self._gone]

    def delete_models(self, names: Iterable[str]) -> list[str]:
        """Delete the models that no endpoint configuration uses, and give their names."""
        wanted = list(names)
        used = self.patience.persist(lambda: dict(self._used_models(set(wanted)))) if wanted else {}
        deleted = []
        for name in wanted:
            if name in used:
                self.log.info("SageMaker model %s stays: endpoint configuration %s uses it", name, used[name])
            elif self.patience.persist(partial(self.hook.delete_model, name)):
                self.log.info("Deleted SageMaker model %s", name)
                deleted.append(name)
        return deleted

    def made_models(self, name: str) -> list[str]:
        """Name the models that deployments of this endpoint made of model packages."""
        return self.patience.persist(lambda: list(self._made_models(name)))

    def _made_models(self, endpoint: str) -> Iterator[str]:
        for item in self.hook.models(hashed_stem(endpoint)):
            if is_hashed_name(endpoint, item["ModelName"]) and self._is_for(endpoint, item["ModelArn"]):
                yield item["ModelName"]

    def _made_configurations(self, endpoint: str) -> Iterator[str]:
        for name in self.hook.configuration_names(hashed_stem(endpoint)):
            found = self.hook.find_configuration(name) if is_hashed_name(endpoint, name) else None
            if found is not None and self._is_for(endpoint, found.arn):
                yield name

    def _is_for(self, endpoint: str, arn: str) -> bool:
        return self.hook.tags(arn).get(ENDPOINT_TAG) == endpoint

    def _used_configurations(self) -> dict[str, str]:
        """Tell which endpoint uses which configuration, now or in a deployment that is on its way."""
        used: dict[str, str] = {}
        for summary in self.hook.summaries():
            found = self.hook.find(summary.name) if summary.status != "Deleting" else None
            if found is not None:
                names = (found.configuration_name, found.pending_configuration)
                used |= {name: found.name for name in names if name}
        return used

    def _used_models(self, wanted: set[str]) -> Iterator[tuple[str, str]]:
        for name in self.hook.configuration_names():
            found = None if name in self._gone else self.hook.find_configuration(name)
            yield from ((model, name) for model in (found.models if found else ()) if model in wanted)

    def _late(self, name: str, what: str) -> ServiceError:
        return ServiceError(f"Endpoint {name} {what} after {self.patience.seconds:.0f} s")
