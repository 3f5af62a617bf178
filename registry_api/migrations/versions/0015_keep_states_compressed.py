"""Keep out versions that cannot read the compressed state of a run.

Nothing is changed in a row: a state that is written as it was is read, and compressed when its run is told of again.
"""

from __future__ import annotations

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""
