"""Secrets in commands of a shell."""

from __future__ import annotations

import re

from festaf.registry_api.secrets.parts import NAME, NAME_TRIGGERS, QUOTE, WORD
from festaf.registry_api.secrets.rule import Rule, verbose
from festaf.registry_api.secrets.values import after_curl, any_literal, flag_value

OPTION = Rule(
    "the word after an option whose name is one of a secret",
    NAME_TRIGGERS,
    verbose(rf"--(?<!---)[\w-]{{0,40}}? (?P<name> {NAME} ) [ \t]{{1,5}} (?:{QUOTE})? {WORD}", re.IGNORECASE),
    flag_value,
    masks=("mysql --user me --password «hunter2» --host db", "mysql --password '«hunter2»' --host db"),
    leaves=(
        "mysql --password $PASSWORD",
        "mysql --password PASSWORD --host db",
        "give it with --token or with --password if it is yours",
        "mysql --password-file x1",
    ),
)
CURL = Rule(
    "the password that curl is given with the user",
    ("curl",),
    verbose(
        rf"""
        (?:-u|--user) (?: [ \t=\"',]{{1,9}} | (?<=-u) )
        [^\s:\"'\\/=,]{{1,60}} : {WORD}
        """
    ),
    after_curl,
    masks=(
        "curl -u admin:«hunter2» https://db/x",
        "curl -s \\\n  -u 'admin:«hunter2»' https://db/x",
        "curl -uadmin:«hunter2» https://db/x",
    ),
    leaves=(
        "docker run -u 1000:1000 curlimages/curl",
        "curl -s x; docker run -u me:staff image",
        "curl -u admin:$PASSWORD https://db",
    ),
)
SSHPASS = Rule(
    "the password that sshpass is given",
    ("sshpass",),
    verbose(rf"sshpass [ \t]{{1,5}} -p [ \t]{{0,5}} (?:{QUOTE})? {WORD}"),
    any_literal,
    masks=("sshpass -p «hunter2» ssh me@db", "sshpass -p'«hunter2»' ssh me@db"),
    leaves=("sshpass -p $PASSWORD ssh me@db", "sshpass -e ssh me@db"),
)
