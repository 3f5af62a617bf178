"""How large a shared DAG may be. All sides refuse alike; a registry may allow a namespace less, never more."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

ARCHIVE_BYTES: Final = 50 * MIB
FILE_BYTES: Final = 10 * MIB
SOURCE_BYTES: Final = 1 * MIB
"""Of a Python file: six megabytes of a list literal take Python's parser three gigabytes."""
MANIFEST_BYTES: Final = 8 * MIB
ENTRIES: Final = 2_000
PATH_BYTES: Final = 240
PATH_PART_BYTES: Final = 120
PATH_DEPTH: Final = 16

JSON_DEPTH: Final = 40
JSON_DIGITS: Final = 18
"""Of a whole number: it fits 64 bits."""
TEXT_BYTES: Final = 256 * KIB
"""Of one text in the manifest."""
DAGS: Final = 500
TASKS: Final = 10_000
"""Of all DAGs of a package together."""
TAG_LENGTH: Final = 50
OWNER_LENGTH: Final = 100
VERSION_LENGTH: Final = 64
REQUIREMENTS: Final = 500
REQUIREMENT_LENGTH: Final = 500
