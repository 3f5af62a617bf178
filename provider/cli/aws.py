"""What every command that asks AWS takes, and how it speaks: nothing of Airflow's log on standard output."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.connection import fail

if TYPE_CHECKING:
    from collections.abc import Iterator

ConnId = Annotated[
    str, typer.Option("--conn-id", help="Airflow connection to AWS; '' takes boto3's own search for credentials.")
]
Region = Annotated[str | None, typer.Option(help="AWS region; the connection's without.")]


@contextmanager
def asking_aws(*, aloud: bool = False) -> Iterator[None]:
    """Keep what Airflow logs off standard output, and end an expected failure with one sentence.

    :param aloud: whether the log is worth reading, as that of a long wait: it goes to standard error then
    """
    with redirect_stdout(sys.stderr if aloud else io.StringIO()):
        from festaf.provider.errors import FestafError

        try:
            yield
        except FestafError as error:
            fail(str(error))
