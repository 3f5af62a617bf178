"""Secrets in code and JSON: strings that a name, a call or an option before them makes one."""

from __future__ import annotations

import re

from festaf.registry_api.secrets.parts import NAME, NAME_TRIGGERS, QUOTE, STRING, STRINGS
from festaf.registry_api.secrets.rule import Rule, verbose
from festaf.registry_api.secrets.values import any_literal, argument, no_vocabulary

_TYPE = r"[\w.]{1,40} (?: \[ [\w.,| \t]{1,60} \] )?"
_ANNOTATED = rf": \s{{0,5}} {_TYPE} (?: \s?\|\s? {_TYPE} ){{0,3}} \s{{0,5}} ="
"""``: str | None =``."""
_DOCSTRING = r"\s{0,20} \n \s{0,20} [rbuf]{0,2} (?: \"\"\" | ''' )"
"""What follows the colon of ``class Token:``."""
_VALUE_OF = rf"(?: \{{ \s{{0,20}} {QUOTE}value{QUOTE} \s{{0,5}} : \s{{0,5}} )?"
"""The begin of ``{"value": "x"}``."""
_SETTERS = "option|getenv|get|set|setdefault|setenv|putenv|put|config|conf|setProperty|property"

ASSIGNED = Rule(
    "a string, or those of a list, under the name of a secret",
    NAME_TRIGGERS,
    verbose(
        rf"""
        (?P<name> {NAME} ) [\"'\]\\]{{0,9}} \s{{0,20}}
        (?: {_ANNOTATED} | := | => | [=:] )
        (?! {_DOCSTRING} ) \s{{0,20}}
        {_VALUE_OF} {STRINGS}
        """,
        re.IGNORECASE,
    ),
    no_vocabulary,
    masks=(
        "connect(password='«hunter2»')",
        "os.environ['DB_PASSWORD'] = '«hunter2»'",
        'api_key: str | None = "«hunter2»"',
        '{"client_secret": "«hunter2»"}',
        r'x = "{\"password\": \"«hunter2»\"}"',
        '{"passwords": ["«x", "y»"]}',
        '{"password": {"value": "«hunter2»"}}',
    ),
    leaves=(
        "connect(password=password, token=self.token)",
        "token = context['token']",
        "url = '{{ conn.db.password }}'",
        'password = ("{{ conn.x.password }}")',
        'class Token:\n    """A word of a text."""',
        "token = ['a', 'b']",
        "columns = ['token', 'name']",
        "tokenizer = 'bert-base'",
    ),
)
CALLED = Rule(
    "a string that a call sets, or gives instead of, a secret by its name",
    NAME_TRIGGERS,
    verbose(
        rf"""
        \b
        (?:
            (?:{_SETTERS}) \( \s{{0,40}} {QUOTE} (?!-) [\w.-]{{0,60}}? {NAME} {QUOTE}
            \s{{0,20}} , \s{{0,40}} (?:default\w{{0,4}}=)?
            | (?: (?:set|with)\w{{0,40}}?{NAME} | SecretStr ) \( \s{{0,40}}
        )
        {STRING}
        """,
        re.IGNORECASE,
    ),
    any_literal,
    masks=(
        '.option("password", "«hunter2»")',
        "os.getenv('DB_PASSWORD', default='«hunter2»')",
        'conf.set("fs.s3a.secret.key", "«hunter2»")',
        'config.setPassword("«hunter2»")',
        "password = SecretStr('«hunter2»')",
    ),
    leaves=(
        'os.getenv("DB_PASSWORD")',
        'os.getenv("TOKEN", None)',
        'row.get("token_count", "x1")',
        'click.option("--password", "pw")',
        "config.setPassword(password)",
    ),
)
ARGUMENT = Rule(
    "the string after the name of an option in a list",
    NAME_TRIGGERS,
    verbose(
        rf"--(?<!---)[\w-]{{0,40}}? (?P<name> {NAME} ) {QUOTE} \s{{0,5}} , \s{{0,40}} {STRING}",
        re.IGNORECASE,
    ),
    argument,
    masks=('["psql", "--password", "«hunter2»"]',),
    leaves=(
        'parser.add_argument("--password", "-p")',
        'click.option("-t", "--token", "token")',
        '["--password", "{{ conn.x.password }}"]',
        '["--token", "--password"]',
    ),
)
CREDENTIALS = Rule(
    "the second of a name and a password",
    ("auth=(", "auth = (", "basic"),
    verbose(
        rf"(?: auth(?:=|\ =\ ) | BasicAuth ) \( \s{{0,40}} [^,()\n]{{1,80}} , \s{{0,40}} {STRING}",
        re.IGNORECASE,
    ),
    any_literal,
    masks=('auth=("admin", "«hunter2»")', "HTTPBasicAuth('admin', '«hunter2»')"),
    leaves=("auth=('admin', password)", "auth = (user, '{{ conn.x.password }}')"),
)
