"""What an endpoint is made of, created before it: SageMaker models of model packages, and the configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import InputError, RefusedError, ServiceError
from festaf.provider.hooks.endpoint import says_absent, says_taken
from festaf.provider.models.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk.types import Logger

    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.endpoints.specification import EndpointSpecification
    from festaf.provider.endpoints.variant import Variant
    from festaf.provider.hooks.endpoint import EndpointHook

VISIBLE_SECONDS = 60.0
"""How long what was just created may stay invisible."""


@dataclass(frozen=True)
class Parts:
    """Creates the parts of an endpoint, or adopts those that stand under the same name by content."""

    hook: EndpointHook
    log: Logger
    patience: Patience

    def ensure(self, wanted: EndpointSpecification) -> str:
        """Bring about models and configuration, and give the configuration's name.

        :raises InputError: a model that the author named is not there
        :raises RefusedError: a configuration of that name stands that is another
        """
        wanted = replace(wanted, variants=tuple(map(self._resolved, wanted.variants)))
        created: dict[str, str] = {}
        for variant in wanted.variants:
            if variant.model:
                created[variant.model] = self._model_created(variant.model)
            else:
                self._ensure_model(wanted, variant)
        request = wanted.configuration_request(created)
        name = str(request["EndpointConfigName"])
        self._ensure(
            f"endpoint configuration {name}",
            lambda: self._standing_configuration(name, request),
            lambda: self.hook.create_configuration(request),
        )
        return name

    def _resolved(self, variant: Variant) -> Variant:
        """Put the ARN of a model package version in the place of ``group:version``."""
        if not variant.model_package:
            return variant
        name = ModelName.of(variant.model_package)
        if name.kind == "model-package":
            return variant
        started = self.patience.clock()

        def look() -> str | None:
            found = self.hook.describe_version(name)
            if found is None and (self.patience.clock() - started > VISIBLE_SECONDS or self.patience.over):
                raise InputError(f"There is no model package {name.label} in {self.hook.place}: register it first")
            return found.arn if found else None

        arn = self.patience.until(look, lambda: InputError(f"There is no model package {name.label}"))
        return replace(variant, model_package=arn)

    def _model_created(self, name: str) -> str:
        """Tell when a model was created; one that is not to be seen is looked for again for a while."""
        started = self.patience.clock()

        def look() -> str | None:
            found = self.hook.describe_model(name)
            if found is not None:
                return found.created_at.isoformat()
            if self.patience.clock() - started > VISIBLE_SECONDS or self.patience.over:
                raise InputError(f"There is no SageMaker model {name} in {self.hook.place}: create it first")
            return None

        return self.patience.until(look, lambda: InputError(f"There is no SageMaker model {name}"))

    def _ensure_model(self, wanted: EndpointSpecification, variant: Variant) -> None:
        request = wanted.model_request(variant)
        name = str(request["ModelName"])
        self._ensure(
            f"SageMaker model {name} from {variant.model_package}",
            lambda: self.hook.describe_model(name) is not None,
            lambda: self.hook.create_model(request),
        )

    def _standing_configuration(self, name: str, request: Mapping[str, Any]) -> bool:
        found = self.hook.describe_configuration(name)
        if found is None:
            return False
        if _variants(found.raw) != _variants(request):
            raise RefusedError(
                f"Endpoint configuration {name} exists and has other variants than its name, a hash of them, says: "
                "delete it, nobody could tell the two apart"
            )
        return True

    def _ensure(self, what: str, stands: Callable[[], bool], create: Callable[[], str]) -> None:
        """Create a thing that does not stand; a lost answer and one who came first are the same here."""
        unseen: float | None = None

        def attempt() -> bool | None:
            nonlocal unseen
            if stands():
                self.log.info("There is %s", what)
                return True
            try:
                create()
            except RefusedError as error:
                if says_taken(error):
                    return None
                unseen = self.patience.clock() if unseen is None else unseen
                if not says_absent(error) or self.patience.clock() - unseen > VISIBLE_SECONDS:
                    raise
                self.log.info("%s; it may not be visible yet, trying again", error)
                return None
            self.log.info("Created %s", what)
            return True

        self.patience.until(attempt, lambda: ServiceError(f"AWS says that there is a {what}, and does not show it"))


def _variants(configuration: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Give what makes variants the same; AWS may spell other fields in its own way."""
    keys = ("VariantName", "ModelName", "InstanceType", "InitialInstanceCount")
    return sorted(tuple(str(variant.get(key)) for key in keys) for variant in configuration["ProductionVariants"])
