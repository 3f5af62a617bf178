"""Each rule by which secrets are found does what its examples say, by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from festaf.registry_api.secrets.rules import OWN, rules

if TYPE_CHECKING:
    from festaf.registry_api.secrets.rule import Rule

MARKED = re.compile("«(.*?)»", re.DOTALL)
MASKS = [pytest.param(rule, text, id=f"{rule.finds}-{text}") for rule in OWN for text in rule.masks]
LEAVES = [pytest.param(rule, text, id=f"{rule.finds}-{text}") for rule in OWN for text in rule.leaves]


def found(rule: Rule, text: str) -> list[str]:
    """Give what a rule finds in a text."""
    group = "secret" if "secret" in rule.pattern.groupindex else 0
    matches = rule.pattern.finditer(text)
    return [match[group] for match in matches if rule.literal is None or rule.literal(match, match[group])]


@pytest.mark.parametrize(("rule", "text"), MASKS)
def test_a_rule_finds_what_is_marked_in_its_examples(rule: Rule, text: str) -> None:
    plain = MARKED.sub(r"\1", text)

    assert found(rule, plain) == MARKED.findall(text)
    assert any(trigger in plain.lower() for trigger in rule.triggers)


@pytest.mark.parametrize(("rule", "text"), LEAVES)
def test_a_rule_finds_nothing_in_what_it_leaves(rule: Rule, text: str) -> None:
    assert found(rule, text) == []


def test_every_rule_says_what_it_finds_and_ours_give_examples() -> None:
    said = [rule.finds for rule in OWN]

    assert len(set(said)) == len(said)
    assert all(rule.masks and rule.leaves for rule in OWN)
    assert all(rule.finds for rule in rules())
