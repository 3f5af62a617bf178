"""What is refused in a shared DAG. Every refusal has a code for machines and a sentence for people.

SharingError
├── NameRefusedError       a namespace, a name or a version that cannot be
├── ArchiveError           an archive, or what would go into one, that is not as it must be
├── SignatureError         a signature that does not hold
└── KeyFileError           a file with a private key that cannot be used
"""

from __future__ import annotations


class SharingError(ValueError):
    """Something was refused; ``code`` names the rule, and ``path`` the file in the package, if it is about one."""

    def __init__(self, code: str, message: str, path: str | None = None) -> None:
        super().__init__(code, message, path)
        self.code = code
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return self.message


class NameRefusedError(SharingError):
    """A namespace, a name or a version cannot be."""


class ArchiveError(SharingError):
    """An archive, or what would go into one, is not as it must be."""


class SignatureError(SharingError):
    """A signature does not hold."""


class KeyFileError(SharingError):
    """A file with a private key cannot be used."""
