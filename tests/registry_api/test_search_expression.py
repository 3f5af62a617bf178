"""What a question to the full-text index says of documents."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from festaf.registry_api.search.expression import Every, Expression, Lexeme, Some, Without, fact

WORDS = ("nair", "nairport", "lair", "tdelay", fact("deleted", "false"))
lexemes = st.builds(Lexeme, st.sampled_from(WORDS), st.booleans())
documents = st.sets(st.sampled_from(WORDS))


def _several(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[tuple[Expression, ...]]:
    return st.lists(parts, min_size=1, max_size=3).map(tuple)


expressions: st.SearchStrategy[Expression] = st.recursive(
    lexemes,
    lambda parts: st.one_of(
        st.builds(Every, _several(parts)), st.builds(Some, _several(parts)), st.builds(Without, parts, parts)
    ),
)


@given(expressions, documents)
def test_every_document_that_matches_has_the_whole_words(asked: Expression, document: set[str]) -> None:
    whole = asked.whole()
    if whole is not None and asked.matches(document):
        assert whole.matches(document)


def test_whole_words_are_neither_prefixes_nor_facts() -> None:
    name, begun = Lexeme("nair"), Lexeme("nde", prefix=True)
    everywhere = Lexeme(fact("deleted", "false"))
    assert Every((everywhere, name, begun)).whole() == name
    assert Every((everywhere, begun)).whole() is None
    assert Some((name, begun)).whole() is None
    assert Without(Some((name, Lexeme("lair"))), begun).whole() == Some((name, Lexeme("lair")))
