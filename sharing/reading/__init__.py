"""Read what a DAG file says without importing or running it: bounded partial evaluation of its syntax tree.

The files of one DAG are evaluated as Python would, with values where the text fixes them and *unknown* where it does
not. Whatever an unknown touches is told as undecided; nothing is guessed.
"""

from festaf.sharing.reading.confined import read_confined
from festaf.sharing.reading.reader import may_define_dags, read_file, read_package

__all__ = ["may_define_dags", "read_confined", "read_file", "read_package"]
