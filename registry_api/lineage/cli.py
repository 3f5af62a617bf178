"""``festaf registry rebuild``: build the derived tables anew from the events."""

from __future__ import annotations

import typer

from festaf.registry_api.settings import default_database_url
from festaf.registry_api.terminal import AsJson, DatabaseUrl, one_sentence, opened, reaching, say


def rebuild_tables(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Build every table that is derived from events anew; old answers stay until it is done."""
    from festaf.registry_api.lineage.rebuild import rebuild
    from festaf.registry_api.schema import require_current

    def progress(done: int, total: int) -> None:
        if not as_json:
            typer.echo(f"{done} of {total} events", err=True)

    with one_sentence(), opened(database_url or default_database_url()) as database, reaching(database):
        require_current(database)
        events = rebuild(database, progress)
    say({"events": events}, f"Every derived table was built anew from {events} events.", as_json=as_json)
