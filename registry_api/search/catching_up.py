"""Index what was there before the search: features of a database that an earlier release filled."""

from __future__ import annotations

from festaf.registry_api.database import Database
from festaf.registry_api.features.refresh import Refresher
from festaf.registry_api.search.index_repository import IndexRepository


def index_missing(database: Database) -> int:
    """Index every feature that never was, a few hundred in each transaction; give how many there were.

    It can be stopped and begun again at any time.
    """
    count = 0
    while True:
        with database.writing() as session:
            missing = IndexRepository(session).missing()
            if missing is None:
                return count
            set_id, ids = missing
            Refresher(session).draw({set_id: ids})
            count += len(ids)
