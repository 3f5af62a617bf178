"""``python -m festaf.local_aws``: the same as ``festaf local-aws``."""

from festaf.local_aws.cli import app

app(prog_name="festaf local-aws")
