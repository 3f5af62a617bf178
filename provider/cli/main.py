"""The program ``festaf``: finds its command groups by the entry points ``festaf.commands`` and runs one.

Only the group that is called is imported: a group may need packages of an extra that is not installed, and Airflow
alone takes seconds.
"""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, NoReturn

import typer

from festaf import __version__
from festaf.client.errors import DeniedError, RegistryError, SpoolError, UnreachableError

GROUP = "festaf.commands"
EXTRAS = {
    "dag": "sharing",
    "demo": "airflow,registry,local",
    "endpoint": "airflow",
    "local-aws": "local",
    "notebook": "sharing",
    "registry": "registry",
}
AIRFLOW = "airflow"
"""The name of the package, and of the extra that brings it."""
INTERRUPTED = 130
UNAUTHENTICATED = 401
FORBIDDEN_HINT = "FESTAF_TOKEN takes another token"
TOKEN_HINT = (
    "set FESTAF_TOKEN to a token that holds; who runs the registry makes one with 'festaf registry token create'"
)


class MissingPackageError(Exception):
    """A group cannot run because a package is not installed; the text says how to install it."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    given = sys.argv[1:] if arguments is None else arguments
    called = next((word for word in given if not word.startswith("-")), None)
    try:
        helping = called is None and "--version" not in given
        _program(called, helping)(given, prog_name="festaf")
    except UnreachableError as error:
        _fail(f"{error}; name another with --registry or FESTAF_REGISTRY_URL")
    except DeniedError as error:
        _fail(f"{error}; {TOKEN_HINT if error.status == UNAUTHENTICATED else FORBIDDEN_HINT}")
    except (RegistryError, SpoolError, MissingPackageError) as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        _fail(_missing(called or "", error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _program(called: str | None, helping: bool) -> typer.Typer:
    """Build the program with the group that is called, or with all of them for the help."""
    program = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="SageMaker feature sets on Apache Airflow, and where each feature comes from.",
    )
    program.callback()(_options)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        if entry.name == called or helping:
            program.add_typer(_load(entry, must=not helping), name=entry.name)
        else:
            program.add_typer(typer.Typer(), name=entry.name)
    return program


def _load(entry: EntryPoint, *, must: bool) -> typer.Typer:
    try:
        group = entry.load()
    except ModuleNotFoundError as error:
        sentence = _missing(entry.name, error)
        if must:
            raise MissingPackageError(sentence) from error
        return typer.Typer(help=sentence)
    if not isinstance(group, typer.Typer):
        raise TypeError(f"The entry point {entry.value} of {GROUP} is no Typer application")
    return group


def _missing(name: str, error: ModuleNotFoundError) -> str:
    package = (error.name or "").split(".")[0]
    # A group of any extra, or of none, may have a command that needs Airflow.
    extra = AIRFLOW if package == AIRFLOW else EXTRAS.get(name)
    if package == "festaf" or extra is None:
        return f"'festaf {name}' is not complete in this installation: there is no module {error.name}"
    return f"'festaf {name}' needs the package {error.name}, which is not installed: pip install 'festaf[{extra}]'"


def _version(value: bool) -> None:
    if value:
        typer.echo(f"festaf {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take what stands before the group's name."""


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    sys.exit(1)
