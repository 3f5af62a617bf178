"""``festaf registry backup`` and ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from festaf.registry_api.settings import default_database_url
from festaf.registry_api.terminal import AsJson, DatabaseUrl, one_sentence, say

File = Annotated[Path, typer.Argument(help="The copy.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace what stands there.")]


def backup(file: File, database_url: DatabaseUrl = None, force: Force = False, as_json: AsJson = False) -> None:
    """Copy the SQLite database to a file, also while it is served."""
    from festaf.registry_api.database import read_url
    from festaf.registry_api.operations.backup import back_up

    with one_sentence():
        size = back_up(read_url(database_url or default_database_url()), file, force=force)
    say({"file": str(file), "bytes": size}, f"{file} holds the registry ({size:,} bytes).", as_json=as_json)


def restore(file: File, database_url: DatabaseUrl = None, force: Force = False, as_json: AsJson = False) -> None:
    """Put a copy in the place of the SQLite database; stop the registry first."""
    from festaf.registry_api.database import make_folder, read_url
    from festaf.registry_api.operations.backup import restore as put_back

    with one_sentence():
        url = read_url(database_url or default_database_url())
        if url.get_backend_name() == "sqlite":
            make_folder(url)
        version = put_back(url, file, force=force)
    sentence = f"The registry is restored from {file}; its schema is at version {version}."
    say({"file": str(file), "schema": version}, sentence, as_json=as_json)


COMMANDS = {"backup": backup, "restore": restore}
