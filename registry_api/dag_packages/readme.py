"""Show a package's README as HTML that does nothing: a stranger wrote it, and an operator's browser reads it.

Markdown is rendered without HTML of its own; what comes out is cleaned by a short list of what may stand, and the page
is sent with a policy that lets it load nothing, run nothing and send nothing.
"""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TAGS = frozenset(
    {"a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p"}
    | {"pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
ATTRIBUTES = {"a": {"href", "title"}, "td": {"align"}, "th": {"align"}, "ol": {"start"}}
SCHEMES = {"https", "http", "mailto"}
LONGEST = 512 * 1024
"""Characters that are rendered at most: rendering takes time by length."""
DEEPEST = 20


def page_of(readme: str, title: str) -> str:
    """Write a whole page around a README."""
    shown = readme[:LONGEST]
    note = "" if len(readme) <= LONGEST else "<p>(The rest is left out.)</p>"
    head = f'<meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{html_of(shown)}{note}</body></html>\n'


def html_of(readme: str) -> str:
    """Turn Markdown into harmless HTML."""
    import nh3

    return nh3.clean(
        _renderer().render(readme),
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=SCHEMES,
        link_rel="nofollow noopener noreferrer",
        strip_comments=True,
    )


@cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # A picture would be fetched from its author's server, which then knows who reads.
    return (
        MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
        .enable(["table", "strikethrough"])
        .disable(["image", "html_block", "html_inline"])
    )
