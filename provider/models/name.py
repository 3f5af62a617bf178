"""The spellings of a model's name: a group, ``group:version``, or an ARN of a group, version or SageMaker model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from festaf.provider.errors import InputError

Kind = Literal["model-package-group", "model-package", "model"]

_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:\d{12}:(model-package-group|model-package|model)/(.+)")
_PLAIN = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")


@dataclass(frozen=True)
class ModelName:
    """A model as a user names it."""

    name: str
    """Of the group, or of the SageMaker model."""
    version: int | None = None
    arn: str | None = None
    """As it was given; a group of another account is reached by it only."""
    kind: Kind | None = None
    """What the ARN says that it is; None for a plain name, which may be either."""

    @classmethod
    def of(cls, text: str, version: int | str | None = None) -> ModelName:
        """Read a name.

        :param version: the version when the text names none; an empty text is none
        :raises InputError: it is no name, or names another version
        """
        found = _read(str(text).strip())
        if version in {None, ""}:
            return found
        number = _number(version, str(text))
        if found.version not in {None, number}:
            raise InputError(f"{text!r} names version {found.version}, and version is {number}: give one of them")
        if found.kind == "model":
            raise InputError(f"{text!r} is a SageMaker model, which has no versions")
        return cls(found.name, number, found.arn, found.kind)

    @property
    def group(self) -> str:
        """Give what AWS takes for the group: its ARN if that was given, else its name."""
        return self.arn if self.arn and self.kind == "model-package-group" else self.name

    @property
    def spelled(self) -> str:
        """Write the name so that ``of`` reads it again."""
        if self.version is None or self.kind == "model-package":
            return self.arn or self.label
        return version_arn(self.arn, self.version) if self.arn else self.label

    @property
    def label(self) -> str:
        """Write the name shortly, for messages: ``delay`` or ``delay:3``."""
        return self.name if self.version is None else f"{self.name}:{self.version}"


def version_arn(group_arn: str, version: int) -> str:
    """Give the ARN of a version of a group; AWS takes no other name for it."""
    return f"{group_arn.replace(':model-package-group/', ':model-package/', 1)}/{version}"


def _read(text: str) -> ModelName:
    if found := _ARN.fullmatch(text):
        kind, rest = found[1], found[2]
        name, _, number = rest.partition("/")
        if kind == "model-package":
            return ModelName(name, _number(number, text) if number else None, text, "model-package")
        return ModelName(rest, None, text, "model" if kind == "model" else "model-package-group")
    name, colon, number = text.partition(":")
    if not _PLAIN.fullmatch(name):
        raise InputError(
            f"{text!r} is no name of a model: write a group or model (letters, digits and '-', at most 63), "
            "group:version, or an ARN"
        )
    return ModelName(name, _number(number, text) if colon else None)


def _number(value: object, text: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if number < 1:
        raise InputError(f"Version {value!r} of model {text!r} is no number from 1")
    return number
