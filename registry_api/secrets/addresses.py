"""Secrets in addresses: passwords and tokens before the host, signatures behind the path."""

from __future__ import annotations

import re

from festaf.registry_api.secrets.rule import Rule, verbose
from festaf.registry_api.secrets.values import any_literal, with_digit

_PORT = r"(?:\d+|port|\{[^{}/]*\}|\{\{[^{}/]*\}\}|\$\w+|\$\{[^{}/]*\}|%[ds])"
"""A port, or a placeholder for one."""
SLASHED = r"(?:(?!://)[^\s@/'\"<>])+/(?:(?!://)[^\s@'\"<>])*"
"""A password with a slash in a URL, of which the first part must not be a port."""

PASSWORD = Rule(
    "the password in a URL",
    ("@",),
    verbose(r"://[^\s/?\#@:'\"<>]*: (?P<secret> [^\s/'\"<>]+ ) @"),
    any_literal,
    masks=("postgres://me:«hunter2»@db:5432/x", "amqp://me:«p@ss»@mq//", "redis://:«hunter2»@cache"),
    leaves=("postgres://db:5432/x", "postgres://{user}:{password}@db/x", "https://ann@host"),
)
PASSWORD_WITH_SLASH = Rule(
    "the password in a URL, when a slash stands in it",
    ("@",),
    verbose(rf"://[^\s/?\#@:'\"<>]*: (?!{_PORT}/) (?P<secret> {SLASHED} ) @ (?=[\w\[{{$])"),
    any_literal,
    masks=("postgresql://etl:«hunter2/ab»@host", "postgresql://etl:«a/b»@host:5432/db?x=y@z"),
    leaves=("http://host:80/path@x", "http://host:{port}/path@x", "http://host:8080/a,http://other:9090/b@x"),
)
TOKEN_FOR_NAME = Rule(
    "a token that stands in the place of the name in a URL",
    ("@",),
    verbose(r"https?:// (?P<secret> [a-z0-9]{20,} ) @", re.IGNORECASE),
    with_digit,
    masks=("https://«A1b2C3d4E5f6G7h8I9j0»@github.com/x",),
    leaves=("https://annabelleofthedatateam@host", "https://A1b2C3d4E5f6G7h8I9j0/x@y"),
)
ORACLE = Rule(
    "the password in Oracle's JDBC URL",
    ("jdbc:oracle",),
    verbose(r"jdbc:oracle:\w+: [^/\s:@'\"]+ / (?P<secret> [^@\s'\"]+ ) @", re.IGNORECASE),
    any_literal,
    masks=("jdbc:oracle:thin:scott/«tiger»@db:1521:x",),
    leaves=("jdbc:oracle:thin:@db:1521:x", "jdbc:oracle:thin:scott/{password}@db:1521:x"),
)
SIGNATURE = Rule(
    "the signature of a signed URL",
    ("signature=", "credential", "sig=", "accesskey", "token"),
    verbose(
        r"""
        [?&;]
        (?: x-(?:amz|goog|ms)-(?:signature|credential|security-token) | awsaccesskeyid | signature | sig )
        = (?P<secret> [^&\s\"'<>;]+ )
        """,
        re.IGNORECASE,
    ),
    any_literal,
    masks=("https://b.s3/k?X-Amz-Signature=«0123abcd»&v=1", "https://x.blob/c?sv=2024&sig=«a%2Fb%3D»"),
    leaves=("https://x.blob/c?design=x1&sig={sig}",),
)
