"""``festaf registry rebuild`` and ``prune``: build the derived tables anew from the events, and let old runs go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from festaf.registry_api.settings import default_database_url
from festaf.registry_api.terminal import AsJson, DatabaseUrl, one_sentence, opened, reaching, say


def rebuild_tables(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Build every table that is derived from events anew; old answers stay until it is done."""
    from festaf.registry_api.access.audit_repository import note, operator, write_notes
    from festaf.registry_api.lineage.rebuild import rebuild
    from festaf.registry_api.schema import require_current

    def progress(done: int, total: int) -> None:
        if not as_json:
            typer.echo(f"{done} of {total} events", err=True)

    with one_sentence(), opened(database_url or default_database_url()) as database, reaching(database):
        require_current(database)
        events = rebuild(database, progress)
        with database.writing() as session:
            note(session, "events.rebuild", "every derived table", counts={"events": events})
            write_notes(session, operator(), datetime.now(UTC))
    say({"events": events}, f"Every derived table was built anew from {events} events.", as_json=as_json)


def prune_runs(
    older_than: Annotated[int, typer.Option("--older-than", min=1, max=36_500, help="Days since a run ended.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed.")] = False,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Remove old runs that say nothing which another run does not; versions and productions are never removed."""
    from festaf.registry_api.lineage.pruning import Pruned, prune
    from festaf.registry_api.schema import require_current

    def progress(done: Pruned) -> None:
        if not as_json:
            typer.echo(f"{done.looked_at} runs looked at, {done.runs} to go", err=True)

    now = datetime.now(UTC)
    with one_sentence(), opened(database_url or default_database_url()) as database, reaching(database):
        require_current(database)
        done = prune(database, now - timedelta(days=older_than), now, dry_run=dry_run, progress=progress)
    verb = "would be" if dry_run else "were"
    sentence = f"{done.runs} of {done.looked_at} runs {verb} removed, with {done.events} events."
    counts = {"looked_at": done.looked_at, "runs": done.runs, "events": done.events, "dry_run": dry_run}
    say(counts, sentence, as_json=as_json)
