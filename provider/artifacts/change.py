"""What is asked of a feature set that stands: what AWS can change, and what it cannot, with a way to get there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.artifacts.specification import feature_definition, kind_of, same_duration
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from festaf.provider.artifacts.feature import Feature
    from festaf.provider.artifacts.feature_set import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureMetadata

ADDITIONS_PER_CALL = 100
MOST_FEATURES = 2_500
ANEW = "create a feature set of another name with CreateFeatureSetOperator and fill it from this one's offline store"


@dataclass(frozen=True)
class Change:
    """One change that AWS takes in one request.

    :param what: for the log
    :param request: the parameters of UpdateFeatureGroup besides the name
    :param stands: whether a feature set has it
    """

    what: str
    request: Mapping[str, Any]
    stands: Callable[[FeatureSet], bool]


@dataclass(frozen=True, kw_only=True)
class UpdateSpecification:
    """What a feature set is to be; None and what is not named is left as it stands.

    :param complete: whether ``features`` are all that there is to be
    :param remove_ttl: whether records are to stay online for ever
    :param parameters: by feature: the parameters of its metadata
    """

    name: str
    features: tuple[Feature, ...] = ()
    complete: bool = False
    record_identifier: str | None = None
    event_time: str | None = None
    online: bool | None = None
    offline_s3_uri: str | None = None
    ttl: Mapping[str, Any] | None = None
    remove_ttl: bool = False
    storage_type: str | None = None
    throughput: Mapping[str, Any] | None = None
    description: str | None = None
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Find what contradicts itself before AWS is asked.

        :raises InputError: something does
        """
        names = [feature.name for feature in self.features]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"Feature {name!r} is declared twice")
        if self.ttl is not None and self.remove_ttl:
            raise InputError("ttl and remove_ttl contradict each other: give one of them")
        if self.throughput is not None and "ThroughputMode" not in self.throughput:
            raise InputError("throughput needs ThroughputMode: OnDemand or Provisioned")

    def refusals(self, found: FeatureSet) -> tuple[str, ...]:
        """Say what AWS cannot do, one line each, with how to get there."""
        return (*self._feature_refusals(found), *self._key_refusals(found), *self._store_refusals(found))

    def changes(self, found: FeatureSet) -> Iterator[Change]:
        """Give the changes in their order; AWS takes each in a request of its own."""
        there = {feature.name for feature in found.features}
        new = [feature for feature in self.features if feature.name not in there]
        for start in range(0, len(new), ADDITIONS_PER_CALL):
            yield _addition(new[start : start + ADDITIONS_PER_CALL])
        if self.ttl is not None or self.remove_ttl:
            yield self._new_ttl()
        if self.storage_type is not None:
            wanted = self.storage_type
            yield Change(
                f"storage type {wanted}",
                {"OnlineStoreConfig": {"StorageType": wanted}},
                lambda now: now.online is not None and now.online.storage_type == wanted,
            )
        if self.throughput is not None:
            asked = dict(self.throughput)
            yield Change(f"throughput {asked}", {"ThroughputConfig": asked}, lambda now: _has(now.throughput, asked))

    def metadata(self) -> dict[str, FeatureMetadata]:
        """Give what single features' metadata are to be."""
        from festaf.provider.hooks.feature_store import FeatureMetadata

        names = {feature.name: feature.description for feature in self.features}
        asked = {
            name: FeatureMetadata(names.get(name), dict(self.parameters.get(name, {})))
            for name in dict.fromkeys([*names, *self.parameters])
        }
        return {name: item for name, item in asked.items() if item.description is not None or item.parameters}

    def _new_ttl(self) -> Change:
        ttl = dict(self.ttl) if self.ttl is not None else {}
        what = f"ttl {ttl['Value']} {ttl['Unit']}" if ttl else "no ttl"
        return Change(
            what,
            {"OnlineStoreConfig": {"TtlDuration": ttl}},
            lambda now: now.online is not None and same_duration(now.online.ttl, ttl or None),
        )

    def _feature_refusals(self, found: FeatureSet) -> Iterator[str]:
        new = [feature for feature in self.features if found.feature(feature.name) is None]
        yield from self._addition_refusals(found, new)
        for feature in self.features:
            there = found.feature(feature.name)
            if there is not None and feature.type is not None and kind_of(feature) != kind_of(there):
                yield (
                    f"feature {feature.name}: wanted {kind_of(feature)}, found {kind_of(there)}; AWS changes no "
                    f"feature's type: add one of another name, such as {feature.name}_2, and fill it; or {ANEW}"
                )
        named = {feature.name for feature in self.features}
        for feature in found.features if self.complete else ():
            if feature.name not in named:
                yield (
                    f"feature {feature.name}: stands and is not asked for; AWS removes no feature: ingest without it, "
                    f"which leaves it null; or {ANEW} without it"
                )
        for name in self.parameters:
            if name not in named and found.feature(name) is None:
                yield f"parameters: there is no feature {name}"

    def _addition_refusals(self, found: FeatureSet, new: list[Feature]) -> Iterator[str]:
        memory = found.online is not None and found.online.storage_type == "InMemory"
        for feature in new:
            if feature.type is None:
                yield f"feature {feature.name}: has no type: declare Integral, Fractional or String"
            if feature.collection and not memory:
                yield (
                    f"feature {feature.name}: a {feature.collection} needs an online store of the storage type "
                    f"InMemory, which cannot be chosen later: {ANEW}"
                )
        count = len(found.features) + len(new)
        if count > MOST_FEATURES:
            yield f"features: {count:,} in all, AWS takes {MOST_FEATURES:,}: use a second feature set"

    def _key_refusals(self, found: FeatureSet) -> Iterator[str]:
        for what, wanted, there in (
            ("record_identifier", self.record_identifier, found.record_identifier),
            ("event_time", self.event_time, found.event_time),
            ("description", self.description, found.description),
        ):
            if wanted is not None and wanted != there:
                way = "say it in the features' own descriptions, or in tags" if what == "description" else ANEW
                yield f"{what}: wanted {wanted}, found {there or 'nothing'}; AWS never changes it: {way}"

    def _store_refusals(self, found: FeatureSet) -> Iterator[str]:
        if self.online is not None and self.online != (found.online is not None):
            yield f"online: wanted {self.online}, found {not self.online}; AWS adds and removes no store: {ANEW}"
        there = found.offline.s3_uri.rstrip("/") if found.offline else None
        if self.offline_s3_uri is not None and self.offline_s3_uri.rstrip("/") != there:
            yield (
                f"offline_s3_uri: wanted {self.offline_s3_uri}, found {there or 'no offline store'}; AWS adds and "
                f"moves no store: {ANEW}"
            )
        if (self.ttl is not None or self.remove_ttl) and found.online is None:
            yield f"ttl: there is no online store whose records could expire: {ANEW}, with online=True"
        yield from self._storage_refusals(found)

    def _storage_refusals(self, found: FeatureSet) -> Iterator[str]:
        has = found.online.storage_type if found.online else None
        if self.storage_type not in {None, has} and (has, self.storage_type) != ("Standard", "Standard_V2"):
            yield (
                f"storage_type: wanted {self.storage_type}, found {has or 'no online store'}; AWS only goes from "
                f"Standard to Standard_V2: {ANEW}"
            )
        provisioned = self.throughput is not None and self.throughput["ThroughputMode"] == "Provisioned"
        if provisioned and (self.storage_type or has or "Standard") != "Standard":
            yield (
                f"throughput: Provisioned needs the storage type Standard, found {self.storage_type or has}: keep "
                f"OnDemand; or {ANEW}"
            )


def _addition(new: list[Feature]) -> Change:
    wanted = {feature.name for feature in new}
    return Change(
        f"features {', '.join(feature.name for feature in new)}",
        {"FeatureAdditions": [feature_definition(feature) for feature in new]},
        lambda now: wanted <= {feature.name for feature in now.features},
    )


def _has(there: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Tell whether a throughput is what is asked for; AWS's own default is OnDemand."""
    known = {"ThroughputMode": "OnDemand", **there}
    return all(known.get(key) == value for key, value in asked.items())
