"""Runs statements on a migration's own connection without a trace in its session."""

from __future__ import annotations

import json
from typing import Any

from . import private_api
from .error_report import describe_error

NO_ACTIVE_TRANSACTION = "25P01"
SAVEPOINT = "migration_gate_snapshot"
HAS_FUNCTION = "select to_regprocedure('migration_gate.read_catalog()') is not null"
CALL_FUNCTION = "select migration_gate.read_catalog()"
ENTER_TRANSACTION = "begin"
LEAVE_TRANSACTION = ("rollback",)
ENTER_SAVEPOINT = "savepoint " + SAVEPOINT
LEAVE_SAVEPOINT = ("rollback to savepoint " + SAVEPOINT, "release savepoint " + SAVEPOINT)


def execute_unseen(connection: Any, statement: str) -> list[Any]:
    """The rows of a statement, run by the driver's own cursor: no listener of SQLAlchemy's sees it."""
    was_begun = connection.in_transaction()
    proxy = connection.connection
    cursor = proxy.cursor()
    try:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        cursor.close()
        if not was_begun:
            # Nothing of the project's is in the transaction that the driver began for this statement. Left
            # open, it would stop an autocommit block.
            proxy.commit()


def run_unseen(connection: Any, statement: str) -> None:
    """Run a statement that returns nothing, once for each revision: psycopg's cursor would take 0.3 ms.

    Where no transaction is open, the statement is one by itself.
    """
    if not private_api.execute_with_libpq(connection, statement):
        execute_unseen(connection, statement)


# How a catalog is read, so that the session is afterwards what it was. The search_path is set for the
# transaction or the savepoint only, which is rolled back.
#
#   the driver commits     a transaction is      SQLAlchemy has     around the query       afterwards
#   each statement         open on the server    begun one
#   ---------------------  --------------------  -----------------  ---------------------  -----------------
#   yes (autocommit)       no                    either             begin … rollback       -
#   no                     yes                   yes                savepoint … release    -
#   no                     no: the driver        no                 savepoint … release    driver's rollback
#                          begins one for us
#   no, it believes in     no: the migration     yes                savepoint fails with   -
#   one                    said COMMIT itself                       25P01, then
#                                                                   begin … rollback


def read_catalog(connection: Any, query: str) -> str:
    """The catalog as JSON: the one value of `query`, read with an empty search_path.

    Where the database has a function for it, that is called: the session keeps its plan.
    """
    was_begun = connection.in_transaction()
    proxy = connection.connection
    uses_savepoint = not getattr(private_api.driver_connection(connection), "autocommit", False)
    cursor = proxy.cursor()
    try:
        if uses_savepoint:
            uses_savepoint = _enter_savepoint(cursor)
        if not uses_savepoint:
            cursor.execute(ENTER_TRANSACTION)
        try:
            cursor.execute("set local search_path = ''")
            cursor.execute(HAS_FUNCTION)
            cursor.execute(CALL_FUNCTION if cursor.fetchone()[0] else query)
            value = cursor.fetchone()[0]
        finally:
            for statement in LEAVE_SAVEPOINT if uses_savepoint else LEAVE_TRANSACTION:
                cursor.execute(statement)
    finally:
        cursor.close()
        if uses_savepoint and not was_begun:
            proxy.rollback()
    return value if isinstance(value, str) else json.dumps(value)


def _enter_savepoint(cursor: Any) -> bool:
    """False if there is no transaction, whatever the driver believes."""
    try:
        cursor.execute(ENTER_SAVEPOINT)
    except Exception as error:
        if describe_error(error).sqlstate != NO_ACTIVE_TRANSACTION:
            raise
        return False
    return True
