"""Count how often archives are fetched: after the answer, so that nobody waits for it."""

from __future__ import annotations

import logging
import random
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from festaf.registry_api.changes import name_subjects
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.database import Database

SLOTS = 8
log = logging.getLogger(__name__)


def count_download(database: Database, version_id: int, now: datetime) -> None:
    """Count one more; a count that cannot be written is lost, since nobody would send it again."""
    try:
        with database.writing() as session:
            name_subjects(session)
            PackageRepository(session).count_download(version_id, now.date(), random.randrange(SLOTS))
    except SQLAlchemyError as error:
        log.warning("A download was not counted: %s", error)
