"""``festaf dag``: look at DAGs, share them, and use what others share.

Each file beside this one holds the commands of one purpose and adds them here.
"""

from __future__ import annotations

import typer

from festaf.provider.cli.dag import importing, inspect, keys, publish, registry

app = typer.Typer(no_args_is_help=True, help="Look at DAGs, share them, and use what others share.")
app.add_typer(inspect.app)
app.add_typer(publish.app)
app.add_typer(keys.app, name="key")
app.add_typer(importing.app)
app.add_typer(registry.app)
