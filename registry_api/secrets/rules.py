"""What a secret looks like.

Only rules that know the shape or the name of a secret are used. Detectors that go by entropy alone are left out on
purpose: hashes, run ids and versions, of which lineage consists, are all as random as a key.

Every pattern takes time linear in the text: what a match begins to read it also consumes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

NAMES = (
    r"(?:(?=[acfpst])(?:passw(?:or)?ds?|passphrases?|passcode|pwd|(?<![a-z])pw|secret(?:[._-]?keys?)?|token|credentials?"
    r"|(?:access|account)[._-]?keys?|(?:api|private)[_-]?keys?"
    r"|fs\.azure\.[\w.-]{0,40}?(?:account\.key|secret|token)\.[\w.-]{1,80}))"
)
"""How the name of a secret ends; Azure's Hadoop settings end in the name of an account instead."""
_PORT = r"(?:\d+|port|\{[^{}/]*\}|\{\{[^{}/]*\}\}|\$\w+|\$\{[^{}/]*\}|%[ds])"
_SLASHED = r"(?:(?!://)[^\s@/'\"<>])+/(?:(?!://)[^\s@'\"<>])*"
"""A password with a slash in a URL, of which the first part must not be a port."""
_TYPES = "str string text varchar char bytes binary int integer bigint long float double number bool boolean uuid"
HARMLESS = frozenset(f"{_TYPES} object any optional required secretstr none null nil true false".split())
"""Values that say a type or that there is none."""
_PLACEHOLDER = re.compile(r"\$?\{.*\}|\{\{.*\}\}|\$\w+|%\(?\w*\)?s|<[^<>]*>|\?|:\w+|\*+|arn:.*", re.DOTALL)
_EXPRESSION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
Filter = Callable[["re.Match[str]", str], bool]


@dataclass(frozen=True)
class Rule:
    """A pattern whose group ``secret`` (or whole match) is masked.

    A text in which none of ``triggers`` stands, in lower case, is not searched.
    """

    triggers: tuple[str, ...]
    pattern: re.Pattern[str]
    literal: Filter | None = None
    """Tells whether what was found is a value and not an expression or a placeholder."""


def is_literal(text: str) -> bool:
    """Tell whether a text is a value, not a placeholder for one, a type or nothing."""
    stripped = text.strip()
    return bool(stripped) and stripped.lower() not in HARMLESS and not _PLACEHOLDER.fullmatch(stripped)


def _any_literal(_match: re.Match[str], secret: str) -> bool:
    return is_literal(secret)


def _no_expression(match: re.Match[str], secret: str) -> bool:
    """In code, ``password=password`` and ``token=self.token`` hold no secret; after ``?``, ``&``, ``;`` they do."""
    if not is_literal(secret):
        return False
    if match["before"] in {"?", "&", ";"}:
        return True
    return not (_EXPRESSION.fullmatch(secret) or match["name"].lower() in secret.lower())


def _with_digit(_match: re.Match[str], secret: str) -> bool:
    return is_literal(secret) and any(character.isdigit() for character in secret)


def _no_vocabulary(match: re.Match[str], secret: str) -> bool:
    """A list of tokens is mostly one of words."""
    return is_literal(secret) and not (match["listed"] and match["name"].lower() == "token")


def _argument(match: re.Match[str], secret: str) -> bool:
    """In ``["--token", "x"]`` the second is a value, but not in the definition of an option."""
    before = match.string[max(0, match.start() - 40) : match.start()].rstrip("\"'\\").rstrip()
    return before[-1:] in {"[", ","} and _flag_value(match, secret)


def _flag_value(match: re.Match[str], secret: str) -> bool:
    """A text about ``--token`` goes on with a word, a usage line with the name of the value."""
    name, said = match["name"].lower(), secret.lower().rstrip(".,:)")
    told = said not in _PROSE and not said.startswith("-") and name not in said and said not in name
    return told and is_literal(secret)


def _after_curl(match: re.Match[str], secret: str) -> bool:
    """Only to curl is what follows ``-u`` a user with a password."""
    before = match.string[max(0, match.start() - 300) : match.start()].replace("\\\n", " ")
    return _CURL.search(before) is not None and is_literal(secret)


_WORDS = (
    "a an and are argument as at be by can flag for from has if in instead is it may must not of on option or "
    "parameter so that the then they this to value was when which will with you your"
)
_PROSE = frozenset(_WORDS.split())
_CURL = re.compile(r"curl\b[^\n;|]*\Z")
_NAME_TRIGGERS = (
    *("passw", "passphrase", "passcode", "pw", "secret", "token", "credential"),
    *(f"{word}{joint}key" for word in ("api", "access", "account", "private") for joint in ("", "_", "-")),
    *("access.key", "account.key"),
)
_END = r"\\{0,7}[\"']"
"""A quote as it stands in code, or in a string in a string."""
_INSIDE = r"(?:(?!(?P=quote)|(?P=mark))(?:(?(escape)\\++|\\).|[^\\\n]))+"
_OPENED = r"[rbuf]{0,2}(?P<quote>(?P<escape>\\{1,7})?(?P<mark>\"\"\"|'''|[\"']))"
_STRING = rf"{_OPENED}(?P<secret>{_INSIDE})"
"""A string, up to its end or that of the line."""
_STRINGS = (
    rf"(?P<listed>[\[(]\s{{0,20}}){{0,2}}{_OPENED}"
    rf"(?P<secret>{_INSIDE}(?(listed)(?:(?P=quote)\s{{0,20}},\s{{0,20}}(?P=quote){_INSIDE})*))"
)
"""A string, or all those of a list."""
_BARE = r"(?![{$<%`-])(?P<secret>(?:\\(?!\\{0,7}[\"'])|[^\s\"'\\;|&<>])+)"
"""A word of a shell, but no placeholder and no other option."""
_PLAIN = r"(?:\\(?!\\{0,7}[\"'])|[^\s;&'\",(){}\[\]\\])"
_TYPE = r"[\w.]{1,40}(?:\[[\w.,| \t]{1,60}\])?"
_ANNOTATED = rf":\s{{0,5}}{_TYPE}(?:\s?\|\s?{_TYPE}){{0,3}}\s{{0,5}}="
_DOCSTRING = r"\s{0,20}\n\s{0,20}[rbuf]{0,2}(?:\"\"\"|''')"
_VALUE_OF = rf"(?:\{{\s{{0,20}}{_END}value{_END}\s{{0,5}}:\s{{0,5}})?"
_JOINED = "Passwords?|Passphrase|Passcode|Secret|Token|Credentials?|(?:Api|Access|Account|Private|Secret)Key"
"""How the name of a secret ends when its words stand together, as in ``sshPassphrase``."""
_SETTERS = "option|getenv|get|set|setdefault|setenv|putenv|put|config|conf|setProperty|property"
OWN = (
    Rule(
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
    ),
    Rule(("eyj",), re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_=-]{6,}\.[A-Za-z0-9_=-]{2,}(?:\.[A-Za-z0-9_.+/=-]*)?")),
    Rule(("festaf_",), re.compile(r"festaf_[A-Za-z0-9_-]{43}")),
    Rule(("@",), re.compile(r"://[^\s/?#@:'\"<>]*:(?P<secret>[^\s/'\"<>]+)@"), _any_literal),
    Rule(("@",), re.compile(rf"://[^\s/?#@:'\"<>]*:(?!{_PORT}/)(?P<secret>{_SLASHED})@(?=[\w\[{{$])"), _any_literal),
    Rule(("@",), re.compile(r"(?i)https?://(?P<secret>[a-z0-9]{20,})@"), _with_digit),
    Rule(("jdbc:oracle",), re.compile(r"(?i)jdbc:oracle:\w+:[^/\s:@'\"]+/(?P<secret>[^@\s'\"]+)@"), _any_literal),
    Rule(
        ("signature=", "credential", "sig=", "accesskey", "token"),
        re.compile(
            r"(?i)[?&;](?:x-(?:amz|goog|ms)-(?:signature|credential|security-token)|awsaccesskeyid|signature|sig)"
            r"=(?P<secret>[^&\s\"'<>;]+)"
        ),
        _any_literal,
    ),
    Rule(
        _NAME_TRIGGERS,
        re.compile(
            rf"(?i)(?P<name>{NAMES})[\"'\]\\]{{0,9}}\s{{0,20}}(?:{_ANNOTATED}|:=|=>|[=:])"
            rf"(?!{_DOCSTRING})\s{{0,20}}{_VALUE_OF}{_STRINGS}"
        ),
        _no_vocabulary,
    ),
    Rule(
        _NAME_TRIGGERS,
        re.compile(
            rf"(?i)\b(?:(?:{_SETTERS})\(\s{{0,40}}{_END}(?!-)[\w.-]{{0,60}}?{NAMES}{_END}\s{{0,20}},\s{{0,40}}(?:default\w{{0,4}}=)?"
            rf"|(?:(?:set|with)\w{{0,40}}?{NAMES}|SecretStr)\(\s{{0,40}}){_STRING}"
        ),
        _any_literal,
    ),
    Rule(
        _NAME_TRIGGERS,
        re.compile(rf"(?i)--(?<!---)[\w-]{{0,40}}?(?P<name>{NAMES}){_END}\s{{0,5}},\s{{0,40}}{_STRING}"),
        _argument,
    ),
    Rule(
        _NAME_TRIGGERS,
        re.compile(rf"(?i)--(?<!---)[\w-]{{0,40}}?(?P<name>{NAMES})[ \t]{{1,5}}(?:{_END})?{_BARE}"),
        _flag_value,
    ),
    Rule(
        ("auth=(", "auth = (", "basic"),
        re.compile(rf"(?i)(?:auth(?:=| = )|BasicAuth)\(\s{{0,40}}[^,()\n]{{1,80}},\s{{0,40}}{_STRING}"),
        _any_literal,
    ),
    Rule(
        ("curl",),
        re.compile(r"(?:-u|--user)(?:[ \t=\"',]{1,9}|(?<=-u))[^\s:\"'\\/=,]{1,60}:" + _BARE),
        _after_curl,
    ),
    Rule(
        ("sshpass",),
        re.compile(rf"sshpass[ \t]{{1,5}}-p[ \t]{{0,5}}(?:{_END})?{_BARE}"),
        _any_literal,
    ),
    Rule(
        _NAME_TRIGGERS,
        re.compile(
            rf"(?i)(?P<before>^|[?&;\s\"'])(?=[\w.-])[\w.-]{{0,40}}?(?P<name>{NAMES})=(?P<secret>{_PLAIN}+)(?=$|[\s;&'\"]|\\{{1,8}}[\"'])",
            re.MULTILINE,
        ),
        _no_expression,
    ),
    Rule(
        _NAME_TRIGGERS,
        re.compile(
            rf"(?im)^[ \t-]{{0,40}}[\w.-]{{0,40}}?{NAMES}:[ \t]{{1,20}}(?P<secret>[^\s'\",(){{}}\[\]#]{{6,}})[ \t]*$"
        ),
        _with_digit,
    ),
    Rule(
        ("bearer", "basic"),
        re.compile(r"(?i)\b(?:bearer|basic)\s{1,5}(?P<secret>[A-Za-z0-9._~+/=-]{16,})"),
        _with_digit,
    ),
    Rule(
        ("identified", "passw", "secret", "token"),
        re.compile(
            r"(?i)(?:\b(?:identified\s{1,5}by|password|secret_access_key|session_token|(?-i:SECRET))|[(,]\s{0,40}secret)"
            r"\s{1,5}(?P<quote>[\"'])(?P<secret>(?!(?P=quote))[^\n'\"]+)"
        ),
        _any_literal,
    ),
    Rule(("token",), re.compile(r"_authToken\s{0,5}=\s{0,5}(?P<secret>[^\s\"']+)"), _any_literal),
    Rule(("aiza",), re.compile(r"\bAIza[0-9A-Za-z_-]{35}")),
    Rule(("dapi",), re.compile(r"\bdapi[0-9a-f]{32}")),
    Rule(("hf_",), re.compile(r"\bhf_[A-Za-z0-9]{34}")),
    Rule(("sk-",), re.compile(r"\bsk-[A-Za-z0-9_-]{32,}")),
)

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
        found += [Rule(triggers, pattern) for pattern in plugin.denylist if ".{0,20}?" not in pattern.pattern]
    return tuple(found)


@cache
def secret_name() -> re.Pattern[str]:
    """Give the pattern of a key whose value is a secret."""
    return re.compile(rf"(?i)(?:.*[^a-z])?(?:{NAMES}|pass|authorization)|.*(?:{_JOINED})")


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
        re.compile(rb"://(?:[a-z0-9]{20,}@|[^\s/?#@:'\"<>]*:(?:[^\s/'\"<>]+@|(?!\d+/)%s@))" % _SLASHED.encode()),
    ),
)
"""What stands in many texts, and the whole shape of a secret that is looked for where it does."""
