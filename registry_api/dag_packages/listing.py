"""Find packages by words and facts."""

from __future__ import annotations

from collections.abc import Collection

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import Field
from sqlalchemy.orm import Session

from festaf.contract.dag_package import Maturity, PackageSummary
from festaf.contract.http import Page
from festaf.contract.model import Model
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dag_packages.facts import FactKind
from festaf.registry_api.dag_packages.listing_repository import ListingRepository, PackageRow, Wanted
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.page import decode_cursor, encode_cursor
from festaf.registry_api.search.words import runs

MOST_WORDS = 12
PROVIDERS = "apache-airflow-providers-"


class PackageFilter(Model):
    """Which packages are asked for; what is None does not matter."""

    q: str | None = Field(None, max_length=200, description="Words, or how they begin")
    namespace: str | None = Field(None, max_length=64)
    airflow: str | None = Field(None, max_length=64, description="An Airflow version that it must run on")
    operator: str | None = Field(None, max_length=500, description="The name of a class, as Airflow shows it")
    provider: str | None = Field(
        None, max_length=200, description="A provider distribution, or what follows its prefix"
    )
    tag: str | None = Field(None, max_length=500)
    owner: str | None = Field(None, max_length=500)
    asset: str | None = Field(None, max_length=500, description="A URI")
    dag_id: str | None = Field(None, max_length=250)
    maturity: Maturity | None = None
    awaiting: bool = Field(False, description="Those with a staged version, published before or not")
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000)


class PackageListing:
    """Lists packages that a caller may see."""

    def __init__(self, session: Session, sight: Sight) -> None:
        self.sight = sight
        self.listing = ListingRepository(session)
        self.packages = PackageRepository(session)

    def page(self, asked: PackageFilter) -> Page[PackageSummary]:
        """Give one page.

        :raises BadRequestError: the cursor or the Airflow version is none
        """
        after = decode_cursor(asked.cursor, 2) if asked.cursor else None
        rows = self.listing.page(self._wanted(asked), after, asked.limit + 1)
        shown = rows[: asked.limit]
        more = encode_cursor(shown[-1][0].namespace, shown[-1][0].name) if len(rows) > asked.limit else None
        return Page(items=tuple(self._summaries(shown)), cursor=more)

    def _wanted(self, asked: PackageFilter) -> Wanted:
        namespaces: Collection[str] | None = self.sight.projects
        if asked.namespace is not None:
            namespaces = {asked.namespace} if self.sight.sees(asked.namespace) else ()
        kinds: tuple[FactKind, ...] = ("operator", "tag", "owner", "asset", "dag_id")
        facts: list[tuple[FactKind, Collection[str]]] = [
            (kind, [value]) for kind in kinds if (value := getattr(asked, kind)) is not None
        ]
        if asked.provider is not None:
            facts.append(("provider", [asked.provider, f"{PROVIDERS}{asked.provider}"]))
        words = [run.whole for run, _, _ in runs(asked.q or "")][:MOST_WORDS]
        return Wanted(
            namespaces=namespaces,
            facts=facts,
            words=words,
            maturity=asked.maturity,
            airflow=self._fitting(asked.airflow, namespaces) if asked.airflow is not None else None,
            awaiting=asked.awaiting,
        )

    def _fitting(self, airflow: str, namespaces: Collection[str] | None) -> list[str]:
        """Give the specifiers that an Airflow version fits, pre-releases too."""
        try:
            version = Version(airflow)
        except (InvalidVersion, ValueError) as error:
            raise BadRequestError("an Airflow version is written like 3.1.0") from error
        return [text for text in self.listing.specifiers(namespaces) if _fits(text, version)]

    def _summaries(self, rows: Collection[PackageRow]) -> list[PackageSummary]:
        ids = [version.id for _, version in rows if version is not None]
        facts = self.listing.facts(ids, ("tag", "dag_id"))
        downloads = self.packages.downloads_of_packages([package.id for package, _ in rows])
        return [
            PackageSummary(
                namespace=package.namespace,
                name=package.name,
                summary=version.summary if version else "",
                latest=version.version if version else None,
                maturity=version.maturity if version else None,
                tags=tuple(facts[version.id, "tag"]) if version else (),
                dag_ids=tuple(facts[version.id, "dag_id"]) if version else (),
                airflow=(version.airflow or None) if version else None,
                downloads=downloads[package.id],
                published_at=version.published_at if version else None,
            )
            for package, version in rows
        ]


def _fits(text: str, version: Version) -> bool:
    try:
        return SpecifierSet(text).contains(version, prereleases=True)
    except InvalidSpecifier:
        return False
