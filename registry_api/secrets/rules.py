"""Every rule by which secrets are found.

Only rules that know the shape or the name of a secret are used. Detectors that go by entropy alone are left out on
purpose: hashes, run ids and versions, of which lineage consists, are all as random as a key.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib import import_module

from festaf.registry_api.secrets import addresses, code, commands, entries, shapes
from festaf.registry_api.secrets.parts import JOINED, NAME
from festaf.registry_api.secrets.rule import Rule, verbose

OWN = (
    *(shapes.PRIVATE_KEY, shapes.WEB_TOKEN, shapes.TOKEN_OF_OURS),
    *(addresses.PASSWORD, addresses.PASSWORD_WITH_SLASH, addresses.TOKEN_FOR_NAME, addresses.ORACLE),
    addresses.SIGNATURE,
    *(code.ASSIGNED, code.CALLED, code.ARGUMENT),
    commands.OPTION,
    code.CREDENTIALS,
    *(commands.CURL, commands.SSHPASS),
    *(entries.PAIR, entries.LINE),
    shapes.BEARER,
    entries.SQL,
    *(shapes.NPM, shapes.GOOGLE, shapes.DATABRICKS, shapes.HUGGING_FACE, shapes.SECRET_KEY),
)
"""Ours, in the order in which they are applied: each sees the text as those before left it."""
DETECTORS = {
    "aws.AWSKeyDetector": ("akia", "asia", "abia", "acca", "a3t"),
    "azure_storage_key.AzureStorageKeyDetector": ("accountkey",),
    "github_token.GitHubTokenDetector": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    "gitlab_token.GitLabTokenDetector": (
        *("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "gr1348941"),
        *("glcbt-", "glimt-", "glptt-", "glagent-", "gloas-"),
    ),
    "mailchimp.MailchimpDetector": ("-us",),
    "openai.OpenAIDetector": ("t3blbkfj",),
    "pypi_token.PypiTokenDetector": ("pypi-",),
    "sendgrid.SendGridDetector": ("sg.",),
    "slack.SlackDetector": ("xox", "hooks.slack.com"),
    "square_oauth.SquareOAuthDetector": ("sq0csp",),
    "stripe.StripeDetector": ("k_live_",),
}
"""The detectors of detect-secrets that know a vendor's shape, and what stands in every text that they find."""


@cache
def rules() -> tuple[Rule, ...]:
    """Give every rule; detect-secrets is loaded when it is first needed.

    Its guess at AWS's secret keys is left out: it takes long, and the names of such keys are among our own rules.
    """
    found = list(OWN)
    for name, triggers in DETECTORS.items():
        module, _, detector = name.partition(".")
        plugin = getattr(import_module(f"detect_secrets.plugins.{module}"), detector)()
        known = [pattern for pattern in plugin.denylist if ".{0,20}?" not in pattern.pattern]
        found += [Rule(f"what {detector} knows", triggers, pattern) for pattern in known]
    return tuple(found)


@cache
def secret_name() -> re.Pattern[str]:
    """Give the pattern of a key whose value is a secret."""
    return verbose(rf"(?: .*[^a-z] )? (?: {NAME} | pass | authorization ) | .* (?: {JOINED} )", re.IGNORECASE)


@cache
def triggers() -> dict[bytes, tuple[bytes, ...]]:
    """Give what one of stands, in lower case, in every JSON text in which anything would be masked.

    What stands in many events anyway is left out, such as the beginning of our own facets and the ``@`` of a schedule:
    there ``GLANCES`` looks for the whole shape instead. The others are given by two letters that they have in common,
    so that few are looked for in a text.
    """
    of_rules = {trigger for rule in rules() for trigger in rule.triggers} - {"festaf_", "@"}
    left = {trigger.encode() for trigger in of_rules | {'pass"', "authorization"}}
    found: dict[bytes, tuple[bytes, ...]] = {}
    while left:
        pairs = Counter(pair for text in left for pair in {text[at : at + 2] for at in range(len(text) - 1)})
        common = max(sorted(pairs), key=pairs.__getitem__)
        found[common] = tuple(sorted(text for text in left if common in text))
        left -= set(found[common])
    return found


GLANCES = (
    (b"festaf_", re.compile(rb"festaf_[a-z0-9_-]{43}")),
    (
        b"@",
        re.compile(
            rb"://(?:[a-z0-9]{20,}@|[^\s/?#@:'\"<>]*:(?:[^\s/'\"<>]+@|(?!\d+/)%s@))" % addresses.SLASHED.encode()
        ),
    ),
)
"""What stands in many texts, and the whole shape of a secret that is looked for where it does."""
