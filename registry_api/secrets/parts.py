r"""What several patterns are made of: names of secrets, strings, and words. To be compiled by ``verbose``.

A text may be code in a string, and that in another: so a quote may have backslashes before it.
"""

from __future__ import annotations

NAME = r"""
(?:
    (?=[acfpst])  # What the names begin with: most places are passed over by one look.
    (?:
        passw(?:or)?ds? | passphrases? | passcode | pwd | (?<![a-z])pw
        | secret(?:[._-]?keys?)? | token | credentials?
        | (?:access|account)[._-]?keys?
        | (?:api|private)[_-]?keys?
        | fs\.azure\.[\w.-]{0,40}?(?:account\.key|secret|token)\.[\w.-]{1,80}
    )
)
"""
"""How the name of a secret ends; Azure's Hadoop settings end in the name of an account instead."""
JOINED = "Passwords?|Passphrase|Passcode|Secret|Token|Credentials?|(?:Api|Access|Account|Private|Secret)Key"
"""How the name of a secret ends when its words stand together, as in ``sshPassphrase``."""
NAME_TRIGGERS = (
    *("passw", "passphrase", "passcode", "pw", "secret", "token", "credential"),
    *(f"{word}{joint}key" for word in ("api", "access", "account", "private") for joint in ("", "_", "-")),
    *("access.key", "account.key"),
)
"""One of these stands in each ``NAME``."""

QUOTE = r"(?:\\{0,7}[\"'])"
"""A quote, as it stands in code, or in a string in a string."""
_OPENED = r"""
[rbuf]{0,2}
(?P<quote> (?P<escape>\\{1,7})? (?P<mark> \"\"\" | ''' | [\"'] ) )
"""
"""The begin of a string."""
_INSIDE = r"""
(?:
    (?! (?P=quote) | (?P=mark) )
    (?: (?(escape) \\++ | \\ ) . | [^\\\n] )
)+
"""
"""What stands in a string, up to its end or that of the line."""
STRING = rf"{_OPENED} (?P<secret> {_INSIDE} )"
"""A string: ``"x"``, ``b'x'``, or, within another, ``\\"x\\"``."""
STRINGS = rf"""
(?P<listed> [\[(] \s{{0,20}} ){{0,2}}
{_OPENED}
(?P<secret>
    {_INSIDE}
    (?(listed) (?: (?P=quote) \s{{0,20}} , \s{{0,20}} (?P=quote) {_INSIDE} )* )
)
"""
"""A string, or all those of a list: ``["x", "y"]``."""

_NO_QUOTE = r"\\(?!\\{0,7}[\"'])"
"""A backslash that is not one of a quote."""
WORD = rf"(?! [{{$<%`-] ) (?P<secret> (?: {_NO_QUOTE} | [^\s\"'\\;|&<>] )+ )"
"""A word of a shell, but no placeholder and no other option."""
PLAIN = rf"(?: {_NO_QUOTE} | [^\s;&'\",(){{}}\[\]\\] )"
"""A letter of a value that stands without quotes."""
