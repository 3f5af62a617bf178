"""UNLOAD: rows of a query as files, without a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.local_aws.athena.create_as import path_exists, typed_rows
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.properties import write_properties
from festaf.local_aws.athena.results import Results
from festaf.local_aws.athena.writer import Writer, check_keys
from festaf.local_aws.objects import split_uri

if TYPE_CHECKING:
    from festaf.local_aws.athena.asking import Asker
    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.athena.statement import Unload
    from festaf.local_aws.cloud import Cloud


class Unloader:
    """Carries out UNLOAD."""

    def __init__(self, cloud: Cloud, asker: Asker) -> None:
        self._cloud = cloud
        self._asker = asker

    def run(self, execution: Execution, tree: Unload) -> Results:
        """Run the query and write its rows into an empty folder.

        :raises QueryError: Athena would refuse it, or the query fails
        :raises CancelledError: the execution was cancelled
        """
        properties = write_properties(tree.args.get("properties"), unload=True)
        location = f"{tree.args['target'].name.rstrip('/')}/"
        try:
            split_uri(location)
        except ValueError as error:
            raise QueryError("INVALID_TABLE_PROPERTY", f"External location must be a directory: {location}") from error
        writer = Writer(self._cloud, execution)
        if not writer.is_empty(location):
            raise path_exists(f"default.temp_table_{execution.identity.replace('-', '_')}", location)
        rows = typed_rows(self._asker.ask(execution, tree.this))
        check_keys(rows, properties.partitioned_by)
        written = writer.write(rows, properties, location)
        writer.manifest(f"{execution.output}-manifest.csv", written)
        return Results.of_writing(written.rows)
