"""``python -m festaf.registry_api``."""

from festaf.registry_api.cli import app

app(prog_name="festaf registry")
