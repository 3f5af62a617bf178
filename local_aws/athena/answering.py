"""Carries out statements of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena import prepared_sql
from festaf.local_aws.athena.asking import Asker
from festaf.local_aws.athena.create_as import CreateTableAs
from festaf.local_aws.athena.ddl import Ddl
from festaf.local_aws.athena.insert import Inserter
from festaf.local_aws.athena.results import Results
from festaf.local_aws.athena.statement import Unload, bind
from festaf.local_aws.athena.unload import Unloader
from festaf.local_aws.athena.views import Views

if TYPE_CHECKING:
    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.athena.saved_queries import PreparedStatements
    from festaf.local_aws.athena.tables import Tables
    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud


class Answerer:
    """Gives the results of executions; safe to call from several threads."""

    def __init__(self, cloud: Cloud, clock: Clock, prepared: PreparedStatements, tables: Tables) -> None:
        self._cloud = cloud
        self._asker = Asker(cloud, clock, tables)
        self._prepared = prepared
        self._views = Views(cloud, self._asker)

    def answer(self, execution: Execution) -> Results:
        """Carry out the statement of an execution.

        :raises QueryError: it fails, in Athena's words
        :raises CancelledError: it was cancelled
        """
        tree = bind(execution.statement, execution.parameters)
        if isinstance(tree, exp.Query):
            answer = self._asker.ask(execution, tree)
            return Results.of_query(answer.rows, answer.names, answer.json)
        if isinstance(tree, exp.Create) and tree.kind == "TABLE" and tree.expression is not None:
            return CreateTableAs(self._cloud, self._asker).run(execution, tree)
        if isinstance(tree, exp.Insert):
            return Inserter(self._cloud, self._asker).run(execution, tree)
        if isinstance(tree, Unload):
            return Unloader(self._cloud, self._asker).run(execution, tree)
        if isinstance(tree, exp.Create) and tree.kind == "VIEW":
            return self._views.create(execution, tree)
        if isinstance(tree, exp.Drop) and tree.args.get("kind") == "VIEW":
            return self._views.drop(execution, tree)
        if (done := prepared_sql.run(execution, self._prepared)) is not None:
            return done
        return Ddl(self._cloud, execution.region, execution.database).run(tree, execution.statement.read_from)
