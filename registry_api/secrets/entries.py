"""Secrets in what is no code: connection strings, files of settings, and SQL."""

from __future__ import annotations

import re

from festaf.registry_api.secrets.parts import NAME, NAME_TRIGGERS, PLAIN
from festaf.registry_api.secrets.rule import Rule, verbose
from festaf.registry_api.secrets.values import any_literal, no_expression, with_digit

PAIR = Rule(
    "the value of ``name=value`` without quotes",
    NAME_TRIGGERS,
    verbose(
        rf"""
        (?P<before> ^ | [?&;\s\"'] )
        (?=[\w.-]) [\w.-]{{0,40}}? (?P<name> {NAME} )
        = (?P<secret> {PLAIN}+ )
        (?= $ | [\s;&'\"] | \\{{1,8}}[\"'] )
        """,
        re.IGNORECASE | re.MULTILINE,
    ),
    no_expression,
    masks=(
        "host=db password=«hunter2» dbname=x",
        "jdbc:sqlserver://db;user=me;password=«a.b»;x=1",
        "--conf spark.hadoop.fs.s3a.secret.key=«hunter2»",
    ),
    leaves=(
        "connect(password=password, token=self.token)",
        "f(password=password)\ntoken=token",
        "password=${PASSWORD}",
        "fs.s3a.endpoint=x1",
    ),
)
LINE = Rule(
    "the value of a line ``name: value`` of YAML",
    NAME_TRIGGERS,
    verbose(
        rf"""
        ^ [ \t-]{{0,40}} [\w.-]{{0,40}}? {NAME} :
        [ \t]{{1,20}} (?P<secret> [^\s'\",(){{}}\[\]#]{{6,}} ) [ \t]* $
        """,
        re.IGNORECASE | re.MULTILINE,
    ),
    with_digit,
    masks=("password: «hunter22»\nuser: me", "  - api_key: «hunter22»"),
    leaves=("password: str", "token: of-the-day", "password: hunt2", "password: hunter22 or another"),
)
SQL = Rule(
    "the string after the words of SQL that announce a secret",
    ("identified", "passw", "secret", "token"),
    verbose(
        r"""
        (?:
            \b (?: identified\s{1,5}by | password | secret_access_key | session_token | (?-i:SECRET) )
            | [(,] \s{0,40} secret
        )
        \s{1,5} (?P<quote>[\"']) (?P<secret> (?!(?P=quote)) [^\n'\"]+ )
        """,
        re.IGNORECASE,
    ),
    any_literal,
    masks=(
        "CREATE USER me IDENTIFIED BY '«hunter2»'",
        "UNLOAD ('select 1') SECRET_ACCESS_KEY '«hunter2»'",
        "create secret s (type s3, secret '«hunter2»')",
    ),
    leaves=("the secret 'sauce' of it", "CREATE SECRET s (TYPE s3, SECRET ?)"),
)
