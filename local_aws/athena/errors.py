"""Why a query fails.

::

    QueryError            what the user wrote cannot be answered: Athena's error category 2
    └── NotSupportedError  Athena would answer it, and the local one does not
"""

from __future__ import annotations


class QueryError(Exception):
    """A query ends as FAILED with this reason; ``code`` is Athena's word, such as ``TABLE_NOT_FOUND``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def reason(self) -> str:
        """Give the text of ``StateChangeReason``."""
        return f"{self.code}: {self.message}"


class NotSupportedError(QueryError):
    """The local Athena would have to guess, so it refuses."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__("NOT_SUPPORTED", f"{where}{what} is not supported by the local Athena")
