"""What a secret looks like: by the name that it is given, or by its own shape.

No rule goes by randomness alone: hashes, ids and pictures are as random as keys. A value that only names where the
secret stands (a variable, a Kubernetes secret, a template) is none. Every pattern takes time linear in the text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from festaf.sharing.checks.necessary import folded, necessary

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN: Final = "\ufffc"
"""Stands in a text for a part that only a run would know."""
_PASSWORDS: Final = r"passw(?:or)?d|passphrase|pwd|passwd"
_KEYS: Final = (
    r"secrets?|tokens?|api_?keys?|access_?key|secret_?key|secret_?access_?key|private_?key|account_?key|encryption_?key"
    r"|fernet_?key|signing_?key|credentials?|webhook_?url|sas"
)
_NAME: Final = re.compile(rf"(?:^|.*[^a-z])(?:(?P<password>{_PASSWORDS}|pass)|(?P<key>{_KEYS}))", re.DOTALL)
_NOUN: Final = re.compile(rf"{_PASSWORDS}|secret|token|key|cred|auth|login")
_WORDS_TEXT: Final = """
none null true false changeme change_me change-me todo tbd example dummy fake secret password passwd token redacted
hidden masked empty unset default undefined required optional string str
"""
_WORDS: Final = frozenset(_WORDS_TEXT.split())
_TEMPLATE: Final = re.compile(
    r"\{\{|\$\{|\$\(|^\$\w|^%\(?\w*\)?s$|^<.*>$|^\{\w*\}$|^\[.*\]$|^your[_-]|^my[_-]?secret$", re.I
)
_PLACE: Final = re.compile(
    r"^(?:/|\./|~|https?://[^@]*$|arn:|projects/|secretsmanager:|ssm:|vault:|gs://|s3://|file:)", re.I
)
_REFERENCE: Final = re.compile(r"[A-Za-z0-9]+(?:[_./:-][A-Za-z0-9]+)+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,8192}={0,2}")
_LONGEST_NAME: Final = 100
_SHORTEST_PASSWORD: Final = 4
_SHORTEST_KEY: Final = 8
_MOST_WORDS: Final = 2


@dataclass(frozen=True)
class Shape:
    """A pattern whose group ``secret``, or whole match, is a secret if it is a value and no placeholder."""

    what: str
    pattern: re.Pattern[str]


_VALUE: Final = r"(?P<secret>[^\s'\"`;&|<>(){}\\]{4,})"
SHAPES: Final = (
    Shape("a private key", re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")),
    Shape("a PuTTY key", re.compile(r"PuTTY-User-Key-File-[23]:")),
    Shape("a JSON web token", re.compile(r"\beyJ[A-Za-z0-9_=-]{8,}\.eyJ[A-Za-z0-9_=-]{8,}\.[A-Za-z0-9_=-]{8,}")),
    Shape(
        "a password in a URI", re.compile(r"[a-z0-9+]://[^\s/?#@:'\"<>]{0,200}:(?P<secret>[^\s/'\"<>@]{1,200})@", re.I)
    ),
    Shape("a bearer token", re.compile(r"\bbearer[ ]{1,5}(?P<secret>[A-Za-z0-9._~+/=-]{16,})", re.I)),
    Shape(
        "basic authentication",
        re.compile(r"\bbasic[ ]{1,5}(?P<secret>(?=[A-Za-z]*[0-9=+/])[A-Za-z0-9+/]{12,}={0,2})", re.I),
    ),
    Shape(
        "a password for a command",
        re.compile(
            rf"\b(?:PGPASSWORD|MYSQL_PWD|SQLCMDPASSWORD|SSHPASS|REDISCLI_AUTH|[A-Z][A-Z0-9_]{{0,60}}(?:PASSWORD|PASSWD|SECRET|TOKEN"
            rf"|API_KEY|ACCESS_KEY))=['\"]?{_VALUE}"
        ),
    ),
    Shape(
        "a password option",
        re.compile(rf"(?<![\w-])--?(?:password|passwd|pwd|passphrase)(?:=|[ ]{{1,5}})['\"]?{_VALUE}"),
    ),
    Shape("a password option", re.compile(rf"\bsshpass[ ]{{1,5}}-p[ ]{{0,5}}['\"]?{_VALUE}")),
    Shape("a password option", re.compile(r"\bmysql(?:dump)?\b[^\n|;]{0,200}[ ]-p(?P<secret>[^\s'\"-][^\s'\"]{3,})")),
    Shape(
        "a password option",
        re.compile(r"\bcurl\b[^\n|;]{0,200}[ ](?:-u|--user)[ ]{1,5}['\"]?[^\s:'\"]{1,80}:(?P<secret>[^\s'\"]{3,})"),
    ),
    Shape(
        "a password in SQL", re.compile(r"\b(?:identified[ ]{1,5}by|password)[ ]{1,5}'(?P<secret>[^'\n]{3,200})'", re.I)
    ),
    Shape(
        "a signed address",
        re.compile(r"[?&;](?:X-Amz-Signature|X-Goog-Signature|sig)=(?P<secret>[A-Za-z0-9%+/=_-]{20,})", re.I),
    ),
    Shape("an Azure storage key", re.compile(r"AccountKey=(?P<secret>[A-Za-z0-9+/=]{40,})")),
    Shape(
        "a token of npm", re.compile(r"_authToken[ ]{0,5}=[ ]{0,5}(?P<secret>[^\s\"']{8,200})|\bnpm_[A-Za-z0-9]{36}\b")
    ),
    Shape("a Google API key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}")),
    Shape("a Databricks token", re.compile(r"\bdapi[0-9a-f]{32}")),
    Shape("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,40}\b")),
    Shape("an OpenAI or Anthropic key", re.compile(r"\bsk-[A-Za-z0-9_-]{32,}")),
    Shape("a token of festaf", re.compile(r"\bfestaf_[A-Za-z0-9_-]{43}\b")),
    Shape(
        "a webhook of Slack or Teams",
        re.compile(r"https://(?:hooks\.slack\.com/services|[a-z0-9.-]{1,80}webhook\.office\.com)/[A-Za-z0-9/@-]{20,}"),
    ),
)
"""Of one text each, whatever it is called."""
_PAIRS: Final = re.compile(
    r"[\"'](?P<name>[A-Za-z_][\w.-]{1,60})[\"']\s{0,5}[:=]\s{0,5}\\?[\"'](?P<value>[^\"'\n\\]{4,300})\\?[\"']"
)
"""A name and its value in JSON, or in a text that holds JSON."""
_LINES: Final = re.compile(
    r"^[ \t-]{0,40}(?:export[ ]|set[ ])?(?P<name>[A-Za-z_][\w.-]{1,60})[ \t]{0,10}[:=][ \t]{0,10}"
    r"[\"']?(?P<value>[^\s\"'#,;(){}\[\]]{4,300})[\"']?"
    r"[ \t]*(?:[#;].*)?$",
    re.MULTILINE,
)
"""A name and its value on a line of YAML, of a configuration or of a shell script."""
DETECTORS: Final = (
    "artifactory.ArtifactoryDetector", "aws.AWSKeyDetector", "azure_storage_key.AzureStorageKeyDetector",
    "discord.DiscordBotTokenDetector", "github_token.GitHubTokenDetector", "gitlab_token.GitLabTokenDetector",
    "mailchimp.MailchimpDetector", "openai.OpenAIDetector", "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector", "slack.SlackDetector", "square_oauth.SquareOAuthDetector", "stripe.StripeDetector",
    "telegram_token.TelegramBotTokenDetector", "twilio.TwilioKeyDetector",
)  # fmt: skip
"""The detectors of detect-secrets that know a vendor's shape."""


def is_named_secret(name: str, value: str) -> bool:
    """Tell whether a value is a secret because of the name that it is given."""
    named = _NAME.fullmatch(_snake(name)) if len(name) <= _LONGEST_NAME else None
    if named is None or not is_value(value):
        return False
    if named["password"]:
        return len(value) >= _SHORTEST_PASSWORD and len(value.split()) <= _MOST_WORDS
    mixed = any(character.isdigit() for character in value) or (value != value.lower() and value != value.upper())
    return len(value) >= _SHORTEST_KEY and mixed and len(value.split()) == 1


def is_value(text: str) -> bool:
    """Tell whether a text is a value, not a placeholder for one and not the place where it is kept."""
    stripped = text.strip()
    if not stripped or UNKNOWN in stripped or len(set(stripped)) == 1 or stripped.lower() in _WORDS:
        return False
    if _TEMPLATE.search(stripped) or _PLACE.match(stripped):
        return False
    random = any(letter.isdigit() for letter in stripped) and stripped not in (stripped.lower(), stripped.upper())
    return random or not (_REFERENCE.fullmatch(stripped) and _NOUN.search(stripped.lower()))


def shapes_in(text: str) -> Iterator[tuple[str, int]]:
    """Give what in a text has the shape of a secret, and where it begins."""
    for shape in _possible(text):
        for found in shape.pattern.finditer(text):
            if "secret" not in shape.pattern.groupindex or is_value(found["secret"] or found[0]):
                yield shape.what, found.start()
    for found in _PAIRS.finditer(text):
        if is_named_secret(found["name"], found["value"]):
            yield f"a value of {found['name']!r}", found.start()


def lines_in(text: str) -> Iterator[tuple[str, int]]:
    """Give the lines of a configuration, a script or a document on which a secret is given to a name."""
    for found in _LINES.finditer(text):
        if is_named_secret(found["name"], found["value"]) and not found["value"].startswith(("$", "!", "{", "%")):
            yield f"a value of {found['name']!r}", found.start("name")


def decoded(text: str) -> str | None:
    """Give what a text says when it is base64 of a text; None when it is not."""
    if not _BASE64.fullmatch(text):
        return None
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
        plain = raw.decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return plain if plain.isprintable() or "-----BEGIN" in plain else None


def _snake(name: str) -> str:
    return _CAMEL.sub("_", name).lower().replace("-", "_").replace(".", "_")


def _possible(text: str) -> Iterator[Shape]:
    """Give the shapes whose necessary texts are there: to look for those is a hundred times as fast."""
    searched, shapes = folded(text), _shapes()
    there = [numbers for word, numbers in _shapes_by_word() if word in searched]
    for number in sorted(frozenset[int]().union(*there)):
        yield shapes[number]


@cache
def _shapes() -> tuple[Shape, ...]:
    return (*SHAPES, *vendors())


@cache
def _shapes_by_word() -> tuple[tuple[str, frozenset[int]], ...]:
    """Give each text that some shapes cannot do without, with their numbers."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for number, shape in enumerate(_shapes()):
        for word in necessary(shape.pattern):
            found[word].add(number)
    return tuple((word, frozenset(numbers)) for word, numbers in found.items())


@cache
def vendors() -> tuple[Shape, ...]:
    """Give what detect-secrets knows; a pattern that is slow by its form is left out."""
    found = []
    for name in DETECTORS:
        module, _, detector = name.partition(".")
        plugin = getattr(import_module(f"detect_secrets.plugins.{module}"), detector)()
        found += [
            Shape(f"a secret of the kind {plugin.secret_type}", pattern)
            for pattern in plugin.denylist
            if ".{0,20}?" not in pattern.pattern and "secret" not in pattern.groupindex
        ]
    return tuple(found)
