"""What can go wrong between a notebook, a module and a DAG.

NotebookError
├── UnreadableError     the file is no notebook or module that can be read
├── CellError           a cell cannot become code of a module; the text names the cell
├── ConflictError       both sides changed since they were in step
└── ChangedMeanwhileError   a file changed while it was worked on
"""

from __future__ import annotations


class NotebookError(Exception):
    """Anything that a notebook command refuses, with a sentence that says what to do."""


class UnreadableError(NotebookError):
    """A file is no notebook, or no module, that can be read."""


class CellError(NotebookError):
    """A cell cannot become code of a module or of a DAG."""


class ConflictError(NotebookError):
    """Both sides changed since they were in step; ``difference`` shows how they differ."""

    def __init__(self, message: str, difference: str = "") -> None:
        super().__init__(message, difference)
        self.difference = difference

    def __str__(self) -> str:
        return str(self.args[0])


class ChangedMeanwhileError(NotebookError):
    """Someone else wrote a file while it was worked on; nothing was written."""
