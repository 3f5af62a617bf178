"""Secrets that are known by their own shape, wherever they stand."""

from __future__ import annotations

import re

from festaf.registry_api.secrets.rule import Rule, verbose
from festaf.registry_api.secrets.values import any_literal, with_digit

PRIVATE_KEY = Rule(
    "a private key in PEM, to its end or that of the text",
    ("private key",),
    verbose(
        r"""
        -----BEGIN\ [A-Z0-9 ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----
        .*?
        (?: -----END\ [A-Z0-9 ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?----- | \Z )
        """,
        re.DOTALL,
    ),
    masks=(
        "«-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBkg\n-----END EC PRIVATE KEY-----»\nrest",
        "«-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOYBF»",
    ),
    leaves=("-----BEGIN PUBLIC KEY-----\nMFkwEwYH\n-----END PUBLIC KEY-----", "BEGIN PRIVATE KEY"),
)
WEB_TOKEN = Rule(
    "a JSON web token",
    ("eyj",),
    verbose(
        r"""
        (?<![A-Za-z0-9_-])
        eyJ[A-Za-z0-9_=-]{6,} \. [A-Za-z0-9_=-]{2,}
        (?: \. [A-Za-z0-9_.+/=-]* )?
        """
    ),
    masks=("x = '«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4»'",),
    leaves=("eyJhbGciOiJIUzI1NiJ9", "heyJude_again.x1"),
)
TOKEN_OF_OURS = Rule(
    "a token of this registry",
    ("festaf_",),
    verbose(r"festaf_[A-Za-z0-9_-]{43}"),
    masks=("«festaf_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG»",),
    leaves=("festaf_write", "festaf_definition"),
)
BEARER = Rule(
    "what a header Authorization says",
    ("bearer", "basic"),
    verbose(r"\b (?:bearer|basic) \s{1,5} (?P<secret> [A-Za-z0-9._~+/=-]{16,} )", re.IGNORECASE),
    with_digit,
    masks=("Authorization: Bearer «abcdef0123456789»", "authorization: basic «dXNlcjpodW50ZXIy»"),
    leaves=("basic understanding-of-the-matter", "Bearer {{ conn.x.password }}"),
)
NPM = Rule(
    "a token in npm's settings",
    ("token",),
    verbose(r"_authToken \s{0,5} = \s{0,5} (?P<secret> [^\s\"']+ )"),
    any_literal,
    masks=("//registry.npmjs.org/:_authToken=«hunter2»",),
    leaves=("//registry.npmjs.org/:_authToken=${NPM_TOKEN}",),
)
GOOGLE = Rule(
    "an API key of Google",
    ("aiza",),
    verbose(r"\b AIza[0-9A-Za-z_-]{35}"),
    masks=("key=«AIza0123456789abcdefghijklmnopqrstuvwxy»",),
    leaves=("AIza0123456789",),
)
DATABRICKS = Rule(
    "a token of Databricks",
    ("dapi",),
    verbose(r"\b dapi[0-9a-f]{32}"),
    masks=("«dapi0123456789abcdef0123456789abcdef»",),
    leaves=("dapi0123456789abcdef", "xdapi0123456789abcdef0123456789abcdef"),
)
HUGGING_FACE = Rule(
    "a token of Hugging Face",
    ("hf_",),
    verbose(r"\b hf_[A-Za-z0-9]{34}"),
    masks=("«hf_0123456789abcdefghijABCDEFGHIJ0123»",),
    leaves=("hf_hub_download",),
)
SECRET_KEY = Rule(
    "a key of OpenAI, Anthropic and others who begin it alike",
    ("sk-",),
    verbose(r"\b sk-[A-Za-z0-9_-]{32,}"),
    masks=("«sk-ant-0123456789abcdefghijABCDEFGHIJ»",),
    leaves=("sk-learn", "task-0123456789abcdefghijABCDEFGHIJ01"),
)
