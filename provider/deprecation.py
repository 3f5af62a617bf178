"""Say once what is deprecated: what takes its place, and the release that removes it.

``deprecated`` marks a class, a function, or one argument of either; ``Renamed`` keeps an attribute readable under its
old name. Both warn with Airflow's category for providers, at the line of the user's code, and write themselves into the
documentation. What is marked works on as its replacement does. ``DEPRECATIONS`` lists it all.
"""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from airflow.exceptions import AirflowProviderDeprecationWarning

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

Marked = TypeVar("Marked", bound="Callable[..., Any]")

_INSIDE = ("festaf.", "airflow.")
"""Modules that a warning is never about: the user's code stands below them."""


@dataclass(frozen=True)
class Deprecation:
    """One name that will go."""

    name: str
    """As users know it: ``FeatureSetReadySensor(athena_output=...)``."""
    replacement: str
    removed_in: str
    """The release of festaf that no longer has it."""

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"{self.name} is deprecated and will be removed in festaf {self.removed_in}: use {self.replacement}"

    def warn(self) -> None:
        """Warn at the line of the user's code."""
        frame = _users_frame()
        warnings.warn_explicit(
            str(self),
            AirflowProviderDeprecationWarning,
            frame.f_code.co_filename,
            frame.f_lineno,
            module=frame.f_globals.get("__name__"),
            registry=frame.f_globals.setdefault("__warningregistry__", {}),
        )


DEPRECATIONS: list[Deprecation] = []
"""Everything that is marked, in the order of import."""


def deprecated(*, replacement: str, removed_in: str, argument: str | None = None) -> Callable[[Marked], Marked]:
    """Mark a class or function, or one of its arguments, as deprecated.

    A deprecated argument is the old name of ``replacement``; what is given under it goes to the new name. On a class it
    is an argument of the constructor.

    :param replacement: what to use instead; of an argument its new name
    :param removed_in: the release of festaf that will not have it
    :param argument: the old name of an argument; None marks the whole
    """

    def mark(marked: Marked) -> Marked:
        name = marked.__qualname__.removesuffix(".__init__")
        shown = f"{name}({argument}=...)" if argument else name
        deprecation = Deprecation(shown, replacement, removed_in)
        DEPRECATIONS.append(deprecation)
        if isinstance(marked, type):
            constructor = _wrapped(marked.__init__, deprecation, argument, owner=marked)  # type: ignore[misc]
            marked.__init__ = constructor  # type: ignore[misc]
            marked.__doc__ = _documented(marked.__doc__, deprecation)
            return cast("Marked", marked)
        return cast("Marked", _wrapped(marked, deprecation, argument))

    return mark


class Renamed:
    """An attribute under its old name: reading and writing it warns, and reaches the new one."""

    def __init__(self, replacement: str, *, removed_in: str) -> None:
        self._replacement = replacement
        self._removed_in = removed_in
        self._deprecation: Deprecation | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        self._deprecation = Deprecation(f"{owner.__qualname__}.{name}", self._replacement, self._removed_in)
        DEPRECATIONS.append(self._deprecation)
        self.__doc__ = f"{self._deprecation}."

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        self._warn()
        return getattr(instance, self._replacement)

    def __set__(self, instance: object, value: object) -> None:
        self._warn()
        setattr(instance, self._replacement, value)

    def _warn(self) -> None:
        assert self._deprecation is not None
        self._deprecation.warn()


def _wrapped(
    function: Callable[..., Any], deprecation: Deprecation, argument: str | None, owner: type | None = None
) -> Callable[..., Any]:
    new = deprecation.replacement

    @functools.wraps(function)
    def warning(*args: Any, **kwargs: Any) -> Any:
        if argument is None:
            # The constructor of a subclass that is not deprecated itself comes by here, too: it says what to inherit.
            deprecation.warn()
            return function(*args, **kwargs)
        if argument in kwargs:
            given = kwargs.pop(argument)
            if kwargs.get(new) is not None:
                raise TypeError(f"{deprecation}; both are given")
            deprecation.warn()
            kwargs[new] = given
        return function(*args, **kwargs)

    if argument is not None:
        # Airflow fills default_args, and checks mapped arguments, by the signature.
        warning.__signature__ = _with_argument(function, argument)  # type: ignore[attr-defined]
    if owner is None:
        warning.__doc__ = _documented(function.__doc__, deprecation)
    return warning


def _with_argument(function: Callable[..., Any], argument: str) -> inspect.Signature:
    """Give the signature with the old name in it, which no one has to give."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    old = inspect.Parameter(argument, inspect.Parameter.KEYWORD_ONLY, default=None)
    place = len(parameters) - (bool(parameters) and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD)
    return signature.replace(parameters=[*parameters[:place], old, *parameters[place:]])


def _documented(text: str | None, deprecation: Deprecation) -> str:
    """Add the sentence to the documentation, as Sphinx shows it."""
    return f"{inspect.cleandoc(text or '').rstrip()}\n\n.. deprecated:: {deprecation.removed_in}\n   {deprecation}.\n"


def _users_frame() -> FrameType:
    """Find the innermost frame that is neither ours nor Airflow's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith(_INSIDE):
        frame = frame.f_back
    return frame
