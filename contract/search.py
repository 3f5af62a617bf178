"""What a search for features answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from festaf.contract.feature import FeatureSummary
from festaf.contract.feature_request import FeatureRequest
from festaf.contract.model import Model

Match = Literal["exact", "prefix", "name", "labels", "text", "similar", "filter"]
"""How a feature was found, from best to least.

``exact``: the words are its name. ``prefix``: its name begins with them. ``name``: they all stand in its name.
``labels``: they stand in its name, project, feature set, owner, tags or DAG. ``text``: some only in its description,
purpose, technique or sources. ``similar``: only once typing errors are forgiven. ``filter``: no words were asked for.
"""


class Highlight(Model):
    """Where the words stand in one of the feature's texts."""

    field: str
    text: str
    """The text, or a part of it around the first word."""
    spans: tuple[tuple[int, int], ...]
    """From and to, in characters of ``text``, the end not included."""


class Hit(FeatureSummary):
    """A feature that was found."""

    match: Match
    tags: tuple[str, ...] = ()
    highlights: tuple[Highlight, ...] = ()


class Ask(Model):
    """How to ask for the feature that was not found: send ``template``, completed, to ``href``."""

    method: Literal["POST"] = "POST"
    href: str
    template: dict[str, str | None]


class FeatureSearch(Model):
    """A page of what was found; ``cursor`` is None on the last one.

    No total is counted. A page may hold fewer items than asked for, even none, while ``cursor`` says that the search
    goes on: each request looks at a bounded number of features. Within a match the nearest come first among the few
    hundred that are looked at together.
    """

    items: tuple[Hit, ...]
    cursor: str | None = None
    near: tuple[FeatureSummary, ...] = ()
    """Only when nothing was found: the features with the most similar names, whatever the filters say."""
    ask: Ask | None = None
    """Only when nothing was found."""
    requests: tuple[FeatureRequest, ...] = ()
    """Only when nothing was found: who asked for something like it, and what became of that."""


class SearchFilter(Model):
    """What features must be besides what the words say; what is None does not matter."""

    project: str | None = Field(None, max_length=64)
    feature_set: str | None = Field(None, max_length=64)
    owner: str | None = Field(None, max_length=500)
    tag: tuple[str, ...] = Field((), max_length=20)
    type: str | None = Field(None, max_length=200)
    dag_id: str | None = Field(None, max_length=250)
