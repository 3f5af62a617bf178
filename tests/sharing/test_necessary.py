"""What an expression cannot do without: a text too many here, and a secret is not found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from festaf.sharing.checks.necessary import folded, necessary
from festaf.sharing.checks.secret_values import SHAPES, Shape, shapes_in, vendors

ALL = (*SHAPES, *vendors())


@pytest.mark.parametrize("shape", ALL, ids=lambda shape: shape.what)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_whatever_a_shape_finds_holds_what_it_needs(shape: Shape, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(shape.pattern))
    assert any(word in folded(text) for word in necessary(shape.pattern))


def test_every_shape_is_spared_in_a_text_without_secrets() -> None:
    text = folded("Totals of one day")
    assert not [shape.what for shape in ALL if any(word in text for word in necessary(shape.pattern))]


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (re.compile("ab+c"), ("a",)),
        (re.compile("x?yy"), ("yy",)),
        (re.compile("(?:ab|cd)e*"), ("ab", "cd")),
        (re.compile("(?:ab|)"), ("",)),
        (re.compile("[ab]c?"), ("",)),
        (re.compile("(?!abc)d"), ("d",)),
        (re.compile("a # b\n", re.VERBOSE), ("a",)),
    ],
)
def test_what_is_needed_is_read_from_the_expression(pattern: re.Pattern[str], texts: tuple[str, ...]) -> None:
    assert necessary(pattern) == texts


@pytest.mark.parametrize("letter", ["\u017f", "\u212a", "\u0130", "\u0131"])
def test_letters_that_python_takes_for_those_of_ascii_hide_nothing(letter: str) -> None:
    pattern = re.compile("sk-ik", re.IGNORECASE)
    for written in {"sk-ik".replace(plain, letter) for plain in "ski"}:
        if pattern.search(written):
            assert any(word in folded(written) for word in necessary(pattern))


def test_a_secret_is_found_whatever_the_case_of_what_stands_before_it() -> None:
    assert [what for what, _ in shapes_in("BA\u017fIC dXNlcjpzM2NyZXRwdw==")] == ["basic authentication"]
